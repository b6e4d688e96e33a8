"""The standalone app as a process of its own, and who visits it."""

from __future__ import annotations

import json
import os
import re
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Mapping

import pytest

from tests.support.prepared import Prepared
from tests.support.visitor import SECONDS, Visitor

STARTER = (
    'import sys\n'
    'from scripts.civitai_manager_libs.tab import app\n'
    'sys.exit(app.main(sys.argv[1:]))\n'
)


class RunningApp(Visitor):
    """The app, started with `arguments` by what is prepared for it; its data is below `home`."""

    def __init__(self, prepared: Prepared, home: Path, *arguments: str) -> None:
        self.home = home
        self._errors = home / 'stderr.txt'
        environment = {**os.environ, 'CIVITAI_GALLERY_HOME': str(home)}
        with self._errors.open('w') as errors:
            self.process = prepared.start(
                STARTER, *arguments, environment=environment, errors=errors
            )
        super().__init__(self._address())

    def _address(self) -> str:
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
        with self.process:
            return self.process.wait(SECONDS)


@contextmanager
def app_of(
    prepared: Prepared, site: str, home: Path, settings: Mapping[str, object]
) -> Iterator[RunningApp]:
    """The app with these settings, for which the address `site` is Civitai."""
    (home / 'settings.json').write_text(json.dumps(settings))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv('CIVITAI_BASE_URL', site)
        running = RunningApp(prepared, home, '--port', '0', '--downloads', str(home / 'kept'))
        yield running
        running.stop()
