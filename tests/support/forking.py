"""Children of a fork, how they end, and locks that a thread of their parent holds."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import threading
import types
from contextlib import contextmanager
from typing import Any, Callable, Iterator

from tests.support.faults import PATIENCE
from tests.support.scripted_server import ScriptedServer

LOCKS = (type(threading.Lock()), type(threading.RLock()))
# What Python itself renews, or belongs to no child.
NOT_OURS = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.FrameType,
    threading.Thread,
    logging.Logger,
    logging.Handler,
    ScriptedServer,
    socket.socket,
)


def fork(work: Callable[[], bool]) -> int:
    """The number of a child that does `work`, and is killed if it waits for ever."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(PATIENCE * 4)
            code = 0 if work() else 2
        finally:
            os._exit(code)
    return child


def ended(child: int) -> int:
    """How a child ended: 0 well, 1 with an exception, 2 not well, below 0 by a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def locks_of(root: object) -> list[Any]:
    """Every lock that hangs on `root`, however deep."""
    found, seen, left = [], {id(root)}, [root]
    while left:
        for item in gc.get_referents(left.pop()):
            if id(item) in seen or isinstance(item, NOT_OURS):
                continue
            seen.add(id(item))
            if isinstance(item, LOCKS):
                found.append(item)
            left.append(item)
    return found


@contextmanager
def all_held(locks: list[Any]) -> Iterator[None]:
    """Another thread holds them."""
    are_held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        mine = [lock for lock in locks if lock.acquire(blocking=False)]
        are_held.set()
        go_on.wait()
        for lock in mine:
            lock.release()

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    are_held.wait()
    try:
        yield
    finally:
        go_on.set()
        thread.join()
