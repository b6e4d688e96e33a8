"""What a job lists, where the site's listings have ends, holes and cursors that go bad."""

from __future__ import annotations

import json
import threading
import tracemalloc
from typing import Any, Callable

import pytest
import responses
from requests import PreparedRequest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import jobs, places
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.civitai import gallery
from scripts.civitai_manager_libs.civitai.gallery import GalleryQuery
from scripts.civitai_manager_libs.downloads import listing
from scripts.civitai_manager_libs.downloads.circles import Trail
from scripts.civitai_manager_libs.downloads.listing import Ahead, Listing
from scripts.civitai_manager_libs.downloads.standing import JobReport
from scripts.civitai_manager_libs.downloads.wanted import Wanted
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient

Answer = tuple[int, dict[str, str], str]
PAGE = 10


def item(number: int) -> dict[str, Any]:
    return {
        'id': number,
        'url': f'https://image.civitai.com/k/{number}/original=true/{number}.jpeg',
        'type': 'image',
        'browsingLevel': 1,
        'createdAt': f'2025-01-01T00:{number // 60:02d}:{number % 60:02d}.000Z',
        'username': 'wren',
        'modelVersionIds': [7],
    }


def refused(status: int, message: str) -> Answer:
    return status, {}, json.dumps({'message': message})


class Site:
    """The pictures 1 to `count`, of which a listing shows `depth`; cursors are offsets."""

    def __init__(self, count: int, depth: int = 10**9) -> None:
        self.count, self.depth = count, depth
        self.left_out: set[int] = set()
        self.again: list[int] = []  # told once more at the top of each page that follows
        self.asked: list[tuple[str, str]] = []
        self.fault: Callable[[str, int], Answer | None] = lambda cursor, times: None

    def answer(self, request: PreparedRequest) -> Answer:
        params = request.params  # type: ignore[attr-defined]
        cursor, sort = params.get('cursor', ''), params['sort']
        self.asked.append((sort, cursor))
        fault = self.fault(cursor, self.asked.count((sort, cursor)))
        if fault:
            return fault
        numbers = list(range(1, self.count + 1))
        if sort != 'Oldest':
            numbers.reverse()
        if sort not in ('Newest', 'Oldest'):
            numbers.sort(key=lambda number: number * 7 % self.count)  # in no order of time
        start = int(cursor or 0)
        shown = [n for n in numbers[: self.depth][start : start + PAGE] if n not in self.left_out]
        shown = [*self.again, *shown][:PAGE] if start else shown
        more = start + PAGE < min(self.count, self.depth)
        metadata = {'nextCursor': str(start + PAGE)} if more else {}
        return 200, {}, json.dumps({'items': list(map(item, shown)), 'metadata': metadata})


@pytest.fixture
def listed(
    db: Database,
    client: CivitaiHttpClient,
    wire: responses.RequestsMock,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., jobs.Progress]:
    """List a site to its end, as one job; the waits between tries take no time."""
    monkeypatch.setattr(listing, 'PAUSE_SECONDS', 0)
    setting.http_max_retries = 3

    def run(site: Site, sort: str = 'Newest', **wanted: object) -> jobs.Progress:
        address = f'{setting.civitai_base_url}/api/v1/images'
        wire.reset()
        wire.add_callback(responses.GET, address, site.answer)
        known = jobs.every(db)
        if not known:
            query = listing.kept_query(GalleryQuery(version_id=7, limit=PAGE, sort=sort))
            jobs.make(db, {}, db.path.parent, [query])
        [job] = jobs.every(db)
        asked = Wanted('x', **wanted)  # type: ignore[arg-type]
        Listing(db, job.id, asked, client, threading.Event(), Ahead(10**6)).run()
        return jobs.progress(db, job.id)

    return run


def gaps(progress: jobs.Progress) -> list[str]:
    return [gap.key for gap in progress.gaps]


def numbers(db: Database) -> list[int]:
    return [one.image.id for one in jobs.listed(db, 1, jobs.TO_DO, 0, 10**6)]


def test_a_listing_ends_where_the_site_says_so(listed: Any, db: Database) -> None:
    progress = listed(Site(95))

    assert (95, True, []) == (progress.found, progress.is_listed, gaps(progress))
    assert list(range(95, 0, -1)) == numbers(db)


def test_a_limit_ends_it_early(listed: Any, db: Database) -> None:
    site = Site(95)
    progress = listed(site, limit=25)

    assert 25 == progress.found
    assert 3 == len(site.asked)


