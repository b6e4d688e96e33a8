"""The wire on urllib3 1.26, which SD.Next pins: it works as on the newest."""

from __future__ import annotations

import subprocess

from tests.support.environments import with_old_urllib3
from tests.support.paths import ROOT

# Those that touch the library most, and are quick.
TESTS = (
    'client client_files codings dialling faults faults_resume heads integrity proxies statuses '
    'unannounced'
).split()


def test_the_wire_works_on_urllib3_1_26() -> None:
    files = [f'tests/http_client/test_{name}.py' for name in TESTS]
    done = subprocess.run(
        [with_old_urllib3(), '-m', 'pytest', '-q', '-p', 'no:cacheprovider', *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
