"""Bodies of answers: read whole, checked to be what was asked for."""

from __future__ import annotations

import json
import logging
import math
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from io import FileIO
from typing import Any, Callable, Iterator, Mapping

from .. import setting
from ..errors import (
    BodyIncompleteError,
    CancelledError,
    TransferError,
    WrongContentError,
    error_for_status,
)
from ..store import ends, files, media, walks, weights
from . import answers, framing
from .resume import WHOLE_STATUSES, Course, Held, validator
from .unfolding import MAX_VALUES, Unfolding

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]

MB = 1_000_000
MAX_JSON_BYTES = 64 * MB
# What its text may take in memory, where a character may take four bytes; what is read from it may
# take as much again. A page of 200 pictures with a workflow of 100 KB each has 20 MB.
MAX_TEXT_BYTES = 96 * MB
# Files are asked for as they are; one that comes coded all the same could unfold to anything.
MAX_CODED_BYTES = 64 * MB
MAX_THUMBNAIL_BYTES = 50 * MB
MAX_PIXELS = 500_000_000

# What is collected before it is written: most pictures are written at once.
WRITE_BYTES = 1024 * 1024
# Below this the disk itself will tell soon enough.
MIN_CHECKED_SPACE = 1 * MB


@dataclass(frozen=True)
class Body:
    """A body on its way: its chunks, the headers and status of its answer, its redacted url.

    `is_coded`: the server packed it, so that nobody knows how long it will be. `announced`: bytes
    it should have, 0 if its headers do not say or it is coded. `secrets` are what must not be
    repeated if it says it.
    """

    chunks: Iterator[bytes]
    headers: Mapping[str, str]
    url: str
    status: int = 200
    secrets: tuple[str, ...] = field(default=(), repr=False)
    is_coded: bool = field(init=False)
    announced: int = field(init=False)

    def __post_init__(self) -> None:
        # not as cached properties, which hold a lock of the class before Python 3.12
        object.__setattr__(self, 'is_coded', bool(framing.codings(self.headers)))
        object.__setattr__(self, 'announced', framing.length(self.headers))

    @property
    def has_certain_end(self) -> bool:
        """Whether a break before its end would have been noticed.

        Packing is no help: gzip may end where another member should follow.
        """
        if framing.sent_length(self.headers):
            return True
        return framing.transfer_coding(self.headers) == 'chunked'

    def check_whole(self, received: int) -> None:
        """Raise BodyIncompleteError unless `received` bytes are all there should be."""
        if not received or received < self.announced:
            key = 'error_incomplete' if received else 'error_empty'
            raise BodyIncompleteError(key, url=self.url)

    def too_large(self, limit: int) -> WrongContentError:
        """The error for a body of more than `limit` bytes."""
        return WrongContentError('error_too_large', url=self.url, limit=limit // MB)


def read_json(body: Body) -> Any:
    """Return the JSON that `body` holds. Raises BodyIncompleteError, WrongContentError."""
    data, unfolding = bytearray(), Unfolding()
    if body.announced > MAX_JSON_BYTES:
        raise body.too_large(MAX_JSON_BYTES)
    for chunk in body.chunks:
        data += chunk
        unfolding.add(chunk)
        limit = min(MAX_JSON_BYTES, MAX_TEXT_BYTES // unfolding.width)
        if len(data) > limit:
            raise body.too_large(limit)
        if unfolding.is_too_much:
            raise WrongContentError('error_unfolds', url=body.url, limit=f'{MAX_VALUES:,}')
    body.check_whole(len(data))
    if data[-1:].isdigit() and not body.has_certain_end:  # more of the number may be missing
        raise BodyIncompleteError(url=body.url)
    is_page = media.is_html(bytes(data[: media.HEAD_BYTES]))
    try:
        # only as UTF-8, because nothing else was counted
        text = data.decode('utf-8-sig', 'surrogatepass')
        data.clear()
        return json.loads(text, parse_constant=_no_number, parse_float=_number)
    except (ValueError, RecursionError):
        key = 'error_page_for_data' if is_page else 'error_not_json'
        raise WrongContentError(key, url=body.url) from None


def _no_number(name: str) -> float:
    """Refuse NaN and Infinity, which Python reads and JSON does not know."""
    raise ValueError(name)


def _number(digits: str) -> float:
    """The number of `digits`. Raises ValueError for one so large that it would be infinity."""
    number = float(digits)
    if math.isinf(number):
        raise ValueError(digits)
    return number


def limit_for(url: str, target: str) -> int:
    """Return how many bytes the file at `url` may have as `target`, 0 for any number.

    What is only for show, a small version or a file of the picture cache, is never large.
    """
    shown = _below(setting.shortcut_gallery_folder)
    is_for_show = 'width=' in url or os.path.normpath(target).startswith(shown)
    return MAX_THUMBNAIL_BYTES if is_for_show else 0


@lru_cache(maxsize=4)
def _below(folder: str) -> str:
    """How the paths of files in `folder` begin, however it is written."""
    return os.path.join(os.path.normpath(os.path.expanduser(folder)), '')


@dataclass
class FileTransfer:
    """A file on its way to `part`, over the tries of one fetch; `target` says what it should be.

    `progress` gets bytes done and bytes in all (0: unknown). `limit` is the most bytes it may
    have, 0 for any number.
    """

    part: str
    target: str
    stop: threading.Event
    progress: Progress | None = None
    limit: int = 0
    held: Held = Held()
    _is_checked: bool = False
    _endless: int = 0

    def __post_init__(self) -> None:
        self._folder = os.path.dirname(self.part) or os.curdir

    def receive(self, body: Body) -> None:
        """Write `body`, or the rest that it is, and check that the file is whole and of its kind.

        What a body that breaks off brought is kept, if the next try can go on with it.
        Raises BodyIncompleteError, WrongContentError, StorageError, CancelledError, AnswerError
        for a status that is none of a file, and what `progress` raises.
        """
        before, self.held = self.held, Held()
        is_rest = before.size and body.status in (206, 416)
        if body.status not in WHOLE_STATUSES and not is_rest:
            raise error_for_status(body.status, url=body.url)
        course = before.course(body.status, body.headers)
        if course is Course.USELESS:
            raise BodyIncompleteError(url=body.url)
        start = 0 if course is Course.WHOLE else before.size
        name = before.validator if start else validator(body.headers, body.status)
        with files.explained(self._folder):
            file = FileIO(self.part, 'r+' if start else 'w+')
        with file:
            if course is Course.DONE:
                self._finish(body, file, [], start, is_certain=True)
            else:
                total = before.end(body.headers) if start else body.announced
                self._receive(body, file, Held(start, name, total))

    def _receive(self, body: Body, file: FileIO, begun: Held) -> None:
        start, total = begun.size, begun.total
        self._check_size(body, total)
        if body.announced > MIN_CHECKED_SPACE:
            files.check_space(self._folder, body.announced)
        self._is_checked = self._is_checked and start > 0
        if start:
            file.seek(start)
        waiting: list[bytes] = []
        size, done = 0, start
        try:
            for chunk in body.chunks:
                if self.stop.is_set():
                    raise CancelledError(url=body.url)
                waiting.append(chunk)
                size += len(chunk)
                done += len(chunk)
                self._check_size(body, done)
                if done > total > 0:
                    break
                if size >= WRITE_BYTES:
                    self._put(file, waiting, body)
                    size = 0
                if self.progress:
                    self.progress(done, total)
            body.check_whole(done - start)
            if total and done != total:
                raise BodyIncompleteError(url=body.url)
        except TransferError:
            is_too_much = done > total > 0
            if begun.validator and done >= media.HEAD_BYTES and not is_too_much:
                with suppress(WrongContentError):  # the break says more than half an answer
                    self._put(file, waiting, body)
                    self.held = replace(begun, size=done)
            raise
        self._finish(body, file, waiting, done, is_certain=body.has_certain_end or done == total)

    def _put(self, file: FileIO, waiting: list[bytes], body: Body) -> None:
        """Write what is `waiting`, the beginning only if it is of the right kind."""
        data = b''.join(waiting)
        waiting.clear()
        if not self._is_checked:
            _check_kind(data, self.target, body)
            self._is_checked = True
        rest = memoryview(data)
        with files.explained(self._folder):
            while rest:
                rest = rest[file.write(rest) :]

    def _finish(
        self, body: Body, file: FileIO, waiting: list[bytes], size: int, *, is_certain: bool
    ) -> None:
        """Write the last of a file of `size` bytes; see that it has its end.

        `is_certain`: the transfer did not break off before it.
        """
        last = b''.join(waiting)
        self._put(file, [last], body)
        read = partial(_slice, last) if len(last) == size else partial(_part, file)
        look = ends.end_of if is_certain else walks.proved_end
        with files.explained(self._folder):
            end = look(read, size)
        if end is ends.End.WHOLE or (is_certain and end is ends.End.UNKNOWN):
            return
        is_proved_short = end is ends.End.SHORT and not is_certain
        if is_proved_short or self._endless != size:
            self._endless = size
            raise BodyIncompleteError('error_no_end', url=body.url)
        # Such originals exist, and plain bytes, pickles and text never tell: twice the same length
        # is what there is, even where a proxy cuts all at one place.
        log.warning('%s shows no end, twice; it is kept as it came', body.url)

    def _check_size(self, body: Body, size: int) -> None:
        if self.limit and size > self.limit:
            raise body.too_large(self.limit)
        if size > MAX_CODED_BYTES and body.is_coded:
            raise body.too_large(MAX_CODED_BYTES)


def _slice(data: bytes, at: int, count: int) -> bytes:
    return data[at : at + count]


def _part(file: FileIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


def _check_kind(head: bytes, target: str, body: Body) -> None:
    """Raise WrongContentError if a body that begins with `head` is not what `target` says."""
    if media.is_html(head):
        raise WrongContentError('error_page_for_file', url=body.url)
    if media.is_error_json(head):
        detail = answers.site_words(head, *body.secrets)
        raise WrongContentError('error_message_for_file', url=body.url, detail=detail)
    name = os.path.basename(target)
    suffix = os.path.splitext(name)[1].lower()
    if suffix in weights.MODEL_SUFFIXES:
        told = body.headers.get('Content-Type', '')
        if weights.is_message(head, name) or weights.is_message_type(told, name):
            raise WrongContentError('model_page', url=body.url, name=name)
    if suffix not in media.MEDIA_SUFFIXES:
        return
    kind, is_sound = media.sniff(head), suffix in media.AUDIO_SUFFIXES
    if kind is None or (kind.kind == 'audio' and not is_sound):
        raise WrongContentError('error_not_a_picture', url=body.url)
    width, height = media.dimensions(head) or (0, 0)
    if width * height > MAX_PIXELS:
        raise WrongContentError('error_too_many_pixels', url=body.url, width=width, height=height)
