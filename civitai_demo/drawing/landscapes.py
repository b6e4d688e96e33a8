"""Compositions that look like places: hills, seas, forests, skies, towns."""

from __future__ import annotations

import math

from .canvas import Canvas, Line, Point
from .palettes import Colour, mix


def _sun(canvas: Canvas, low: float, high: float) -> Point:
    """A sun or moon with its halo somewhere between two heights; returns where it stands."""
    dice, palette = canvas.random, canvas.palette
    place = (dice.uniform(0.2, 0.8), dice.uniform(low, high))
    radius = dice.uniform(0.07, 0.15)
    canvas.glow(place, radius * 4.5, palette.accent, 0.55)
    canvas.disc(place, radius, mix(palette.accent, palette.lightest, 0.25))
    return place


def _stars(canvas: Canvas, count: int, lowest: float) -> None:
    for _ in range(count):
        place = (canvas.random.random(), canvas.random.uniform(0, lowest))
        size = canvas.random.choice((0.0025, 0.003, 0.004, 0.006))
        canvas.disc(place, size, canvas.palette.lightest, canvas.random.uniform(0.4, 0.95))


def _sky(canvas: Canvas, top: float, bottom: float) -> None:
    palette = canvas.palette
    middle = palette.shade((top + bottom) / 2)
    canvas.fill_gradient((palette.shade(top), middle, palette.shade(bottom), palette.lightest))


def hills(canvas: Canvas) -> None:
    """Rolling hills that fade into the haze, a sun above them."""
    dice, palette = canvas.random, canvas.palette
    _sky(canvas, dice.uniform(0.35, 0.6), 0.85)
    _sun(canvas, 0.15, 0.42)
    layers = dice.randint(4, 7)
    horizon = dice.uniform(0.4, 0.56)
    for layer in range(layers):
        depth = layer / (layers - 1)
        edge = canvas.wave(horizon + depth * (0.92 - horizon), 0.03 + 0.06 * depth, 1.5 + depth)
        canvas.ground(edge, palette.shade(0.78 * (1 - depth) ** 0.9))


def peaks(canvas: Canvas) -> None:
    """Sharp mountains with snow on their tops and one flank in the shade."""
    dice, palette = canvas.random, canvas.palette
    _sky(canvas, 0.45, 0.8)
    _sun(canvas, 0.1, 0.28)
    for depth in (0.0, 0.5, 1.0):
        base = palette.shade(0.62 - 0.5 * depth)
        count = dice.randint(2, 3)
        for slot in range(count):
            top = 0.33 + 0.2 * depth + dice.uniform(-0.07, 0.07)
            summit = ((slot + dice.uniform(0.15, 0.85)) / count, top)
            _mountain(canvas, summit, 0.76 + 0.2 * depth, dice.uniform(0.34, 0.5), base, depth)
        canvas.ground(canvas.wave(0.72 + 0.2 * depth, 0.02, 2), mix(base, palette.darkest, 0.15))


def _mountain(
    canvas: Canvas, summit: Point, foot: float, spread: float, base: Colour, depth: float
) -> None:
    middle, top = summit
    palette, tall = canvas.palette, foot - top
    left, right = (middle - spread, foot), (middle + spread, foot)
    ridge = [summit, (middle + 0.02, top + tall * 0.3), (middle - 0.03, top + tall * 0.6)]
    ridge.append((middle + canvas.random.uniform(-0.03, 0.06), foot))
    snow = mix(palette.lightest, base, 0.1 + 0.25 * (1 - depth))
    canvas.polygon((left, summit, right), base)
    lit = ((-0.26, 0.26), (-0.16, 0.23), (-0.1, 0.32), (-0.02, 0.25))
    dim = ((0.05, 0.33), (0.12, 0.24), (0.2, 0.3), (0.24, 0.24))
    cap = [(middle + spread * across, top + tall * down) for across, down in (*lit, *dim)]
    canvas.polygon([summit, *cap], snow)
    canvas.polygon([*ridge, right], palette.darkest, 0.3)


def sea(canvas: Canvas) -> None:
    """A calm sea under a low sun, its light broken on the waves."""
    dice, palette = canvas.random, canvas.palette
    _sky(canvas, dice.uniform(0.3, 0.5), 0.8)
    horizon = dice.uniform(0.48, 0.62)
    x, _ = _sun(canvas, horizon - 0.16, horizon - 0.02)
    if dice.random() < 0.6:
        canvas.band(canvas.wave(horizon - 0.03, 0.05, 3), lambda _: horizon, palette.shade(0.45))
    for step in range(14):
        depth = step / 13
        level = horizon + (1 - horizon) * depth**1.5
        edge = canvas.wave(level, 0.004 + 0.012 * depth, 5 - 2 * depth)
        canvas.ground(edge, mix(palette.shade(0.62), palette.darkest, 0.25 + 0.65 * depth))
        reach = 0.05 + 0.12 * depth * dice.uniform(0.5, 1.2)
        thick = 0.004 + 0.012 * depth
        for _ in range(3):
            middle = x + dice.uniform(-1, 1) * reach
            glint = [(middle - reach * 0.6, level + thick), (middle, level + thick * 0.3)]
            glint += [(middle + reach * 0.6, level + thick), (middle, level + thick * 1.8)]
            canvas.polygon(glint, palette.accent, 0.7 - 0.3 * depth)


