"""What a job kept is given page by page, and only files that are where the job put them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest

from scripts.civitai_manager_libs.archive import jobs, kept, places, saved
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage, ImagePage
from tests.support.pictures import drawn

PG, EVERYTHING = 1, 31
LEVELS = (1, 1, 16, 1, 0, 1, 1)  # of the pictures 1 to 7


@pytest.fixture
def job(db: Database, tmp_path: Path) -> jobs.Job:
    """A job that kept seven pictures, the fourth of which lay there already."""
    folder = tmp_path / 'kept'
    folder.mkdir()
    number = jobs.make(db, {'source': '1'}, folder, [{}])
    images = [
        GalleryImage(n, f'https://image.civitai.com/k/{n}/x.jpeg', level=level, meta={'seed': n})
        for n, level in enumerate(LEVELS, start=1)
    ]
    (lane,) = jobs.lanes(db, number)
    jobs.note_page(db, number, lane, ImagePage(tuple(images)), images, '')
    for one in jobs.listed(db, number, jobs.TO_DO, 0, 100):
        path = folder / f'{one.image.id}.png'
        path.write_bytes(drawn('PNG'))
        saved.note(db, [saved.looked_at(path, '', one.image.id)])
        state = jobs.ALREADY if one.image.id == 4 else jobs.SAVED
        places.note_outcomes(db, number, [replace(one, state=state, path=str(path))])
    found = jobs.find(db, number)
    assert found is not None
    return found


def ids(page: kept.KeptPage) -> list[int]:
    return [one.image.id for one in page.pictures]


@pytest.mark.parametrize(
    ('levels', 'limit', 'expected'),
    [
        (PG, 2, [([1, 2], 1), ([4, 6], 1), ([7], 0)]),
        (PG, 5, [([1, 2, 4, 6, 7], 2)]),
        (PG, 100, [([1, 2, 4, 6, 7], 2)]),
        (EVERYTHING, 4, [([1, 2, 3, 4], 0), ([5, 6, 7], 0)]),
        (2, 4, [([], 7)]),
    ],
    ids=['pages', 'just one', 'more than there is', 'all levels', 'all above the ceiling'],
)
def test_pages_follow_each_other_without_what_is_above_the_ceiling(
    db: Database, job: jobs.Job, levels: int, limit: int, expected: list[tuple[list[int], int]]
) -> None:
    found, after = [], 0
    while True:
        page = kept.page(db, job, after, limit, levels)
        found.append((ids(page), page.hidden))
        after = page.following
        if not after:
            break
    assert found == expected and kept.count(db, job.id) == 7


def test_how_a_picture_was_made_comes_with_it(db: Database, job: jobs.Job) -> None:
    one = kept.page(db, job, 0, 1, PG).pictures[0]
    assert one.image.meta == {'seed': 1} and one.file.path == job.folder / '1.png'


def _elsewhere(path: Path) -> Path:
    """A picture outside of the folder, with the bytes and the time of the one at `path`."""
    secret = path.parent.parent / 'secret.png'
    secret.write_bytes(path.read_bytes())
    seen = path.stat()
    os.utime(secret, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    return secret


def deleted(path: Path) -> None:
    path.unlink()


def changed(path: Path) -> None:
    path.write_bytes(drawn('PNG') + b'more')


def a_link_to_elsewhere(path: Path) -> None:
    secret = _elsewhere(path)
    path.unlink()
    path.symlink_to(secret)


def a_link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / 'nothing')


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    'spoil',
    [deleted, changed, a_link_to_elsewhere, a_link_to_nothing, a_folder, a_pipe],
    ids=lambda spoil: spoil.__name__,
)
def test_a_file_that_is_not_the_one_that_was_kept_is_left_out_and_counted(
    db: Database, job: jobs.Job, spoil: Callable[[Path], None]
) -> None:
    spoil(job.folder / '2.png')
    page = kept.page(db, job, 0, 3, PG)
    assert (ids(page), page.missing) == ([1, 4, 6], 1)
    assert kept.find(db, job, 2) is None and kept.find(db, job, 1) is not None


def noted_elsewhere(db: Database, job: jobs.Job, path: Path, place: int = 2) -> None:
    """Have the archive say that a picture of the job lies at `path`."""
    saved.note(db, [saved.looked_at(path, '', place)])
    with db.writing() as connection:
        connection.execute('UPDATE listed SET path = ? WHERE place = ?', (os.fsencode(path), place))


@pytest.mark.parametrize('way', ['{folder}/../secret.png', '{elsewhere}/secret.png'])
def test_a_path_that_leads_out_of_the_folder_is_not_followed(
    db: Database, job: jobs.Job, tmp_path: Path, way: str
) -> None:
    (tmp_path / 'secret.png').write_bytes(drawn('PNG'))
    path = Path(way.format(folder=job.folder, elsewhere=tmp_path))
    noted_elsewhere(db, job, path)
    assert kept.find(db, job, 2) is None


def test_what_is_no_picture_is_not_shown(db: Database, job: jobs.Job) -> None:
    text = job.folder / '2.txt'
    text.write_text('words')
    noted_elsewhere(db, job, text)
    assert kept.find(db, job, 2) is None


def test_a_file_that_the_archive_does_not_know_is_not_shown(db: Database, job: jobs.Job) -> None:
    saved.forget(db, [job.folder / '2.png'])
    assert kept.find(db, job, 2) is None


def test_a_folder_behind_a_link_is_the_folder(db: Database, job: jobs.Job, tmp_path: Path) -> None:
    job.folder.rename(tmp_path / 'large disk')
    job.folder.symlink_to(tmp_path / 'large disk')
    found = kept.find(db, job, 2)
    assert found is not None and found.path == tmp_path / 'large disk' / '2.png'


@pytest.mark.parametrize('number', [8, 0, -1])
def test_a_picture_of_another_job_is_none_of_this_one(
    db: Database, job: jobs.Job, number: int
) -> None:
    assert kept.find(db, job, number) is None
