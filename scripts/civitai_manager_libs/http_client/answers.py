"""What an answer says in words: the site's own explanation inside an error body."""

from __future__ import annotations

import json
import re
from typing import Any, Iterable

from ..civitai import urls

MAX_WORDS = 300
MAX_DEPTH = 6
# No message is longer; a text costs many times its length where it is taken apart.
MAX_BYTES = 64 * 1024

_NO_TEXT = re.compile(rb'[\x00-\x08\x0e-\x1a\x1c-\x1f]')
_KEYS = ('error', 'message', 'error_description', 'issues')


def site_words(body: bytes, *secrets: str) -> str:
    """Return what an error body says, as one plain line of at most `MAX_WORDS` characters.

    `secrets` are not repeated, even if the body does, nor what it calls a token or the like.

    Understands Civitai's forms: `error` as text or as a ZodError object whose message is JSON
    again, `message`, a list of issues, plain text. A web page says nothing, nor does what is no
    text, such as a picture: ''.
    """
    if _NO_TEXT.search(body[:MAX_BYTES]):
        return ''
    text = body[:MAX_BYTES].decode('utf-8', 'replace').strip()
    text = _without(text, secrets)
    if text.startswith('<'):
        return ''
    try:
        words = _words(json.loads(text))
    except (ValueError, RecursionError):
        words = text if not text.startswith(('{', '[')) else ''
    # single quotation marks look the same and are no markup wherever the words are shown
    words = words.replace('<', '‹').replace('>', '›')
    plain = ''.join(c if c.isprintable() else ' ' for c in words)
    line = ' '.join(plain.split())
    line = urls.without_secrets(_without(line, secrets))  # JSON may have hidden them
    return line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 1] + '…'


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in filter(None, secrets):
        text = text.replace(secret, '***')
    return text


def _words(data: Any, depth: int = 0) -> str:
    if depth > MAX_DEPTH:
        return ''
    if isinstance(data, str):
        return _unfolded(data, depth)
    if isinstance(data, list):
        return '; '.join(filter(None, (_words(item, depth + 1) for item in data[:5])))
    if not isinstance(data, dict):
        return ''
    if isinstance(data.get('path'), list) and data['path'] and 'message' in data:
        path = '.'.join(str(part) for part in data['path'])
        return f'{path}: {_words(data["message"], depth + 1)}'
    parts = [_words(data.get(key), depth + 1) for key in _KEYS]
    return ': '.join(dict.fromkeys(part for part in parts if part))


def _unfolded(text: str, depth: int) -> str:
    """A message that is itself a JSON list of issues, opened; any other text as it is."""
    if not text.lstrip().startswith(('[', '{')):
        return text
    try:
        return _words(json.loads(text), depth + 1)
    except (ValueError, RecursionError):
        return text