def dunes(canvas: Canvas) -> None:
    """Sweeping dunes, each with a lit and a shaded flank."""
    dice, palette = canvas.random, canvas.palette
    _sky(canvas, 0.55, 0.9)
    _sun(canvas, 0.12, 0.3)
    for step in range(6):
        depth = step / 5
        start, tilt = 0.36 + 0.52 * depth, dice.uniform(-0.14, 0.14)
        crest = _tilted(canvas.wave(start, 0.05, 1.3), tilt)
        fold = canvas.wave(start + 0.07, 0.07, 1.6)
        canvas.ground(crest, mix(palette.shade(0.75), palette.shade(0.35), depth))
        shade = mix(palette.shade(0.35), palette.darkest, depth * 0.7)
        canvas.band(crest, _lower_of(crest, fold), shade, 0.55)


def _tilted(line: Line, tilt: float) -> Line:
    return lambda x: line(x) + tilt * (x - 0.5)


def _lower_of(one: Line, other: Line) -> Line:
    return lambda x: max(one(x), other(x))


def forest(canvas: Canvas) -> None:
    """Rows of firs in the mist."""
    dice, palette = canvas.random, canvas.palette
    _sky(canvas, 0.6, 0.9)
    _sun(canvas, 0.1, 0.3)
    for row in range(4):
        depth = row / 3
        colour = palette.shade(0.66 - 0.66 * depth)
        line = canvas.wave(0.62 + 0.28 * depth, 0.03, 2)
        trees = 13 - row * 2
        for slot in range(trees):
            x = (slot + dice.uniform(0.1, 0.9)) / trees
            _fir(
                canvas, (x, line(x) + 0.02), (0.16 + 0.2 * depth) * dice.uniform(0.65, 1.25), colour
            )
        canvas.ground(line, colour)
        if row < 3:
            canvas.ground(line, palette.lightest, 0.16)


def _fir(canvas: Canvas, foot: Point, height: float, colour: Colour) -> None:
    tiers = 4
    for tier in range(tiers):
        top = -height * (1 - tier / (tiers + 0.6))
        half = height * (0.1 + 0.055 * tier)
        bottom = top + height * 0.38
        canvas.shape(foot, ((0, top), (half, bottom), (-half, bottom)), colour)


def aurora(canvas: Canvas) -> None:
    """Curtains of light over dark hills under stars."""
    dice, palette = canvas.random, canvas.palette
    canvas.fill_gradient((palette.darkest, palette.shade(0.12), palette.shade(0.3)))
    _stars(canvas, 90, 0.75)
    for _ in range(3):
        base = canvas.wave(dice.uniform(0.3, 0.55), 0.09, 1.6)
        colour = dice.choice((palette.shade(0.65), palette.shade(0.85), palette.accent))
        for ray in range(46):
            x = ray / 45
            tall = 0.2 + 0.12 * math.sin(x * 9 + dice.random())
            quad = [(x - 0.016, base(x)), (x + 0.016, base(x + 0.016))]
            quad += [(x + 0.03, base(x) - tall), (x - 0.002, base(x) - tall)]
            canvas.polygon(quad, colour, 0.16)
            lower = [(x - 0.016, base(x)), (x + 0.016, base(x + 0.016))]
            lower += [(x + 0.02, base(x) - tall / 2.5), (x - 0.012, base(x) - tall / 2.5)]
            canvas.polygon(lower, colour, 0.22)
    for depth in (0.0, 0.5, 1.0):
        edge = canvas.wave(0.74 + 0.12 * depth, 0.05, 2.4)
        canvas.ground(edge, mix(palette.shade(0.2), palette.darkest, 0.3 + 0.7 * depth))


def city(canvas: Canvas) -> None:
    """A town at dusk, some windows lit."""
    dice, palette = canvas.random, canvas.palette
    _sky(canvas, 0.25, 0.75)
    _sun(canvas, 0.2, 0.45)
    for row in range(3):
        depth = row / 2
        colour = mix(palette.shade(0.45), palette.darkest, depth)
        x = -0.03
        while x < 1.0:
            wide = dice.uniform(0.07, 0.15)
            top = 0.42 + 0.2 * depth + dice.uniform(-0.1, 0.12)
            canvas.polygon(((x, 1), (x, top), (x + wide, top), (x + wide, 1)), colour)
            if dice.random() < 0.35:
                middle = x + wide / 2
                roof = ((x, top), (middle, top - dice.uniform(0.03, 0.07)), (x + wide, top))
                canvas.polygon(roof, colour)
            if row:
                _windows(canvas, x, wide, top)
            x += wide + dice.uniform(-0.01, 0.02)


