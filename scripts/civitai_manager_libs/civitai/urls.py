"""Addresses: what we ask, what may be fetched, who may see the key."""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import Collection, Mapping
from urllib.parse import SplitResult, quote, unquote, unquote_plus, urlencode, urljoin, urlsplit

from ..errors import UrlRefusedError

SITE_HOSTS = frozenset(
    {'civitai.com', 'civitai.red', 'civitai.green', 'civitaired.com', 'api.civitai.com'}
)
MEDIA_HOSTS = frozenset(
    {
        'image.civitai.com',
        'image-b2.civitai.com',
        'image-b3.civitai.com',
        'imagecache.civitai.com',
        'cdn.civitai.com',
        'b2.civitai.com',
    }
)

# Of these, those that ask nobody for anything; the other is a storage with signed addresses.
_OPEN_HOSTS = MEDIA_HOSTS - {'b2.civitai.com'}

# Civitai's CDN rounds other widths up to the next of these.
THUMBNAIL_WIDTHS = (96, 320, 450, 512, 800, 1200, 1600, 2200)

_SECRET = re.compile(r'token|key|secret|sig|credential|auth|password', re.IGNORECASE)
_LEAST_SECRET = 6  # letters; words and numbers of a sentence are shorter
_SECRET_INSIDE = re.compile(rf'({_SECRET.pattern})[^=&;?]*=', re.IGNORECASE)  # ?to=%2F%3Fkey%3D
# The same anywhere in a text. Bounded, as texts from outside may be long.
_SECRET_SAID = re.compile(
    rf'((?:{_SECRET.pattern})[\w.%\-]{{0,40}}?\s?(?:=|%3D)\s?)[^\s&;,?#"\']+', re.IGNORECASE
)
_USER_SAID = re.compile(r'(?<=://)[^\s/@]{1,200}@')
# Neither user info nor a query: most addresses of pictures.
_NOTHING_TO_HIDE = re.compile(r'https?://[a-z0-9.:\-]+/[A-Za-z0-9._~/=,%\-]*')
_NUMERIC_HOST = re.compile(r'(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+)){0,3}\.?', re.IGNORECASE)
_UUID = re.compile(r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.IGNORECASE)
_TRANSFORM = re.compile(r'(?:[a-z]+=[^/]*)', re.IGNORECASE)
# All of IPv6 that is routed; outside of it, and in the second, lie forms of IPv4 addresses.
_ROUTED_IPV6 = ipaddress.IPv6Network('2000::/3')
_SIX_TO_FOUR = ipaddress.IPv6Network('2002::/16')
# No letters of other alphabets, no escapes: some of them become dots and digits on the way.
_PLAIN_HOST = re.compile(r'([a-z0-9._\-]+|\[[0-9a-f:.]+\])(:[0-9]*)?', re.IGNORECASE | re.ASCII)


def shown(given: str) -> str:
    """A pasted text as it may stand in a sentence: printable, short, no secrets, no markup."""
    plain = ''.join(c for c in given if c.isprintable() and c not in '<>')
    plain = redact(plain) if '://' in plain or '?' in plain else plain
    plain = without_secrets(plain)
    return plain if len(plain) <= 80 else plain[:79] + '…'


def without_secrets(text: str) -> str:
    """Return any `text` with `***` for the values of what is called a token, a key and so on."""
    return _SECRET_SAID.sub(r'\1***', _USER_SAID.sub('***@', text))


def api_url(base_url: str, path: str, parameters: Mapping[str, object] | None = None) -> str:
    """Return the address of API route `path` (such as 'images') on the configured host.

    Raises UrlRefusedError for half of a character (a lone surrogate), which no address can hold.
    """
    try:
        query = f'?{urlencode(parameters)}' if parameters else ''
        return f'{base_url.rstrip("/")}/api/v1/{quote(path)}{query}'
    except UnicodeEncodeError:
        raise UrlRefusedError('error_url_malformed') from None


def download_url(base_url: str, version_id: int, file_id: int) -> str:
    """Return the address of a model file: just that one, whatever an account prefers."""
    return f'{base_url.rstrip("/")}/api/download/models/{version_id}?fileId={file_id}'


def page_url(base_url: str, kind: str, number: int) -> str:
    """Return the address of a page a person can open; kind is 'models', 'images' or 'posts'."""
    return f'{base_url.rstrip("/")}/{kind}/{number}'


