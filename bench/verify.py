"""What a client left on disk, compared byte by byte with what the server sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from scripts.civitai_manager_libs.store import cache

from . import pictures

# Files that say by their name that they are not done.
_UNFINISHED = frozenset({'.part', '.aria2'})

AsSent = Callable[[bytes, int], bytes]


def unchanged(data: bytes, number: int) -> bytes:
    """Return what was kept of picture `number` as what was sent."""
    return data


def without_prompt(data: bytes, number: int) -> bytes:
    """Return it without the Exif segment that tells its prompt, b'' if there is none."""
    begin = data.find(b'\xff\xe1')
    end = begin + 2 + int.from_bytes(data[begin + 2 : begin + 4], 'big')
    prompt = f'number {number},'.encode('utf-16-be')
    return data[:begin] + data[end:] if begin > 0 and prompt in data[begin:end] else b''


@dataclass(frozen=True)
class Found:
    """Files under a final name that are not the picture of that name; pictures of which there is
    no file at all; files that say by their name that they are unfinished."""

    wrong: int
    missing: int
    unfinished: int


def check(
    folder: Path,
    stem: Callable[[int], str],
    count: int,
    size: int,
    as_sent: AsSent = unchanged,
) -> Found:
    """Compare the files in `folder` with the first `count` pictures of `size` bytes.

    `stem` is the name, without extension, under which a picture should be there, and `as_sent`
    makes of what is there what was sent.
    """
    expected = {stem(number): number for number in pictures.numbers(count)}
    wrong, unfinished, named = 0, 0, set()
    for file in folder.iterdir():
        if file.name == cache.MARK:
            continue
        number = expected.get(file.stem)
        if file.suffix in _UNFINISHED:
            unfinished += 1
            continue
        named.add(number)
        wrong += number is None or (
            as_sent(file.read_bytes(), number) != pictures.picture(number, size)
        )
    return Found(wrong, count - len(named - {None}), unfinished)
