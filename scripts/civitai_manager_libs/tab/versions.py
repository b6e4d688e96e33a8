"""The versions of the model on show, by what a person chooses them by."""

from __future__ import annotations

from .. import api, setting, texts
from .view import View


def shown(view: View) -> str:
    """The label of the version on show, or of all of them; '' for what is no model's."""
    gallery = view.gallery
    if gallery is None or gallery.model is None:
        return ''
    if gallery.version is not None:
        return gallery.version.label
    return '' if gallery.query.version_id else _all_of(gallery)


def offered(view: View) -> list[str]:
    """The labels of the versions of the model on show, all of them together first."""
    gallery = view.gallery
    labels = [v.label for v in gallery.model.versions] if gallery and gallery.model else []
    return [_all_of(gallery), *labels] if gallery and len(labels) > 1 else labels


def _all_of(gallery: api.Gallery) -> str:
    count = len(gallery.model.versions) if gallery.model else 0
    return texts.text('version_all', setting.language, count=count)