def test_what_is_told_twice_takes_the_place_of_no_other_picture(listed: Any, db: Database) -> None:
    site = Site(95)
    site.again = [95, 94]
    progress = listed(site, limit=15)

    assert 15 == progress.found
    assert list(range(95, 80, -1)) == numbers(db)


def test_a_page_that_fails_for_a_while_is_asked_for_again(listed: Any) -> None:
    site = Site(50)
    site.fault = lambda cursor, times: (
        refused(503, 'busy') if cursor == '20' and times < 7 else None
    )
    progress = listed(site)

    assert (50, True, []) == (progress.found, progress.is_listed, gaps(progress))


@pytest.mark.parametrize('status', [500, 403, 429])
def test_a_page_that_fails_for_good_is_a_gap_and_not_the_end(status: int, listed: Any) -> None:
    site = Site(50)
    site.fault = lambda cursor, times: refused(status, 'no') if cursor == '20' else None
    progress = listed(site)

    assert (20, False) == (progress.found, progress.is_listed)
    assert 1 == len(gaps(progress))


def test_what_is_behind_a_gap_comes_when_the_job_runs_again(listed: Any, db: Database) -> None:
    site = Site(50)
    site.fault = lambda cursor, times: refused(500, 'no') if cursor == '20' else None
    listed(site)
    site.fault = lambda cursor, times: None
    site.asked.clear()

    places.open_again(db, 1)
    progress = listed(site)

    assert (50, True, []) == (progress.found, progress.is_listed, gaps(progress))
    assert ('Newest', '20') == site.asked[0]


EXPIRED = 'This cursor can no longer be continued; start again without it'


def test_a_cursor_that_has_expired_costs_nothing_but_a_new_listing(
    listed: Any, db: Database
) -> None:
    site = Site(50)
    site.fault = lambda cursor, times: (
        refused(400, EXPIRED) if cursor == '30' and times == 1 else None
    )
    progress = listed(site)

    assert (50, True, []) == (progress.found, progress.is_listed, gaps(progress))
    assert list(range(50, 0, -1)) == numbers(db)


def test_a_cursor_that_is_refused_again_and_again_is_a_gap(listed: Any) -> None:
    site = Site(50)
    site.fault = lambda cursor, times: refused(400, EXPIRED) if cursor == '30' else None
    progress = listed(site)

    assert (30, 1) == (progress.found, len(gaps(progress)))


# -- the best of several versions -----------------------------------------------------------------


class Versions(Site):
    """Two versions, 7 with the even pictures and 8 with the odd ones; `broken` are refused."""

    broken: frozenset[str] = frozenset()

    def answer(self, request: PreparedRequest) -> Answer:
        version = request.params['modelVersionId']  # type: ignore[attr-defined]
        if version in self.broken:
            return refused(500, 'no')
        self.left_out = {n for n in range(1, self.count + 1) if n % 2 != (version == '8')}
        status, headers, body = super().answer(request)
        return status, headers, body.replace('[7]', f'[{version}]')


@pytest.fixture
def two_versions(db: Database) -> None:
    queries = (GalleryQuery(version_id=n, limit=PAGE, sort='Newest') for n in (7, 8))
    rivals = [{**listing.kept_query(query), jobs.RIVALS: 'Newest'} for query in queries]
    jobs.make(db, {}, db.path.parent, rivals)


@pytest.mark.parametrize('broken', ['7', '8'])
def test_the_best_of_a_version_that_failed_come_when_the_job_runs_again(
    listed: Any, db: Database, two_versions: None, broken: str
) -> None:
    site = Versions(95)
    site.broken = frozenset([broken])
    progress = listed(site, limit=6)
    assert (6, 1, False) == (progress.found, len(gaps(progress)), progress.is_listed)

    site.broken = frozenset()
    places.open_again(db, 1)
    progress = listed(site, limit=6)

    assert (6, [], True) == (progress.found, gaps(progress), progress.is_listed)
    assert list(range(90, 96)) == sorted(numbers(db))


def test_a_filter_that_leaves_out_the_best_has_the_listing_go_on(
    listed: Any, db: Database, two_versions: None
) -> None:
    site = Versions(95)
    progress = listed(site, limit=6, until='2025-01-01T00:00:31Z')

    assert (6, True) == (progress.found, progress.is_listed)
    assert list(range(30, 24, -1)) == numbers(db)
    assert len(site.asked) < 2 * 10


