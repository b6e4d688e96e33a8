"""How many at once and how fast: single decisions as data, and whole downloads simulated."""

from __future__ import annotations

import math
from typing import Callable, Union

import pytest
from hypothesis import given, settings, strategies as st

from scripts.civitai_manager_libs.http_client.pacing.budget import Budget
from scripts.civitai_manager_libs.http_client.pacing.pace import START, Pace
from tests.support.simulated_servers import (
    Down,
    Free,
    InFlight,
    Moody,
    Queue,
    Rate,
    Result,
    Server,
    run,
)

LATE = (0.0, 0.003)
HERE = (-0.04, -0.04)

# name, server, pictures, top, ideal wall, most (wall / ideal), most refused (share)
Case = tuple[str, Callable[[], Server], int, int, float, float, float]
EXACTING: list[Case] = [
    ('no limit', Free, 600, 32, 1.88, 1.2, 0.0),
    ('8 in flight', InFlight, 600, 32, 7.5, 1.25, 0.02),
    ('8 in flight, noticed late', lambda: InFlight(late=LATE), 600, 32, 7.5, 1.25, 0.02),
    ('60 a second', Rate, 600, 32, 9.67, 1.25, 0.06),
    ('queue past 8', Queue, 600, 32, 7.5, 1.25, 0.0),
]
OTHERS: list[Case] = [
    ('4 in flight', lambda: InFlight(limit=4), 600, 32, 15.0, 1.05, 0.02),
    ('4, noticed late', lambda: InFlight(limit=4, late=LATE), 600, 32, 15.0, 1.15, 0.02),
    ('12 in flight', lambda: InFlight(limit=12), 600, 32, 5.0, 1.1, 0.02),
    ('12, noticed late', lambda: InFlight(limit=12, late=LATE), 600, 32, 5.0, 1.2, 0.0225),
    ('8, near', lambda: InFlight(latency=0.03), 600, 32, 2.25, 1.15, 0.02),
    ('8, far', lambda: InFlight(latency=0.25), 600, 32, 18.75, 1.05, 0.02),
    ('8, no Retry-After', lambda: InFlight(retry_after=None), 600, 32, 7.5, 1.1, 0.02),
    ('8, refuses quickly', lambda: InFlight(refusing_takes=0.2), 600, 32, 7.5, 1.1, 0.02),
    # 8 in the server's 60 ms, the way there and back comes on top: paid with some speed
    ('8, long way', lambda: InFlight(late=HERE), 600, 32, 4.5, 2.0, 0.04),
    ('8, asked by 16', InFlight, 600, 16, 7.5, 1.1, 0.02),
    ('8, asked by 64', InFlight, 600, 64, 7.5, 1.1, 0.02),
    ('8, asked by 1', InFlight, 600, 1, 60.0, 1.02, 0.0),
    ('8, short', InFlight, 100, 32, 1.25 + 1, 1.05, 0.08),
    ('8, long', InFlight, 3000, 32, 37.5, 1.02, 0.005),
    ('30 a second', lambda: Rate(rate=30, burst=10), 600, 32, 19.67, 1.2, 0.06),
    ('120 a second', lambda: Rate(rate=120), 600, 32, 4.83, 1.27, 0.06),
    ('60 a second, near', lambda: Rate(latency=0.03), 600, 32, 9.67, 1.2, 0.06),
    ('60 a second, far', lambda: Rate(latency=0.25), 600, 32, 9.67, 1.2, 0.06),
    ('60 a second, no Retry-After', lambda: Rate(retry_after=None), 600, 32, 9.67, 1.2, 0.06),
    ('60 a second, refuses quickly', lambda: Rate(refusing_takes=0.2), 600, 32, 9.67, 1.2, 0.06),
    ('60 a second, asked by 16', Rate, 600, 16, 9.67, 1.2, 0.06),
    ('60 a second, asked by 64', Rate, 600, 64, 9.67, 1.2, 0.06),
    ('60 a second, short', Rate, 100, 32, 1.33 + 1, 1.1, 0.2),
    ('60 a second, long', Rate, 3000, 32, 49.67, 1.05, 0.035),
    ('queue, near', lambda: Queue(latency=0.03), 600, 32, 2.25, 1.1, 0.0),
    ('queue, far', lambda: Queue(latency=0.25), 600, 32, 18.75, 1.1, 0.0),
    ('no limit, near', lambda: Free(0.03), 600, 32, 0.563, 1.2, 0.0),
    ('no limit, far', lambda: Free(0.25), 600, 32, 4.69, 1.2, 0.0),
    ('no limit, 16 at once', Free, 600, 16, 3.75, 1.1, 0.0),
    ('no limit, 64 at once', Free, 3000, 64, 4.69, 1.2, 0.0),
    ('no limit, one at a time', Free, 100, 1, 10.0, 1.05, 0.0),
    # a refused one waits a second, and one of the last may be among them
    ('1 % refused for no reason', Moody, 600, 32, 1.88 + 1, 1.55, 0.025),
    ('1 % refused, long', Moody, 3000, 32, 9.38 + 1, 1.65, 0.02),
    ('down for 5 s', Down, 600, 32, 5 + 1.88, 1.7, 0.03),
    ('down for 5 s, says 1 s', lambda: Down(retry_after=1.0), 600, 32, 6.88, 1.3, 0.03),
]


