"""Draw a picture from its composition, palette and seed, at any size, the same each time."""

from __future__ import annotations

from typing import Callable, Mapping

from PIL import Image

from . import abstracts, landscapes
from .canvas import Canvas
from .palettes import PALETTES

COMPOSITIONS: Mapping[str, Callable[[Canvas], None]] = {
    draw.__name__: draw
    for draw in (
        landscapes.hills,
        abstracts.bokeh,
        landscapes.peaks,
        abstracts.ribbons,
        landscapes.sea,
        abstracts.strata,
        landscapes.dunes,
        abstracts.mosaic,
        landscapes.forest,
        abstracts.rings,
        landscapes.aurora,
        abstracts.mandala,
        landscapes.city,
        abstracts.tiles,
        landscapes.planets,
        abstracts.silk,
        landscapes.balloons,
        abstracts.contours,
        abstracts.leaves,
        abstracts.weave,
    )
}


def draw_picture(composition: str, palette: int, seed: int, size: tuple[int, int]) -> Image.Image:
    """The picture of `composition` in palette number `palette`, `size` pixels, RGB.

    Small pictures are drawn somewhat larger and reduced: thin lines need smooth edges.
    """
    detail = 2.0 if size[0] <= 320 else 1.5 if size[0] <= 512 else 1.0
    drawn = (round(size[0] * detail), round(size[1] * detail))
    canvas = Canvas(drawn, PALETTES[palette % len(PALETTES)], seed)
    COMPOSITIONS[composition](canvas)
    if drawn == size:
        return canvas.image
    return canvas.image.resize(size, Image.Resampling.HAMMING)