def _windows(canvas: Canvas, left: float, wide: float, top: float) -> None:
    columns = max(2, int(wide / 0.03))
    for column in range(columns):
        for floor in range(9):
            if canvas.random.random() < 0.34:
                x = left + wide * (column + 0.28) / columns
                y = top + 0.025 + floor * 0.04
                box = ((x, y), (x + 0.011, y), (x + 0.011, y + 0.016), (x, y + 0.016))
                canvas.polygon(box, canvas.palette.accent, 0.85)


def planets(canvas: Canvas) -> None:
    """Round shaded worlds in a starry sky, one of them ringed."""
    dice, palette = canvas.random, canvas.palette
    canvas.fill_gradient(
        (palette.darkest, palette.shade(0.22), palette.darkest), dice.uniform(0, 180)
    )
    for _ in range(3):
        spot = (dice.random(), dice.random())
        canvas.glow(spot, dice.uniform(0.4, 0.8), palette.shade(0.5), 0.45)
    _stars(canvas, 110, 1.0)
    spots = [(0.34, 0.36, 0.27), (0.76, 0.72, 0.15), (0.82, 0.2, 0.08), (0.2, 0.82, 0.1)]
    for index, (x, y, size) in enumerate(spots[: dice.randint(2, 4)]):
        place = (x + dice.uniform(-0.08, 0.08), y + dice.uniform(-0.08, 0.08))
        _world(
            canvas,
            place,
            size * dice.uniform(0.8, 1.2),
            palette.shade(0.45 + 0.13 * index),
            index == 0,
        )


def _world(canvas: Canvas, place: Point, size: float, colour: Colour, ringed: bool) -> None:
    palette = canvas.palette
    steps = 14
    for step in range(steps):
        share = step / (steps - 1)
        shift = size * 0.3 * share * canvas.unit
        centre = (place[0] - shift / canvas.width, place[1] - shift / canvas.height)
        shade = mix(mix(colour, palette.darkest, 0.55), mix(colour, palette.lightest, 0.5), share)
        canvas.disc(centre, size * (1 - 0.62 * share), shade)
    if ringed:
        tilt = canvas.random.uniform(-0.5, 0.5)
        for width in (1.45, 1.62, 1.8):
            arc = []
            for step in range(41):
                angle = math.pi * (step / 40 * 1.24 - 0.12)
                dx, dy = math.cos(angle) * width * size, math.sin(angle) * width * size * 0.26
                turned = dx * math.cos(tilt) - dy * math.sin(tilt)
                fall = dx * math.sin(tilt) + dy * math.cos(tilt)
                arc.append(
                    (
                        place[0] + turned * canvas.unit / canvas.width,
                        place[1] + fall * canvas.unit / canvas.height,
                    )
                )
            canvas.stroke(arc, 0.012, palette.accent, 0.75)


def balloons(canvas: Canvas) -> None:
    """Hot-air balloons over hills in the morning."""
    dice, palette = canvas.random, canvas.palette
    _sky(canvas, 0.55, 0.88)
    _sun(canvas, 0.45, 0.6)
    for depth in (0.0, 0.5, 1.0):
        edge = canvas.wave(0.72 + 0.11 * depth, 0.05, 1.8)
        canvas.ground(edge, palette.shade(0.6 - 0.5 * depth))
    for slot in range(dice.randint(3, 5)):
        place = ((slot + dice.uniform(0.3, 0.7)) / 4.2, dice.uniform(0.14, 0.6))
        _balloon(canvas, place, dice.uniform(0.06, 0.14))


def _balloon(canvas: Canvas, place: Point, size: float) -> None:
    palette, dice = canvas.palette, canvas.random
    colours = [palette.accent, palette.shade(dice.uniform(0.1, 0.4)), palette.lightest]
    dice.shuffle(colours)
    for index, width in enumerate((1.0, 0.72, 0.42, 0.14)):
        outline = []
        for step in range(33):
            angle = step / 32 * math.tau
            narrow = 1 - 0.35 * max(0.0, math.sin(angle)) ** 2
            bottom = 1.25 if math.sin(angle) > 0 else 1.0
            outline.append(
                (math.cos(angle) * size * width * narrow, math.sin(angle) * size * bottom)
            )
        canvas.shape(place, outline, colours[index % 3])
    half, top, low = size * 0.16, size * 1.5, size * 1.78
    canvas.shape(place, ((-half, top), (half, top), (half, low), (-half, low)), palette.darkest)
