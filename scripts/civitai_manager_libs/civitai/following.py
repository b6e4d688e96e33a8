"""What an answer says of the one that follows it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from ..errors import CivitaiError, WrongContentError

LONGEST_CURSOR = 16 * 1024  # bytes, which no server takes in an address


def following(metadata: object) -> tuple[str, CivitaiError | None]:
    """Return the cursor of what follows, '' at the end, and why the list stops before its end.

    `metadata` is that of an answer of /api/v1/images. Cursors have many forms and none is read.
    """
    if metadata is None:
        return '', None
    if not isinstance(metadata, dict):
        return '', WrongContentError('listing_cursor')
    cursor, address = metadata.get('nextCursor'), metadata.get('nextPage')
    if cursor in (None, ''):
        # of an address its cursor counts; what only counts pages leads to the first one forever
        cursor = _cursor_in(address)
        if not cursor:
            return '', WrongContentError('listing_next_page') if address else None
    is_one = isinstance(cursor, (str, int)) and not isinstance(cursor, bool)
    text = str(cursor) if is_one else ''  # older servers send a number
    if not text or not _can_be_sent(text):
        return '', WrongContentError('listing_cursor')
    return text, None


def _can_be_sent(cursor: str) -> bool:
    try:
        return len(cursor.encode()) <= LONGEST_CURSOR
    except UnicodeEncodeError:  # half of a character
        return False


def _cursor_in(address: object) -> str:
    try:
        query = urlsplit(address).query if isinstance(address, str) else ''
    except ValueError:  # a broken [IPv6] address
        return ''
    return parse_qs(query).get('cursor', [''])[-1]
