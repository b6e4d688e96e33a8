"""Who downloads: our three public paths and the rivals. How each is started, and how it names."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Callable, Mapping, Sequence

from scripts.civitai_manager_libs import setting

from . import pictures, verify
from .origin import ROOT
from .task import Task
from .verify import AsSent

Stem = Callable[[Task, int], str]

_AT_OUR_SERVER = """
import sys
from gallery_dl import main
from gallery_dl.extractor import civitai
civitai.CivitaiExtractor.root = sys.argv.pop(1)
sys.exit(main())
"""


@dataclass(frozen=True)
class Command:
    """What to start and what to put into its environment."""

    argv: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Client:
    """A client: `prepare` writes what it needs and says how to start it, None if it is absent.

    `stem` is the name, without extension, under which it keeps a picture, and `as_sent` finds the
    bytes that were sent in what it kept. One that `tells` measures its own work and prints it; the
    others are measured as whole processes.
    """

    name: str
    prepare: Callable[[Task], Command | None]
    stem: Stem
    ours: bool = False
    tells: bool = False
    as_sent: AsSent = verify.unchanged


def _number(task: Task, number: int) -> str:
    return str(number)


def _cache_name(task: Task, number: int) -> str:
    return Path(setting.get_image_url_to_gallery_file(task.url(number))).stem


def _trust(task: Task) -> dict[str, str]:
    """The environment in which requests trusts the server."""
    return {'REQUESTS_CA_BUNDLE': task.bundle} if task.bundle else {}


def _our_environment(task: Task) -> dict[str, str]:
    return {'CIVITAI_BASE_URL': task.base, 'CIVITAI_GALLERY_HOME': task.home}


def _child(name: str, environment: Callable[[Task], dict[str, str]]) -> Callable[[Task], Command]:
    def prepare(task: Task) -> Command:
        path = Path(task.home) / 'task.json'
        path.write_text(json.dumps(asdict(task)), encoding='utf-8')
        argv = [sys.executable, '-m', 'bench.child', name, str(path)]
        return Command(argv, {**environment(task), 'PYTHONPATH': str(ROOT)})

    return prepare


def _command_line(task: Task) -> Command:
    chosen: dict[str, object] = {'gallery_max_concurrent_downloads': task.at_once}
    if task.read_timeout:
        chosen['gallery_download_timeout'] = task.read_timeout
    if task.ca_file:
        chosen['http_ca_bundle'] = task.ca_file
    (Path(task.home) / 'settings.json').write_text(json.dumps(chosen), encoding='utf-8')
    source = f'{task.base}/models/{pictures.MODEL_ID}'
    download = ['download', source, '--to', task.folder, '--limit', str(task.count)]
    argv = [sys.executable, str(ROOT / 'civitai_gallery.py'), *download]
    return Command(argv, _our_environment(task))


def _curl(*more: str) -> Callable[[Task], Command | None]:
    def prepare(task: Task) -> Command | None:
        program = shutil.which('curl')
        if not program or not set(more) <= set(_curl_options(program)):
            return None
        pairs = Path(task.home) / 'pairs'
        lines = (f'url = "{task.url(n)}"\noutput = "{n}.jpeg"\n' for n in _all(task))
        pairs.write_text(''.join(lines), encoding='utf-8')
        argv = [program, '-q', '--silent', '--fail', '--parallel', *more]
        argv += ['--parallel-max', str(task.at_once), '--output-dir', task.folder]
        if task.ca_file:
            argv += ['--cacert', task.bundle]
        if task.read_timeout:
            argv += ['--retry', '3', '--retry-all-errors']
            argv += ['--speed-limit', '1', '--speed-time', str(task.read_timeout)]
        return Command([*argv, '--config', str(pairs)], {})

    return prepare


@cache
def _curl_options(program: str) -> Sequence[str]:
    return subprocess.run([program, '--help', 'all'], capture_output=True, text=True).stdout.split()


def _aria2(task: Task) -> Command | None:
    program = shutil.which('aria2c')
    if not program:
        return None
    pairs = Path(task.home) / 'pairs'
    lines = (f'{task.url(number)}\n out={number}.jpeg\n' for number in _all(task))
    pairs.write_text(''.join(lines), encoding='utf-8')
    argv = [program, '--no-conf', f'-j{task.at_once}', '-x1', '-s1', '--dir', task.folder]
    argv += ['--quiet', '--download-result=hide', '--file-allocation=none', '-i', str(pairs)]
    if task.ca_file:
        argv += ['--ca-certificate', task.bundle]
    if task.read_timeout:
        argv += ['--max-tries=4', '--retry-wait=1', f'--timeout={task.read_timeout}']
    return Command(argv, {})


def gallery_dl() -> Sequence[str] | None:
    """How gallery-dl is started here, None if it is absent."""
    python = _python_with_gallery_dl()
    return [python, '-m', 'gallery_dl'] if python else None


def _python_with_gallery_dl() -> str:
    """The interpreter of gallery-dl: this one, or that of the environment its program is in."""
    if importlib.util.find_spec('gallery_dl'):
        return sys.executable
    program = shutil.which('gallery-dl')
    if not program:
        return ''
    with open(program, 'rb') as file:
        first = os.fsdecode(file.readline()).strip()
    python = first.removeprefix('#!')
    return python if python != first and os.access(python, os.X_OK) else ''


def _gallery_dl(task: Task) -> Command | None:
    start = gallery_dl()
    if not start:
        return None
    links = Path(task.home) / 'links'
    links.write_text('\n'.join(task.urls()), encoding='utf-8')
    argv = [*start, '--config-ignore', '--quiet', '-D', task.folder, '-i', str(links)]
    argv += ['-f', '{filename}.{extension}']
    if task.read_timeout:
        argv += ['--http-timeout', str(task.read_timeout), '--retries', '3']
    return Command(argv, _trust(task))


def _gallery_dl_job(task: Task) -> Command | None:
    """The same gallery by itself: listed by the REST API, as politely as it is without our doing.

    It knows only the site's own address, so that is changed in what it loads.
    """
    python = _python_with_gallery_dl()
    if not python:
        return None
    argv = [python, '-c', _AT_OUR_SERVER, task.base, '--config-ignore', '--quiet']
    argv += ['-o', 'api=rest', '-o', 'files=gallery', '-D', task.folder]
    argv += ['-f', '{file[id]}.{extension}', f'https://civitai.red/models/{pictures.MODEL_ID}']
    return Command(argv, _trust(task))


def _all(task: Task) -> range:
    return pictures.numbers(task.count)


GALLERY, IMAGES, COMMAND_LINE = 'gallery_loading', 'download_images', 'command line'
CURL, CURL_AT_ONCE, ARIA2 = 'curl', 'curl immediate', 'aria2'
GALLERY_DL, SEQUENTIAL = 'gallery-dl', 'sequential loop'
JOB, JOB_WITH_PROMPTS = 'whole gallery', 'whole gallery, prompts'
GALLERY_DL_JOB = 'gallery-dl api=rest'

CLIENTS: Mapping[str, Client] = {
    client.name: client
    for client in (
        Client(GALLERY, _child(GALLERY, _our_environment), _cache_name, ours=True, tells=True),
        Client(IMAGES, _child(IMAGES, _our_environment), _cache_name, ours=True, tells=True),
        Client(COMMAND_LINE, _command_line, _number, ours=True, as_sent=verify.without_prompt),
        Client(JOB, _child(JOB, _our_environment), _number, ours=True, tells=True),
        Client(
            JOB_WITH_PROMPTS,
            _child(JOB_WITH_PROMPTS, _our_environment),
            _number,
            ours=True,
            tells=True,
            as_sent=verify.without_prompt,
        ),
        Client(CURL, _curl(), _number),
        Client(CURL_AT_ONCE, _curl('--parallel-immediate'), _number),
        Client(ARIA2, _aria2, _number),
        Client(GALLERY_DL, _gallery_dl, _number),
        Client(GALLERY_DL_JOB, _gallery_dl_job, _number),
        Client(SEQUENTIAL, _child('sequential', _trust), _number, tells=True),
    )
}
