"""Bodies of answers: read whole, checked to be what was asked for."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Generator, Iterable, Mapping

from . import answers, files, media
from .errors import BodyIncompleteError, CancelledError, WrongContentError

Progress = Callable[[int, int], None]

MAX_JSON_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Body:
    """A body on its way: its chunks, the bytes `announced` (0: not said), its redacted url."""

    chunks: Iterable[bytes]
    announced: int
    url: str

    def check_whole(self, received: int) -> None:
        """Raise BodyIncompleteError unless `received` bytes are all there should be."""
        if not received or received < self.announced:
            key = 'error_incomplete' if received else 'error_empty'
            raise BodyIncompleteError(key, url=self.url)


def announced_length(headers: Mapping[str, str]) -> int:
    """Bytes that a body with these headers should have, 0 if they do not say or it is coded."""
    length = headers.get('Content-Length', '').strip()
    if 'Content-Encoding' in headers or not (length.isascii() and length.isdigit()):
        return 0
    return int(length[:18])  # int() refuses thousands of digits


def read_json(body: Body) -> Any:
    """Return the JSON that `body` holds. Raises BodyIncompleteError, WrongContentError."""
    data = bytearray()
    for chunk in body.chunks:
        data += chunk
        if len(data) > MAX_JSON_BYTES:
            raise WrongContentError('error_too_large', url=body.url)
    body.check_whole(len(data))
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        is_page = media.is_html(bytes(data[: media.HEAD_BYTES]))
        key = 'error_page_for_data' if is_page else 'error_not_json'
        raise WrongContentError(key, url=body.url) from None


def save(
    body: Body, part: Path, target: Path, progress: Progress | None, stop: threading.Event
) -> None:
    """Write `body` to `part`, checked to be whole and of the kind that `target` says.

    `progress` gets bytes done and announced. Raises BodyIncompleteError, WrongContentError,
    StorageError, and CancelledError once `stop` is set.
    """
    if body.announced:
        files.check_space(part.parent, body.announced)
    done = 0
    with closing(_written(body, part, target, stop)) as counts:
        for done in counts:
            if progress:
                progress(done, body.announced)
    body.check_whole(done)


def _written(
    body: Body, part: Path, target: Path, stop: threading.Event
) -> Generator[int, None, None]:
    """Write `body` to `part`; after each chunk the bytes so far.

    A generator, so that only what the disk says becomes a StorageError, not what a callback does.
    """
    done = 0
    with files.explained(part.parent), part.open('wb') as file:
        for chunk in body.chunks:
            if stop.is_set():
                raise CancelledError(url=body.url)
            if not done:
                _check_kind(chunk, target, body.url)
            file.write(chunk)
            done += len(chunk)
            yield done


def _check_kind(head: bytes, target: Path, url: str) -> None:
    """Raise WrongContentError if a body that begins with `head` is not what `target` says."""
    if media.is_html(head):
        raise WrongContentError('error_page_for_file', url=url)
    if media.is_error_json(head):
        detail = answers.site_words(head)
        raise WrongContentError('error_message_for_file', url=url, detail=detail)
    if target.suffix.lower() in media.MEDIA_SUFFIXES and media.sniff(head) is None:
        raise WrongContentError('error_not_a_picture', url=url)
