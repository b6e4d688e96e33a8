"""A gallery as values: pictures, pages, what to ask for, and the way through the cursors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import AbstractSet, Any, Collection, Mapping

from ..errors import CivitaiError, WrongContentError
from . import belonging, fields, meta as meta_of
from .following import following

# Maturity ceilings a person can choose, as the mask of Civitai's level bits they allow:
# 1 PG, 2 PG-13, 4 R, 8 X, 16 XXX. 32 means blocked and is never shown.
CEILINGS: Mapping[str, int] = {'PG': 1, 'PG-13': 3, 'R': 7, 'X': 15, 'XXX': 31}
SAFE_CEILING = 'PG'
ALL_LEVELS = 31

_LEVEL_BY_NAME = {'None': 1, 'Soft': 2, 'Mature': 4, 'X': 16, 'Blocked': 32}
UNKNOWN_LEVEL = 0

SORTS = ('Most Reactions', 'Most Comments', 'Most Collected', 'Newest', 'Oldest')
PERIODS = ('AllTime', 'Year', 'Month', 'Week', 'Day')
TYPES = ('image', 'video', 'audio')
MAX_LIMIT = 200
MAX_IDS = 100


@dataclass(frozen=True)
class GalleryImage:
    """One picture or video of a gallery.

    url is the full-size address; kind is 'image', 'video' or 'audio'; width and height in pixels, 0
    if unknown; level is one bit of the maturity levels, 0 if unknown; reactions include comments;
    meta is the uploader's generation data, {} if hidden; tags are names, () unless asked for; item
    is all else that was said, under the names of the API and without secrets.
    """

    id: int
    url: str
    kind: str = 'image'
    width: int = 0
    height: int = 0
    level: int = UNKNOWN_LEVEL
    username: str = ''
    post_id: int = 0
    base_model: str = ''
    created_at: str = ''
    reactions: int = 0
    meta: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    comments: int = field(default=0, compare=False)
    item: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def said(self) -> dict[str, Any]:
        """Return all that is known of it, under the names of the API."""
        known = self.item or {
            **{'id': self.id, 'url': self.url, 'type': self.kind, 'username': self.username},
            **{'width': self.width, 'height': self.height, 'browsingLevel': self.level},
            **{'postId': self.post_id, 'baseModel': self.base_model},
            'createdAt': self.created_at,
        }
        return {**known, **({'meta': dict(self.meta)} if self.meta else {})}

    @property
    def is_video(self) -> bool:
        """True for a video."""
        return self.kind == 'video'

    @property
    def is_audio(self) -> bool:
        """True for a sound, of which there is nothing to be seen."""
        return self.kind == 'audio'


@dataclass(frozen=True)
class ImagePage:
    """Some pictures of a gallery, and the cursor of what follows ('' at the end).

    hidden counts pictures left out because of the maturity ceiling, surplus those left out because
    nobody asked for so many, foreign those that are not what was asked for, unreadable those of
    which no picture can be made. unproven names the filters of which nothing shows that they were
    obeyed. stopped is why the gallery is not listed to its end, None if it is.
    """

    images: tuple[GalleryImage, ...] = ()
    next_cursor: str = ''
    hidden: int = 0
    surplus: int = 0
    foreign: int = 0
    unreadable: int = 0
    unproven: tuple[str, ...] = ()
    stopped: CivitaiError | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing of what was asked for, as far as can be seen."""
        some = self.images or self.hidden or self.unreadable
        return not (some or (self.stopped and not self.foreign))

    def without(self, seen: AbstractSet[int]) -> ImagePage:
        """The same page without pictures whose id is in `seen`."""
        return replace(self, images=tuple(i for i in self.images if i.id not in seen))

    def and_then(self, other: ImagePage) -> ImagePage:
        """This page and the `other` one, which follows it, as one."""
        return replace(
            other,
            images=self.images + other.images,
            hidden=self.hidden + other.hidden,
            surplus=self.surplus + other.surplus,
            foreign=self.foreign + other.foreign,
            unreadable=self.unreadable + other.unreadable,
        )

    def ended_by(self, why: CivitaiError) -> ImagePage:
        """The same page, behind which nothing can be listed."""
        return replace(self, next_cursor='', stopped=why)


