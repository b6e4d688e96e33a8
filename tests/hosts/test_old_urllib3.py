"""The wire on urllib3 1.26, with what else SD.Next pins: what rests on urllib3 passes there too.

Left out are the tests that never reach it (decisions, pacing by clocks of their own, looking up
names, the disk) and those of what is judged behind it, in the bytes: sizes, JSON, patience.
"""

from __future__ import annotations

import re
import subprocess

from tests.support.environments import interpreter
from tests.support.paths import ROOT

# Connections and their reuse, heads, bodies, proxies, and whose errors become ours; large files in
# parts, which read past the library. These tests wait more than they work, so that some runs go
# side by side.
RUNS = (
    'client dialling faults_stop fork heads integrity key many_hosts proxies reused statuses '
    'unpacking',
    'client_files codings faults faults_resume unannounced',
    'downloads/segments downloads/pieces downloads/models downloads/modeljobs',
)


def test_the_wire_works_on_urllib3_1_26() -> None:
    python = interpreter('3.43.2')
    version = [python, '-c', 'import urllib3; print(urllib3.__version__)']
    assert subprocess.check_output(version, text=True).strip() == '1.26.19'
    runs = [
        subprocess.Popen(
            [python, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', *map(path_of, names.split())],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for names in RUNS
    ]
    told = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * len(RUNS), '\n'.join(told)
    passed = [int(number) for number in re.findall(r'(\d+) passed', '\n'.join(told))]
    assert len(passed) == len(RUNS) and sum(passed) > 2000, '\n'.join(told)


def path_of(name: str) -> str:
    folder, _, module = name.rpartition('/')
    return f'tests/{folder or "http_client"}/test_{module}.py'
