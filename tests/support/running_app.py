"""The standalone app as a process of its own, and who visits it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.visitor import SECONDS, Visitor

STARTER = (
    'import sys\n'
    'from scripts.civitai_manager_libs.tab import app\n'
    'sys.exit(app.main(sys.argv[1:]))\n'
)


class RunningApp(Visitor):
    """The app, started with `arguments` by the Python given; its data is below `home`."""

    def __init__(self, home: Path, *arguments: str, python: str = sys.executable) -> None:
        self.home = home
        self._errors = home / 'stderr.txt'
        with self._errors.open('w') as errors:
            self.process = subprocess.Popen(
                [python, '-c', STARTER, *arguments],
                cwd=ROOT,
                env={**os.environ, 'CIVITAI_GALLERY_HOME': str(home)},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        super().__init__(self._address())

    def _address(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:  # gradio 3 says something of its own first
            found = re.search(r'running at (http://\S+)', line)
            if found:
                return found[1]
        self.process.wait(SECONDS)
        raise AssertionError(self.errors())

    def errors(self) -> str:
        """What it wrote to standard error."""
        return self._errors.read_text()

    def stop(self) -> int:
        """End it as Ctrl-C does; return its exit code."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=SECONDS)
        return self.process.returncode