@dataclass(frozen=True)
class GalleryQuery:
    """What to ask /api/v1/images for. Ids of 0 and what is empty are not sent.

    limit is pictures per answer (1-200); levels is the mask of maturity levels allowed; tags are
    ids of tags, base_models exact names. as_posted: a post, in the order of its author, for which
    there is no sort. with_tags: have the tags of each picture told.
    """

    model_id: int = 0
    version_id: int = 0
    username: str = ''
    user_id: int = 0
    post_id: int = 0
    image_id: int = 0
    ids: tuple[int, ...] = ()
    limit: int = 20
    levels: int = CEILINGS[SAFE_CEILING]
    sort: str = SORTS[0]
    period: str = PERIODS[0]
    type: str = ''
    tags: tuple[int, ...] = ()
    base_models: tuple[str, ...] = ()
    as_posted: bool = False
    with_tags: bool = False

    def parameters(self, cursor: str = '') -> dict[str, str]:
        """Return the query parameters, with the opaque `cursor` of a page that follows.

        `page` is never sent: on most paths Civitai ignores it while its nextPage still counts up.
        A version id is sent alone, because only then do engagement sorts work. Level, withMeta
        and flatMeta are always explicit: their defaults differ between Civitai's engines.
        """
        named = {
            'modelId': 0 if self.version_id else self.model_id,
            'modelVersionId': self.version_id,
            'postId': self.post_id,
            'imageId': self.image_id,
            'userId': self.user_id,
            'username': '' if self.user_id else self.username,
            'ids': ','.join(map(str, self.ids)),
            'type': self.type,
            'tags': ','.join(map(str, self.tags)),
            'baseModels': ','.join(self.base_models),
        }
        chosen = {key: str(value) for key, value in named.items() if value}
        chosen |= {
            'limit': str(max(1, min(self.limit, MAX_LIMIT))),
            'sort': self.sort,
            'period': self.period,
            'browsingLevel': str(self.levels),
            'withMeta': 'true',
            'flatMeta': 'true',
        }
        if self.tags or self.with_tags:  # else nothing would show that they were obeyed
            chosen['withTags'] = 'true'
        if cursor:
            chosen['cursor'] = cursor
        return chosen

    @property
    def wanted(self) -> dict[str, str]:
        """What a picture has to be, by the names of the parameters."""
        return {**self.parameters(), 'username': self.username}


def parse_page(
    data: object,
    levels: int,
    ids: Collection[int] = (),
    limit: int = 0,
    wanted: Mapping[str, str] | None = None,
) -> ImagePage:
    """Return the page in an answer of /api/v1/images; unreadable items are left out and counted.

    Items above `levels`, and of unknown level unless everything is allowed, are left out and
    counted: the server's own filter is not trusted. If `ids` were asked for, nothing else is taken:
    some servers ignore the parameter and send the newest pictures. Nothing follows one.
    More than `limit` items, 0 for any number, are left out and counted too, and so are those that
    say that they are not what was `wanted`. Where all do, nothing follows.
    Raises WrongContentError if `data` is not such an answer at all, or if several ids were ignored.
    """
    if not isinstance(data, dict) or not isinstance(data.get('items'), list):
        raise WrongContentError('error_not_a_gallery')
    items = data['items'] if ids or not limit else data['items'][:limit]
    surplus = len(data['items']) - len(items)
    known = [item for item in items if isinstance(item, dict)]
    ours = [item for item in known if not belonging.contradicts(item, wanted or {})]
    once: dict[int, GalleryImage] = {}
    read = [image for image in map(parse_image, ours) if image]
    for image in read:
        if not ids or image.id in ids:
            once.setdefault(image.id, image)
        elif len(ids) > 1:
            raise WrongContentError('error_ids_ignored')
    images = tuple(image for image in once.values() if is_allowed(image.level, levels))
    cursor, lost = ('', None) if len(ids) == 1 else following(data.get('metadata'))
    page = ImagePage(
        images,
        cursor,
        hidden=len(once) - len(images),
        surplus=surplus,
        foreign=len(known) - len(ours),
        unreadable=len(items) - len(known) + len(ours) - len(read),
        unproven=belonging.unproven(ours, wanted or {}),
        stopped=lost,
    )
    return page.ended_by(WrongContentError('listing_foreign')) if known and not ours else page


