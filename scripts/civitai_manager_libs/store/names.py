"""Safe file and folder names out of text that strangers wrote."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from pathvalidate import sanitize_filename

# The limit of the common file systems, in bytes of UTF-8 or in units of UTF-16 with letters and
# accents apart; what names of ours leave of it is room for an extension and a number.
MOST_NAME_BYTES = 255
MAX_NAME_BYTES = 200

# Windows takes paths of up to 259 units of UTF-16. With these, 117 are left for the download folder
# in <download folder>/<model>/user_gallery_images/<stem>.odd-99.jpeg, or a part file there.
MAX_FOLDER_UNITS = 60
MAX_STEM_UNITS = 48
_FORMER_STEM = 100

# Windows ignores what follows the first dot, and spaces before it: 'CON .txt' is a device.
_DEVICE = re.compile(
    r'^(con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³])(?= *(?:\.|$))', re.IGNORECASE
)
# Letters and marks that nobody sees, besides those that Unicode counts among its categories C.
_UNSEEN = re.compile(
    '[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0'
    '\U000e0100-\U000e01ef]'
)
_NUMBER = re.compile('[0-9]{1,20}')
_UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.IGNORECASE)


def safe_name(text: str, fallback: str = 'unnamed') -> str:
    """Return `text` as one file or folder name that is legal on Linux, macOS and Windows.

    Separators, reserved, control and invisible characters, device names and leading or trailing
    dots are gone; at most `MAX_NAME_BYTES` bytes of UTF-8. Texts that differ only in how accents
    are coded give one name. Never empty.
    """
    if _NUMBER.fullmatch(text):  # most names are ids, and the rest takes a while
        return text
    plain = ' '.join(_UNSEEN.sub('', text).split())  # line ends are space, not control characters
    # C*: control, format (bidi marks), surrogate, private use, unassigned
    name = ''.join(c for c in plain if unicodedata.category(c)[0] != 'C')
    # again until nothing changes: without its dot, 'CON.' is the name of a device
    while (cleaned := _cleaned(name)) != name:
        name = cleaned
    return name or fallback


def _cleaned(name: str) -> str:
    name = unicodedata.normalize('NFC', name)
    name = ' '.join(sanitize_filename(name, platform='universal').split()).strip(' .')
    return _short(_DEVICE.sub(r'\1_', name)).strip(' .')


def _short(name: str) -> str:
    name = name.encode('utf-8')[:MAX_NAME_BYTES].decode('utf-8', 'ignore')
    while _decomposed_length(name) > MAX_NAME_BYTES:
        name = name[:-1]
    return name


def _decomposed_length(name: str) -> int:
    """The length as macOS may keep it: letters and accents apart, in units of UTF-16."""
    return len(unicodedata.normalize('NFD', name).encode('utf-16-le')) // 2


def folder_name(text: str, fallback: str = 'unnamed') -> str:
    """Return `text` as the name of a folder that leaves room for what comes into it.

    As `safe_name` makes it, of at most `MAX_FOLDER_UNITS` units of UTF-16.
    """
    return safe_name(first_units(safe_name(text, fallback), MAX_FOLDER_UNITS), fallback)


def first_units(name: str, count: int) -> str:
    """The beginning of `name`, at most `count` units of UTF-16 and no half characters."""
    return name.encode('utf-16-le')[: 2 * count].decode('utf-16-le', 'ignore')


def picture_stem(url: str) -> str:
    """Return a file name without extension that identifies the picture behind `url`.

    Civitai's media URLs carry a UUID, which is the identity of the file. Any other URL gets its
    last path segment and a short hash, so that two pictures of one name never collide; at most
    `MAX_STEM_UNITS` units of UTF-16.
    """
    return picture_stems(url)[0]


@lru_cache(1000)  # of one picture it is asked several times
def picture_stems(url: str) -> tuple[str, ...]:
    """Return `picture_stem` and, where it differed, what earlier versions called the picture."""
    try:
        path = urlsplit(url).path
    except ValueError:
        path = url
    segments = [unquote(part) for part in path.split('/') if part]
    for segment in segments[:-1]:
        if _UUID.fullmatch(segment):
            return (segment.lower(),)
    last = segments[-1].rsplit('.', 1)[0] if segments else ''
    if _UUID.fullmatch(last):
        return (last.lower(),)
    digest = hashlib.sha256(url.encode('utf-8', 'replace')).hexdigest()[:8]
    name = safe_name(last, 'picture')
    short, former = first_units(name, MAX_STEM_UNITS - 9), name[:_FORMER_STEM]
    return tuple(dict.fromkeys((f'{short}-{digest}', f'{former}-{digest}')))
