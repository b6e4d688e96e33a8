"""Galleries: what a link means, ready to be read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from .. import setting
from ..civitai import urls
from ..civitai.gallery import PERIODS, SORTS, GalleryQuery
from ..civitai.models import Model, ModelVersion
from ..civitai.source import GallerySource
from ..errors import (
    AnswerError,
    CivitaiError,
    GoneError,
    NotFoundError,
    SourceError,
    TransferError,
    WrongContentError,
)
from ..http_client import CivitaiHttpClient
from . import whereabouts
from .models import fetch_model, find_version
from .pages import fetch_page


@dataclass(frozen=True)
class Gallery:
    """A gallery ready to be read: the query for it and, for a model's, what it belongs to.

    is_orphan: the model is gone, and pictures that were made with it are still listed.
    """

    source: GallerySource
    query: GalleryQuery
    model: Model | None = None
    is_orphan: bool = False

    @property
    def version(self) -> ModelVersion | None:
        """The version whose gallery this is, None if it is not a model's."""
        versions = self.model.versions if self.model else ()
        return next((v for v in versions if v.id == self.query.version_id), None)

    def of_version(self, version_id: int) -> Gallery:
        """The gallery of one version of the same model, as if the link had named it."""
        return replace(
            self,
            source=self._source_of(version_id),
            query=replace(self.query, version_id=version_id),
        )

    def of_all_versions(self) -> Gallery:
        """The gallery of the same model, as if the link had named no version."""
        return replace(self, source=self._source_of(0))

    def of_every_version(self) -> Gallery:
        """The gallery of the same model, whatever version a picture was made with.

        Civitai lists that by date only.
        """
        return replace(self, source=self._source_of(0), query=replace(self.query, version_id=0))

    def wishing(self, **wishes: Any) -> Gallery:
        """The same gallery with these wishes, by the names of GallerySource, as if the link had
        named them: sort, period, type, base_models.
        """
        source = replace(self.source, **wishes)
        asked = _narrowed(source)
        names = ('sort', 'period', 'type', 'base_models', 'as_posted')
        query = replace(self.query, **{name: getattr(asked, name) for name in names})
        return replace(self, source=source, query=query)

    def _source_of(self, version_id: int) -> GallerySource:
        if self.model is None:
            return self.source
        wishes = replace(self.source, kind='model', number=self.model.id, hash='')
        return replace(wishes, version_id=version_id)

    @property
    def usual_sort(self) -> str:
        """The sort of its pictures where none is asked for: all versions come by their date."""
        is_of_all = self.query.model_id and not self.query.version_id
        return 'Newest' if is_of_all else _usual_sort(self.source)

    def of_levels(self, levels: int) -> Gallery:
        """The same gallery with another mask of maturity levels."""
        return replace(self, query=replace(self.query, levels=levels))

    @property
    def folder_name(self) -> str:
        """What a folder with these pictures is called, before it is made safe."""
        if self.model:
            return self.model.name
        source = self.source
        name = source.username or source.user_id or source.number or ' '.join(map(str, source.tags))
        kind = 'videos' if source.kind == 'images' and source.type == 'video' else source.kind
        return f'{kind} {name}'.strip()


def open_gallery(client: CivitaiHttpClient, source: GallerySource) -> Gallery:
    """Return the gallery that `source` means, with the settings' page size and maturity."""
    if source.kind == 'models':
        raise SourceError('source_model_list')
    query = _named(client, source, _narrowed(source))
    if source.kind not in ('model', 'version'):
        return Gallery(source, query)
    try:
        model, wanted = _model_of(client, source)
    except (NotFoundError, GoneError) as error:
        return _orphan(client, source, query, error)
    listed = [version.id for version in model.versions]
    if wanted not in listed:
        # a version may be unlisted (early access, say) and still have pictures
        _check_owner(client, model.id, wanted)
        wanted = wanted or next(iter(listed), 0)
    return Gallery(source, replace(query, model_id=model.id, version_id=wanted), model)


def _model_of(client: CivitaiHttpClient, source: GallerySource) -> tuple[Model, int]:
    """The model that `source` means, and the id of its version if one is named."""
    if source.kind == 'version':
        model_id, version_id = find_version(client, source)
        return fetch_model(client, model_id), version_id
    return fetch_model(client, source.number), source.version_id


def _check_owner(client: CivitaiHttpClient, model_id: int, version_id: int) -> None:
    """Raise SourceError if Civitai says that a version is one of another model."""
    if not version_id:
        return
    try:
        owner, _ = find_version(client, GallerySource('version', version_id))
    except (AnswerError, TransferError, WrongContentError):
        return  # whether it has pictures is seen where they are listed
    if owner != model_id:
        page = urls.page_url(setting.civitai_base_url, 'models', owner)
        link = f'{page}?modelVersionId={version_id}'
        raise SourceError(
            'source_version_elsewhere', version=version_id, owner=owner, model=model_id, link=link
        )


def _orphan(
    client: CivitaiHttpClient, source: GallerySource, query: GalleryQuery, gone: CivitaiError
) -> Gallery:
    """The gallery of a model that is gone. Raises `gone` if no pictures of it are listed."""
    if not source.number:
        raise gone
    if source.kind == 'version':
        query = replace(query, version_id=source.number)
    else:
        query = replace(query, model_id=source.number)
    doubted = 'modelVersionId' if query.version_id else 'modelId'
    try:
        page = fetch_page(client, query, doubted=[doubted])
    except (AnswerError, TransferError, WrongContentError):
        raise gone from None
    if not page.images and not page.hidden:
        raise gone
    return Gallery(source, query, is_orphan=True)


def check_there(client: CivitaiHttpClient, gallery: Gallery) -> None:
    """Raise NotFoundError unless that to which an empty gallery belongs is there."""
    if gallery.model is None:
        whereabouts.check_there(client, gallery.query)
    elif gallery.version is None and gallery.query.version_id:
        find_version(client, GallerySource('version', gallery.query.version_id))


def _narrowed(source: GallerySource) -> GalleryQuery:
    """The query for what can be told of `source` without asking."""
    return GalleryQuery(
        version_id=source.version_id,
        user_id=source.user_id,
        post_id=source.number if source.kind == 'post' else 0,
        image_id=source.number if source.kind == 'image' else 0,
        ids=source.ids,
        limit=setting.page_size(),
        levels=setting.maturity_levels(),
        sort=source.sort or _usual_sort(source),
        period=source.period or PERIODS[0],
        type=source.type,
        tags=source.tags,
        base_models=source.base_models,
        as_posted=source.kind == 'post' and not source.sort,
    )


def _usual_sort(source: GallerySource) -> str:
    """What no wish means: a user's newest first, a post's pictures as they were posted."""
    return {'user': 'Newest', 'post': 'Oldest'}.get(source.kind, SORTS[0])


def _named(client: CivitaiHttpClient, source: GallerySource, query: GalleryQuery) -> GalleryQuery:
    """`query` for the user that `source` names, if any.

    Civitai takes names of letters, digits and _ only, of others their id.
    """
    username = source.username
    if not username or source.user_id or re.fullmatch(r'[A-Za-z0-9_]+', username):
        return replace(query, username=username)
    user_id = whereabouts.find_user(client, username)
    return replace(query, username=username, user_id=user_id)
