"""Programs that start at once: children of a Python that has imported already what takes long.

Nothing of ours is imported before a child is there: it has its own environment from the start.
"""

from __future__ import annotations

import array
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
from typing import IO, Mapping

from tests.support.environments import interpreter
from tests.support.paths import ROOT

# For each order a keeper is forked, which forks the child and tells its number and its end.
PARENT = """
import array, importlib, json, os, signal, socket, sys
orders = socket.socket(fileno=int(sys.argv[1]))
for name in sys.argv[2:]:
    importlib.import_module(name)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    order, sent, _, _ = orders.recvmsg(1 << 17, socket.CMSG_SPACE(3 * 4))
    if not order:
        os._exit(0)
    out, err, told = array.array('i', sent[0][2])
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        child = os.fork()
        if child == 0:
            break
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (0, 1, 2, out, err, orders.fileno()):
            os.close(number)
        os.write(told, b'%d\\n' % child)
        os.write(told, b'%d\\n' % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        os._exit(0)
    for number in (out, err, told):
        os.close(number)
os.dup2(out, 1)
os.dup2(err, 2)
for number in (out, err, told, orders.detach()):
    os.close(number)
program, sys.argv[1:], environment = json.loads(order)
os.environ.clear()
os.environ.update(environment)
sys.path[1:1] = filter(None, environment.get('PYTHONPATH', '').split(os.pathsep))
exec(compile(program, '<string>', 'exec'), {'__name__': '__main__'})
"""


class Child:
    """A program that runs, with those methods of `subprocess.Popen` that tests ask of it."""

    def __init__(self, out: int, err: IO[str] | None, told: int) -> None:
        self.stdout, self._err = open(out, encoding='utf-8'), err
        self._told = open(told, 'rb', buffering=0)
        self.pid = int(self._line())
        self.returncode: int | None = None

    def _line(self) -> bytes:
        return b''.join(iter(lambda: self._told.read(1), b'\n'))

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended; TimeoutExpired if that takes longer."""
        if self.returncode is None:
            waits = select.poll()  # `select` takes no descriptor above 1023
            waits.register(self._told, select.POLLIN)
            if not waits.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            self.returncode = int(self._line())
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        try:
            self.wait(0)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end; what else it said (no more than a pipe holds), its errors."""
        self.wait(timeout)
        if self._err is not None:
            self._err.seek(0)
        return self.stdout.read(), self._err.read() if self._err is not None else ''

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.wait()
        for file in (self.stdout, self._err, self._told):
            if file is not None:
                file.close()


class Prepared:
    """`with Prepared('gradio') as prepared: child = prepared.start(program, 'argument', ...)`.

    With `gradio`, a key of PINS, it is the Python that has that one.
    """

    def __init__(self, *modules: str, gradio: str = 'here') -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [interpreter(gradio), '-c', PARENT, str(theirs.fileno()), *modules],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def start(
        self,
        program: str,
        *arguments: str,
        environment: Mapping[str, str],
        errors: IO[str] | None = None,
    ) -> Child:
        """Start the program text, like `python -c`; `errors` is a file for what it says there."""
        out, theirs_out = os.pipe()
        told, theirs_told = os.pipe()
        err = errors or tempfile.TemporaryFile('w+', encoding='utf-8')
        handed = theirs_out, err.fileno(), theirs_told
        order = json.dumps([program, arguments, dict(environment)]).encode()
        with_files = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', handed))
        self._orders.sendmsg([order], [with_files])
        os.close(theirs_out)
        os.close(theirs_told)
        return Child(out, None if errors else err, told)

    def __enter__(self) -> Prepared:
        return self

    def __exit__(self, *_: object) -> None:
        self._orders.close()
        self._process.wait(60)
