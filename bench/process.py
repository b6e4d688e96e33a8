"""Another program, run to its end, and what it used."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Sequence

_LOOK = 0.02  # seconds between two looks at the memory of a program


@dataclass(frozen=True)
class Ended:
    """wall and CPU seconds of the whole process, peak memory, exit code, what it wrote.

    `complaint` is the last line of its standard error.
    """

    wall: float
    cpu: float
    peak_kib: int
    code: int
    output: str
    complaint: str


def run(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, limit: float
) -> Ended:
    """Run a command in `folder`; after `limit` seconds it is killed."""
    with (folder / 'stdout').open('w+') as out, (folder / 'stderr').open('w+') as err:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        watch = _Watch(process.pid, started + limit)
        watch.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except KeyboardInterrupt:  # it is in a session of its own and heard nothing of it
            os.killpg(process.pid, signal.SIGKILL)
            raise
        wall = time.monotonic() - started
        watch.end()
        process.returncode = os.waitstatus_to_exitcode(status)  # nobody else must wait for it
        out.seek(0)
        err.seek(0)
        complaint = (err.read().splitlines() or [''])[-1]
        peak = watch.peak_kib or (usage.ru_maxrss if sys.platform != 'darwin' else 0)
        cpu = usage.ru_utime + usage.ru_stime
        return Ended(wall, cpu, peak, process.returncode, out.read(), complaint)


class _Watch(threading.Thread):
    """Notes the peak memory of a process and kills it when its time is over.

    ru_maxrss will not do: on Linux it begins at the memory of the program that started the other.
    """

    def __init__(self, pid: int, deadline: float) -> None:
        super().__init__(daemon=True)
        self._pid, self._deadline = pid, deadline
        self._ended = threading.Event()
        self.peak_kib = 0

    def run(self) -> None:
        """Look again and again."""
        status = Path(f'/proc/{self._pid}/status')
        while not self._ended.wait(_LOOK):
            with suppress(OSError):
                found = re.search(r'VmHWM:\s+(\d+)', status.read_text())
                self.peak_kib = int(found[1]) if found else self.peak_kib
            if time.monotonic() > self._deadline:
                with suppress(ProcessLookupError):
                    os.killpg(self._pid, signal.SIGKILL)
                return

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
        self.join()
