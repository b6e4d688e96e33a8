"""Names of part files, which tell whose they are.

What a killed process left behind is told from what another one is writing by the place (see
`_place_of`), the number of the process, and the run (numbers come again). The rest of the name is
chance, so that nobody can put a link in its way.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
import secrets
import sys
from contextlib import suppress
from pathlib import Path

ABANDONED_SECONDS = 24 * 3600.0

_NUMBERING = '/proc/self/ns/pid'
_RUN = secrets.token_hex(4)
_NAME = re.compile(
    r'\.([0-9a-f]{6})-([0-9]{1,10})-([0-9a-f]{8})-[0-9a-f]{16}\.part(\.[0-9a-z]{1,5})?'
)


def new_name(suffix: str = '') -> str:
    """Return a name that nothing else has, ending in `suffix`, for a part file of this process."""
    process = os.getpid()
    return f'.{_place_of(process)}-{process}-{_RUN}-{secrets.token_hex(8)}.part{suffix}'


def is_part(name: str) -> bool:
    """Tell whether `name` is that of a part file of ours, whoever wrote it."""
    return bool(_NAME.fullmatch(name))


def is_abandoned(name: str, age: float) -> bool:
    """Tell whether nobody writes the part file `name` any more, last written `age` seconds ago."""
    match = _NAME.fullmatch(name)
    if not match:
        return False
    place, process, run = match[1], int(match[2]), match[3]
    is_here = place == _place_of(os.getpid())
    if is_here and process == os.getpid():
        return run != _RUN
    if is_here and _sees_processes():
        return not _is_running(process)
    return age > ABANDONED_SECONDS  # only time can tell


@functools.lru_cache(maxsize=1)
def _place_of(process: int) -> str:
    """Where `process`, which is this one, has its number: elsewhere that is somebody else's.

    Containers may share a host name, the running kernel, or the machine id of their image, but
    not all of these and the numbering of processes; each start of a machine is a place anew.
    """
    signs = [platform.node()]
    for path in ('/etc/machine-id', '/proc/sys/kernel/random/boot_id'):
        with suppress(OSError, ValueError):
            signs.append(Path(path).read_text(encoding='ascii').strip())
    with suppress(OSError):
        numbering = os.stat(_NUMBERING)
        signs.append(f'{numbering.st_dev}:{numbering.st_ino}')
    return hashlib.sha256('\n'.join(signs).encode('utf-8', 'replace')).hexdigest()[:6]


def _sees_processes() -> bool:
    """Whether a process of our place that is not to be seen is no more."""
    if sys.platform == 'linux':
        return os.path.exists(_NUMBERING)
    return sys.platform != 'win32'


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True
