"""The grid of a page without a browser: given to a view, and waited for."""

from __future__ import annotations

import os

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage
from scripts.civitai_manager_libs.tab import thumbnails
from scripts.civitai_manager_libs.tab.larger import Key, Larger, Size
from scripts.civitai_manager_libs.tab.loading import Loading, State
from scripts.civitai_manager_libs.tab.view import View


def loading_of(view: View, name: str = '') -> Loading:
    """How far the small pictures of a grid are, by default that of the page."""
    found = view.given and view.given.grid(name or str(view.listed))
    assert found
    return found


def filled(view: View) -> str:
    """Give `view` a grid of its page, and wait for the pictures; return the grid's name."""
    name = thumbnails.show(view)
    assert name and len(loading_of(view).smalls) == len(view.page.images)
    assert thumbnails.load(view)
    return name


def files_shown(view: View) -> list[str]:
    """The files that the grid of the page shows, the placeholder for those that failed."""
    missing, card, folder = (
        setting.no_card_preview_image,
        setting.audio_card_image,
        setting.shortcut_gallery_folder,
    )
    return [
        (
            missing
            if one.state is State.FAILED
            else os.path.join(folder, one.name) if one.name else card
        )
        for one in loading_of(view).smalls
    ]


def loaded(view: View) -> list[str]:
    """Both: the files that the grid of the page shows once all is known of them."""
    filled(view)
    return files_shown(view)


def large_file(image: GalleryImage) -> str | None:
    """Have `image` brought large; return the file, None if it did not come."""
    ones = Larger()
    ones.give('a secret', '1', (image,), None)
    brought = ones.bring(Key('1', 0, Size.LARGE))
    assert brought and brought.wait(60)
    if brought.smalls[0].state is State.FAILED:
        return None
    return os.path.join(setting.shortcut_gallery_folder, brought.smalls[0].name)
