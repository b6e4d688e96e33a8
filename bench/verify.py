"""What a client left on disk, compared byte by byte with what the server sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from . import pictures

# Files that say by their name that they are not done.
_UNFINISHED = frozenset({'.part', '.aria2'})


@dataclass(frozen=True)
class Found:
    """Files under a final name that are not the picture of that name; pictures of which there is
    no file at all; files that say by their name that they are unfinished."""

    wrong: int
    missing: int
    unfinished: int


def check(folder: Path, stem: Callable[[int], str], count: int, size: int) -> Found:
    """Compare the files in `folder` with the first `count` pictures of `size` bytes.

    `stem` is the name, without extension, under which a picture should be there.
    """
    expected = {stem(number): number for number in pictures.numbers(count)}
    wrong, unfinished, named = 0, 0, set()
    for file in folder.iterdir():
        number = expected.get(file.stem)
        if file.suffix in _UNFINISHED:
            unfinished += 1
            continue
        named.add(number)
        wrong += number is None or file.read_bytes() != pictures.picture(number, size)
    return Found(wrong, count - len(named - {None}), unfinished)
