"""Pasted text: which one link or id is in it, without the marks and words around it."""

from __future__ import annotations

import re

from ..errors import SourceError
from . import urls

MAX_ID = 2**31 - 1
MAX_LENGTH = 2000

NUMBER = re.compile(r'[0-9]+')
# urn:air:{ecosystem}:{type}:{source}:{id}[@{version}[+{file}]][:{layer}][.{format}]; the parts
# before the source may be left out.
AIR = re.compile(
    r'(?:urn:)?(?:air:)?(?:[a-z0-9_.\-/]+:){0,2}civitai:([0-9]+)(?:@([0-9]+))?(?:\+[0-9]+)?'
    r'(?::[a-z0-9_\-]+)?(?:\.[a-z0-9_\-]+)?',
    re.IGNORECASE | re.ASCII,
)
# Where a link begins. After a = it is the value of a parameter; what stands after a letter or a
# slash belongs to the address before it. Single-line boxes paste two lines as one.
_BEGINNING = re.compile(
    r'(?<!=)(?=https?://)|(?<![\w./@=\-])(?=(?:www\.)?civitai\.[a-z]+/)|(?<!\w)(?=urn:air:)',
    re.IGNORECASE,
)
_NEVER_IN_A_LINK = re.compile('["<>“”„«»`]')
_HAS_A_NAME = re.compile(r'/user/|username=', re.IGNORECASE)
_CLOSING = {')': '(', ']': '[', '}': '{', '）': '（', '］': '［'}
_MARKS = frozenset(' "\'`,.;:!?*|\\<>“”„‘’‚«»‹›「」『』《》【】，。；：！？、…([{（［')


def only_link(text: str) -> str:
    """Return the one link, id or AIR in `text`, or what there is if it holds none.

    Raises SourceError if there are several, or more text than anybody pastes.
    """
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise SourceError('source_unknown', given=urls.shown(text))
    found: dict[str, None] = {}  # one that was pasted twice is one
    for line in text.splitlines():
        links = [_ended(link) for link in _BEGINNING.split(line)[1:]]
        words = [_bare(word) for word in re.split(r'[\s,;，、]+', line)]
        ids = all(NUMBER.fullmatch(word) or AIR.fullmatch(word) for word in filter(None, words))
        found |= dict.fromkeys(links or (filter(None, words) if ids else ()))
    if len(found) > 1:
        raise SourceError('source_several')
    return next(iter(found), _bare(text))


def id_in(digits: str, given: str) -> int:
    """Return the id that `digits` spell. Raises SourceError, quoting `given`, if Civitai has none.

    Civitai answers 400 for ids above 2**31-1.
    """
    if re.fullmatch(r'[0-9]{1,10}', digits) and 1 <= int(digits) <= MAX_ID:
        return int(digits)
    raise SourceError('source_bad_id', given=urls.shown(given))


def _ended(link: str) -> str:
    """`link` up to where it ends: at a mark or a space, which only the name of a user may hold."""
    link = _NEVER_IN_A_LINK.split(link)[0]
    if not _HAS_A_NAME.search(link):
        link = link.split(maxsplit=1)[0]
    return _bare(link)


def _bare(text: str) -> str:
    """`text` without the quotes, brackets and full stops around it."""
    while text and (text[0] in _MARKS or text[0] in _CLOSING or not text[0].isprintable()):
        text = text[1:]
    while text and (_stray(text) or text[-1] in _MARKS or not text[-1].isprintable()):
        text = text[:-1]
    return text


def _stray(text: str) -> bool:
    """Tell whether `text` ends with a bracket that nothing in it opened."""
    opening = _CLOSING.get(text[-1], '')
    return bool(opening) and text.count(text[-1]) > text.count(opening)
