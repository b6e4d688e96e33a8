"""What a person waits for is before background work, which goes on whenever nobody waits."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import Callable, Iterator

import pytest

from scripts.civitai_manager_libs.errors import CancelledError
from scripts.civitai_manager_libs.http_client import background, slots
from scripts.civitai_manager_libs.http_client.pacing import throttle
from scripts.civitai_manager_libs.http_client.pacing.budget import Budget, of_the_api
from scripts.civitai_manager_libs.http_client.pacing.hosts import AnyPace
from scripts.civitai_manager_libs.http_client.pacing.pace import Pace
from scripts.civitai_manager_libs.http_client.pacing.throttle import Throttle, Turn
from tests.support.clock import Clock
from tests.support.forking import ended, fork

PATIENCE = 10.0  # seconds until a test that hangs fails


class Queue:
    """Threads that wait for the turns of one host, and the order in which they got them."""

    def __init__(self, make: Callable[[], AnyPace], clock: Callable[[], float]) -> None:
        self.pace = make()
        self.throttle = Throttle(clock)
        self.stop = threading.Event()
        self.got: list[str] = []
        self.threads: list[threading.Thread] = []

    def turn(self) -> Turn:
        return self.throttle.turn('host', self.stop, lambda: self.pace)

    @contextmanager
    def held(self, count: int) -> Iterator[ExitStack]:
        """So many turns, as those of a job; the stack gives them back."""
        with ExitStack() as stack:
            with background.work():
                for _ in range(count):
                    stack.enter_context(self.turn())
            yield stack

    def ask(self, who: str, is_background: bool) -> None:
        """Have a thread ask for a turn, and wait until it stands in a line."""
        before = self.waiting

        def work() -> None:
            with background.work(is_background):
                try:
                    with self.turn():
                        self.got.append(who)
                except CancelledError:
                    self.got.append(f'{who} stopped')

        self.threads.append(threading.Thread(target=work, daemon=True))
        self.threads[-1].start()
        until(lambda: self.waiting > before)

    @property
    def waiting(self) -> int:
        host = self.throttle._hosts.get('host')
        return len(host.waiting) + len(host.background) if host else 0

    def ended(self) -> list[str]:
        """Who got a turn, in order, once all have."""
        for thread in self.threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in self.threads)
        return self.got


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.001)


ONE_AT_A_TIME = pytest.mark.parametrize(
    'make',
    [
        pytest.param(lambda: Budget(1e6, 1e6, 1), id='the API'),
        pytest.param(lambda: Pace(1), id='a host of pictures'),
    ],
)


@ONE_AT_A_TIME
@pytest.mark.parametrize('jobs', [1, 2, 9])
def test_people_are_before_all_background_work_and_among_themselves_in_order(
    make: Callable[[], AnyPace], jobs: int
) -> None:
    queue = Queue(make, Clock())
    with queue.held(1):
        for number in range(jobs):
            queue.ask(f'job {number}', True)
        for number in range(3):
            queue.ask(f'person {number}', False)
    listed = [f'person {n}' for n in range(3)] + [f'job {n}' for n in range(jobs)]
    assert queue.ended() == listed


def test_a_person_gets_the_first_place_of_a_job_that_has_them_all() -> None:
    queue = Queue(lambda: Pace(4), Clock())
    with queue.held(3), queue.held(1) as one_file:
        for number in range(8):
            queue.ask(f'job {number}', True)
        queue.ask('person', False)
        assert queue.got == []
        one_file.close()
        until(lambda: bool(queue.got))
        assert queue.got[0] == 'person'
    assert len(queue.ended()) == 9


def test_the_budget_is_kept_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute of the API's budget: a job lists all the time, a person clicks every 6 s."""
    monkeypatch.setattr(throttle, 'PIECE', throttle.PIECE / 20)  # looks at the clock as often
    clock = Clock()
    starts: list[float] = []
    queue = Queue(of_the_api, clock)

    def list_pages() -> None:
        with background.work():
            while not queue.stop.is_set():
                with suppress(CancelledError), queue.turn():
                    starts.append(clock.now)

    queue.threads = [threading.Thread(target=list_pages, daemon=True) for _ in range(2)]
    for thread in queue.threads:
        thread.start()
    until(lambda: len(starts) == 5)
    for half in range(1, 120):
        if half % 12 == 0:
            queue.ask('person', False)
        clock.now = half / 2
        until(lambda: len(starts) + len(queue.got) == 5 + half)
    queue.stop.set()
    assert queue.ended() == ['person'] * 9
    assert len(starts) == 5 + 119 - 9


