"""Words that people type to find models by, told apart from links, right ones and wrong ones."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ..errors import SourceError
from .pasted import AIR, NUMBER, bare_hash, only_link

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
_SITE = re.compile(
    r'(?:[\w\-]+\.)+(?:com|net|org|red|green|art|ai|io|app|dev|co|info|site)(?::\d+)?',
    re.IGNORECASE,
)


def words_in(text: str, base_url: str) -> str:
    """Return the words in `text` to search models by, '' if it is or was meant to be a link.

    An id, an AIR, a hash and @name are no words either, nor is what has no letter in it.
    """
    line = ' '.join(text.split())
    try:
        given = only_link(line)
    except SourceError:  # several links, or more than anybody types
        return ''
    is_named = NUMBER.fullmatch(given) or AIR.fullmatch(given) or bare_hash(given)
    host = urlsplit(base_url).netloc.lower()
    is_meant = _OF_A_LINK.search(line) or _SITE.fullmatch(given) or (host and host in line.lower())
    if is_named or is_meant or len(given) > MAX_WORDS or not any(map(str.isalpha, given)):
        return ''
    return given if given.isprintable() else ''
