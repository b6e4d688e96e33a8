"""Words that people type to find models by, told apart from links, right ones and wrong ones."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from ..errors import SourceError
from .pasted import AIR, NUMBER, bare_hash, holds_key, only_link
from .source import site_parts

MAX_WORDS = 200  # characters

# Signs of an address. With a slip of the keys in it, it is still no title of a model: what it was
# to lead to is told to be wrong, instead of being searched for.
_OF_A_LINK = re.compile(
    r'://|\\|^[/~@]|^\.{1,2}/|[?&][\w.\-]+='
    r'|\b(?:https?|ftps?|file|javascript|data|mailto|urn|air|civitai|sha256):'
    r'|\bwww\.|(?<![\w.])(?:[\w\-]+\.)+[a-z]{2,24}(?::\d+)?[/?#]'
    r'|(?:^|[\s/])(?:models?|model-versions?|images?|videos?|posts?|users?|api|gallery|tags?'
    r'|collections?|articles?|search)/\S',
    re.IGNORECASE,
)
# The paths of its pages that find models by the parameter `query`.
_SEARCHES = ('search/models', 'models')
_SITE = re.compile(
    r'(?:[\w\-]+\.)+(?:com|net|org|red|green|art|ai|io|app|dev|co|info|site)(?::\d+)?',
    re.IGNORECASE,
)


def words_in(text: str, base_url: str) -> str:
    """Return the words in `text` to search models by, '' if it is or was meant to be a link.

    An id, an AIR, a hash, @name and an API key are no words either, nor is what has no letter in
    it. A link to the site's own search for models leads to the words that are searched for there.
    """
    line = ' '.join(text.split())
    try:
        given = only_link(line)
    except SourceError:  # several links, or more than anybody types
        return ''
    asked = _asked(given, base_url)
    if holds_key(asked or line):
        return ''
    if asked:
        return asked
    is_named = NUMBER.fullmatch(given) or AIR.fullmatch(given) or bare_hash(given)
    host = urlsplit(base_url).netloc.lower()
    is_meant = _OF_A_LINK.search(line) or _SITE.fullmatch(given) or (host and host in line.lower())
    if is_named or is_meant or len(given) > MAX_WORDS or not any(map(str.isalpha, given)):
        return ''
    return given if given.isprintable() else ''


def _asked(given: str, base_url: str) -> str:
    """The words that a link to a search for models of the site asks for, '' if it is none."""
    try:
        parts = site_parts(given, base_url)
    except SourceError:
        return ''
    if parts.path.strip('/').lower() not in _SEARCHES:
        return ''
    words = ' '.join(parse_qs(parts.query).get('query', [''])[0].split())
    return words if words.isprintable() and len(words) <= MAX_WORDS else ''