def thumbnail_url(url: str, width: int, *, video: bool = False) -> str:
    """Return the address of a small still of the picture or video at `url`.

    `width` in pixels is rounded up to one the CDN has. An address that is not of the CDN's form
    (a foreign avatar, say) is returned as it is.
    """
    ladder = next((step for step in THUMBNAIL_WIDTHS if step >= width), THUMBNAIL_WIDTHS[-1])
    still = 'anim=false,transcode=true,' if video else ''
    return _with_transform(url, f'{still}width={ladder},optimized=true', '.jpeg' if video else '')


def video_preview_url(url: str, width: int) -> str:
    """Return the address of a small playable version of the video at `url`."""
    ladder = next((step for step in THUMBNAIL_WIDTHS if step >= width), THUMBNAIL_WIDTHS[-1])
    return _with_transform(url, f'transcode=true,width={ladder},optimized=true', '.mp4')


def video_original_url(url: str) -> str:
    """Return another address of a whole video, for when the plain one gives a still of it."""
    return _with_transform(url, 'transcode=true,original=true,quality=100', '.mp4')


def other_originals(url: str, kind: str = '') -> tuple[str, ...]:
    """Return where else the original at `url`, of that `kind`, may be had; () if it is none.

    The storage behind Civitai's CDN has it as it was uploaded; the CDN makes copies in full size.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # a broken [IPv6] address
        return ()
    segments = parts.path.split('/')
    if len(segments) < 4 or segments[-2] != 'original=true' or not _UUID.fullmatch(segments[-3]):
        return ()
    is_cdn = parts.hostname in MEDIA_HOSTS
    host = 'https://image-b2.civitai.com' if is_cdn else f'{parts.scheme}://{parts.netloc}'
    stored = f'{host}/file/civitai-media-cache/{segments[-3]}/original'
    if kind == 'audio':
        return (stored,)
    copy = _with_transform(url, 'original=true,quality=100', '')
    return stored, video_original_url(url) if kind == 'video' else copy


def is_copy(url: str) -> bool:
    """Tell whether there is a copy at `url`, one of `other_originals`, made anew in full size."""
    return 'quality=100' in url.split('/')[-2]


def original_url(url: str) -> str:
    """Return the address of the bytes as they were uploaded."""
    return _with_transform(url, 'original=true', '')


def _with_transform(url: str, transform: str, extension: str) -> str:
    head, _, name = url.rpartition('/')
    key_and_id, _, old = head.rpartition('/')
    if not key_and_id or not _TRANSFORM.match(old):
        return url
    if extension:
        name = name.rsplit('.', 1)[0] + extension
    return f'{key_and_id}/{transform}/{name}'


def may_send_key(url: str, base_url: str) -> bool:
    """Tell whether the API key may go to `url`: same scheme, host and port as configured."""
    try:
        return origin(url) == origin(base_url)
    except UrlRefusedError:
        return False


def is_api(url: str, base_url: str) -> bool:
    """Tell whether `url` is one of the API at the configured host."""
    return may_send_key(url, base_url) and urlsplit(url).path.startswith('/api/')


@functools.lru_cache(maxsize=256)
def origin(url: str) -> tuple[str, str, int]:
    """Return (scheme, host, port) of `url`. Raises UrlRefusedError if it is malformed."""
    parts = split(url)
    port = parts.port or (443 if parts.scheme == 'https' else 80)
    return parts.scheme, parts.hostname or '', port


def check_first(url: str, base_url: str, extra_hosts: Collection[str] = ()) -> None:
    """Raise UrlRefusedError unless we may fetch `url`, which came from an answer or a caller.

    Allowed are the configured host, Civitai's site and media hosts, and `extra_hosts`.
    """
    check_redirect(url, base_url)
    host = origin(url)[1]
    if host in MEDIA_HOSTS or host.removeprefix('www.') in SITE_HOSTS:
        return
    if host != origin(base_url)[1] and host not in extra_hosts:
        raise UrlRefusedError(url=redact(url), host=shown(host))


def check_redirect(url: str, base_url: str) -> None:
    """Raise UrlRefusedError unless a redirect may lead to `url`.

    Any https host will do; http and addresses of private networks only if the configured host is
    itself such, so that an answer from outside cannot make us talk to machines inside.
    """
    (scheme, host, _), (base_scheme, base_host, _) = origin(url), origin(base_url)
    if scheme != 'https' and base_scheme != 'http':
        raise UrlRefusedError('error_url_not_https', url=redact(url), host=shown(host))
    if _is_private(host) and not _is_private(base_host):
        raise UrlRefusedError('error_url_private', url=redact(url), host=shown(host))


def redirect_target(url: str, location: str, base_url: str) -> str:
    """Return where the `location` header of an answer from `url` leads, checked.

    Raises UrlRefusedError if nobody can say where that is, or we may not go there.
    """
    try:
        # headers come as latin-1; servers that do not escape other letters send UTF-8
        target = urljoin(url, location.encode('latin-1').decode('utf-8'))
    except ValueError:
        raise UrlRefusedError('error_url_malformed', url=redact(url)) from None
    check_redirect(target, base_url)
    return target


@functools.lru_cache(maxsize=256)
def _is_private(host: str) -> bool:
    name = host.rstrip('.')
    if name == 'localhost' or name.endswith('.localhost'):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        # 2130706433, 0x7f.1 and 127.1 are addresses too to the resolver
        return bool(_NUMERIC_HOST.fullmatch(host))
    if address.version == 6 and (address not in _ROUTED_IPV6 or address in _SIX_TO_FOUR):
        return True
    return not address.is_global or address.is_multicast


@functools.lru_cache(maxsize=256)
def split(url: str) -> SplitResult:
    """Split an http(s) address, refusing every form that two parsers could read differently."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlRefusedError('error_url_malformed') from None
    plain = url.isprintable() and url[:1] != ' ' and '\\' not in url
    good = parts.scheme in ('http', 'https') and _PLAIN_HOST.fullmatch(parts.netloc) and port != 0
    if not plain or not good:
        raise UrlRefusedError('error_url_malformed')
    return parts


