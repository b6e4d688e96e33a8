"""The wire on urllib3 1.26, with what else SD.Next pins: every test of it passes there too."""

from __future__ import annotations

import re
import subprocess

from tests.support.environments import interpreter
from tests.support.paths import ROOT


def test_the_wire_works_on_urllib3_1_26() -> None:
    python = interpreter('3.43.2')
    version = [python, '-c', 'import urllib3; print(urllib3.__version__)']
    assert subprocess.check_output(version, text=True).strip() == '1.26.19'
    done = subprocess.run(
        [python, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'tests/http_client'],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r'(\d+) passed', done.stdout)
    assert passed and int(passed[1]) > 2000, done.stdout
