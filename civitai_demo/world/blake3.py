"""BLAKE3 without a package: all chunks of a file at once, as lanes of very large integers.

The algorithm is that of github.com/BLAKE3-team/BLAKE3-specs; `hashlib` does not have it. One lane
is 64 bits wide and holds a word of 32, so that sums do not run into their neighbours.
"""

from __future__ import annotations

import sys
from array import array
from typing import Iterable

CHUNK, BLOCK = 1024, 64
_START, _END, _PARENT, _ROOT = 1, 2, 4, 8
_KEY = (
    *(0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A),
    *(0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19),
)
_ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
# Columns, then diagonals.
_QUARTERS = (
    *((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)),
    *((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)),
)


def blake3(data: bytes) -> str:
    """The hash of `data`, 64 hexadecimal digits."""
    whole = len(data) // CHUNK if len(data) % CHUNK or not data else len(data) // CHUNK - 1
    rest = data[whole * CHUNK :]
    values = _chunks(data[: whole * CHUNK], whole, 0, 0) if whole else []
    last = _chunks(rest, 1, whole, 0 if whole else _ROOT)
    values = [[*lane, *more] for lane, more in zip(values, last)] if whole else last
    while len(values[0]) > 1:
        values = _parents(values)
    return b''.join(word[0].to_bytes(4, 'little') for word in values).hex()


def _chunks(data: bytes, count: int, first: int, root: int) -> list[list[int]]:
    """The chaining values of `count` chunks of one length, of which `first` is the number."""
    size = len(data) // count
    padded = max(1, -(-size // BLOCK)) * BLOCK
    if size != padded:  # a chunk that is not full stands alone
        data = data.ljust(padded, b'\0')
    words = array('I', data)
    if sys.byteorder == 'big':
        words.byteswap()
    stride, one = padded // 4, _lanes([1] * count)
    state = [value * one for value in _KEY]
    number = _lanes(range(first, first + count))
    for start in range(0, stride, 16):
        block = [_lanes(words[start + word :: stride]) for word in range(16)]
        ends = start + 16 == stride
        flags = (_START if start == 0 else 0) | ((_END | root) if ends else 0)
        length = size - start * 4 if ends else BLOCK
        state = _compress(state, block, number, length, flags, one)
    return [_unpacked(lane, count) for lane in state]


def _parents(values: list[list[int]]) -> list[list[int]]:
    """The next level of the tree: a parent of each pair, and the last one without a partner."""
    count = len(values[0]) // 2
    one = _lanes([1] * count)
    left = [_lanes(lane[0 : 2 * count : 2]) for lane in values]
    right = [_lanes(lane[1 : 2 * count : 2]) for lane in values]
    flags = _PARENT | (_ROOT if len(values[0]) == 2 else 0)
    key = [value * one for value in _KEY]
    state = _compress(key, left + right, 0, BLOCK, flags, one)
    alone = [lane[2 * count :] for lane in values]
    return [_unpacked(lane, count) + rest for lane, rest in zip(state, alone)]


def _compress(
    chain: list[int], block: list[int], number: int, length: int, flags: int, one: int
) -> list[int]:
    """One block of every lane mixed into the lanes' chaining values."""
    mask = 0xFFFFFFFF * one
    v = [*chain, *(value * one for value in _KEY[:4]), number, 0, length * one, flags * one]

    def turned(value: int, by: int) -> int:
        return (value >> by | value << (32 - by)) & mask

    for _ in range(7):
        for index, (a, b, c, d) in enumerate(_QUARTERS):
            v[a] = (v[a] + v[b] + block[2 * index]) & mask
            v[d] = turned(v[d] ^ v[a], 16)
            v[c] = (v[c] + v[d]) & mask
            v[b] = turned(v[b] ^ v[c], 12)
            v[a] = (v[a] + v[b] + block[2 * index + 1]) & mask
            v[d] = turned(v[d] ^ v[a], 8)
            v[c] = (v[c] + v[d]) & mask
            v[b] = turned(v[b] ^ v[c], 7)
        block = [block[position] for position in _ORDER]
    return [low ^ high for low, high in zip(v[:8], v[8:])]


def _lanes(words: Iterable[int]) -> int:
    """Words side by side in one integer."""
    return int.from_bytes(array('Q', words).tobytes(), sys.byteorder)


def _unpacked(lanes: int, count: int) -> list[int]:
    words = array('Q', lanes.to_bytes(8 * count, sys.byteorder))
    return words.tolist()