@pytest.mark.parametrize('wrong', ['1970-01-01T00:00:00Z', '2999-01-01T00:00:00Z', 'soon', ''])
def test_a_wrong_date_costs_none_of_the_best(
    listed: Any, db: Database, two_versions: None, wrong: str
) -> None:
    site = Versions(95)
    items = [{**item(94), 'createdAt': wrong}, *map(item, range(92, 84, -2))]
    page = json.dumps({'items': items, 'metadata': {'nextCursor': '10'}})
    site.fault = lambda cursor, times: None if cursor or times > 1 else (200, {}, page)
    listed(site, limit=6)

    assert {91, 92, 93, 95} <= set(numbers(db))


# -- the depth of the site's search ---------------------------------------------------------------


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, 'DEPTH', 40)


@pytest.mark.parametrize('sort', ['Newest', 'Oldest'])
@pytest.mark.parametrize('count', [45, 60, 79])
def test_what_lies_too_deep_is_reached_from_the_other_end(
    sort: str, count: int, listed: Any, shallow: None, db: Database
) -> None:
    site = Site(count, depth=40)
    progress = listed(site, sort)

    assert (count, []) == (progress.found, gaps(progress))
    assert {'Newest', 'Oldest'} == {sort for sort, _ in site.asked}
    assert list(range(1, count + 1)) == sorted(numbers(db))


@pytest.mark.parametrize('sort', ['Newest', 'Oldest'])
def test_a_picture_that_both_ends_tell_early_is_not_where_they_meet(
    sort: str, listed: Any, shallow: None, db: Database
) -> None:
    site = Site(79, depth=40)
    first = site.answer

    def pinned(request: PreparedRequest) -> Answer:
        status, headers, body = first(request)
        answer = json.loads(body)
        if not request.params.get('cursor'):  # type: ignore[attr-defined]
            answer['items'].insert(0, item(500))
        return status, headers, json.dumps(answer)

    site.answer = pinned  # type: ignore[method-assign]
    progress = listed(site, sort)

    assert (80, []) == (progress.found, gaps(progress))
    assert [*range(1, 80), 500] == sorted(numbers(db))


def test_what_neither_end_reaches_is_a_gap(listed: Any, shallow: None) -> None:
    progress = listed(Site(120, depth=40))

    assert (80, ['gap_depth']) == (progress.found, gaps(progress))


def test_a_listing_by_reactions_that_is_too_deep_is_listed_by_date(
    listed: Any, shallow: None
) -> None:
    progress = listed(Site(61, depth=40), 'Most Reactions')

    assert (61, []) == (progress.found, gaps(progress))


def test_pictures_of_another_version_are_not_where_both_ends_meet(
    listed: Any, shallow: None, db: Database
) -> None:
    """A picture may be made with several versions of a model."""
    other = listing.kept_query(GalleryQuery(version_id=8, limit=PAGE, sort='Newest'))
    query = listing.kept_query(GalleryQuery(version_id=7, limit=PAGE, sort='Newest'))
    job = jobs.make(db, {}, db.path.parent, [other, query])
    shared = tuple(map(gallery.parse_image, map(item, (2, 3, 25))))
    page = gallery.ImagePage(shared)  # type: ignore[arg-type]
    jobs.note_page(db, job, jobs.lanes(db, job)[0], page, page.images, '')

    progress = listed(Site(60, depth=40))

    assert (60, []) == (progress.found, gaps(progress))


def test_pictures_that_the_site_left_out_count_for_its_depth(
    listed: Any, shallow: None, db: Database
) -> None:
    site = Site(60, depth=40)
    site.left_out = {50, 40, 10}

    assert 57 == listed(site).found


def test_no_more_than_two_pages_wait_to_be_fetched(
    db: Database, client: CivitaiHttpClient, wire: responses.RequestsMock
) -> None:
    site = Site(500)
    wire.add_callback(responses.GET, f'{setting.civitai_base_url}/api/v1/images', site.answer)
    job = jobs.make(db, {}, db.path.parent, [listing.kept_query(GalleryQuery(limit=PAGE))])
    stop, ahead = threading.Event(), Ahead()
    thread = threading.Thread(
        target=Listing(db, job, Wanted('x'), client, stop, ahead).run, daemon=True
    )
    thread.start()
    for taken in range(1, 6):
        assert ahead.next_page(stop)
        assert len(site.asked) <= taken + listing.PAGES_AHEAD
    stop.set()
    thread.join(10)

    assert not thread.is_alive()