def parse_image(item: object) -> GalleryImage | None:
    """Return one item of an answer, None if it has no id or no address."""
    if not isinstance(item, dict):
        return None
    number, url = fields.whole(item.get('id')), item.get('url')
    # anything else would be taken for a file, and looking for one can already give things away
    if not number or not isinstance(url, str) or not url.startswith(('https://', 'http://')):
        return None
    stats = item['stats'] if isinstance(item.get('stats'), dict) else {}
    return GalleryImage(
        id=number,
        url=url,
        kind=fields.words(item.get('type')) or 'image',
        width=fields.whole(item.get('width')),
        height=fields.whole(item.get('height')),
        level=parse_level(item),
        username=fields.words(item.get('username')),
        post_id=fields.whole(item.get('postId')),
        base_model=fields.words(item.get('baseModel')),
        created_at=fields.words(item.get('createdAt')),
        reactions=sum(map(fields.whole, stats.values())),
        meta=meta_of.opened(item.get('meta')),
        tags=fields.names(item.get('tags')),
        comments=fields.whole(stats.get('commentCount')),
        item={k: fields.without_secrets(v) for k, v in item.items() if k != 'meta'},
    )


def parse_level(item: Mapping[str, Any]) -> int:
    """Return the maturity bit (1-32) of an item or preview, 0 if it cannot be told.

    browsingLevel is the exact one; nsfwLevel is a name in galleries and a number in previews;
    very old data only has the boolean nsfw.
    """
    for level in (item.get('browsingLevel'), item.get('nsfwLevel')):
        if isinstance(level, int) and not isinstance(level, bool):
            # a mask of several counts as its highest
            return 1 << (level.bit_length() - 1) if 0 < level < 64 else UNKNOWN_LEVEL
        if isinstance(level, str):
            return _LEVEL_BY_NAME.get(level, UNKNOWN_LEVEL)
    return 1 if item.get('nsfw') is False else UNKNOWN_LEVEL


def ceiling_of(levels: int) -> str:
    """Return the name of the lowest ceiling under which all `levels` of a mask are."""
    return next((name for name, mask in CEILINGS.items() if not levels & ~mask), 'XXX')


def is_allowed(level: int, levels: int) -> bool:
    """Tell whether a picture of `level` may be shown; unknown counts as not safe."""
    if level == UNKNOWN_LEVEL:
        return levels == ALL_LEVELS
    return bool(level & levels)


@dataclass(frozen=True)
class CursorTrail:
    """The way a person took through a gallery: a cursor and the ids shown, for each page.

    Civitai only says what comes next, so going back means remembering. '' is the first page.
    """

    cursors: tuple[str, ...] = ('',)
    shown: tuple[frozenset[int], ...] = ()

    @property
    def cursor(self) -> str:
        """The cursor of the page we are on."""
        return self.cursors[-1]

    @property
    def page_number(self) -> int:
        """The number of the page we are on, from 1."""
        return len(self.cursors)

    @property
    def seen(self) -> frozenset[int]:
        """The ids of all pictures shown on the pages before this one."""
        return frozenset().union(*self.shown)

    def can_go_to(self, cursor: str) -> bool:
        """Tell whether `cursor` leads on; one that was there before would lead in a circle."""
        return bool(cursor) and cursor not in self.cursors

    def forward(self, page: ImagePage) -> CursorTrail:
        """The trail one page further; unchanged if `page`, the current one, is the last."""
        if not self.can_go_to(page.next_cursor):
            return self
        ids = frozenset(image.id for image in page.images)
        return CursorTrail((*self.cursors, page.next_cursor), (*self.shown, ids))

    def back(self) -> CursorTrail:
        """The trail one page back; unchanged on the first page."""
        return CursorTrail(self.cursors[:-1], self.shown[:-1]) if self.shown else self
