"""How far the small pictures of one grid are, told by threads and heard by an event loop."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
import weakref
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, Callable, Mapping, Sequence

from .. import forks
from ..errors import CancelledError, CivitaiError

# The grid on the screen, and those that are on their way there.
GRIDS_KEPT = 3


class State(str, Enum):
    """What has become of a small picture."""

    COMING = 'coming'
    THERE = 'there'
    FAILED = 'failed'


@dataclass
class Small:
    """The small picture in one place of a grid: its name in the picture cache, '' for a card.

    level is that of the picture; error is why it failed, None where nobody knows.
    """

    name: str
    level: int
    state: State = State.COMING
    error: CivitaiError | None = None


class Loading:
    """The small pictures of one grid; any thread may tell of them.

    bring is how those at some places are brought; it tells of each by `settle`, and ends once
    `stop` is set. changes counts what was told, so that who asks for news can say what it knows.
    """

    def __init__(
        self, smalls: Sequence[Small], bring: Callable[[Loading, list[int]], None]
    ) -> None:
        self.smalls = tuple(smalls)
        self._bring = bring
        self._at_work = 0
        self.changes = 0
        self.stop = forks.Event()
        self._is_over = forks.Event()
        self._is_over.set()
        self._lock = forks.Lock()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    @property
    def is_over(self) -> bool:
        """Whether nothing is on its way any more."""
        return self._is_over.is_set()

    @property
    def failed(self) -> tuple[CivitaiError | None, ...]:
        """Why those failed that did."""
        return tuple(one.error for one in self.smalls if one.state is State.FAILED)

    def places(self, state: State) -> list[int]:
        """The places of those that are in `state`."""
        return [place for place, one in enumerate(self.smalls) if one.state is state]

    def settle(self, place: int, state: State, error: CivitaiError | None = None) -> None:
        """Tell what became of the one at `place`."""
        with self._lock:
            one = self.smalls[place]
            one.state, one.error = state, error
        self._changed()

    def begin(self, places: list[int]) -> None:
        """Bring the pictures at `places`, in a thread of its own."""
        if not places:
            return
        with self._lock:
            self._at_work += 1
            self._is_over.clear()
        for place in places:
            self.settle(place, State.COMING)
        threading.Thread(
            target=self._carry_out, args=[places], name='civitai-gallery-page', daemon=True
        ).start()

    def _carry_out(self, places: list[int]) -> None:
        try:
            with suppress(CancelledError):
                self._bring(self, places)
        finally:
            with self._lock:
                self._at_work -= 1
                if not self._at_work:
                    self._is_over.set()
            self._changed()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until nothing is on its way any more; tell whether that is so."""
        return self._is_over.wait(seconds)

    async def news(self, known: int, seconds: float) -> None:
        """Wait until something other than the `known` changes was told, or `seconds` are over."""
        here = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            self._waiting.append(here)
        try:
            if self.changes == known and not self.is_over:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(here[1].wait(), seconds)
        finally:
            with self._lock:
                self._waiting.remove(here)

    async def settled(self, one: Small, seconds: float) -> None:
        """Wait until it is known what became of `one`, or `seconds` are over."""
        end = time.monotonic() + seconds
        while one.state is State.COMING and not self.is_over and time.monotonic() < end:
            await self.news(self.changes, end - time.monotonic())

    def _changed(self) -> None:
        with self._lock:
            self.changes += 1
            waiting = tuple(self._waiting)
        for loop, event in waiting:
            with suppress(RuntimeError):  # its program is over
                loop.call_soon_threadsafe(event.set)


class Given:
    """What one browser tab was given: its grids, by their names.

    Its own name is a secret that only this tab is told, and all it needs to ask for its pictures.
    """

    def __init__(self) -> None:
        self.secret = secrets.token_urlsafe(18)
        self._grids: OrderedDict[str, Loading] = OrderedDict()
        self._beside = ''
        _tabs[self.secret] = self
        weakref.finalize(self, stop_all, self._grids)

    def give(self, name: str, loading: Loading) -> None:
        """Note that the tab is given a grid called `name`; what loads for those before it stops."""
        for before in self._grids.values():
            before.stop.set()
        self._grids[name] = loading
        while len(self._grids) > GRIDS_KEPT:
            self._grids.popitem(last=False)

    def give_beside(self, name: str, loading: Loading) -> None:
        """The same in the place of what was given so before; the others go on, and are kept."""
        before = self._grids.pop(self._beside, None)
        if before is not None:
            before.stop.set()
        self._grids[name], self._beside = loading, name

    def grid(self, name: str) -> Loading | None:
        """The grid called `name`, None if there is none any more."""
        return self._grids.get(name)

    def find(self, picture: str) -> tuple[Loading, Small] | None:
        """The small picture of that name in the picture cache, in the newest grid that has it."""
        for loading in reversed(list(self._grids.values())):
            for one in loading.smalls:
                if one.name and one.name == picture:
                    return loading, one
        return None


def stop_all(loadings: Mapping[Any, Loading]) -> None:
    """Stop what is on its way in each of `loadings`."""
    for loading in loadings.values():
        loading.stop.set()


_tabs: weakref.WeakValueDictionary[str, Given] = weakref.WeakValueDictionary()


def of_tab(secret: str) -> Given | None:
    """What the tab was given that knows `secret`, None if there is no such tab any more."""
    return _tabs.get(secret)