@functools.lru_cache(maxsize=256)
def redact(url: str) -> str:
    """Return `url` as it may be logged: one line, no user info, no secret query values."""
    if _NOTHING_TO_HIDE.fullmatch(url) and not _SECRET_SAID.search(url):
        return url
    try:
        parts = urlsplit(url if url.isprintable() else ''.join(filter(str.isprintable, url)))
    except ValueError:
        return '(malformed address)'
    pieces = re.split(r'([&;?])', parts.query)  # a second ? instead of & is a known mistake
    host = parts.netloc.rpartition('@')[2]
    query = ''.join(_without_secret(piece) for piece in pieces)
    path = without_secrets(parts.path)
    return parts._replace(netloc=host, path=path, query=query, fragment='').geturl()


def secrets_in(url: str) -> list[str]:
    """Return the secrets that `url` holds, as written and as they are; short ones are none."""
    query = url.partition('#')[0].partition('?')[2]
    pairs = [one for one in re.split(r'[&;?]', query) if _without_secret(one) != one]
    values = [one.partition('=')[2] for one in pairs]
    both = dict.fromkeys([*values, *map(unquote, values), *map(unquote_plus, values)])
    return sorted((one for one in both if len(one) >= _LEAST_SECRET), key=len, reverse=True)


def kept(url: str, key: str) -> str:
    """Return the address of a picture as it may be kept: without the API `key` or user info.

    Other secrets are taken away where the CDN answers, which asks for none; what is signed for a
    storage cannot be had without.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return redact(url)
    folder = parts.path.split('/')[-2:][0]
    is_cdn = parts.hostname in _OPEN_HOSTS or bool(_TRANSFORM.match(folder))
    pieces = re.split(r'[&;?]', parts.query)
    good = [
        pair
        for pair in pieces
        if not (key and key in unquote(unquote(pair)))
        if not (is_cdn and _without_secret(pair) != pair)
    ]
    query = parts.query if good == pieces else '&'.join(good)
    host = parts.netloc.rpartition('@')[2]
    plain = parts._replace(netloc=host, query=query, fragment='').geturl()
    return plain.replace(key, '***') if key else plain


def _without_secret(pair: str) -> str:
    """A `name=value` of a query, the value hidden if its name, or one inside it, says so."""
    name, _, value = pair.partition('=')
    told = _SECRET.search(unquote(name)) or _SECRET_INSIDE.search(unquote(unquote(value)))
    return f'{name}=***' if value and told else pair
