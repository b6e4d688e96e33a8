"""A stream of files to keep: pulled as they are needed, each told beside what it is for."""

from __future__ import annotations

import threading
import unicodedata
from pathlib import Path
from typing import Iterator

import pytest

from scripts.civitai_manager_libs.downloads import batch, presence
from scripts.civitai_manager_libs.downloads.plan import DownloadJob, Outcome
from scripts.civitai_manager_libs.errors import NotFoundError

PNG = b'\x89PNG\r\n\x1a\n' + b'\x00' * 8 + b'\x00\x00\x00\x00IEND\xaeB\x60\x82'


def job(folder: Path, name: str, present: bool = False) -> DownloadJob:
    return DownloadJob(f'https://image.civitai.com/x/{name}', str(folder / f'{name}.png'), present)


def saves(name: str, url: str, path: str) -> bool:
    Path(path).write_bytes(PNG)
    return True


def test_each_is_told_beside_what_it_is_for(tmp_path: Path) -> None:
    def fetch(name: str, url: str, path: str) -> bool:
        if name == 'gone':
            raise NotFoundError(status=404)
        return saves(name, url, path)

    (tmp_path / 'there.png').write_bytes(PNG)
    wanted = [(n, job(tmp_path, n, present=n == 'there')) for n in ('new', 'gone', 'there')]
    told = dict(one for group in batch.keep_each(iter(wanted), fetch, 2) for one in group)

    outcomes = {name: result.outcome for name, result in told.items()}
    assert outcomes == {
        'new': Outcome.SAVED,
        'gone': Outcome.FAILED,
        'there': Outcome.SKIPPED,
    }
    assert isinstance(told['gone'].error, NotFoundError)
    assert Path(told['new'].path).read_bytes() == PNG


def test_a_slow_one_holds_nobody_up(tmp_path: Path) -> None:
    others_are_done = threading.Event()

    def fetch(number: int, url: str, path: str) -> bool:
        return (number or others_are_done.wait(20)) and saves('', url, path)

    done = []
    for group in batch.keep_each(((n, job(tmp_path, str(n))) for n in range(50)), fetch, 2):
        done += [number for number, _ in group]
        if len(done) >= 40:
            others_are_done.set()
    assert sorted(done) == list(range(50))
    assert 0 in done[40:]


def test_no_more_are_pulled_than_can_be_begun_soon(tmp_path: Path) -> None:
    pulled = 0

    def source() -> Iterator[tuple[int, DownloadJob]]:
        nonlocal pulled
        for number in range(1000):
            pulled += 1
            yield number, job(tmp_path, str(number))

    done = 0
    for group in batch.keep_each(source(), lambda n, url, path: saves('', url, path), 4):
        done += len(group)
        assert pulled <= done + 2 * 4
    assert done == 1000


@pytest.mark.parametrize(
    'lying, asked',
    [
        pytest.param('7.png', '7', id='as it is'),
        pytest.param('7.PNG', '7', id='large extension'),
        pytest.param(unicodedata.normalize('NFD', 'é-7.png'), 'é-7', id='accents apart'),
    ],
)
def test_what_lies_in_a_folder_is_found_at_a_glance(tmp_path: Path, lying: str, asked: str) -> None:
    (tmp_path / lying).write_bytes(PNG)
    if not (tmp_path / f'{asked}.png').exists() and lying.lower() != f'{asked}.png':
        asked = Path(lying).stem  # this system takes them for two
    assert presence.Glance().among(str(tmp_path), ['8', asked]) == [asked]
    assert presence.find(tmp_path, asked) == tmp_path / lying


def test_a_glance_at_a_folder_that_is_not_there_finds_nothing(tmp_path: Path) -> None:
    assert presence.Glance().among(str(tmp_path / 'none'), ['7']) == []
