"""What a blurhash says of a picture: its average colour.

Source: https://github.com/woltapp/blurhash/blob/master/Algorithm.md
"""

from __future__ import annotations

_DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~'
_SHORTEST = 6


def average(text: object) -> str:
    """Return the average colour as #rrggbb, '' if `text`, of unknown origin, is no blurhash."""
    if not isinstance(text, str) or len(text) < _SHORTEST:
        return ''
    value = 0
    for digit in text[2:6]:
        place = _DIGITS.find(digit)
        if place < 0:
            return ''
        value = value * len(_DIGITS) + place
    return f'#{value:06x}' if value < 1 << 24 else ''