def check(result: Result, ideal: float, most_wall: float, most_refused: float) -> None:
    assert result.wall <= ideal * most_wall
    assert result.refused_share <= most_refused


@pytest.mark.parametrize('seed', range(12))
@pytest.mark.parametrize('case', EXACTING, ids=[case[0] for case in EXACTING])
def test_a_host_is_neither_pressed_nor_left_idle(case: Case, seed: int) -> None:
    _, server, pictures, top, ideal, most_wall, most_refused = case
    check(run(Pace(top), server(), pictures, top, seed), ideal, most_wall, most_refused)


@pytest.mark.parametrize('case', OTHERS, ids=[case[0] for case in OTHERS])
def test_neither_are_others(case: Case) -> None:
    _, server, pictures, top, ideal, most_wall, most_refused = case
    for seed in range(4):
        check(run(Pace(top), server(), pictures, top, seed), ideal, most_wall, most_refused)


LIFTED: list[tuple[str, Callable[[], Server], float]] = [
    ('in flight', lambda: InFlight(lifted=20.0), 20.0),
    ('in flight, after long', lambda: InFlight(lifted=60.0), 60.0),
    ('rate', lambda: Rate(lifted=20.0), 20.0),
]


@pytest.mark.parametrize(
    ('server', 'lifted'), [case[1:] for case in LIFTED], ids=[case[0] for case in LIFTED]
)
def test_a_lifted_limit_is_noticed_within_two_minutes(
    server: Callable[[], Server], lifted: float
) -> None:
    result = run(Pace(32), server(), 20_000, 32, seed=1)
    after = [start for start in result.starts if lifted + 120 <= start < lifted + 121]
    assert len(after) > 250 or result.wall < lifted + 120


# what happens: (seconds, event, its value); 'asks' says how many of that many may start
Event = tuple[float, str, Union[float, None]]
DECISIONS: list[tuple[str, int, list[Event], int, float]] = [
    # name, top, events, how many of 100 may start at 10.0, and when the next is to ask
    ('unknown host', 32, [], START, math.inf),
    ('lower setting', 3, [], 3, math.inf),
    ('setting of nothing is one', 0, [], 1, math.inf),
    ('a full round trip', 32, [(0, 'start', 8), (0.1, 'success', 8)], 12, math.inf),
    ('growth ends at the top', 10, [(0, 'start', 8), (0.1, 'success', 8)], 10, math.inf),
    ('unused places are no proof', 32, [(0, 'start', 2), (0.1, 'success', 2)], 8, math.inf),
    ('broken off', 32, [(0, 'start', 8), (0.1, 'failed', 8)], 8, math.inf),
    ('one refused', 32, [(0, 'start', 8), (9.9, 'refused', 1)], 0, math.inf),
    (
        'half refused, then well',
        32,
        [
            (9.0, 'start', 8),
            (9.1, 'refused', 4),
            (9.1, 'success', 4),
            (9.2, 'start', 4),
            (9.3, 'success', 4),
        ],
        4,
        math.inf,
    ),
    ('told to wait long', 32, [(9.0, 'start', 1), (9.0, 'refused for', 30.0)], 0, 29.0),
    ('told to wait a little', 32, [(9.0, 'start', 1), (9.5, 'refused for', 1.5)], 1, math.inf),
    ('told to wait a day', 32, [(9.0, 'start', 1), (9.0, 'refused for', 86400.0)], 0, 119.0),
    (
        'nothing but refusals, twice',
        32,
        [(8.0, 'start', 8), (8.5, 'refused', 8), (9.0, 'start', 1), (9.9, 'refused for', 2.0)],
        0,
        1.9,
    ),
]


def play(pace: Pace | Budget, events: list[Event]) -> None:
    began = 0.0
    for now, event, value in events:
        for _ in range(1 if event == 'refused for' else int(value or 0)):
            if event == 'start':
                assert pace.start(now) == 0.0
                began = now
            elif event == 'success':
                pace.success(now, now - began, began)
            elif event == 'failed':
                pace.failed(now)
            else:
                pace.refused(now, value if event == 'refused for' else None, began)


def started(pace: Pace | Budget, now: float) -> tuple[int, float]:
    count = 0
    while True:
        wait = pace.start(now)
        if wait or count == 100:
            return count, wait
        count += 1


@pytest.mark.parametrize(
    ('top', 'events', 'count', 'wait'),
    [case[1:] for case in DECISIONS],
    ids=[case[0] for case in DECISIONS],
)
def test_who_may_start(top: int, events: list[Event], count: int, wait: float) -> None:
    pace = Pace(top)
    play(pace, events)
    found, seconds = started(pace, 10.0)
    assert (found, seconds) == (count, pytest.approx(wait))


