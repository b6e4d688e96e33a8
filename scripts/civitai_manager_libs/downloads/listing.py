"""Listing the galleries of a job into the archive, some pages ahead of what is fetched."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import Callable, ContextManager

from .. import api, setting
from ..archive import identity, jobs, places, shortlist
from ..archive.database import Database
from ..civitai import basemodels
from ..civitai.gallery import MAX_LIMIT, PERIODS, GalleryQuery, ImagePage, ceiling_of
from ..civitai.source import parse_source
from ..errors import (
    AnswerError,
    BadRequestError,
    CancelledError,
    CivitaiError,
    NotFoundError,
    StorageError,
    TransferError,
    WrongContentError,
)
from ..http_client import CivitaiHttpClient, background
from . import best, bothends
from .circles import Seen, Trail
from .queries import kept_query, query_of
from .wanted import Wanted

log = logging.getLogger(__name__)

# Pages listed of which no picture was fetched yet.
PAGES_AHEAD = 2
# After the client has tried as often as it does; a listing of hours is worth waiting for.
TRIES_OF_A_PAGE = 3
PAUSE_SECONDS = 5.0
# Civitai may send more than it was asked for; a server that means ill, any number.
MOST_OF_A_PAGE = 10 * MAX_LIMIT
# A filter applied after the fetch can empty many answers in a row, and answers may tell again what
# they told; somewhere it must end.
MAX_EMPTY_PAGES = 100
# Civitai's search ends at about 50,000 items, without a word (measured by others at 250 x 200),
# those that it leaves out of its answers included.
DEPTH = 49_000


class Ahead:
    """Keeps the one who lists from running away from the one who fetches."""

    def __init__(self, pages: int = PAGES_AHEAD) -> None:
        self._free = threading.Semaphore(pages)
        self._news = threading.Condition()
        self._pages = 0
        self._is_over = self._is_halted = False

    def begin_page(self, stop: threading.Event) -> None:
        """Wait until one page more may be listed. Raises CancelledError once `stop` is set."""
        while not self._free.acquire(timeout=0.1):
            if stop.is_set() or self._is_halted:
                raise CancelledError
        if stop.is_set() or self._is_halted:
            raise CancelledError

    def halt(self) -> None:
        """Have no further page listed."""
        self._is_halted = True

    def page_listed(self) -> None:
        """Tell that pictures were listed."""
        with self._news:
            self._pages += 1
            self._news.notify_all()

    def pass_on(self) -> None:
        """Free the place of a page, if there is one; for who has pictures of the next already."""
        with self._news:
            if not self._pages:
                return
            self._pages -= 1
        self._free.release()

    def over(self) -> None:
        """Tell that nothing more is listed."""
        with self._news:
            self._is_over = True
            self._news.notify_all()

    def next_page(
        self, stop: threading.Event, meanwhile: Callable[[], None] = lambda: None
    ) -> bool:
        """Wait for a page to be listed, and free its place; False once there are no more.

        `meanwhile` is called now and then.
        """
        while True:
            with self._news:
                if not self._pages and not self._is_over and not stop.is_set():
                    self._news.wait(0.1)
                if self._pages:
                    self._pages -= 1
                    break
                if self._is_over or stop.is_set():
                    return False
            meanwhile()
        self._free.release()
        return True


class _Logged:
    """Logs what nobody expected, so that it is known where a person looks, and ends there."""

    failure: CivitaiError | None = None

    def __enter__(self) -> _Logged:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception) or isinstance(error, CivitaiError):
            return False
        log.error('The listing of a gallery broke off', exc_info=error)
        self.failure = CivitaiError('error_see_log')
        return True


@dataclass
class Listing:
    """Lists the open lanes of a job, one after the other, until all that is wanted is listed."""

    db: Database
    job_id: int
    wanted: Wanted
    client: CivitaiHttpClient
    stop: threading.Event
    ahead: Ahead
    mark: str = ''  # of the job
    failure: CivitaiError | None = None

    def run(self) -> None:
        """List to the end, or until it is stopped. What stands in the way is noted as a gap.

        That nothing can be noted is `failure`.
        """
        self.failure = CivitaiError('error_see_log')  # whatever ends this thread
        try:
            with _Logged() as logged, background.work():
                self._list_all()
            self.failure = logged.failure
        except CancelledError:
            self.failure = None
        except CivitaiError as error:
            self.failure = error
        finally:
            self.ahead.over()

    def _list_all(self) -> None:
        while lane := next(iter(self._open_lanes()), None):
            self._list(lane)
            if self._has_enough(lane):
                return
        rivals = [one for one in jobs.lanes(self.db, self.job_id) if one.query.get(jobs.RIVALS)]
        if rivals:
            with self._noting():
                shortlist.choose(self.db, self.job_id, rivals, self.wanted.limit)
            self.ahead.page_listed()
        self._check_there()

    def _open_lanes(self) -> list[jobs.Lane]:
        return [one for one in jobs.lanes(self.db, self.job_id) if one.state == jobs.OPEN]

    def _check_there(self) -> None:
        """Where nothing was listed, note if that is because there is no such thing at all."""
        lanes = jobs.lanes(self.db, self.job_id)
        gaps = {gap.key for gap in jobs.progress(self.db, self.job_id).gaps}
        if (
            not lanes
            or any(lane.items or lane.hidden or lane.unreadable for lane in lanes)
            or gaps - {'listing_foreign'}
        ):
            return
        try:
            source = parse_source(self.wanted.source, setting.civitai_base_url)
            api.check_there(self.client, api.open_gallery(self.client, source))
        except (CancelledError, StorageError):
            raise
        except CivitaiError as error:
            self._break(lanes[-1], error)

    def _has_enough(self, lane: jobs.Lane) -> bool:
        limit = 0 if lane.query.get(jobs.RIVALS) else self.wanted.limit
        return bool(limit) and jobs.progress(self.db, self.job_id).found >= limit

    def _list(self, lane: jobs.Lane) -> None:
        """List `lane` until it ends, breaks, or there is enough."""
        query, trail, is_anew = query_of(lane), Trail(lane.cursor), False
        told, empty, stale = Seen(), 0, 0
        while lane.state == jobs.OPEN:
            self.ahead.begin_page(self.stop)
            try:
                page = self._page(query, lane.cursor)
                empty = 0 if page.images else empty + 1
                self._note(lane, query, page)
                if page.images:
                    is_new = told.add(image.id for image in page.images)
                    stale = 0 if is_new else stale + 1
                if page.stopped:
                    raise page.stopped
                if trail.leads_back(page.next_cursor) or stale >= MAX_EMPTY_PAGES:
                    raise WrongContentError('listing_circle')
                if empty >= MAX_EMPTY_PAGES:
                    raise WrongContentError('listing_empty', count=empty)
            except BadRequestError as error:
                if not lane.cursor or is_anew:
                    self._break(lane, error)
                else:  # only the cursor is no good any more; what is known is passed over
                    trail, told, is_anew = Trail(''), Seen(), True
                    jobs.set_lane(self.db, self.job_id, lane, jobs.OPEN, '')
            except (CancelledError, StorageError):
                raise
            except CivitaiError as error:
                if self.stop.is_set():
                    raise CancelledError from error
                self._break(lane, error)
            finally:
                self.ahead.page_listed()
            if self._has_enough(lane):
                return
            lane = self._lane(lane.number)

    def _page(self, query: GalleryQuery, cursor: str) -> ImagePage:
        """Ask for a page, again where it may be different the next time."""
        for attempt in range(1, TRIES_OF_A_PAGE + 1):
            try:
                return api.fetch_page(self.client, query, cursor, most=MOST_OF_A_PAGE)
            except (TransferError, AnswerError) as error:
                if not error.transient or attempt == TRIES_OF_A_PAGE:
                    raise
                log.warning('A page of a gallery failed, try %d: %s', attempt, error)
                if self.stop.wait(PAUSE_SECONDS * attempt):
                    raise CancelledError from error
        raise AssertionError('unreachable')

    def _note(self, lane: jobs.Lane, query: GalleryQuery, page: ImagePage) -> None:
        """Note a page, and what follows from it for `lane`."""
        if not lane.pages:
            with self._noting():
                places.leave_former(self.db, self.job_id)
        found = [image for image in page.images if self.wanted.fits(image)]
        known = places.lanes_of(self.db, self.job_id, (image.id for image in found))
        fresh = [image for image in found if image.id not in known]
        sort = str(lane.query.get(jobs.RIVALS, ''))
        if self.wanted.limit and not sort:
            already = jobs.progress(self.db, self.job_id).found
            fresh = fresh[: max(0, self.wanted.limit - already)]
        undated = self.wanted.undated(page.images)
        cursor = '' if self.wanted.ends_before(page.images, query.sort) else page.next_cursor
        with self._noting():
            if sort:
                limit = self.wanted.limit
                if not best.note_page(self.db, self.job_id, lane, query, page, fresh, limit):
                    cursor = ''
            jobs.note_page(self.db, self.job_id, lane, page, [] if sort else fresh, cursor, undated)
        is_last = not page.next_cursor
        if bothends.have_met(lane, found, known, is_last):
            jobs.set_lane(self.db, self.job_id, lane, jobs.AT_END, '')
        elif is_last and (lane.pages + 1) * query.limit >= DEPTH:
            if lane.query.get(bothends.OTHER_END_OF):
                raise CivitaiError('gap_depth')
            beyond = kept_query(bothends.other_end(query))
            meeting = bothends.to_meet(query, lane)
            jobs.add_lane(self.db, self.job_id, {**beyond, **meeting, jobs.RIVALS: sort})
        if not cursor:
            _check_all_came(query, lane, page)

    def _break(self, lane: jobs.Lane, cause: CivitaiError) -> None:
        """Note why `lane` is not listed to its end."""
        asked = () if lane.pages else query_of(lane).base_models
        why = basemodels.explained(cause, asked)
        with self._noting():
            jobs.note_gap(self.db, self.job_id, lane, why)
            jobs.set_lane(self.db, self.job_id, lane, jobs.BROKEN)

    def _noting(self) -> ContextManager[None]:
        return identity.noting(self.db, self.job_id, self.mark)

    def _lane(self, number: int) -> jobs.Lane:
        lanes = jobs.lanes(self.db, self.job_id)
        found = next((lane for lane in lanes if lane.number == number), None)
        if found is None:  # the job was removed
            raise CancelledError
        return found


def _check_all_came(query: GalleryQuery, lane: jobs.Lane, page: ImagePage) -> None:
    """Raise NotFoundError if of pictures that were asked for by id not all were told, up to `page`.

    A filter may leave some out, and nobody can say which.
    """
    if query.type or query.tags or query.base_models or query.period != PERIODS[0]:
        return
    told = lane.items + len(page.images) + lane.hidden + page.hidden
    absent, total = len(set(query.ids)) - told, len(query.ids)
    if absent > 0:
        ceiling = ceiling_of(query.levels)
        raise NotFoundError('absent_images', count=absent, total=total, ceiling=ceiling)
