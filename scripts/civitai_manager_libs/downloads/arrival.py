"""A file that arrives in pieces: where the bytes of an answer belong, and whether they do.

For several threads at once, each with a piece of its own.
"""

from __future__ import annotations

import sys
import time
from io import FileIO

from .. import forks
from ..errors import BodyIncompleteError, CancelledError, WrongContentError
from ..http_client.bodies import MAX_CODED_BYTES, Body
from ..http_client.resume import Course, Span, told_range, validator
from ..store import files, weights
from ..store.partial import Partial
from . import leftover
from .digest import Digest
from .leftover import MIB, Expected
from .pieces import Piece, Pieces
from .rate import shared_rate

# Smaller files come over one connection.
SEGMENTED_BYTES = 64 * MIB
ENDLESS = sys.maxsize
# A rest that its connection brings sooner is left to it: what it sends in vain meanwhile is more.
HALVED_SECONDS = 2.0


class ChangedError(Exception):
    """It is another file than before."""


class Arrival:
    """The file that is to be `expected`, as far as it is there in `part`.

    `at_once`: so many may bring pieces of it. `in_one`: it comes from its beginning to its end, as
    parts of it do not fit together. `hashing`: its hash is reckoned meanwhile, by `digest`.
    """

    def __init__(
        self, part: Partial, expected: Expected, *, at_once: int, in_one: bool, hashing: bool
    ) -> None:
        self.at_once = at_once
        self.is_shared = False  # others may help now
        self.pieces: Pieces | None = None
        self.taken_over = 0
        self.digest: Digest | None = None
        self.halt = forks.Event()  # ends who brings something
        self._part = part
        self._expected = expected
        self._in_one = in_one
        self._is_hashing = hashing
        self._validator = ''
        self._halt_digest = forks.Event()
        self._lock = forks.Lock()
        self._began = time.monotonic()

    def end(self) -> None:
        """Have all end that is done for it, and note what is there."""
        self.halt.set()
        self._halt_digest.set()
        self.note()

    def progress(self) -> tuple[int, int]:
        """Return how many bytes are there, of how many, 0 if nobody knows."""
        with self._lock:
            pieces = self.pieces
            if pieces is None:
                return 0, 0
            return pieces.size, 0 if pieces.total == ENDLESS else pieces.total

    def go_on(self) -> None:
        """Take over what is there of this very file."""
        left = leftover.taken_over(self._part, self._expected)
        if left is not None:
            self._validator, pieces = left
            self.pieces, self.taken_over = pieces, pieces.size
            if pieces.total > SEGMENTED_BYTES:
                pieces.cut(self.at_once)
            self._follow(pieces)

    def note(self) -> None:
        """Note what is there, if it can be gone on with."""
        with self._lock:
            pieces = self.pieces
            if pieces is None or not self._validator or pieces.total == ENDLESS:
                return
            done = pieces.done()
        leftover.note(self._part, self._expected, self._validator, pieces.total, done)

    def next(self) -> Piece | None:
        """Take a piece to bring, None if there is none, or nothing is known of the file."""
        with self._lock:
            if self.pieces is None:
                return None
            if not self.is_shared:
                return self.pieces.take_first()
            return self.pieces.take(int(HALVED_SECONDS * self._rate(self.pieces)))

    def _rate(self, pieces: Pieces) -> float:
        """How many bytes a second one of those at it brings."""
        seconds = max(time.monotonic() - self._began, 0.001)
        return (pieces.size - self.taken_over) / seconds / self.at_once

    def span(self, piece: Piece | None) -> Span:
        """What to ask for to have `piece`, None before the first answer."""
        with self._lock:
            if self._in_one or (piece is not None and not self._validator):
                return Span()
            if piece is not None and piece.end == ENDLESS:
                return Span(piece.at, 0, self._validator)
            if piece is not None:
                return Span(piece.at, piece.end, self._validator, self._known().total)
            size, count = self._expected.size, self.at_once
            return Span(0, size // count) if size > SEGMENTED_BYTES and count > 1 else Span()

    def accepted(self, piece: Piece | None, asked: Span, body: Body) -> Piece:
        """Return what `body` brings, asked for as `asked` to have `piece`.

        Raises ChangedError if it is of another file, CivitaiError if it is nothing of use.
        """
        with self._lock:
            self._check_type(body)
            return self._accepted(piece, asked, body)

    def _check_type(self, body: Body) -> None:
        """Raise CivitaiError if it is a page or message by what the server says.

        That may pass, if there is something of the file already.
        """
        name = self._expected.name
        if not weights.is_message_type(body.headers.get('Content-Type', ''), name):
            return
        if self.pieces is None:
            raise WrongContentError('model_page', url=body.url, name=name)
        raise BodyIncompleteError('model_page_for_part', url=body.url, name=name)

    def _accepted(self, piece: Piece | None, asked: Span, body: Body) -> Piece:
        course = asked.course(body.status, body.headers)
        if course is Course.WHOLE and not self.is_shared:
            return self._begun(body, body.announced)
        if piece is not None:
            if course is not Course.REST:
                raise ChangedError
            self._share(self._known().total)
            return piece
        _, _, total = told_range(body.headers)
        if course is not Course.REST or not total:
            raise BodyIncompleteError(url=body.url)
        return self._begun(body, total)

    def _share(self, total: int) -> None:
        """Let others help, as parts of the file can be had, if it is so large."""
        self.is_shared = self.at_once > 1 and SEGMENTED_BYTES < total < ENDLESS

    def _begun(self, body: Body, total: int) -> Piece:
        """Begin anew with `body`, the beginning of a file of `total` bytes, 0 if nobody knows."""
        expected = self._expected
        if total and not expected.is_as_long_as(total):
            told = expected.size
            raise WrongContentError(
                'model_size_differs', url=body.url, name=expected.name, told=told, came=total
            )
        leftover.check_room(self._part, total or expected.size)
        self._validator = '' if self._in_one else validator(body.headers, body.status)
        pieces = self.pieces = Pieces(total or ENDLESS)
        if self._validator and body.status == 206 and total > SEGMENTED_BYTES:
            pieces.cut(self.at_once)
            self._share(total)
        self.taken_over = 0
        self._part.forget()
        with self._part.open() as file, files.explained(self._part.target.parent):
            file.truncate(0)
        piece = pieces.take_first()
        assert piece is not None
        self._follow(pieces)
        return piece

    def _follow(self, pieces: Pieces) -> None:
        self._halt_digest.set()  # of what was there before
        halt = self._halt_digest = forks.Event()

        def front() -> int:
            with self._lock:
                return pieces.front

        if self._is_hashing:
            self.digest = Digest(self._part.path, front, halt)

    def receive(self, piece: Piece, body: Body) -> None:
        """Write what `body` brings of `piece`, which others may make shorter meanwhile.

        Raises CivitaiError, CancelledError once `halt` is set.
        """
        came, head, is_checked = 0, b'', piece.at > 0
        with self._part.open() as file:
            file.seek(piece.at)
            for chunk in body.chunks:
                came += len(chunk)
                if not is_checked:
                    head += chunk
                    if len(head) < weights.HEAD_BYTES:
                        continue
                    chunk, is_checked = self._checked(head, body), True
                if self._put(file, piece, chunk, body):
                    return
            if not is_checked:
                self._put(file, piece, self._checked(head, body), body)
        self._check_end(piece, body, came)

    def _checked(self, head: bytes, body: Body) -> bytes:
        if weights.is_foreign(head[: weights.HEAD_BYTES], self._expected.name):
            raise WrongContentError('model_page', url=body.url, name=self._expected.name)
        return head

    def _put(self, file: FileIO, piece: Piece, chunk: bytes, body: Body) -> bool:
        """Write `chunk`; tell whether the piece is all there."""
        if self.halt.is_set():
            raise CancelledError
        shared_rate().spend(len(chunk), self.halt)
        with self._lock:
            left = piece.left
        rest = memoryview(chunk)[:left]
        size = len(rest)
        with files.explained(self._part.target.parent):
            while rest:
                rest = rest[file.write(rest) :]
        with self._lock:
            self._known().came(piece, size)
            if piece.end == ENDLESS:
                self._check_endless(piece, body)
        return size == left

    def _check_endless(self, piece: Piece, body: Body) -> None:
        """Raise WrongContentError if a file whose length nobody told gets too long."""
        expected = self._expected
        most = expected.size + expected.tolerance if expected.size else ENDLESS
        if body.is_coded:
            most = min(most, MAX_CODED_BYTES)
        if piece.at > most:
            raise body.too_large(most)

    def _check_end(self, piece: Piece, body: Body, came: int) -> None:
        """See whether all came that `body` announced; of an endless piece it is the end."""
        body.check_whole(came)
        if piece.end != ENDLESS:
            return
        if not body.has_certain_end and not self._expected.sha256:
            raise BodyIncompleteError('error_no_end', url=body.url)
        with self._lock:
            pieces = self._known()
            pieces.total = piece.end = piece.at
            pieces.came(piece, 0)

    def give_back(self, piece: Piece) -> None:
        """Leave what is missing of `piece` to somebody else."""
        with self._lock:
            self._known().give_back(piece)

    def _known(self) -> Pieces:
        assert self.pieces is not None
        return self.pieces
