"""Which pictures to fetch before anybody asks for them; decides, fetches nothing."""

from __future__ import annotations

from typing import Any, Mapping

from ..civitai import belonging, gallery, urls


def following(page_url: str, paging_information: Mapping[str, Any] | None) -> str:
    """Return the address of the page after `page_url`, '' after the last.

    `paging_information` has "totalPageUrls", the addresses of all pages in order; without it
    `page_url` itself is meant.
    """
    pages = list((paging_information or {}).get('totalPageUrls') or ())
    if not pages:
        return page_url
    after = pages.index(page_url) + 1 if page_url in pages else 0
    return str(pages[after]) if after < len(pages) else ''


def thumbnails(data: object, width: int, levels: int, question: str = '') -> list[str]:
    """Return the addresses of small stills of what an answer lists and `levels` allow.

    What says that it is not what `question`, an address, asks for is left out; so are sounds.
    """
    asked = belonging.asked_in(question)
    items = data.get('items') if isinstance(data, dict) else None
    return [
        urls.thumbnail_url(item['url'], width, video=item.get('type') == 'video')
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, dict) and isinstance(item.get('url'), str)
        if _is_shown(item, levels) and not belonging.contradicts(item, asked)
    ]


def _is_shown(item: Mapping[str, Any], levels: int) -> bool:
    """Tell whether an item will be shown; one without any rating is not of Civitai's making."""
    if item.get('type') == 'audio':
        return False
    if not {'browsingLevel', 'nsfwLevel', 'nsfw'} & item.keys():
        return True
    return gallery.is_allowed(gallery.parse_level(item), levels)
