"""What one browser tab looks at."""

from __future__ import annotations

import secrets
import weakref
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

from .. import api, forks, setting
from ..archive.marks import Marks
from ..civitai.found import FoundPage
from ..civitai.gallery import CursorTrail, GalleryImage, ImagePage
from ..downloads.getting import Planned
from ..downloads.offline import SavedGallery
from ..errors import CivitaiError
from ..library.updates import Standing
from ..store import cache
from .ahead import Pages
from .filters import Filters, FilterView
from .generation import Made
from .keeping import Keeping
from .larger import Larger
from .loading import GRIDS_KEPT, Given, Loading
from .waits import WaitView

# The turn that this event began, 0 before that; two events of a browser tab may go on at once.
_begun: ContextVar[int] = ContextVar('_begun', default=0)


def new_event() -> None:
    """Note that an event begins, which has begun no turn yet."""
    _begun.set(0)


@dataclass
class ModelsView:
    """What one browser tab sees of models.

    may_have tells that who looks is the owner. made is the chosen picture, as it was told of, and
    drawn the HTML of that. asked is what is to be confirmed, told what came of an order for that
    picture, as HTML. local are the files here when they were last looked at, twins those of which
    there are several; rows is how many of them are listed, listed the HTML of that.
    """

    may_have: bool = False
    made: Made | None = None
    drawn: str = ''
    asked: Planned | None = None
    told: str = ''
    local: Sequence[Standing] = ()
    twins: frozenset[Path] = frozenset()
    rows: int = 0
    listed: str = ''


@dataclass(frozen=True)
class Grown:
    """How a grid grew: `pages` came below its first one, the last below `before` pictures."""

    pages: int = 0
    before: int = 0


@dataclass
class PictureView:
    """Where the chosen picture stands, and how pictures are marked.

    grid is the name of its grid, place the one in that. may_mark tells that who looks is the owner,
    marks how the pictures of the page are marked; left_out counts those of it that are hidden, and
    shows_hidden tells that they are shown all the same. larger are the larger pictures of
    what the grid was given last.
    """

    grid: str = ''
    place: int = 0
    larger: Larger | None = None
    may_mark: bool = False
    marks: Marks = Marks()
    left_out: int = 0
    shows_hidden: bool = False


@dataclass(frozen=True)
class SearchView:
    """What one browser tab searched for last, and found so far.

    grid is the name of the grid of the pictures, '' where it is not looked at any more; asked are
    the cursors that were followed, levels those that were allowed then.
    """

    words: str = ''
    page: FoundPage = FoundPage()
    grid: str = ''
    asked: frozenset[str] = frozenset()
    levels: int = 0

    @property
    def pages(self) -> int:
        """How many answers of Civitai it is of."""
        return len(self.asked)

    @property
    def has_more(self) -> bool:
        """Tell whether more can be asked for; a cursor that was there leads in a circle."""
        return bool(self.page.next_cursor) and self.page.next_cursor not in self.asked


@dataclass
class Begun:
    """The whole gallery that was begun in a tab: its job, 0 for none, and what is told of that.

    moves tells that it had not come to rest when it was looked at last.
    """

    job_id: int = 0
    told: str = ''
    moves: bool = True


