"""Whenever a program is killed while it writes prompts, pictures are whole and none is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.annotated_site import BYTES, META, AnnotatedSite, item
from tests.support.faults import small_disk
from tests.support.network import files_in
from tests.support.paths import ROOT
from tests.support.webui_reading import infotext_in, png_chunks

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='there are no such signals')

FORMS = ('json', 'txt', 'caption')
# Kills itself before or after the n-th time that a file gets a name.
SCRIPT = """
import os, signal, sys, threading
from pathlib import Path
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.downloads import beginning, checking, whole
from scripts.civitai_manager_libs.downloads.wanted import Wanted
from scripts.civitai_manager_libs.http_client import get_http_client
setting.civitai_base_url, post, archive, folder, at, when = sys.argv[1:]
left = [int(at)]

def watched(real):
    def named(*paths):
        is_it = os.fspath(paths[1]).startswith(folder) and left[0] == 1
        left[0] -= os.fspath(paths[1]).startswith(folder)
        if is_it and when == 'before':
            os.kill(os.getpid(), signal.SIGKILL)
        real(*paths)
        if is_it:
            os.kill(os.getpid(), signal.SIGKILL)
    return named

os.replace, os.link = watched(os.replace), watched(os.link)
setting.gallery_max_concurrent_downloads = 1
db, client = Database(Path(archive)), get_http_client()
wanted = Wanted(post, levels=1, embeds=True, sidecars=('json', 'txt', 'caption'))
job = beginning.begin(db, client, wanted, Path(folder))
report = whole.run(db, client, job, threading.Event())
print('other' if report is None else report.is_complete)
states = {one.state.value for one in checking.check(db, Path(folder))}
print(*sorted(states))
"""


FULL = """
import sys, threading
from pathlib import Path
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.downloads import beginning, whole
from scripts.civitai_manager_libs.downloads.wanted import Wanted
from scripts.civitai_manager_libs.http_client import get_http_client
setting.civitai_base_url, post, archive, disk = sys.argv[1:]
db, client, folder = Database(Path(archive)), get_http_client(), Path(disk) / 'kept'
filler = Path(disk) / 'filler'
filler.write_bytes(bytes(900_000))
job = beginning.begin(db, client, Wanted(post, levels=1, embeds=True), folder)
for _ in range(2):
    report = whole.run(db, client, job, threading.Event())
    print(report.is_complete, report.trouble and report.trouble.key, *folder.glob('[0-9]*'))
    filler.unlink(missing_ok=True)
print('Steps: 28' in (folder / '1.png').read_bytes().decode('latin-1'))
"""


def test_a_picture_whose_prompt_had_no_room_on_the_disk_gets_it_later(tmp_path: Path) -> None:
    disk = tmp_path / 'disk'
    disk.mkdir()
    before = small_disk(disk)
    if not before:
        pytest.skip('no small disk can be made here')
    long = {**META, 'prompt': 'fog, ' * 60_000}
    with (site := AnnotatedSite(item(1, meta=long))).server:
        where = [site.server.url, site.post, str(tmp_path / 'archive.sqlite'), str(disk)]
        words = [*before, sys.executable, '-c', FULL, *where]
        out = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120).stdout

    assert ['False error_disk_full', f'True None {disk}/kept/1.png', 'True'] == out.split('\n')[:3]


def start(site: AnnotatedSite, folder: Path, at: int, when: str) -> 'subprocess.Popen[str]':
    where = [str(folder.parent / 'archive.sqlite'), str(folder)]
    return subprocess.Popen(
        [sys.executable, '-c', SCRIPT, site.server.url, site.post, *where, str(at), when],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, 'CIVITAI_GALLERY_HOME': str(folder.parent)},
    )


def check_whole(folder: Path) -> None:
    """Check that each picture that has its name is whole, with its prompt in it."""
    for path in folder.glob('[0-9]*.png'):  # what is hidden has no name yet
        data = path.read_bytes()
        assert png_chunks(data)[-1][0] == b'IEND' and 'Steps: 28' in infotext_in(data)


def check_beside(folder: Path) -> None:
    """Check that nothing that has its name is empty, and that its picture is there."""
    for path in folder.glob('[0-9]*'):
        assert path.stat().st_size and path.with_suffix('.png').is_file()


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('at', [1, 2, 5, 6])
def test_a_kill_between_any_two_steps_leaves_whole_pictures(
    at: int, when: str, tmp_path: Path
) -> None:
    folder = tmp_path / 'kept'
    with (site := AnnotatedSite(item(1), item(2))).server:
        with start(site, folder, at, when) as child:
            child.communicate()
        assert child.returncode == -9
        if folder.is_dir():
            check_whole(folder)
            check_beside(folder)
        with start(site, folder, 0, '') as child:
            out, _ = child.communicate()

    assert ['True', 'good'] == out.split()
    assert sorted(f'{n}.{end}' for n in (1, 2) for end in (*FORMS, 'png')) == files_in(folder)
    check_whole(folder)
    check_beside(folder)


def test_two_programs_write_each_picture_once(tmp_path: Path) -> None:
    folder = tmp_path / 'kept'
    with (site := AnnotatedSite(*(item(n) for n in range(1, 31)))).server:
        children = [start(site, folder, 0, '') for _ in range(2)]
        told = sorted(child.communicate()[0].split()[0] for child in children)
        assert 30 == site.asked('original=true')

    assert told in (['True', 'other'], ['True', 'True'])
    assert 30 * (1 + len(FORMS)) == len(files_in(folder))
    check_whole(folder)
    assert (folder / '1.png').read_bytes() != BYTES['png']
