"""Compositions without a subject: light, waves, tiles, rings, flowers of geometry."""

from __future__ import annotations

import math

from PIL import Image, ImageChops

from .canvas import Canvas, Line, soft_spot
from .palettes import mix


def bokeh(canvas: Canvas) -> None:
    """Soft discs of light out of focus."""
    dice, palette = canvas.random, canvas.palette
    canvas.fill_gradient(
        (palette.darkest, palette.shade(0.3), palette.shade(0.55)), dice.uniform(0, 180)
    )
    for _ in range(4):
        spot = (dice.random(), dice.random())
        canvas.glow(spot, dice.uniform(0.3, 0.7), palette.shade(dice.uniform(0.4, 0.9)), 0.6)
    for _ in range(34):
        place, size = (dice.random(), dice.random()), dice.uniform(0.02, 0.12)
        colour = dice.choice(
            (palette.accent, palette.lightest, palette.shade(0.7), palette.shade(0.5))
        )
        canvas.disc(place, size, colour, dice.uniform(0.16, 0.42))
        canvas.ring(place, size, 0.004, mix(colour, palette.lightest, 0.5), 0.4)


def ribbons(canvas: Canvas) -> None:
    """Wide ribbons flowing across."""
    dice, palette = canvas.random, canvas.palette
    canvas.fill_gradient((palette.shade(0.9), palette.lightest), dice.uniform(0, 180))
    count = dice.randint(7, 10)
    swing, turns = dice.uniform(0.1, 0.2), dice.uniform(1.2, 2.2)
    for index in range(count):
        share = index / (count - 1)
        upper = canvas.wave(share * 0.9 + 0.02, swing, turns)
        lower = canvas.wave(share * 0.9 + dice.uniform(0.1, 0.2), swing, turns)
        colour = palette.accent if index == count // 2 else palette.shade(1 - share)
        canvas.band(upper, _lower_of(_raised(upper, -0.03), lower), colour, 0.82)


def strata(canvas: Canvas) -> None:
    """Paper-cut layers, each throwing a soft shade on the next."""
    dice, palette = canvas.random, canvas.palette
    bright_first = dice.random() < 0.5
    canvas.fill_gradient((palette.lightest, palette.shade(0.8)))
    layers = 9
    for index in range(layers):
        share = index / (layers - 1)
        edge = canvas.wave(0.12 + 0.8 * share, dice.uniform(0.05, 0.12), dice.uniform(1.2, 2.6))
        for lift in (0.018, 0.012, 0.006):
            canvas.band(_raised(edge, lift), edge, palette.darkest, 0.08)
        canvas.ground(edge, palette.shade(1 - share if bright_first else share))
    canvas.glow((dice.random(), 0.05), 0.6, palette.accent, 0.35)


def _raised(line: Line, lift: float) -> Line:
    return lambda x: line(x) - lift


def _lower_of(one: Line, other: Line) -> Line:
    return lambda x: max(one(x), other(x))


def mosaic(canvas: Canvas) -> None:
    """Triangles of a bent grid, coloured along a flow of light."""
    dice, palette = canvas.random, canvas.palette
    columns, rows = dice.choice(((7, 9), (9, 11), (6, 7), (11, 13)))
    nodes = {}
    for column in range(columns + 1):
        for row in range(rows + 1):
            loose_x = 0.36 if 0 < column < columns else 0.0
            loose_y = 0.36 if 0 < row < rows else 0.0
            x = (column + dice.uniform(-loose_x, loose_x)) / columns
            nodes[column, row] = (x, (row + dice.uniform(-loose_y, loose_y)) / rows)
    angle, bend = dice.uniform(0, math.tau), dice.uniform(1.5, 4.0)
    for column in range(columns):
        for row in range(rows):
            one, two = nodes[column, row], nodes[column + 1, row]
            three, four = nodes[column + 1, row + 1], nodes[column, row + 1]
            split = dice.random() < 0.5
            for corners in (
                ((one, two, three), (one, three, four))
                if split
                else ((one, two, four), (two, three, four))
            ):
                x = sum(corner[0] for corner in corners) / 3
                y = sum(corner[1] for corner in corners) / 3
                flow = x * math.cos(angle) + y * math.sin(angle)
                light = 0.5 + 0.42 * math.sin(flow * bend + bend) + dice.uniform(-0.1, 0.1)
                colour = palette.shade(light)
                canvas.polygon(
                    corners, mix(colour, palette.accent, 0.75) if dice.random() < 0.06 else colour
                )


