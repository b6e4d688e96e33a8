"""One large file over several connections, gone on with after a break, a kill or an old address.

The bytes go to a part file with holes, `store.partial`, beside which stands what is there of which
file. A first answer tells how long the file is and whether parts of it can be asked for; then more
threads take a piece each, and halve the largest rest when they are done.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Callable

from .. import notices, setting
from ..errors import CancelledError, CivitaiError, TransferError
from ..http_client import CivitaiHttpClient, background
from ..http_client.bodies import Body
from ..http_client.resume import Span
from ..http_client.sources import Source
from ..store.partial import Partial
from .arrival import Arrival, ChangedError
from .leftover import MIB, Expected
from .pieces import Piece

Told = Callable[[int, int], None]

STATE_SECONDS, TOLD_SECONDS, LOOK_SECONDS, END_SECONDS = 1.0, 0.1, 0.05, 2.0
# A connection that brought so much before it broke is asked for again at once.
PROGRESS_BYTES = MIB
# How often a file may change under our hands.
MOST_CHANGES = 3


@dataclass(frozen=True)
class Brought:
    """What became of a file: its bytes, its hash ('' if not reckoned), bytes of earlier runs."""

    size: int
    sha256: str
    taken_over: int = 0


def fetch(
    client: CivitaiHttpClient,
    url: str,
    part: Partial,
    expected: Expected,
    stop: threading.Event,
    told: Told | None = None,
    *,
    hashing: bool = True,
) -> Brought:
    """Bring the file at `url` into `part`, which is held; return what it is, checked by nobody yet.

    `told` gets bytes done and in all (0: unknown), now and then, in this thread. Whatever stops it,
    what came stays for the next time. Raises CivitaiError: WrongContentError for what is no such
    file, StorageError, CancelledError once `stop` is set.
    """
    for change in range(MOST_CHANGES):
        in_one = change == MOST_CHANGES - 1
        at_once = 1 if in_one else setting.model_download_segments
        arrival = Arrival(part, expected, at_once=at_once, in_one=in_one, hashing=hashing)
        if not change:
            arrival.go_on()
        with suppress(ChangedError):
            return _Transfer(client, url, arrival, stop, told).run()
    raise TransferError('model_changed')


class _Transfer:
    """The threads that bring a file, and who looks after them."""

    def __init__(
        self,
        client: CivitaiHttpClient,
        url: str,
        arrival: Arrival,
        stop: threading.Event,
        told: Told | None,
    ) -> None:
        self._client = client
        self._source = Source(url)
        self._arrival = arrival
        self._stop = stop
        self._told = told
        self._workers: list[threading.Thread] = []
        self._error: BaseException | None = None
        self._trouble: CivitaiError | None = None  # of one that the others did without

    def run(self) -> Brought:
        """Bring it. Raises what `fetch` does, and ChangedError."""
        arrival = self._arrival
        try:
            total = self._bring_all()
            self._tell()
            sha256 = arrival.digest.of(total, self._stop) if arrival.digest else ''
            return Brought(total, sha256, arrival.taken_over)
        finally:
            arrival.halt.set()
            for thread in self._workers:  # nobody writes any more once this is over
                thread.join(END_SECONDS)
            arrival.end()

    def _bring_all(self) -> int:
        """Have threads bring what is missing; return how long the file is."""
        before = -1
        while True:
            pieces = self._arrival.pieces
            if pieces is not None and pieces.is_whole:
                return pieces.total
            size, _ = self._arrival.progress()
            if size <= before:
                raise self._trouble or CivitaiError('error_see_log')
            before = size
            self._add_worker()
            self._supervise()
            if self._error is not None:
                raise self._error
            if self._stop.is_set():
                raise CancelledError

    def _add_worker(self) -> None:
        here, is_background = notices.here(), background.is_here()

        def work() -> None:
            with notices.going_to(here), background.work(is_background):
                self._work()

        thread = threading.Thread(target=work, name='civitai-part', daemon=True)
        self._workers.append(thread)
        thread.start()

    def _supervise(self) -> None:
        """Look after the threads until they have ended."""
        arrival, noted, shown = self._arrival, time.monotonic(), time.monotonic()
        while alive := [thread for thread in self._workers if thread.is_alive()]:
            alive[0].join(LOOK_SECONDS)
            if self._stop.is_set():
                arrival.halt.set()
            while arrival.is_shared and len(self._workers) < arrival.at_once:
                self._add_worker()
            now = time.monotonic()
            if now - shown > TOLD_SECONDS:
                shown = now
                self._tell()
            if now - noted > STATE_SECONDS:
                noted = now
                arrival.note()

    def _tell(self) -> None:
        if self._told is not None and self._arrival.pieces is not None:
            self._told(*self._arrival.progress())

    def _work(self) -> None:
        arrival = self._arrival
        try:
            piece = arrival.next()
            while (piece is not None or arrival.pieces is None) and not arrival.halt.is_set():
                self._fetch(piece)
                piece = arrival.next()
        except CancelledError:
            pass
        except (CivitaiError, ChangedError) as error:
            # a storage may want fewer connections; the others do this one's part
            if isinstance(error, CivitaiError) and error.transient:
                arrival.at_once, self._trouble = len(self._workers), error
                return
            self._error = self._error or error
            arrival.halt.set()

    def _fetch(self, piece: Piece | None) -> None:
        """Bring `piece`, or what the first answer makes of it, however often it breaks off."""
        arrival, asked = self._arrival, Span()

        def span() -> Span:
            nonlocal asked
            asked = arrival.span(piece)
            return asked

        def take(body: Body) -> None:
            nonlocal piece
            piece = arrival.accepted(piece, asked, body)
            begun = piece.at
            try:
                arrival.receive(piece, body)
            except TransferError as error:
                if not error.transient or piece.at - begun < PROGRESS_BYTES:
                    raise

        try:
            while piece is None or piece.left > 0:
                self._client.fetch_part(
                    self._source, span, take, at_once=arrival.at_once, cancel=arrival.halt
                )
        except CivitaiError:
            if piece is not None:
                arrival.give_back(piece)
            raise
