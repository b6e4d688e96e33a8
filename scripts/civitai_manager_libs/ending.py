"""How a program of ours ends: with which code, and in good order at Ctrl-C and SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from enum import IntEnum
from typing import Callable, Iterator

# How often it is looked whether a signal came, and how long the work may take to stop. Seconds.
PIECE_SECONDS = 0.1
GRACE_SECONDS = 5.0

ENDING = (signal.SIGINT, signal.SIGTERM)


class ExitCode(IntEnum):
    """What who started a program is told, from good to bad; the README has the table.

    The launcher, which may not import this before there are packages, has the same.
    """

    COMPLETE = 0
    FAILED = 1
    USAGE = 2
    CANNOT_START = 3
    INTERRUPTED = 130
    TERMINATED = 143


def run(work: Callable[[], None], stop: Callable[[], None]) -> int:
    """Do `work`; return the number of the signal that ended it, 0 if it ended by itself.

    The work is done in a thread, so that a signal is heard whatever it waits for and strikes
    between no two lines of it. The first one calls `stop`, after which the work is to end within
    moments; the next one ends the process at once, as does work that does not stop. Raises what
    `work` raises.
    """
    heard: list[int] = []

    def hear(number: int, frame: object) -> None:
        if heard:
            os._exit(128 + number)
        heard.append(number)

    with _told(hear, heard):
        pool = ThreadPoolExecutor(1, thread_name_prefix='civitai-gallery-work')
        done = pool.submit(work)
        pool.shutdown(wait=False)
        while not heard and not wait([done], PIECE_SECONDS).done:
            pass
        if heard:
            stop()
            if not wait([done], GRACE_SECONDS).done:
                os._exit(128 + heard[0])
        done.result()
    return heard[0] if heard else 0


@contextmanager
def _told(hear: Callable[[int, object], None], heard: list[int]) -> Iterator[None]:
    """Have `hear` told of the signals inside, and for good once one came.

    One that is ignored, as Ctrl-C is in the background of a shell script, stays so.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():  # no other may ask for signals
        before = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, hear)
    try:
        yield
    finally:
        for number, handler in before.items() if not heard else ():
            signal.signal(number, handler)