def test_background_work_goes_on_as_soon_as_no_person_waits() -> None:
    clock = Clock()
    queue = Queue(lambda: Budget(2.0, 1, 1), clock)
    with queue.held(1):
        queue.ask('job', True)
        queue.ask('person', False)
    clock.now = 0.5
    until(lambda: len(queue.got) == 1)
    clock.now = 1.0
    assert queue.ended() == ['person', 'job']


@pytest.mark.parametrize('is_background', [True, False], ids=['a job', 'a person'])
def test_who_is_stopped_while_waiting_leaves_the_line(is_background: bool) -> None:
    queue = Queue(lambda: Budget(1e6, 1e6, 1), Clock())
    goes_on = queue.stop
    with queue.held(1):
        queue.stop = threading.Event()
        queue.ask('one', is_background)
        stop, queue.stop = queue.stop, goes_on
        queue.ask('another', not is_background)
        stop.set()
        until(lambda: queue.got == ['one stopped'])
    assert queue.ended() == ['one stopped', 'another']


@pytest.mark.parametrize('has_slot', [True, False], ids=['in a crew', 'alone'])
def test_after_a_pause_that_the_host_asked_for_people_are_first(has_slot: bool) -> None:
    clock = Clock()
    queue = Queue(lambda: Budget(1e6, 1e6, 1), clock)
    queue.pace.running += 1
    queue.pace.refused(0.0, 60.0)
    host = queue.turn()._host

    def ask(who: str, is_background: bool) -> None:
        def work() -> None:
            with ExitStack() as stack:
                if has_slot:
                    stack.enter_context(slots.Slots(1, lambda: None).taken())
                stack.enter_context(background.work(is_background))
                with queue.turn():
                    queue.got.append(who)
                    until(lambda: bool(host.first()) or len(queue.got) == 4)

        queue.threads.append(threading.Thread(target=work, daemon=True))
        queue.threads[-1].start()

    for number in range(3):
        ask('job', True)
    ask('person', False)
    until(lambda: host.people == 1 if has_slot else queue.waiting == 4)
    clock.now = 61.0
    assert queue.ended() == ['person', 'job', 'job', 'job']
    assert host.people == 0


def test_one_who_is_stopped_in_such_a_pause_keeps_nobody() -> None:
    queue = Queue(lambda: Budget(1e6, 1e6, 1), clock := Clock())
    queue.pace.running += 1
    queue.pace.refused(0.0, 60.0)
    gone = threading.Event()

    def leave() -> None:
        with slots.Slots(1, lambda: None).taken(), pytest.raises(CancelledError):
            with queue.throttle.turn('host', gone, lambda: queue.pace):
                queue.got.append('too late')

    person = threading.Thread(target=leave, daemon=True)
    person.start()
    until(lambda: 'host' in queue.throttle._hosts and bool(queue.throttle._hosts['host'].people))
    queue.ask('job', True)
    gone.set()
    person.join(PATIENCE)
    clock.now = 61.0
    assert queue.ended() == ['job']


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no such thing')
def test_no_child_waits_for_people_of_its_parent() -> None:
    queue = Queue(lambda: Budget(1e6, 1e6, 1), Clock())

    def child() -> bool:
        queue.pace = Budget(1e6, 1e6, 1)
        with background.work(), queue.turn():
            return background.is_here()

    with queue.held(1):
        queue.ask('person', False)
        assert ended(fork(child)) == 0
    assert queue.ended() == ['person']


def test_the_mark_ends_with_the_work_whatever_happens() -> None:
    with pytest.raises(ValueError):
        with background.work():
            with background.work(False):
                assert not background.is_here()
            assert background.is_here()
            raise ValueError
    assert not background.is_here()
