"""What people paste: a link, an id or an AIR, and which gallery it means. Nothing is fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, quote, unquote, urlencode

from ..errors import SourceError, UrlRefusedError
from . import urls
from .asked import Asked
from .gallery import MAX_IDS
from .pasted import AIR, MAX_ID, NUMBER, bare_hash, holds_key, id_in, only_link

_SCHEME = re.compile(r'[a-z][a-z0-9+.\-]*://', re.IGNORECASE)
_USER = re.compile(r'@([^\s/\\?#@:]{1,100})')
_UUID = re.compile(r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.IGNORECASE)
_HASH = re.compile(r'(?:0x)?[0-9a-f]{8,64}', re.IGNORECASE)
_PICTURE_HOSTS = urls.MEDIA_HOSTS - {'b2.civitai.com'}  # which has model files
# What has a page of its own: the page, and the parameter that names it in a list.
_PAGES = {
    'model': ('models', 'modelId'),
    'version': ('model-versions', 'modelVersionId'),
    'post': ('posts', 'postId'),
    'image': ('images', 'imageId'),
}
_TABS = {'image': 'images', 'video': 'videos'}
# Pages of the visitor's own that stand where the pages of users do.
_OWN_PAGES = frozenset(
    'account buzz-dashboard downloads earn-potential membership notifications transactions '
    'vault'.split()
)


@dataclass(frozen=True)
class GallerySource:
    """What a person wants to see.

    `kind` is model, version, user, post, image or images (of nobody in particular); or models, a
    list of models, which is no gallery. `number` is the id of a model, version, post or image.
    `version_id` is a chosen version of a model, `hash` names a version whose id is not known,
    `ids` are several pictures. All else narrows a gallery down, under the names of the API.
    What was not said is 0, '' or ().
    """

    kind: str
    number: int = 0
    version_id: int = 0
    username: str = ''
    user_id: int = 0
    hash: str = ''
    ids: tuple[int, ...] = ()
    sort: str = ''
    period: str = ''
    type: str = ''
    tags: tuple[int, ...] = ()
    base_models: tuple[str, ...] = ()


def parse_source(text: str, base_url: str) -> GallerySource:
    """Return what `text`, pasted by a person, means; nothing is fetched.

    Accepted: pages and API addresses of Civitai's sites and of `base_url`, a bare model id, an
    AIR, with marks and words around it; the hash of a model file, and a user as @name. Raises
    SourceError that says what is accepted, or why a page of Civitai is no gallery.
    """
    given = only_link(text)
    if not given:
        raise SourceError('source_empty')
    if '/' not in given and holds_key(text):
        raise SourceError('source_is_key')
    if NUMBER.fullmatch(given):
        return GallerySource('model', id_in(given, given))
    air = AIR.fullmatch(given.split('?')[0].rstrip('/'))
    if air:
        version = id_in(air[2], given) if air[2] else 0
        return GallerySource('model', id_in(air[1], given), version)
    user, digest = _USER.fullmatch(given), bare_hash(given)
    if user:
        return GallerySource('user', username=user[1])
    if digest:
        return GallerySource('version', hash=digest)
    parts = site_parts(given, base_url)
    if '://' in parts.path:
        raise SourceError('source_several')
    words = [unquote(part) for part in parts.path.split('/') if part]
    if parts.hostname in _PICTURE_HOSTS or any(map(_UUID.fullmatch, words)):
        return _of_picture_file(words)
    link = _Link(given, words, Asked(parts.query, given))
    source = link.in_api() or link.of_one() or link.of_many() or link.of_user()
    if source is None:
        raise link.unknown()
    if holds_key(' '.join((source.username, *source.base_models))):  # all else in it is numbers
        raise SourceError('source_is_key')
    return source


def address_of(source: GallerySource, base_url: str) -> str:
    """Return the address of `source` on Civitai; what parse_source reads there is `source`."""
    base, user = base_url.rstrip('/'), _user_page(source.username)
    if source.kind == 'models':
        whose = urlencode({'username': source.username} if source.username else {})
        return f'{base}/{user}/models' if user else _ended(f'{base}/models?{whose}')
    page, name = _PAGES.get(source.kind, ('', ''))
    wishes = {
        'modelVersionId': source.version_id,
        name: source.number,
        'username': source.username,
        'userId': source.user_id,
        'ids': ','.join(map(str, source.ids)),
        'sort': source.sort,
        'period': source.period,
        'types': source.type,
        'tags': ','.join(map(str, source.tags)),
        'baseModels': ','.join(source.base_models),
    }
    asked = {key: value for key, value in wishes.items() if value}
    tab = _TABS.get(source.type, '')
    if list(asked) == [name]:
        return urls.page_url(base, page, source.number)
    if source.kind == 'user' and user and not source.user_id:
        tab, _ = f'{user}/{tab}'.rstrip('/'), asked.pop('username')
    elif source.hash:
        tab = f'api/v1/model-versions/by-hash/{source.hash}'
    elif source.kind == 'images' and not source.type:
        tab = 'api/v1/images'  # the page shows pictures only
    return _ended(f'{base}/{tab or "images"}?{urlencode(asked)}')


def page_of(source: GallerySource, base_url: str) -> str:
    """The same as a person would paste it: the page of a model, with the version that is chosen."""
    if source == GallerySource('model', source.number, source.version_id) and source.version_id:
        page = urls.page_url(base_url, 'models', source.number)
        return f'{page}?modelVersionId={source.version_id}'
    return address_of(source, base_url)


def _user_page(name: str) -> str:
    """The path of the page of the user called `name`, '' if it would lead elsewhere."""
    is_step = name in ('', '.', '..')  # which browsers take for one up or none
    if is_step or name.lower() in _OWN_PAGES or _UUID.fullmatch(name):
        return ''
    return f'user/{quote(name, safe="")}'


def _ended(address: str) -> str:
    """`address` with an end that nobody takes for that of a sentence."""
    address = address.rstrip('?')
    return f'{address[:-1]}%2E' if address.endswith('.') else address


def site_parts(given: str, base_url: str) -> SplitResult:
    """Split a pasted address, if it is one of Civitai's or of the configured host.

    Raises SourceError.
    """
    address = given if _SCHEME.match(given) else f'https://{given}'
    try:
        parts = urls.split(address)
        base = urls.split(base_url)
    except UrlRefusedError:
        raise SourceError('source_unknown', given=urls.shown(given)) from None
    host = (parts.hostname or '').removeprefix('www.')
    ours = {*urls.SITE_HOSTS, *_PICTURE_HOSTS}
    if host not in ours and parts.hostname != base.hostname:
        # a word with no dot and no slash is not a site of somebody else's, just not a link
        other = '.' in host and parts.path and not host.endswith('.civitai.com')
        key = 'source_other_site' if other else 'source_unknown'
        raise SourceError(key, given=urls.shown(given), host=urls.shown(host))
    return parts


def _of_picture_file(words: list[str]) -> GallerySource:
    """The picture of a file on the CDN, whose last name may be the picture's id."""
    name = words[-1].split('.')[0] if words else ''
    if re.fullmatch(r'[1-9][0-9]{0,9}', name) and int(name) <= MAX_ID:
        return GallerySource('image', int(name))
    raise SourceError('source_media')