@pytest.mark.parametrize('then', ['success', 'refused'])
def test_a_host_that_answered_nobody_between_two_bursts_is_asked_again(then: str) -> None:
    pace = Pace(32)
    play(pace, [(0.0, 'start', 8), (0.1, 'refused', 4), (0.1, 'success', 4)])
    play(pace, [(1.0, 'start', 4), (1.1, 'refused', 3), (1.1, 'failed', 1)])
    play(pace, [(1.2, 'start', 1), (1.3, then, 1)])
    now = 1.3
    while now < 10.0:
        wait = pace.start(now)
        if not wait:
            return
        now += wait
    raise AssertionError('nobody may start')


def test_the_setting_may_change_at_any_time() -> None:
    pace = Pace(4)
    assert started(pace, 0.0) == (4, math.inf)
    pace.top = 6
    assert started(pace, 0.1) == (2, math.inf)
    pace.top = 2
    for _ in range(5):
        assert pace.start(0.2) == math.inf
        pace.success(0.2, 0.1)
    assert pace.start(0.3) == 0.0 and pace.limit == 2


def test_minutes_of_rest_make_it_careful_again_and_hours_forget() -> None:
    pace = Pace(32)
    play(pace, [(0, 'start', 8), (0.1, 'success', 8), (0.1, 'start', 12), (0.2, 'success', 12)])
    assert pace.limit == 18
    assert started(pace, 400.0)[0] == START
    for _ in range(START):
        pace.refused(400.1, None)
    assert started(pace, 4000.0)[0] == START


def slower(pace: Pace, seconds: float, rounds: int) -> None:
    now = 100.0
    for _ in range(rounds):
        count = started(pace, now)[0]
        for _ in range(count):
            pace.success(now + seconds, seconds, now)
        now += seconds


FIRST_BYTES = [
    ('as before', 0.1, 0.1, 32),
    ('a little slower', 0.1, 0.14, 32),
    ('noise of a busy interpreter near by', 0.003, 0.035, 32),
]


@pytest.mark.parametrize(
    ('before', 'after', 'limit'),
    [case[1:] for case in FIRST_BYTES],
    ids=[case[0] for case in FIRST_BYTES],
)
def test_what_is_not_slow(before: float, after: float, limit: int) -> None:
    pace = Pace(32)
    slower(pace, before, 10)
    slower(pace, after, 10)
    assert pace.limit == limit


def test_a_host_that_became_slower_for_good_is_not_starved() -> None:
    pace = Pace(32)
    slower(pace, 0.1, 10)
    slower(pace, 0.3, 5)
    assert pace.limit < 32
    slower(pace, 0.3, 60)
    assert pace.limit == 32


def test_the_first_byte_need_not_be_known() -> None:
    pace = Pace(32)
    for _ in range(8):
        assert pace.start(0.0) == 0.0
    for _ in range(8):
        pace.success(0.1, None)
    assert pace.limit == 12


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(['start', 'success', 'failed', 'refused']),
            st.floats(0.0, 30.0),
            st.one_of(st.none(), st.floats(0.0, 200.0)),
        ),
        max_size=300,
    ),
    st.integers(1, 40),
)
def test_it_never_counts_wrong_nor_stops_for_ever(
    events: list[tuple[str, float, float | None]], top: int
) -> None:
    pace = Pace(top)
    now, running = 0.0, 0
    for event, seconds, value in events:
        now += seconds / 100
        if event == 'start':
            running += pace.start(now) == 0.0
        elif running:
            running -= 1
            if event == 'success':
                pace.success(now, value)
            elif event == 'failed':
                pace.failed(now)
            else:
                pace.refused(now, value)
        assert pace.running == running <= top
        assert 1 <= pace.limit <= top
    for _ in range(running):
        pace.failed(now)
    for _ in range(5):
        wait = pace.start(now)
        if not wait:
            return
        assert wait <= 120
        now += wait
    raise AssertionError('nobody may start')


def test_the_budget_allows_a_burst_then_a_steady_rate() -> None:
    budget = Budget(2.0, 5, 1)
    starts = []
    now = 0.0
    while len(starts) < 9:
        wait = budget.start(now)
        if not wait:
            starts.append(now)
            budget.success(now, None)
        now += wait
    assert starts == pytest.approx([0, 0, 0, 0, 0, 0.5, 1.0, 1.5, 2.0])


def test_the_budget_allows_one_at_a_time() -> None:
    budget = Budget(2.0, 5, 1)
    assert budget.start(0.0) == 0.0
    assert budget.start(0.1) == math.inf
    budget.failed(0.2)
    assert budget.start(0.2) == 0.0


@pytest.mark.parametrize(('told', 'wait'), [(7.0, 6.5), (None, 0.0), (86400.0, 119.5)])
def test_a_refusal_holds_the_budget(told: float | None, wait: float) -> None:
    budget = Budget(2.0, 5, 1)
    play(budget, [(0.0, 'start', 1)])
    budget.refused(0.5, told)
    assert budget.start(1.0) == pytest.approx(wait)