def test_who_has_pictures_of_the_next_page_lets_one_more_be_listed_and_never_waits() -> None:
    stop, ahead = threading.Event(), Ahead(pages=1)
    ahead.pass_on()  # nothing is listed
    ahead.begin_page(stop)
    ahead.page_listed()
    ahead.pass_on()
    ahead.begin_page(stop)  # would wait for ever
    ahead.over()
    assert not ahead.next_page(stop)


def test_cursors_that_change_for_ever_over_the_same_pictures_are_a_gap(
    listed: Any, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, 'MAX_EMPTY_PAGES', 5)
    site = Site(PAGE)
    site.fault = lambda cursor, times: (
        200,
        {},
        json.dumps(
            {
                'items': [item(1), item(2)],
                'metadata': {'nextCursor': str(int(cursor or 0) + 1)},
            }
        ),
    )
    progress = listed(site)
    assert (2, False, ['listing_circle']) == (progress.found, progress.is_listed, gaps(progress))
    assert len(site.asked) < 10


@pytest.mark.parametrize('number', [2**63, str(2**63), 1e300], ids=str)
def test_an_id_beyond_all_numbers_costs_only_itself(
    listed: Any, db: Database, number: object
) -> None:
    site = Site(PAGE)
    items = [item(1), {**item(2), 'id': number}, item(3)]
    site.fault = lambda *_: (200, {}, json.dumps({'items': items, 'metadata': {}}))
    progress = listed(site)
    assert (2, 1, []) == (progress.found, progress.unreadable, gaps(progress))