@dataclass(frozen=True)
class _Link:
    """An address of the site in pieces: the parts of its path and what is asked."""

    given: str
    words: list[str]
    asked: Asked
    is_api: bool = False

    @property
    def route(self) -> list[str]:
        """The path as the site knows it, whatever the case it was written in."""
        return [word.lower() for word in self.words]

    def unknown(self) -> SourceError:
        """The error for a page that is nothing to us."""
        return SourceError('source_unknown', given=urls.shown(self.given))

    def in_api(self) -> GallerySource | None:
        """What an address of the API means."""
        match self.route:
            case ['api', 'download', 'models', number]:
                return GallerySource('version', id_in(number, self.given))
            case ['api', 'v1', 'model-versions', 'mini', number]:
                return self._of_number('version', number)
            case ['api', 'v1', 'model-versions', 'by-hash', value] if _HASH.fullmatch(value):
                digest = value.removeprefix('0x')
                return GallerySource('version', hash=digest, **self.asked.narrowing())
            case ['api', 'v1', 'images' | 'models' | 'collections', *_]:
                inner = replace(self, words=self.words[2:], is_api=True)
                return inner.of_many() or inner.of_one()
            case ['api', 'v1', _, _]:
                inner = replace(self, words=self.words[2:], is_api=True)
                return inner.of_one() or inner.of_user()
        return None

    def of_one(self) -> GallerySource | None:
        """The model, version, post or picture that the page is about."""
        match self.route:
            case ['models', number, *_]:
                version = self.asked.number('modelVersionId')
                return self._of_number('model', number, version_id=version)
            case ['model-versions', number, *_]:
                return self._of_number('version', number)
            case ['posts', number, *_]:
                version = self.asked.number('modelVersionId')
                return self._of_number('post', number, version_id=version)
            case ['images' | 'gallery', number, *_]:  # gallery: the form of 2023
                return GallerySource('image', id_in(number, self.given))
        return None

    def _of_number(self, kind: str, number: str, *, version_id: int = 0) -> GallerySource:
        """The gallery of one thing, narrowed down as its parameters say."""
        wishes = {**self.asked.narrowing(), **self.asked.owner()}
        return GallerySource(kind, id_in(number, self.given), version_id, **wishes)

    def of_many(self) -> GallerySource | None:
        """The pictures or models that a page lists, narrowed down as its parameters say."""
        match self.route:
            case ['images' | 'gallery']:
                return self._of_pictures(usual_type='' if self.is_api else 'image')
            case ['videos']:
                return self._of_pictures(page_type='video')
            case ['posts'] if self.asked.text('username') or self.asked.number('userId'):
                return self._of_pictures()
            case ['models'] | ['tag', _] | ['search', 'models']:
                return GallerySource('models', username=self.asked.text('username'))
            case ['posts']:
                raise SourceError('source_post_list')
            case ['search', 'images' | 'videos' | 'posts']:
                raise SourceError('source_search')
            case ['generate', *_]:
                raise SourceError('source_generator')
            case ['collections', *_]:
                raise SourceError('source_collection')
        return None

    def _of_pictures(
        self, *, usual_type: str = '', page_type: str = '', username: str = ''
    ) -> GallerySource:
        """What /images means, or a page that shows pictures of `page_type`, of `username` only.

        `usual_type` is what it shows where nobody in particular is named.
        """
        asked = self.asked
        asked.refuse_all_but_one_of('imageId', 'ids')
        asked.refuse_all_but_one_of('ids', 'postId', 'modelId')
        image, ids = asked.number('imageId'), asked.numbers('ids', most=MAX_IDS)
        if image or len(ids) == 1:
            return GallerySource('image', image or ids[0])
        asked.refuse_what_only_the_site_can(on_page=not self.is_api)
        wishes = {**asked.narrowing(page_type), **asked.owner(username)}
        post, model = asked.number('postId'), asked.number('modelId')
        version = asked.number('modelVersionId')
        if ids:
            return GallerySource('images', 0, version, ids=ids, **wishes)
        if post or model:
            kind = 'post' if post else 'model'
            return GallerySource(kind, post or model, version, **wishes)
        if version:
            return GallerySource('version', version, **wishes)
        if wishes['username'] or wishes['user_id']:
            return GallerySource('user', **wishes)
        return GallerySource('images', **{**wishes, 'type': wishes['type'] or usual_type})

    def of_user(self) -> GallerySource | None:
        """What a tab of a user's page shows."""
        match self.route:
            case ['user', page, *_] if page in _OWN_PAGES:
                raise SourceError('source_user_tab', tab=page)
            case ['user', _, *tabs] if self.words[1].strip():
                name, tab = self.words[1].strip(), tabs[0] if tabs else ''
            case _:
                return None
        if tab == 'models':
            return GallerySource('models', username=name)
        if tab == 'collections':
            raise SourceError('source_collection')
        if tab not in ('', 'images', 'videos', 'posts'):
            raise SourceError('source_user_tab', tab=urls.shown(tab))
        page_type = next((kind for kind, its_tab in _TABS.items() if its_tab == tab), '')
        return self._of_pictures(page_type=page_type, username=name)
