"""Links of models, users and posts: one that opens the gallery here, and one to its page beside it.

See `browser.start.WATCH_START`.
"""

from __future__ import annotations

from .. import setting, texts
from ..civitai import urls
from ..civitai.gallery import GalleryImage
from ..civitai.source import GallerySource, address_of
from ..widgets import escape


def opening(link: str) -> str:
    """The attributes of what opens the gallery of `link` in this tab when it is clicked."""
    here = escape(_told('open_gallery'))
    return f'href="{escape(link)}" data-cg-source="{escape(link)}" title="{here}"'


def gallery_link(name: str, link: str) -> str:
    """Both links; `name` is HTML."""
    return f'<a {opening(link)}>{name}</a> {away(link)}'


def away(link: str) -> str:
    """The link to a page of Civitai, as a small sign."""
    there = escape(_told('open_on_civitai'))
    return (
        f'<a href="{escape(link)}" target="_blank" rel="noopener noreferrer" class="cg-away" '
        f'title="{there}" aria-label="{there}">↗</a>'
    )


def address_of_user(name: str) -> str:
    """The address of the gallery of a user."""
    return address_of(GallerySource('user', username=name), setting.civitai_base_url)


def user(name: str) -> str:
    """A user; '' for nobody."""
    return gallery_link(escape(f'@{name}'), address_of_user(name)) if name else ''


def post(image: GalleryImage) -> str:
    """The post that a picture is in; '' if that is not known."""
    if not image.post_id:
        return ''
    link = urls.page_url(setting.civitai_base_url, 'posts', image.post_id)
    return gallery_link(escape(_told('title_post', number=image.post_id)), link)


def _told(key: str, **values: object) -> str:
    return texts.text(key, setting.language, **values)
