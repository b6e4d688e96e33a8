"""Taking turns with real threads: never too many, nobody forgotten, every wait can be ended."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from typing import Any, Callable, Iterator

import pytest

from scripts.civitai_manager_libs.errors import (
    CancelledError,
    CivitaiError,
    NotFoundError,
    TimedOutError,
)
from scripts.civitai_manager_libs.http_client.pacing.budget import Budget
from scripts.civitai_manager_libs.http_client.pacing.pace import Pace
from scripts.civitai_manager_libs.http_client.pacing.hosts import AnyPace
from scripts.civitai_manager_libs.http_client.pacing.throttle import Throttle
from tests.support.clock import Clock

PATIENCE = 10.0  # seconds until a test that hangs fails


def one_at_a_time() -> AnyPace:
    return Budget(1e6, 1e6, 1)


def nothing_starts() -> AnyPace:
    pace = Budget(1e-6, 1, 1)
    assert pace.start(0.0) == 0.0
    pace.success(0.0, None)
    return pace


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(clock)


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()  # whoever still waits when a test fails


def in_threads(count: int, work: Callable[[], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def all_end(threads: list[threading.Thread]) -> bool:
    for thread in threads:
        thread.join(PATIENCE)
    return not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize('limit', [1, 3])
def test_never_more_at_once_than_the_limit_and_everyone_gets_there(
    limit: int, stop: threading.Event
) -> None:
    throttle = Throttle(time.monotonic)
    lock = threading.Lock()
    running: list[int] = []
    most: list[int] = []
    done: list[int] = []

    def work() -> None:
        for _ in range(20):
            with throttle.turn('host', stop, lambda: Pace(limit)) as turn:
                with lock:
                    running.append(1)
                    most.append(len(running))
                turn.first_byte(0.0)
                with lock:
                    running.pop()
                    done.append(1)

    assert all_end(in_threads(12, work))
    assert len(done) == 240
    assert max(most) <= limit


def test_who_waits_is_not_overtaken(throttle: Throttle, stop: threading.Event) -> None:
    order: list[str] = []
    inside = threading.Event()
    queued = threading.Event()

    def patient() -> None:
        inside.set()
        with throttle.turn('host', stop, one_at_a_time):
            order.append('patient')

    with throttle.turn('host', stop, one_at_a_time):
        threads = in_threads(1, patient)
        assert inside.wait(PATIENCE)
        while not throttle._hosts['host'].waiting:
            queued.wait(0.001)

    def greedy() -> None:
        for _ in range(3):
            with throttle.turn('host', stop, one_at_a_time):
                order.append('greedy')

    greedy()
    assert all_end(threads)
    assert order[0] == 'patient'


@pytest.mark.parametrize('ahead', [0, 1, 5])
def test_stop_ends_a_wait(throttle: Throttle, stop: threading.Event, ahead: int) -> None:
    others = threading.Event()
    ended = threading.Event()

    def wait_for(event: threading.Event) -> Callable[[], None]:
        def wait() -> None:
            with pytest.raises(CancelledError):
                with throttle.turn('host', event, nothing_starts):
                    pass
            if event is stop:
                ended.set()

        return wait

    threads = in_threads(ahead, wait_for(others)) + in_threads(1, wait_for(stop))
    assert not ended.wait(0.05)
    stop.set()
    assert ended.wait(0.3)
    others.set()
    assert all_end(threads)


def test_nobody_starts_once_stopped(throttle: Throttle, stop: threading.Event) -> None:
    stop.set()
    pace = one_at_a_time()
    with pytest.raises(CancelledError):
        with throttle.turn('host', stop, lambda: pace):
            raise AssertionError('started')
    assert pace.running == 0


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_turn_comes_back_whatever_happens(
    throttle: Throttle, stop: threading.Event, error: type[BaseException]
) -> None:
    pace = one_at_a_time()
    for _ in range(3):
        with pytest.raises(error):
            with throttle.turn('host', stop, lambda: pace):
                raise error()
    assert pace.running == 0


class Interrupted(Pace):
    """Somebody presses Ctrl-C in the worst moment."""

    def start(self, now: float) -> float:
        super().start(now)
        raise KeyboardInterrupt


def test_a_turn_comes_back_when_interrupted_on_the_way_in(
    throttle: Throttle, stop: threading.Event
) -> None:
    pace = Interrupted(1)
    with pytest.raises(KeyboardInterrupt):
        with throttle.turn('host', stop, lambda: pace):
            raise AssertionError('started')
    assert pace.running == 0


class Told(Pace):
    """Notes what it is told."""

    def __init__(self) -> None:
        super().__init__(8)
        self.heard: list[object] = []

    def success(self, now: float, first_byte: float | None, began: float | None = None) -> None:
        super().success(now, first_byte, began)
        self.heard.append(('success', first_byte, began))

    def failed(self, now: float) -> None:
        super().failed(now)
        self.heard.append('failed')

    def refused(self, now: float, retry_after: float | None, began: float | None = None) -> None:
        super().refused(now, retry_after, began)
        self.heard.append(('refused', retry_after, began))


def test_what_the_pace_hears(clock: Clock, throttle: Throttle, stop: threading.Event) -> None:
    told = Told()
    with throttle.turn('host', stop, lambda: told):
        clock.now = 1.0
    with throttle.turn('host', stop, lambda: told) as turn:
        turn.first_byte(0.2)
    with throttle.turn('host', stop, lambda: told) as turn:
        turn.refused(None)
    with pytest.raises(ValueError):
        with throttle.turn('host', stop, lambda: told) as turn:
            turn.refused(1.5)
            raise ValueError
    with pytest.raises(ValueError):
        with throttle.turn('host', stop, lambda: told) as turn:
            turn.first_byte(0.2)
            raise ValueError
    assert told.heard == [
        ('success', None, 0.0),
        ('success', 0.2, 1.0),
        ('refused', None, 1.0),
        ('refused', 1.5, 1.0),
        'failed',
    ]


def test_hosts_do_not_disturb_each_other(throttle: Throttle, stop: threading.Event) -> None:
    slow, other = one_at_a_time(), one_at_a_time()
    with throttle.turn('slow.example', stop, lambda: slow):
        assert (slow.running, other.running) == (1, 0)
        with throttle.turn('other.example', stop, lambda: other):
            assert (slow.running, other.running) == (1, 1)
        assert (slow.running, other.running) == (1, 0)


def test_a_wait_ends_when_the_clock_has_jumped(
    clock: Clock, throttle: Throttle, stop: threading.Event
) -> None:
    started = threading.Event()
    with throttle.turn('host', stop, lambda: Pace(8)) as turn:
        turn.refused(60.0)

    def work() -> None:
        with throttle.turn('host', stop, lambda: Pace(8)):
            started.set()

    threads = in_threads(3, work)
    assert not started.wait(0.05)
    clock.now += 61.0
    assert all_end(threads)


def test_the_api_gets_a_burst_and_then_has_to_be_waited_for(
    clock: Clock, throttle: Throttle, stop: threading.Event
) -> None:
    budget = Budget(2.0, 5, 1)
    served: list[float] = []
    five, six = threading.Event(), threading.Event()

    def work() -> None:
        for _ in range(6):
            with throttle.turn('api', stop, lambda: budget):
                served.append(clock.now)
            if len(served) == 5:
                five.set()
        six.set()

    threads = in_threads(1, work)
    assert five.wait(PATIENCE)
    assert not six.wait(0.05)
    clock.now = 0.5
    assert all_end(threads)
    assert served == [0, 0, 0, 0, 0, 0.5]


def test_a_changed_setting_counts_for_those_who_wait(
    throttle: Throttle, stop: threading.Event
) -> None:
    started = threading.Event()
    pace = Pace(1)

    def work() -> None:
        with throttle.turn('host', stop, lambda: pace):
            started.set()

    with throttle.turn('host', stop, lambda: pace):
        threads = in_threads(1, work)
        assert not started.wait(0.05)
        pace.top = 2
        assert started.wait(PATIENCE)
    assert all_end(threads)


def test_one_that_leaves_the_line_wakes_the_next(throttle: Throttle, stop: threading.Event) -> None:
    impatient = threading.Event()
    started = threading.Event()

    def leaves() -> None:
        with pytest.raises(CancelledError):
            with throttle.turn('host', impatient, one_at_a_time):
                pass

    def stays() -> None:
        with throttle.turn('host', stop, one_at_a_time):
            started.set()

    with throttle.turn('host', stop, one_at_a_time):
        threads = in_threads(1, leaves) + in_threads(1, stays)
        impatient.set()
        threads[0].join(PATIENCE)
    assert started.wait(PATIENCE)
    assert all_end(threads)


# -- a host that refuses ------------------------------------------------------------------------


class Listening:
    """A pace that lets everybody start and notes what it is told."""

    top = running = 9
    trip = 0.1
    limit = 9

    def __init__(self) -> None:
        self.ends: list[str] = []

    def start(self, now: float) -> float:
        self.running += 1
        return 0.0

    def success(self, now: float, first_byte: float | None, began: float | None = None) -> None:
        self.running -= 1
        self.ends.append('success')

    def refused(self, now: float, retry_after: float | None, began: float | None = None) -> None:
        self.running -= 1
        self.ends.append('refused')

    def failed(self, now: float) -> None:
        self.running -= 1
        self.ends.append('failed')


def refuse(throttle: Throttle, told: Any, is_clear: bool) -> bool:
    with pytest.raises(ValueError):
        with throttle.turn('h', threading.Event(), lambda: told) as turn:
            in_vain = turn.refused(None, is_clear=is_clear)
            raise ValueError
    return in_vain


def succeed(throttle: Throttle, told: Any) -> None:
    with throttle.turn('h', threading.Event(), lambda: told):
        pass


def test_a_clear_refusal_counts_at_once() -> None:
    throttle, told = Throttle(time.monotonic), Listening()
    refuse(throttle, told, True)
    assert told.ends == ['refused']


def test_refusals_that_may_be_faults_count_where_there_are_many() -> None:
    throttle, told = Throttle(time.monotonic), Listening()
    for _ in range(4):  # one in ten is an accident
        refuse(throttle, told, False)
        for _ in range(9):
            succeed(throttle, told)
    assert 'refused' not in told.ends and told.ends.count('failed') == 4
    for _ in range(6):
        refuse(throttle, told, False)
    assert told.ends[-1] == 'refused'


def test_a_host_that_only_refuses_is_given_up_after_a_while() -> None:
    now = [0.0]
    throttle, told = Throttle(lambda: now[0]), Listening()
    vain = []
    for _ in range(50):
        vain.append(refuse(throttle, told, True))
        now[0] += 2.0
    assert vain == [False] * 40 + [True] * 10
    succeed(throttle, told)
    assert not refuse(throttle, told, True), 'one success gives it another chance'


def test_refusals_within_a_short_time_are_not_given_up() -> None:
    throttle, told = Throttle(lambda: 5.0), Listening()
    assert not any(refuse(throttle, told, True) for _ in range(500))


@pytest.mark.parametrize(
    'answer, is_given_up',
    [(None, False), (NotFoundError(status=404), False), (TimedOutError(host='h'), True)],
    ids=['success', 'no such picture', 'one more'],
)
def test_any_answer_shows_that_a_host_of_faults_is_there(
    answer: CivitaiError | None, is_given_up: bool
) -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])

    def ask(error: CivitaiError | None) -> None:
        turn = throttle.turn('h', threading.Event(), lambda: Pace(4), asked=0.0, patience=25.0)
        with contextlib.suppress(CivitaiError if error else ()):
            with turn:
                if error:
                    raise error

    for now[0] in (10.0, 20.0, 30.0):
        ask(TimedOutError(host='h'))
    ask(answer)
    now[0] = 40.0
    if is_given_up:
        with pytest.raises(TimedOutError):
            ask(None)
    else:
        ask(None)


def test_who_asks_after_the_last_fault_may_try() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    turn = functools.partial(throttle.turn, 'h', threading.Event(), lambda: Pace(4), patience=25.0)
    for now[0] in (10.0, 40.0):
        with pytest.raises(TimedOutError), turn(asked=now[0] - 1):
            raise TimedOutError(host='h')
    with pytest.raises(TimedOutError), turn(asked=30.0):
        pass
    with turn(asked=41.0):
        pass


def test_who_began_a_moment_after_those_that_waited_in_vain_does_not_begin_again() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    turn = functools.partial(throttle.turn, 'h', threading.Event(), lambda: Pace(4), patience=25.0)
    with pytest.raises(TimedOutError), turn(asked=0.0):
        now[0] = 15.0
        with pytest.raises(TimedOutError), turn(asked=15.0):
            now[0] = 57.0
            raise TimedOutError(host='h')
        raise TimedOutError(host='h')

    with pytest.raises(TimedOutError), turn(asked=15.0):
        pass
    with turn(asked=50.0):  # who has not waited for long has some patience left
        pass


def test_a_stalled_request_lets_another_go_first() -> None:
    throttle, pace = Throttle(time.monotonic), Pace(1)
    first = throttle.turn('h', threading.Event(), lambda: pace)
    with first:
        first.stalled(0.2)
        assert pace.running == 1, 'it may only be slow'
        first.stalled(30.0)
        with throttle.turn('h', threading.Event(), lambda: pace):
            assert pace.running == 1
    assert pace.running == 0


def test_what_becomes_of_a_stalled_request_counts_as_ever() -> None:
    throttle, told = Throttle(time.monotonic), Listening()
    told.running, told.limit = 0, 8
    for refused in (False, True):
        told.trip = 0.1
        with contextlib.suppress(ValueError):
            with throttle.turn('h', threading.Event(), lambda: told) as turn:
                turn.stalled(2.0)
                if refused:
                    turn.refused(None)
                    raise ValueError
    assert told.ends == ['success', 'refused']


def test_where_all_is_slow_few_places_are_lent() -> None:
    throttle, stop, pace = Throttle(time.monotonic), threading.Event(), Pace(8)
    turns = [throttle.turn('h', stop, lambda: pace) for _ in range(8)]
    with contextlib.ExitStack() as running:
        for turn in turns:
            running.enter_context(turn)
        for seconds in (1.0, 2.0, 10.0, 100.0, 1000.0):
            for turn in turns:
                turn.stalled(seconds)
        assert pace.running == 6
    assert pace.running == 0


def test_the_api_waits_for_a_stalled_request() -> None:
    throttle, budget = Throttle(time.monotonic), Budget(2.0, 5, 1)
    with throttle.turn('h', threading.Event(), lambda: budget) as turn:
        turn.stalled(1000.0)
        assert budget.running == 1


def test_a_new_top_counts_for_a_known_host() -> None:
    throttle, stop, pace = Throttle(time.monotonic), threading.Event(), Pace(4)
    with throttle.turn('h', stop, lambda: pace, top=4):
        assert pace.limit == 4
    with throttle.turn('h', stop, lambda: pace, top=2):
        assert pace.limit == 2