@dataclass
class View:
    """What one browser tab looks at. Nothing in it ever comes back from the browser.

    turn counts the pages asked for, so that a slow answer never replaces a newer one; listed is the
    turn that brought page, version the label of one that is on its way. click is the last one on a
    picture. keeping is the last download, kept_in its folder, kept_as what that is called, failed
    what did not come and why; is_asking that the form for a whole gallery is open, filled_for what
    it was filled in for, filled_from with which filters, begun what came of that, begun_here all
    jobs that were begun so. failures are the small pictures of what failed in jobs, failures_shown
    how many of them are listed, by job, where more were asked for. shown is what the grid was given
    last, each by a name, and given how far its small pictures are; lost tells why some of page did
    not come, problem why none did. pages are those that were seen or will be. name tells this view
    from others once it has shown something, seen is what it shows. saved is the saved gallery that
    is shown instead of a gallery; may_see_saved tells that who looks may see such. is_of_before
    tells that what was to be loaded since did not come. models is what it sees of models, filters
    what it wants to see, picture what of the chosen picture, search what it found by words. noted
    is a turn, and what is to be said of the page that it brought, as the key of a text; waits is
    the listing that is on its way, grown how the grid of page grew; again asks for what was asked
    for last. No turn begins while turning is held.
    """

    gallery: api.Gallery | None = None
    saved: SavedGallery | None = None
    may_see_saved: bool = False
    is_of_before: bool = False
    trail: CursorTrail = field(default_factory=CursorTrail)
    page: ImagePage = field(default_factory=ImagePage)
    selected: GalleryImage | None = None
    kept_in: str = ''
    kept_as: str = ''
    failed: tuple[tuple[GalleryImage, CivitaiError | None], ...] = ()
    is_asking: bool = False
    filled_for: object = None
    filled_from: Filters | None = None
    begun: Begun = field(default_factory=Begun)
    begun_here: tuple[int, ...] = ()
    failures: Given | None = None
    failures_shown: dict[int, int] = field(default_factory=dict)
    keeping: Keeping | None = None
    turn: int = 0
    listed: int = 0
    version: str = ''
    shown: dict[str, tuple[GalleryImage, ...]] = field(default_factory=dict)
    lost: tuple[CivitaiError | None, ...] = ()
    problem: CivitaiError | None = None
    click: int = 0
    name: str = ''
    seen: dict[str, list[str]] = field(default_factory=dict)
    given: Given | None = None
    pages: Pages = field(default_factory=Pages)
    models: ModelsView = field(default_factory=ModelsView)
    filters: FilterView = field(default_factory=FilterView)
    noted: tuple[int, str] = (0, '')
    waits: WaitView = field(default_factory=WaitView)
    again: Callable[[Any, View], dict[Any, Any]] | None = None
    picture: PictureView = field(default_factory=PictureView)
    grown: Grown = Grown()
    search: SearchView = SearchView()
    turning: forks.Lock = field(default_factory=forks.Lock, repr=False)

    def begin(self) -> int:
        """Count up and return the turn; what belongs to an older one is no longer wanted."""
        with self.turning:
            self.turn = turn = self.turn + 1
            self.version, self.waits = '', self.waits.follow()  # of this turn, as the last one
        _begun.set(_begun.get() or turn)
        return turn

    @contextmanager
    def having_say(self, turn: int) -> Iterator[bool]:
        """Whether `turn` was begun last, and so changes what is seen; no other begins inside."""
        with self.turning:
            yield turn == self.turn

    @property
    def is_later_begun(self) -> bool:
        """Whether a later turn has begun than that of this event, and so has the say."""
        return 0 < _begun.get() < self.turn

    @property
    def shown_name(self) -> str:
        """What the gallery on show is called, with the version of a model; '' without one."""
        if self.saved is not None:
            return self.saved.name
        if self.gallery is None:
            return ''
        version = self.gallery.version
        name = self.gallery.folder_name
        return f'{name} · {version.name}' if version else name

    @property
    def is_keeping(self) -> bool:
        """Whether a download runs."""
        return self.keeping is not None and not self.keeping.is_over

    def is_last_click(self, number: object) -> bool:
        """Tell whether no later click on a picture came before this one, as its browser counts."""
        text = str(number)
        count = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else self.click
        self.click = max(self.click, count)
        return count == self.click

    def sees(self, where: str, addresses: Sequence[str]) -> None:
        """Note which pictures this tab shows now, so that they stay in the picture cache."""
        if not self.name:
            self.name = secrets.token_hex(8)
            # gradio lets go of a view some time after its tab was closed
            weakref.finalize(self, cache.on_screen.forget, self.name)
        self.seen[where] = [setting.get_image_url_to_gallery_file(url) for url in addresses]
        cache.on_screen.show(self.name, chain.from_iterable(self.seen.values()))

    def shows(self, name: str, images: tuple[GalleryImage, ...], loading: Loading) -> None:
        """Note that the grid is given `images`, and calls them `name`."""
        self.given = self.given or Given()
        self.given.give(name, loading)
        self.picture.larger = self.picture.larger or Larger()
        self.picture.larger.give(self.given.secret, name, images, self.saved)
        self.shown[name] = images
        while len(self.shown) > GRIDS_KEPT:
            self.shown.pop(next(iter(self.shown)))

    def fails(self, problem: CivitaiError) -> None:
        """Note why the grid cannot be filled."""
        self.problem = problem

    @property
    def finds(self) -> bool:
        """Whether models that were found are on show, and hide the gallery."""
        return int(self.search.grid or 0) > self.listed

    @property
    def seen_since(self) -> int:
        """The turn that brought what is seen."""
        return int(self.search.grid) if self.finds else self.listed

    @property
    def is_settled(self) -> bool:
        """Whether the page asked for last is on the screen, or cannot be.

        It may be told of again: what tells of it first may reach the browser before its grid does.
        """
        is_known = self.problem is not None or str(self.listed) in self.shown
        return self.turn == self.listed and is_known
