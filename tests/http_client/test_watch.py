"""The eye on requests: what it cuts off, and what it leaves alone."""

from __future__ import annotations

import socket
import threading
import time
from typing import Iterator

import pytest

from scripts.civitai_manager_libs.errors import CancelledError, TimedOutError
from scripts.civitai_manager_libs.http_client.watch import Guard, Watch


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(5)
        yield ours, theirs


def is_cut(ends: tuple[socket.socket, socket.socket]) -> bool:
    ours, theirs = ends
    try:
        ours.sendall(b'x')
    except OSError:
        return True
    return theirs.recv(1) != b'x'


def test_what_waits_is_cut_once_it_is_stopped(ends: tuple[socket.socket, socket.socket]) -> None:
    guard = Guard(threading.Event())
    with guard.within(60):
        guard.watch(ends[0], 60)
        guard.look(time.monotonic(), 0.0)
        assert not is_cut(ends)
        guard.stop.set()
        guard.look(time.monotonic(), 0.0)
        assert is_cut(ends)
    with pytest.raises(CancelledError):
        guard.check('url', 'host')


def test_a_connection_that_is_not_waited_on_is_left_alone(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    guard = Guard(threading.Event())
    with guard.within(60):
        guard.watch(ends[0], 60)
    guard.stop.set()
    guard.look(time.monotonic() + 1000, 0.0)
    assert not is_cut(ends), 'it may be in use for another request by now'


def test_what_takes_too_long_is_cut_and_named(ends: tuple[socket.socket, socket.socket]) -> None:
    guard = Guard(threading.Event())
    with guard.within(60):
        guard.watch(ends[0], 1)
        guard.look(time.monotonic() + 2, 0.0)
        assert is_cut(ends)
    with pytest.raises(TimedOutError):
        guard.check('url', 'host')


def test_time_in_which_the_whole_process_stood_still_does_not_count(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    guard = Guard(threading.Event())
    with guard.within(60):
        guard.watch(ends[0], 1)
        guard.look(time.monotonic() + 30, 30.0)
        assert not is_cut(ends) and not guard.late


def test_how_long_it_waits_is_told(ends: tuple[socket.socket, socket.socket]) -> None:
    told: list[float] = []
    guard = Guard(threading.Event())
    guard.on_stall = told.append
    guard.look(time.monotonic() + 5, 0.0)
    assert told == [], 'it does not wait yet'
    with guard.within(60):
        guard.look(time.monotonic() + 5, 0.0)
    assert len(told) == 1 and told[0] >= 5


def test_the_thread_ends_when_there_is_nothing_to_watch() -> None:
    def watching() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == 'civitai-watch']

    before, watch = set(watching()), Watch()
    with watch.over(threading.Event()):
        (mine,) = set(watching()) - before
    mine.join(30)
    assert not mine.is_alive()
    with watch.over(threading.Event()):
        assert set(watching()) - before - {mine}, 'and another begins when there is'


def test_what_begins_while_somebody_looks_has_the_time_it_was_given() -> None:
    guard = Guard(threading.Event())

    class Asleep(float):
        """A pause during whose account the next wait begins."""

        def __radd__(self, other: float) -> float:
            if other == guard.deadline and not begun:
                begun.append(threading.Thread(target=guard.within, args=[60.0]))
                begun[0].start()
                begun[0].join(0.2)  # as far as it comes
            return other + float(self)

    begun: list[threading.Thread] = []
    guard.within(5.0)
    guard.look(time.monotonic(), Asleep(0.3))
    begun[0].join()
    assert 50 < guard.deadline - time.monotonic() <= 60


def test_a_wait_without_a_deadline_gets_none_from_a_pause() -> None:
    guard = Guard(threading.Event())
    with socket.socket() as sock:
        guard.watch(sock, None)
        guard.look(time.monotonic(), 0.3)
        guard.look(time.monotonic(), 0.0)
    assert not guard.is_cut_off