def rings(canvas: Canvas) -> None:
    """Circles within circles around a few centres."""
    dice, palette = canvas.random, canvas.palette
    canvas.fill_gradient((palette.shade(0.75), palette.lightest), dice.uniform(0, 180))
    for index in range(dice.randint(4, 6)):
        place = (dice.uniform(0.05, 0.95), dice.uniform(0.05, 0.95))
        size, steps = dice.uniform(0.22, 0.48), dice.randint(4, 8)
        reverse = dice.random() < 0.5
        for step in range(steps):
            share = step / (steps - 1)
            colour = palette.shade(share if reverse else 1 - share)
            if step == steps - 1:
                colour = palette.accent if index % 2 else palette.darkest
            canvas.disc(place, size * (1 - step / steps), colour)


def mandala(canvas: Canvas) -> None:
    """A flower of overlapping petals."""
    dice, palette = canvas.random, canvas.palette
    dark = dice.random() < 0.5
    edge, heart = (
        (palette.darkest, palette.shade(0.3)) if dark else (palette.shade(0.8), palette.lightest)
    )
    canvas.fill_gradient((edge, heart, edge), dice.uniform(0, 180))
    centre = (dice.uniform(0.4, 0.6), dice.uniform(0.4, 0.6))
    canvas.glow(centre, 0.8, palette.shade(0.55), 0.55)
    petals, turn = dice.choice((6, 8, 10, 12, 14)), dice.random()
    for layer in range(5):
        length, wide = 0.56 - 0.1 * layer, (0.17 - 0.022 * layer) * 9 / (petals + 2)
        colour = palette.accent if layer == 3 else palette.shade(0.2 + 0.2 * layer)
        for petal in range(petals):
            angle = (petal + turn + layer * 0.5) / petals * math.tau
            canvas.shape(centre, _petal(angle, length, wide), colour, 0.72)
    canvas.disc(centre, 0.055, palette.darkest)
    canvas.disc(centre, 0.035, palette.accent)


def _petal(angle: float, length: float, wide: float) -> list[tuple[float, float]]:
    outline = []
    for step in range(25):
        along = step / 24 * math.tau
        x = (1 - math.cos(along)) / 2 * length
        y = math.sin(along) * wide * (0.55 + 0.45 * x / length)
        turned = x * math.cos(angle) - y * math.sin(angle)
        outline.append((turned, x * math.sin(angle) + y * math.cos(angle)))
    return outline


def tiles(canvas: Canvas) -> None:
    """A quilt of quarter circles, discs and half squares."""
    dice, palette = canvas.random, canvas.palette
    columns = dice.choice((3, 4, 5, 6))
    side = 1 / columns
    rows = max(2, round(canvas.height / canvas.width * columns))
    tall = 1 / rows
    reach = side * canvas.width / canvas.unit * max(1.0, tall * canvas.height / side / canvas.width)
    colours = [*palette.shades, palette.accent]
    for row in range(rows):
        for column in range(columns):
            back, front, third = dice.sample(colours, 3)
            left, top, right, low = column * side, row * tall, (column + 1) * side, (row + 1) * tall
            corners = [(left, top), (right, top), (right, low), (left, low)]
            canvas.polygon(corners, back)
            kind, turn = dice.randrange(4), dice.randrange(4)
            centre = ((left + right) / 2, (top + low) / 2)
            if kind == 0:
                canvas.pie(corners[turn], reach * 0.98, turn * 90, turn * 90 + 90, front)
                canvas.pie(corners[turn], reach * 0.5, turn * 90, turn * 90 + 90, third)
            elif kind == 1:
                canvas.disc(centre, reach * 0.4, front)
                canvas.disc(centre, reach * 0.19, third)
            elif kind == 2:
                canvas.polygon([corners[turn], corners[turn - 1], corners[turn - 2]], front)
            else:
                canvas.pie(centre, reach * 0.45, turn * 90, turn * 90 + 180, front)
                canvas.pie(centre, reach * 0.45, turn * 90 + 180, turn * 90 + 360, third)


