"""Curated colour palettes and the small colour arithmetic the pictures need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    """Five colours that go together, from the darkest to the lightest, and one accent."""

    name: str
    shades: tuple[Colour, ...]
    accent: Colour

    @property
    def darkest(self) -> Colour:
        """The colour of silhouettes and nights."""
        return self.shades[0]

    @property
    def lightest(self) -> Colour:
        """The colour of light and haze."""
        return self.shades[-1]

    def shade(self, position: float) -> Colour:
        """The colour at `position` (0 darkest, 1 lightest), blended between neighbours."""
        return gradient_colour(self.shades, position)


def parse_colour(text: str) -> Colour:
    """An `rrggbb` text as three numbers 0-255."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with `share` (0-1) of `other` mixed in."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other))
    return red, green, blue


def gradient_colour(stops: Sequence[Colour], position: float) -> Colour:
    """The colour at `position` (0-1, clamped) on evenly spaced `stops`."""
    place = min(max(position, 0.0), 1.0) * (len(stops) - 1)
    index = min(int(place), len(stops) - 2)
    return mix(stops[index], stops[index + 1], place - index)


def _palette(name: str, shades: str, accent: str) -> Palette:
    return Palette(name, tuple(map(parse_colour, shades.split())), parse_colour(accent))


PALETTES: tuple[Palette, ...] = (
    _palette('coral dusk', '2b2d52 6b4a7d c8657e f39a7d ffd9a8', 'fff1c9'),
    _palette('sea glass', '12343b 2c6e71 5da399 a7d3c0 eef6e4', 'f2b880'),
    _palette('lavender fields', '2e2350 5a4690 9279c2 c9b3e6 f5ebfb', 'f7c978'),
    _palette('desert morning', '4a2c2a 95533f d58a5e efc08c fbe8c8', '5ea3a3'),
    _palette('nordic blue', '0f2438 274c77 6096ba a3cef1 e7f1f7', 'f5a65b'),
    _palette('moss and honey', '1f2f22 46633b 86974a d3b657 f6e7b5', 'd9743a'),
    _palette('cherry blossom', '4b2a3f 93506f d68aa0 f3bfc8 fdecec', '8fb8a8'),
    _palette('northern lights', '0a1730 143d59 1f7a7a 5fc9a0 d3f8d3', 'c58bea'),
    _palette('apricot mint', '3a4a4d 5f8d84 9cc5a9 f7d6a8 fdf3e0', 'f0836a'),
    _palette('ink and gold', '131a2b 2c3a5a 5b6b8f b9b6a6 f4ead2', 'e2a93b'),
    _palette('raspberry cream', '3c1236 86204f cf4a6d f58f93 fde0d4', 'ffd166'),
    _palette('lagoon', '06283d 0d5c75 1fa1a8 79d7c3 e9fbef', 'ffb26b'),
    _palette('autumn park', '33211c 7a3b20 c4682b e6a141 f8e2a9', '6f8f72'),
    _palette('violet hour', '1b1238 43257a 8446b6 d076c4 fbc4d8', 'ffe29a'),
    _palette('glacier', '1d3144 43697f 7fa8b8 bcd7dc f4fafa', 'e98a8a'),
    _palette('citrus grove', '23402f 4d7c3a 9fb83f efd34f fdf5c4', 'f2803a'),
    _palette('terracotta', '3b2630 80404a bb6455 dd9c7b f6dcc3', '7fb2b0'),
    _palette('peacock', '0b1f3a 14507a 148f97 58c2a0 d9f2d0', 'f4b942'),
    _palette('rose quartz', '40344f 776088 b58db0 e5bcc9 fcedea', '92c4cf'),
    _palette('summer sky', '1c3f6e 3b7dbd 7fb8e6 c7e2f5 fff6df', 'ffb84d'),
    _palette('forest mist', '14261f 2f5145 628a77 a9c4b0 edf3e6', 'e6b566'),
    _palette('embers', '200f21 5a1a33 a8323a e4703a fcc46a', 'fff0cf'),
    _palette('porcelain', '22345c 4a6aa5 8fa9d3 cdd9ec fafaf5', 'd9655b'),
    _palette('plum and sage', '2f2138 5d4365 8c7b8f aebfa0 eef0d8', 'e79c6b'),
)