ROUNDS: dict[str, Callable[[int], list[int]]] = {
    'two pages in turn': lambda n: [1, 2] if n % 2 else [3, 4],
    'three pages in turn': lambda n: [n % 3 * 10, n % 3 * 10 + 1],
    'always another part of the same': lambda n: [1 + n % 7, 1 + (n + n // 7) % 7],
    'nothing in between': lambda n: [[1, 2], [], [3, 4], []][n % 4],
}


@pytest.mark.parametrize(
    'wanted', [{}, {'with_prompt': True}, {'limit': 20}], ids=['all', 'none fits', 'a limit']
)
@pytest.mark.parametrize('ids', ROUNDS.values(), ids=ROUNDS)
def test_cursors_that_never_end_over_the_same_pictures_are_a_gap(
    listed: Any,
    monkeypatch: pytest.MonkeyPatch,
    ids: Callable[[int], list[int]],
    wanted: dict[str, Any],
) -> None:
    monkeypatch.setattr(listing, 'MAX_EMPTY_PAGES', 5)

    def page(cursor: str, times: int) -> Answer:
        number = int(cursor or 0)
        assert number < 200, 'it is listed without end'
        following = {'nextCursor': str(number + 1)}
        items = [item(one) for one in ids(number) if one]
        return 200, {}, json.dumps({'items': items, 'metadata': following})

    site = Site(PAGE)
    site.fault = page
    progress = listed(site, **wanted)

    assert (False, ['listing_circle']) == (progress.is_listed, gaps(progress))


def test_many_pages_of_what_another_version_told_are_no_circle(
    listed: Any, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, 'MAX_EMPTY_PAGES', 5)
    queries = (GalleryQuery(version_id=n, limit=PAGE, sort='Newest') for n in (7, 7))
    jobs.make(db, {}, db.path.parent, [listing.kept_query(query) for query in queries])

    progress = listed(Site(95))

    assert (95, True, []) == (progress.found, progress.is_listed, gaps(progress))


def test_a_listing_anew_over_many_pages_is_no_circle(
    listed: Any, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, 'MAX_EMPTY_PAGES', 5)
    site = Site(190)
    site.fault = lambda cursor, times: (
        refused(400, EXPIRED) if cursor == '100' and times == 1 else None
    )
    progress = listed(site)

    assert (190, True, []) == (progress.found, progress.is_listed, gaps(progress))


def longer(first: int, count: int, cursor: str) -> Answer:
    items = [item(number) for number in range(first, first + count)]
    return 200, {}, json.dumps({'items': items, 'metadata': {'nextCursor': cursor}})


@pytest.mark.parametrize('repeats', [False, True], ids=['goes on behind', 'tells it once more'])
def test_what_comes_beyond_what_was_asked_for_is_kept(
    listed: Any, db: Database, repeats: bool
) -> None:
    pages = {'': longer(1, 260, 'b'), 'b': longer(201 if repeats else 261, 260, '')}
    site = Site(PAGE)
    site.fault = lambda cursor, times: pages[cursor]
    progress = listed(site)

    last = 460 if repeats else 520
    assert (last, 0, True) == (progress.found, progress.surplus, progress.is_listed)
    assert list(range(1, last + 1)) == numbers(db)


@pytest.mark.parametrize('limit', [7, 230])
def test_a_limit_holds_for_what_comes_beyond_what_was_asked_for(
    listed: Any, db: Database, limit: int
) -> None:
    site = Site(PAGE)
    site.fault = lambda cursor, times: longer(1, 260, 'b')

    assert limit == listed(site, limit=limit).found
    assert list(range(1, limit + 1)) == numbers(db)


def test_an_answer_without_measure_is_cut_and_told(listed: Any, db: Database) -> None:
    most = listing.MOST_OF_A_PAGE
    site = Site(PAGE)
    site.fault = lambda cursor, times: longer(1, most + 30, '')
    progress = listed(site)

    assert (most, 30) == (progress.found, progress.surplus)


def test_what_could_not_be_read_is_looked_for_again_when_the_job_runs_again(
    listed: Any, db: Database
) -> None:
    site = Site(2 * PAGE)
    site.fault = lambda cursor, times: (
        (200, {}, json.dumps({'items': [item(19), None], 'metadata': {'nextCursor': '10'}}))
        if not cursor and times == 1
        else None
    )
    assert (11, 1) == ((first := listed(site)).found, first.unreadable)

    places.open_again(db, 1)
    progress = listed(site)

    assert (20, 0, True) == (progress.found, progress.unreadable, progress.is_listed)


@pytest.mark.parametrize(
    'cursor', ['\ud800', 'c' * 20_000, '字' * 6_000], ids=['half', 'long', 'many bytes']
)
def test_a_cursor_that_no_site_means_is_a_gap_behind_its_page(
    cursor: str, listed: Any, db: Database
) -> None:
    site = Site(PAGE)
    metadata = {'nextCursor': cursor}
    site.fault = lambda *_: (200, {}, json.dumps({'items': [item(1)], 'metadata': metadata}))
    progress = listed(site)
    assert (1, ['listing_cursor']) == (progress.found, gaps(progress))


def test_one_wrong_date_ends_no_listing(listed: Any, db: Database) -> None:
    site = Site(25)
    old = {**item(16), 'createdAt': '1970-01-01T00:00:00Z'}
    first = [*map(item, range(25, 16, -1)), old]
    page = json.dumps({'items': first, 'metadata': {'nextCursor': '10'}})
    site.fault = lambda cursor, times: None if cursor else (200, {}, page)
    progress = listed(site, since='2024-01-01')
    assert (24, True) == (progress.found, progress.is_listed)


@pytest.mark.parametrize('sort', ['Newest', 'Oldest'])
@pytest.mark.parametrize('unreadable', ['', 'yesterday'])
def test_a_page_of_which_few_pictures_are_dated_ends_no_listing(
    sort: str, unreadable: str, listed: Any, db: Database
) -> None:
    site = Site(25)
    wrong, span = '1970-01-01', {'since': '2024-01-01'}
    if sort == 'Oldest':
        wrong, span = '2999-01-01', {'until': '2026-01-01'}
    items = [{**item(number), 'createdAt': unreadable} for number in range(100, 104)]
    first = [{**item(104), 'createdAt': wrong}, *items]
    page = json.dumps({'items': first, 'metadata': {'nextCursor': '10'}})
    site.fault = lambda cursor, times: None if cursor else (200, {}, page)
    progress = listed(site, sort, **span)

    assert (15, True, 4) == (progress.found, progress.is_listed, progress.undated)
    report = JobReport(jobs.every(db)[0], Wanted('x', **span), progress)  # type: ignore[arg-type]
    assert '4' in ' '.join(report.notes('en'))


def test_pictures_without_a_date_count_only_where_dates_are_asked_for(
    listed: Any, db: Database
) -> None:
    site = Site(PAGE)
    items = [{**item(number), 'createdAt': ''} for number in range(1, 5)]
    site.fault = lambda *_: (200, {}, json.dumps({'items': items, 'metadata': {}}))
    progress = listed(site)

    assert (4, 0) == (progress.found, progress.undated)


def test_cursors_are_known_again_in_little_memory() -> None:
    trail = Trail('')
    tracemalloc.start()
    try:
        assert not any(trail.leads_back(f'{number}' + 'c' * 15_000) for number in range(500))
        assert tracemalloc.get_traced_memory()[0] < 500_000
    finally:
        tracemalloc.stop()
    assert trail.leads_back('7' + 'c' * 15_000)
    assert not trail.leads_back('')  # the end
