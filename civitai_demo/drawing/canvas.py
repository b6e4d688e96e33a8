"""A small drawing surface in relative coordinates: one seed, one picture, at any size."""

from __future__ import annotations

import math
import random
from typing import Callable, Sequence

from PIL import Image, ImageDraw

from .palettes import Colour, Palette, gradient_colour

Point = tuple[float, float]
Line = Callable[[float], float]

CURVE_STEPS = 64


class Canvas:
    """An RGB picture under construction.

    x and y run from 0 to 1; lengths and radii are shares of the shorter side.
    """

    def __init__(self, size: tuple[int, int], palette: Palette, seed: int) -> None:
        """A canvas of `size` pixels; every random choice of a drawing comes from `seed`."""
        self.width, self.height = size
        self.unit = min(size)
        self.palette = palette
        self.random = random.Random(seed)
        self.image = Image.new('RGB', size, palette.shade(0.5))
        self._pen = ImageDraw.Draw(self.image, 'RGBA')

    def pixel(self, point: Point) -> Point:
        """A relative point in pixels."""
        return point[0] * self.width, point[1] * self.height

    def fill_gradient(self, stops: Sequence[Colour], angle: float = 90.0) -> None:
        """Fill everything with a gradient along `angle` degrees (90: from top to bottom)."""
        across, down = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        length = (abs(across) + abs(down)) or 1.0
        slope_x, slope_y = 2 * across / length, 2 * down / length
        start = 128.0 - 64.0 * (slope_x + slope_y)
        field = Image.linear_gradient('L').transform(
            (128, 128),
            Image.Transform.AFFINE,
            (0, 0, 128, slope_x, slope_y, start),
            resample=Image.Resampling.BILINEAR,
        )
        self.fill_field(field, stops)

    def fill_field(self, field: Image.Image, stops: Sequence[Colour]) -> None:
        """Fill everything with `field` (grey levels) coloured by `stops` from black to white."""
        table = [gradient_colour(stops, level / 255) for level in range(256)]
        bands = [field.point([colour[band] for colour in table]) for band in range(3)]
        coloured = Image.merge('RGB', bands)
        size = (self.width, self.height)
        self.image.paste(coloured.resize(size, Image.Resampling.BICUBIC), (0, 0))

    def glow(self, centre: Point, radius: float, colour: Colour, strength: float = 1.0) -> None:
        """A soft round light of `radius`, `strength` (0-1) in its middle."""
        reach = max(2, round(radius * self.unit))
        mask = soft_spot(1.6, 255 * strength).resize((64, 64))
        left, top = (round(value) - reach for value in self.pixel(centre))
        mask = mask.resize((2 * reach, 2 * reach), Image.Resampling.BICUBIC)
        self.image.paste(colour, (left, top, left + 2 * reach, top + 2 * reach), mask)

    def disc(self, centre: Point, radius: float, colour: Colour, alpha: float = 1.0) -> None:
        """A filled circle."""
        x, y = self.pixel(centre)
        reach = radius * self.unit
        self._pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=_ink(colour, alpha))

    def ring(
        self, centre: Point, radius: float, width: float, colour: Colour, alpha: float = 1.0
    ) -> None:
        """A circle line of `width`."""
        x, y = self.pixel(centre)
        reach = radius * self.unit
        self._pen.ellipse(
            (x - reach, y - reach, x + reach, y + reach),
            outline=_ink(colour, alpha),
            width=max(1, round(width * self.unit)),
        )

    def polygon(self, points: Sequence[Point], colour: Colour, alpha: float = 1.0) -> None:
        """A filled outline of relative points."""
        self._pen.polygon([self.pixel(point) for point in points], fill=_ink(colour, alpha))

    def shape(
        self, centre: Point, offsets: Sequence[Point], colour: Colour, alpha: float = 1.0
    ) -> None:
        """A filled outline of offsets, lengths both ways: its form survives any aspect."""
        x, y = self.pixel(centre)
        points = [(x + dx * self.unit, y + dy * self.unit) for dx, dy in offsets]
        self._pen.polygon(points, fill=_ink(colour, alpha))

    def pie(self, centre: Point, radius: float, start: float, end: float, colour: Colour) -> None:
        """A slice of a circle between two angles in degrees, clockwise from the right."""
        x, y = self.pixel(centre)
        reach = radius * self.unit
        self._pen.pieslice((x - reach, y - reach, x + reach, y + reach), start, end, fill=colour)

    def stroke(
        self, points: Sequence[Point], width: float, colour: Colour, alpha: float = 1.0
    ) -> None:
        """A line through relative points."""
        path = [self.pixel(point) for point in points]
        thickness = max(1, round(width * self.unit))
        self._pen.line(path, fill=_ink(colour, alpha), width=thickness, joint='curve')

    def ground(self, edge: Line, colour: Colour, alpha: float = 1.0) -> None:
        """Everything below the curve `edge`."""
        self.band(edge, lambda x: 1.02, colour, alpha)

    def band(self, upper: Line, lower: Line, colour: Colour, alpha: float = 1.0) -> None:
        """Everything between two curves."""
        steps = [step / CURVE_STEPS * 1.04 - 0.02 for step in range(CURVE_STEPS + 1)]
        outline = [(x, upper(x)) for x in steps] + [(x, lower(x)) for x in reversed(steps)]
        self.polygon(outline, colour, alpha)

    def wave(self, level: float, swing: float, turns: float = 2.0) -> Line:
        """A smooth random curve around `level` that swings by about `swing`."""
        parts = [
            (swing / (n + 1), turns * (n * 0.8 + 1), self.random.uniform(0, math.tau))
            for n in range(3)
        ]
        return lambda x: level + sum(a * math.sin(f * x * math.pi + p) for a, f, p in parts) / 1.6


def soft_spot(fall: float, peak: float) -> Image.Image:
    """A square of grey levels: `peak` (0-255) in the middle, zero at the middle of each edge."""
    edge = 255 / math.sqrt(2)  # Pillow's radial gradient reaches 255 in the corners
    levels = [round(max(0.0, 1 - level / edge) ** fall * peak) for level in range(256)]
    return Image.radial_gradient('L').point(levels)


def _ink(colour: Colour, alpha: float) -> tuple[int, int, int, int]:
    return (*colour, round(min(max(alpha, 0.0), 1.0) * 255))
