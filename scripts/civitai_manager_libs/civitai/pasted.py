"""Pasted text: which one link or id is in it, without the marks and words around it."""

from __future__ import annotations

import re
import unicodedata

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
# AutoV1, CRC32 and, with ten, AutoV2; AutoV3; SHA256 and BLAKE3.
_HASH_LENGTHS = frozenset({8, 10, 12, 64})
_HASH = re.compile(r'(?:sha256:|0x)?([0-9a-f]{8,64})', re.IGNORECASE)
# The form of the site's API keys; no hash of a file has that length.
_KEY = re.compile(r'(?<![0-9a-f])(?=[0-9]*[a-f])[0-9a-f]{32}(?![0-9a-f])')
# Where a link begins. After a = it is the value of a parameter; what stands after a letter or a
# slash belongs to the address before it. Single-line boxes paste two lines as one.
_BEGINNING = re.compile(
    r'(?<!=)(?=https?://)|(?<![\w./@=\-])(?=(?:www\.)?civitai\.[a-z]+/)|(?<!\w)(?=urn:air:)',
    re.IGNORECASE,
)
_NEVER_IN_A_LINK = re.compile('["<>“”„«»`]')
# A link ends at a space, except for one within the name of a user, where that makes sense: the name
# ends the line or goes on as an address does.
_NAME_OF_TWO_WORDS = re.compile(
    r'\S*?(?:/user/|[?&]username=)[^\s/?&#]*[\w)] \w[^\s/?&#]*'
    r'(?=\s*$|[?&#]\S*\s*$|/(?:images|videos|posts|models)\b)',
    re.IGNORECASE,
)
# Where an address of another site ends that goes on with one of Civitai's, as those of archives do.
_OF_ANOTHER_SITE = re.compile(r'https?://(?!(?:www\.)?civitai)\S*/', re.IGNORECASE)
# Around or before a link: emphasis, the name of a field, the picture that is clicked.
_OPENS = r'''(?<![^\s"'(\[<*])'''
_EMPHASIS = re.compile(rf'{_OPENS}(_{{1,3}}|~{{1,3}})([^\n]*?)\1(?![\w~])')
_FIELD = re.compile(rf'{_OPENS}[\w\-]+=(?=https?://|www\.|civitai\.)', re.IGNORECASE)
_PICTURE = re.compile(r'!\[[^\]\n]*\]\([^()\s]*\)|<img\b[^>]*>', re.IGNORECASE)
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
    text = _without_markup(text)
    for line in text.splitlines():
        links = _links(line)
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


def hash_in(given: str) -> str:
    """Return the hash of a file that `given` is, in lower case, '' if it is none.

    Digits that can be an id are one.
    """
    found = _HASH.fullmatch(given)
    if found is None or len(found[1]) not in _HASH_LENGTHS:
        return ''
    is_id = given.isdigit() and int(given) <= MAX_ID
    return '' if is_id else found[1].lower()


def bare_hash(given: str) -> str:
    """Return the hash that `given` is where it could be a word as well, '' if it is none.

    One of letters alone is a word, unless it is said to be a hash or too long for one.
    """
    is_word = given.isalpha() and len(given) < 64
    return '' if is_word else hash_in(given)


def holds_key(text: str) -> bool:
    """Tell whether what looks like an API key is in `text`, also where it was broken in two."""
    plain = unicodedata.normalize('NFKC', text).lower()
    plain = ''.join(one for one in plain if unicodedata.category(one) != 'Cf')
    return any(map(_KEY.search, (plain, ''.join(plain.split()))))


def _without_markup(text: str) -> str:
    """`text` without what a page, a chat or a form puts around a link."""
    text = _EMPHASIS.sub(r'\2', _FIELD.sub('', text))
    without_pictures = _PICTURE.sub(' ', text)
    return without_pictures if _BEGINNING.search(without_pictures) else text


def _links(line: str) -> list[str]:
    """The links in a line, each up to where it ends."""
    before, *pieces = _BEGINNING.split(line)
    links: list[str] = []
    for piece in pieces:
        if links and _OF_ANOTHER_SITE.fullmatch(links[-1]):
            links[-1] += piece
        else:
            links.append(piece)
    return [_ended(link, alone=not _bare(before)) for link in links]


def _ended(link: str, *, alone: bool) -> str:
    """`link` up to where it ends: at a mark or a space. `alone`: no words stand before it."""
    link = _NEVER_IN_A_LINK.split(link)[0]
    name = _NAME_OF_TWO_WORDS.match(link) if alone else None
    kept = name[0] if name else ''
    return _bare(kept + re.split(r'\s', link[len(kept) :], maxsplit=1)[0])


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
