"""The head of an answer: what only announces one is passed over."""

from __future__ import annotations

from http.client import BadStatusLine, HTTPException, HTTPResponse, parse_headers

from . import framing

MAX_INTERIM = 10
MAX_BYTES = 10**15
SWITCHING = 101
# The server is done with this connection, or it does not lead to who could answer.
ASK_ELSEWHERE = frozenset({408, 421})


class GarbledError(HTTPException):
    """A head that contradicts itself, or never ends."""


class Head(HTTPResponse):
    """An answer whose head comes behind up to `MAX_INTERIM` interim ones (100, 102, 103 ...).

    Python passes over 100 alone; any other was taken for the answer, and the real one for that to
    the next question.
    """

    def begin(self) -> None:
        """Read the head.

        Raises BadStatusLine for a change of protocol, which nobody asked for, and GarbledError.
        """
        super().begin()
        if self.status == SWITCHING:
            raise BadStatusLine('another protocol')
        if self.headers.get('transfer-encoding', '').strip().lower() == 'chunked':
            # Python overlooks it where a space stands behind it
            self.chunked, self.chunk_left, self.length = True, None, None
        elif not self.chunked:
            self._check_length()
        if self.status in ASK_ELSEWHERE:
            self.will_close = True

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MAX_INTERIM + 1):
            line: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
            if not 100 <= line[1] < 200 or line[1] == SWITCHING:
                return line
            parse_headers(self.fp)
        raise GarbledError('announced again and again, and never there')

    def _check_length(self) -> None:
        """See that there is one length, and of a body that somebody could have."""
        told = self.headers.get_all('content-length')
        if told is None:
            return
        lengths = set(map(framing.number, ','.join(told).split(',')))
        if len(lengths) > 1 or max(lengths) > MAX_BYTES:
            raise GarbledError('no length')
        if self.length is None:  # Python understands only one number alone
            self.length = max(lengths) if min(lengths) >= 0 else None