def silk(canvas: Canvas) -> None:
    """Folds of coloured silk: interfering soft fields."""
    dice, palette = canvas.random, canvas.palette
    field = _bumps(canvas, dice.uniform(0.8, 1.3), dice.uniform(1.0, 2.0))
    second = _bumps(canvas, dice.uniform(0.6, 1.2), dice.uniform(1.5, 3.0))
    folds = ImageChops.difference(field, second)
    stops = [*palette.shades]
    if dice.random() < 0.5:
        stops.reverse()
    stops.insert(dice.randint(2, 4), palette.accent)
    canvas.fill_field(folds, stops)


def contours(canvas: Canvas) -> None:
    """A map of heights in flat steps of colour."""
    dice, palette = canvas.random, canvas.palette
    field = _bumps(canvas, dice.uniform(0.7, 1.2), dice.uniform(0.7, 1.5))
    steps = dice.randint(8, 13)
    # Fractions of a grey level matter here: whole ones would fray the edges of the steps.
    fine = field.convert('F').resize((48, 48), Image.Resampling.BOX)
    fine = fine.resize((canvas.width, canvas.height), Image.Resampling.BICUBIC)
    numbered = fine.point(lambda level: level * (steps / 256) + 0.0).convert('L')
    tints = [palette.shade(index / (steps - 1)) for index in range(steps)]
    tints[dice.randrange(2, steps - 2)] = palette.accent
    table = [tints[min(number, steps - 1)] for number in range(256)]
    bands = [numbered.point([colour[band] for colour in table]) for band in range(3)]
    canvas.image.paste(Image.merge('RGB', bands), (0, 0))


def _bumps(canvas: Canvas, size: float, folds: float) -> Image.Image:
    """A soft field of grey levels: round hills laid over each other, folded by a sine."""
    dice = canvas.random
    side = 160
    field = Image.new('L', (side, side), dice.randint(60, 160))
    for _ in range(7):
        reach = round(dice.uniform(0.6, 1.2) * size * side)
        mask = soft_spot(1.3, 225).resize((reach, reach), Image.Resampling.BICUBIC)
        place = (round(dice.uniform(-0.5, 0.8) * side), round(dice.uniform(-0.5, 0.8) * side))
        field.paste(
            dice.choice((20, 60, 200, 240)), (*place, place[0] + reach, place[1] + reach), mask
        )
    phase = dice.uniform(0, math.tau)
    wave = [
        127.5 + 127.5 * math.sin(level / 255 * folds * math.tau + phase) for level in range(256)
    ]
    return field.point([round(level) for level in wave])


def leaves(canvas: Canvas) -> None:
    """Scattered leaves with light veins."""
    dice, palette = canvas.random, canvas.palette
    canvas.fill_gradient((palette.lightest, palette.shade(0.82)), dice.uniform(0, 180))
    for index in range(30):
        place = (dice.uniform(-0.05, 1.05), dice.uniform(-0.05, 1.05))
        angle, length = dice.uniform(0, math.tau), dice.uniform(0.16, 0.34)
        colour = palette.accent if index % 9 == 4 else palette.shade(dice.uniform(0.0, 0.72))
        canvas.shape(place, _petal(angle, length, length * 0.24), colour, 0.9)
        dx, dy = math.cos(angle) * length * 0.92, math.sin(angle) * length * 0.92
        tip = (
            place[0] + dx * canvas.unit / canvas.width,
            place[1] + dy * canvas.unit / canvas.height,
        )
        canvas.stroke((place, tip), 0.004, palette.lightest, 0.6)


def weave(canvas: Canvas) -> None:
    """Diagonal woven bands with see-through crossings."""
    dice, palette = canvas.random, canvas.palette
    canvas.fill_gradient((palette.lightest, palette.shade(0.8)))
    slant = dice.uniform(0.25, 0.9)
    for direction in (1, -1):
        for _ in range(9):
            start, wide = dice.uniform(-0.4, 1.2), dice.uniform(0.03, 0.13)
            lean = direction * slant
            offset = 0.0 if direction > 0 else slant
            band = [(-0.02, start + offset), (1.02, start + offset + lean)]
            band += [(1.02, start + offset + lean + wide), (-0.02, start + offset + wide)]
            colour = palette.accent if dice.random() < 0.15 else palette.shade(dice.random())
            canvas.polygon(band, colour, 0.62)
