"""The command `scale-test`: a table goes to img2dataset, and what it kept comes back.

img2dataset and Ray need packages that would not get on with ours, so they have an environment of
their own. All is asked of the stand-in on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Sequence

from civitai_demo.server import OPENING_PATH, DemoServer
from scripts.civitai_manager_libs.ending import ExitCode

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / 'requirements-scale.txt'
ENVIRONMENT = ROOT / '.venv.scale'
_PROGRAMS = ENVIRONMENT / ('Scripts' if sys.platform == 'win32' else 'bin')
_INSTALLED = ENVIRONMENT / 'installed'  # the requirements that are all there
DISTRIBUTORS = 'multiprocessing', 'ray'
PICTURES, SHARDS = 40, 4
# Nobody outside is told of a test, nor asked for news.
_QUIET = {
    'NO_ALBUMENTATIONS_UPDATE': '1',
    'RAY_USAGE_STATS_ENABLED': '0',
    'WANDB_MODE': 'disabled',
}


class ScaleError(Exception):
    """What went wrong, as one line."""


def options_for(table: Path, output: Path, distributor: str, per_shard: int) -> list[str]:
    """Return what img2dataset is told: originals as they are, and columns that come back."""
    return [
        *('--url_list', str(table), '--input_format', 'jsonl'),
        *('--url_col', 'url', '--caption_col', 'caption'),
        *('--save_additional_columns', '["id","username","page","meta"]'),
        *('--resize_mode', 'no', '--disable_all_reencoding', 'True'),
        *('--output_folder', str(output), '--output_format', 'files'),
        *('--number_sample_per_shard', str(per_shard)),
        *('--processes_count', '2', '--thread_count', '4', '--retries', '2'),
        *('--distributor', distributor),
    ]


def main(argv: Sequence[str]) -> int:
    """Walk there and back with each engine; the exit code is that of a failure if one differs."""
    parser = argparse.ArgumentParser(prog='civitai_gallery.py scale-test', description=__doc__)
    parser.add_argument('--keep', metavar='FOLDER', help='leave all files in this new folder')
    keep = parser.parse_args(argv).keep
    try:
        _make_environment()
        if keep:
            Path(keep).mkdir(parents=True)
            _walk(Path(keep).resolve())
        else:
            with tempfile.TemporaryDirectory(prefix='civitai-gallery-scale-') as folder:
                _walk(Path(folder))
    except (ScaleError, OSError) as error:
        print(error, file=sys.stderr)
        return ExitCode.FAILED
    return ExitCode.COMPLETE


def _make_environment() -> None:
    """Make the environment, unless it has all that is required."""
    wanted = REQUIREMENTS.read_text(encoding='utf-8')
    if _INSTALLED.exists() and _INSTALLED.read_text(encoding='utf-8') == wanted:
        return
    _tell(f'Setting up {ENVIRONMENT.name} with img2dataset and Ray (some minutes)...')
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    _run([sys.executable, '-m', 'venv', ENVIRONMENT])
    pip = (_PROGRAMS / 'python', '-m', 'pip', '--disable-pip-version-check', 'install', '--quiet')
    _run([*pip, '-r', REQUIREMENTS])
    _INSTALLED.write_text(wanted, encoding='utf-8')


def _walk(folder: Path) -> None:
    with DemoServer() as demo:
        ours = {'CIVITAI_GALLERY_HOME': str(folder / 'home'), 'CIVITAI_BASE_URL': demo.url}
        table = folder / 'pictures.jsonl'
        source = demo.url + OPENING_PATH
        _ours(ours, 'export', source, '--limit', PICTURES, '--output', table)
        rows = [json.loads(line) for line in table.read_text(encoding='utf-8').splitlines()]
        if len(rows) != PICTURES:
            raise ScaleError(f'The table has {len(rows)} pictures instead of {PICTURES}.')
        _tell(f'export: {len(rows)} pictures in {table.name}')
        for distributor in DISTRIBUTORS:
            began = time.monotonic()
            output = folder / distributor
            arguments = options_for(table, output, distributor, PICTURES // SHARDS)
            _run([_PROGRAMS / 'img2dataset', *arguments], _QUIET)
            _tell(f'img2dataset --distributor {distributor}: {time.monotonic() - began:.0f} s')
            _tell(f'  {_same(output, rows)} files, each the same bytes as its original')
            _take_in(ours, output)
        demo.requests.clear()
        argv = (source, '--limit', PICTURES, '--type', 'image', '--to', folder / 'pictures')
        told = _ours(ours, 'download', *argv)
        asked = [one.path for one in demo.requests if 'original=true' in one.path]
        if told['already'] != PICTURES or asked:
            raise ScaleError(f'download fetched {len(asked)} pictures that had been kept.')
        _tell(f'download: {told["already"]} there already, none fetched')


def _take_in(environment: dict[str, str], output: Path) -> None:
    """Take what was kept into the archive; all of it has to be taken. Raises ScaleError."""
    told = _ours(environment, 'import-table', output)
    if told['kept'] != PICTURES or not told['complete']:
        raise ScaleError(f'import-table took in {told["kept"]} of {PICTURES}: {told}')
    _tell(f'  import-table: {told["kept"]} pictures taken in, of {told["tables"]} tables')


def _same(output: Path, rows: Sequence[dict[str, Any]]) -> int:
    """Return how many files there are, if each has the bytes that are at the address of its row.

    Raises ScaleError.
    """
    urls = {row['id']: row['url'] for row in rows}
    shards = [path for path in output.iterdir() if path.is_dir()]
    if len(shards) != SHARDS:
        raise ScaleError(f'img2dataset made {len(shards)} shards instead of {SHARDS}.')
    for described in output.glob('*/*.json'):
        number = json.loads(described.read_text(encoding='utf-8'))['id']
        with urllib.request.urlopen(urls.pop(number)) as answer:
            if answer.read() != described.with_suffix('.jpg').read_bytes():
                raise ScaleError(f'{described.with_suffix(".jpg")} is not the original.')
    if urls:
        raise ScaleError(f'img2dataset did not keep {len(urls)} pictures: {sorted(urls)[:5]}')
    return len(rows)


def _ours(environment: dict[str, str], *words: object) -> dict[str, Any]:
    """Run a word of our command line; return the object that it prints."""
    launcher = ROOT / 'civitai_gallery.py'
    command = [sys.executable, str(launcher), *map(str, words), '--json']
    told: dict[str, Any] = json.loads(_run(command, environment, str(words[0])))
    return told


def _run(
    command: Sequence[str | Path], environment: dict[str, str] | None = None, name: str = ''
) -> str:
    """Run a program; return what it printed. Raises ScaleError with the end of what it said."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        errors='replace',
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise ScaleError(f'{name or Path(command[0]).name} ended with {done.returncode}: {said}')
    return done.stdout


def _tell(line: str) -> None:
    print(line, flush=True)
