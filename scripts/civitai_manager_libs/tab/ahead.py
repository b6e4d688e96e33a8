"""Pages that were seen, and the one that will probably be wanted next: so turning takes no time."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from contextlib import suppress
from typing import Callable

from .. import forks
from ..civitai.gallery import CursorTrail, GalleryQuery, ImagePage
from ..errors import CancelledError, CivitaiError

PAGES_KEPT = 20
_PIECE = 0.1  # seconds; nobody waits longer without a look whether it is still wanted

Key = tuple[GalleryQuery, tuple[str, ...]]


class Pages:
    """The pages of one gallery that a browser tab knows, by the way to each.

    `listed`, wherever it is given, asks for the page; it raises CivitaiError.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[Key, ImagePage] = OrderedDict()
        self._coming: dict[Key, threading.Event] = {}
        self._stops: list[threading.Event] = []

    def stop(self) -> None:
        """Stop what is fetched ahead."""
        for stop in self._stops:
            stop.set()

    def read(
        self,
        query: GalleryQuery,
        trail: CursorTrail,
        listed: Callable[[], ImagePage],
        stop: threading.Event | None = None,
    ) -> ImagePage:
        """Return the page at the end of `trail`, `listed` now if nothing is known of it.

        One that is on its way is waited for until `stop` is set; raises CancelledError then.
        """
        key = query, trail.cursors
        coming = self._coming.get(key)
        while coming is not None and not coming.wait(_PIECE):
            if stop is not None and stop.is_set():
                raise CancelledError()
        page = self._known.get(key)
        return page if page is not None else self.note(query, trail, listed())

    def note(self, query: GalleryQuery, trail: CursorTrail, page: ImagePage) -> ImagePage:
        """Remember a page, unless it is not whole and may be so the next time; return it."""
        if page.stopped is None:
            self._known[query, trail.cursors] = page
            while len(self._known) > PAGES_KEPT:
                self._known.popitem(last=False)
        return page

    def fetch(
        self,
        query: GalleryQuery,
        trail: CursorTrail,
        listed: Callable[[], ImagePage],
        load: Callable[[ImagePage, threading.Event], None],
    ) -> None:
        """Begin to list the page at the end of `trail`, and then to `load` its pictures.

        What fails is told to nobody: it is tried again when somebody wants it.
        """
        key = query, trail.cursors
        if key in self._coming:
            return
        is_over, stop = forks.Event(), forks.Event()
        self._coming[key] = is_over
        self._stops.append(stop)
        weakref.finalize(self, stop.set)  # the tab was closed
        known, ours = self._known.get(key), weakref.ref(self)

        def note(page: ImagePage) -> None:
            pages = ours()
            if pages is not None:
                pages.note(query, trail, page)

        def work() -> None:
            with suppress(CivitaiError):
                try:
                    page = known or listed()
                    note(page)
                finally:
                    is_over.set()
                load(page, stop)

        threading.Thread(target=work, name='civitai-gallery-pre_load', daemon=True).start()
