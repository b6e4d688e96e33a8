"""The parts of a pace, each alone."""

from __future__ import annotations

import math

import pytest

from scripts.civitai_manager_libs.http_client.pacing.ceiling import Ceiling, Looks
from scripts.civitai_manager_libs.http_client.pacing.freed import FreedPlaces
from scripts.civitai_manager_libs.http_client.pacing.holds import Hold
from scripts.civitai_manager_libs.http_client.pacing.limit import START, Limit
from scripts.civitai_manager_libs.http_client.pacing.signs import Burst, Refusals
from scripts.civitai_manager_libs.http_client.pacing.tokens import Accepted, LearntTokens


def test_a_host_that_refuses_all_is_left_alone_for_longer_each_time() -> None:
    hold, lengths = Hold(), []
    for now in range(0, 800, 100):
        hold.all_refused(now, None)
        lengths.append(hold.until - now)
    assert lengths == [0.5, 1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize(
    ('retry_after', 'until'),
    [(None, -math.inf), (2.0, -math.inf), (2.5, 12.5), (86400.0, 130.0)],
    ids=['not said', 'short', 'long', 'a day'],
)
def test_only_a_long_retry_after_holds_everybody(retry_after: float | None, until: float) -> None:
    hold = Hold()
    hold.told(10.0, retry_after)
    assert hold.until == until


def test_a_shorter_hold_does_not_end_a_longer_one() -> None:
    hold = Hold()
    hold.told(0.0, 60.0)
    hold.told(1.0, 5.0)
    assert hold.until == 60.0


def test_growth_is_eager_until_a_first_sign() -> None:
    limit = Limit()
    for _ in range(START):
        assert limit.grow(32)
    assert limit.within(32) == START * 3 // 2
    limit.eager = False
    for _ in range(START * 3 // 2):
        assert limit.grow(32)
    assert limit.within(32) == START * 3 // 2  # nearly one more: a place in a round trip
    assert limit.grow(32) and limit.within(32) == START * 3 // 2 + 1
    assert not limit.grow(limit.value)


def test_looks_in_vain_become_rare_and_successful_ones_bold() -> None:
    looks, waits, places = Looks(), [], []
    for _ in range(7):
        looks.failed(0.0)
        waits.append(looks.due)
    assert waits == [0.5, 5.0, 20.0, 80.0, 120.0, 120.0, 120.0]
    for _ in range(7):
        places.append(looks.places)
        looks.passed(0.0)
        assert looks.due == 0.0
    assert places == [1, 1, 1, 1, 1, 2, 4]
    looks.failed(0.0)
    assert (looks.places, looks.due) == (1, 0.5)


def burst(running: int, refusals: int, at: float = 1.0) -> Burst:
    return Burst(at, running, float(running), refusals, began=at)


def test_a_ceiling_is_defended_in_steps_and_then_given_up() -> None:
    limit, freed = Limit(), FreedPlaces()
    ceiling = Ceiling(limit, freed)
    seen = []
    for at, refusals in ((1.0, 4), (2.0, 1), (3.0, 1), (4.0, 1)):
        learnt = ceiling.learn_from(burst(12 if at == 1.0 else 8, refusals, at), trip=0.1)
        seen.append((learnt, ceiling.height, limit.value, freed.pause))
    assert seen == [
        (True, 8, 8, 0.0),
        (True, 8, 8, 0.004),
        (True, 7, 7, 0.004),
        (False, 7, 7, 0.004),
    ]


def test_many_refusals_at_a_ceiling_are_not_explained_by_it() -> None:
    ceiling = Ceiling(Limit(), FreedPlaces())
    assert ceiling.learn_from(burst(12, 4), trip=0.1)
    assert not ceiling.learn_from(burst(8, 3, at=2.0), trip=0.1)


def test_places_rest_no_longer_than_a_part_of_a_round_trip() -> None:
    freed = FreedPlaces()
    freed.let_rest(trip=0.008)
    freed.add(1.0)
    freed.add(2.0)
    assert [freed.count(now) for now in (1.0, 1.0005, 1.002, 2.002)] == [2, 2, 1, 0]


@pytest.mark.parametrize(
    ('accepted', 'rate'), [(90.0, 87.3), (10.0, 70.0), (500.0, 97.0)], ids=['a bit', 'most', 'more']
)
def test_a_sign_cuts_the_rate_of_tokens_but_not_too_deep(accepted: float, rate: float) -> None:
    tokens = LearntTokens(100 / 0.97, now=0.0)
    tokens.cut(accepted)
    assert tokens.rate == pytest.approx(rate)


def test_tokens_come_faster_the_longer_it_is_quiet_and_only_where_they_lack() -> None:
    tokens, growth = LearntTokens(10.0, now=0.0), []
    for quiet in (0.0, 5.0, 5000.0):
        before = tokens.rate
        tokens.grow(quiet)
        growth.append(tokens.rate - before)
    assert growth == pytest.approx([0.03, 0.06, 0.33])
    assert tokens.wait(100.0) == 0.0
    before = tokens.rate
    tokens.grow(5.0)
    assert tokens.rate == before


def test_what_is_accepted_is_counted_between_two_bursts() -> None:
    accepted = Accepted()
    assert accepted.rate(10.0, at_once=6, trip=0.1) == pytest.approx(60.0)  # nothing to count yet
    accepted.began.extend(10.0 + i / 20 for i in range(200))
    assert accepted.rate(14.0, at_once=6, trip=0.1) == pytest.approx(20.0)


def test_few_refusals_are_strays_and_more_are_a_sign() -> None:
    refusals = Refusals()
    for at in (1.0, 2.0):
        refusals.end(refusals.add(at, at - 0.1, running=8, limit=8.0))
    assert refusals.sign_at == -math.inf
    assert refusals.end(refusals.add(3.0, 2.9, running=8, limit=8.0))
    assert refusals.sign_at == 3.0


def test_a_burst_ends_with_who_began_after_it() -> None:
    refusals = Refusals()
    found = refusals.add(1.0, 0.9, running=8, limit=8.0)
    assert refusals.add(1.1, 0.95, running=7, limit=8.0) is found
    assert refusals.succeeded(0.9) is None
    assert refusals.succeeded(1.05) is found
    assert (found.refusals, found.successes, found.kept) == (2, 2, 6)
