"""The rows of a table: what stands in them, which pictures have one, how much memory they take."""

from __future__ import annotations

import json
import threading
import tracemalloc
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import jobs, pictures, saved
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage, ImagePage
from scripts.civitai_manager_libs.downloads import exporting
from scripts.civitai_manager_libs.downloads.wanted import Wanted
from scripts.civitai_manager_libs.errors import CancelledError, SourceError
from scripts.civitai_manager_libs.store import names, tables
from tests.support.pictures import drawn

UUID = '11111111-2222-4333-8444-{:012d}'
ROWS = 10_000


def url_of(number: int, transform: str = 'width=450') -> str:
    return f'https://image.civitai.com/key/{UUID.format(number)}/{transform}/{number}.jpeg'


def picture(number: int, **more: object) -> GalleryImage:
    told: dict[str, object] = {
        'width': 832,
        'height': 1216,
        'level': 1,
        'username': 'wren',
        'base_model': 'SDXL 1.0',
        'created_at': f'2025-01-{number % 28 + 1:02d}T00:00:00Z',
        'meta': {'prompt': f'(fog:1.2) {number}, <lora:sea:1>', 'steps': 20},
    }
    made = GalleryImage(number, url_of(number))
    return replace(made, **{**told, **more})  # type: ignore[arg-type]


def file_of(
    path: Path, image: GalleryImage, came: str = '', content: bytes = b''
) -> saved.SavedFile:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content or drawn('PNG'))
    return saved.looked_at(path, names.picture_stem(image.url), image.id, came)


def rows_of_folder(db: Database, folder: Path, **wanted: object) -> list[dict[str, object]]:
    asked = Wanted('', **wanted)  # type: ignore[arg-type]
    groups = exporting.of_folder(db, folder, asked, threading.Event(), Counter())
    return [dict(row) for some in groups for row in some]


def listed(db: Database, *images: GalleryImage) -> int:
    number = jobs.make(db, {}, db.path.parent, [{}])
    (lane,) = jobs.lanes(db, number)
    for start in range(0, len(images), 200):
        page = ImagePage(images[start : start + 200])
        jobs.note_page(db, number, lane, page, page.images, '')
    return number


def test_a_row_says_all_that_is_known_of_a_picture(db: Database, tmp_path: Path) -> None:
    file = file_of(tmp_path / 'kept' / '7.png', picture(7), came='ab' * 32)
    row = exporting.row_of(picture(7), file)
    assert list(row) == 'url caption file id width height sha256 username page meta'.split()
    assert row == {
        'url': url_of(7, 'original=true'),
        'caption': 'fog 7',
        'file': str(tmp_path / 'kept' / '7.png'),
        'id': 7,
        'width': 832,
        'height': 1216,
        'sha256': 'ab' * 32,
        'username': 'wren',
        'page': 'https://civitai.com/images/7',
        'meta': row['meta'],
    }
    assert json.loads(str(row['meta'])) == {'prompt': '(fog:1.2) 7, <lora:sea:1>', 'steps': 20}


def test_what_nobody_knows_is_empty() -> None:
    row = exporting.row_of(GalleryImage(7, url_of(7)), None)
    unknown = {name: row[name] for name in 'caption file width height sha256 username meta'.split()}
    assert unknown == {
        'caption': '',
        'file': '',
        'width': 0,
        'height': 0,
        'sha256': '',
        'username': '',
        'meta': '{}',
    }


def test_a_file_tells_how_it_was_made_where_the_site_does_not(db: Database, tmp_path: Path) -> None:
    path = tmp_path / 'kept' / '7.png'
    pictures.note(db, [picture(7, meta={})])
    info = PngImagePlugin.PngInfo()
    info.add_text('parameters', 'a teal harbour\nSteps: 20, Sampler: Euler a, Seed: 5')
    path.parent.mkdir()
    Image.new('RGB', (8, 8)).save(path, pnginfo=info)
    saved.note(db, [saved.looked_at(path, '', 7)])
    (row,) = rows_of_folder(db, path.parent, with_prompt=True)
    assert row['caption'] == 'a teal harbour' and json.loads(str(row['meta']))['seed'] == 5


ELSEWHERE = {
    'a stranger': 'https://example.com/a/original=true/7.jpeg',
    'the machines themselves': 'http://127.0.0.1/latest/7.jpeg',
    'their network': 'http://169.254.169.254/latest/meta-data',
    'plain http': 'http://image.civitai.com/key/a/original=true/7.jpeg',
    'another user': 'https://image.civitai.com@example.com/7.jpeg',
}


@pytest.mark.parametrize('url', ELSEWHERE.values(), ids=ELSEWHERE)
def test_no_machine_is_sent_where_we_would_not_go(url: str, db: Database, tmp_path: Path) -> None:
    own, counts = Database(tmp_path / 'own' / 'archive.sqlite'), Counter[str]()
    job = listed(db, picture(7, url=url), picture(8))
    (rows,) = exporting.of_job(db, job, own, threading.Event(), counts)
    own.close()
    assert [row['url'] for row in rows] == ['', url_of(8, 'original=true')]
    assert counts['refused'] == 1


def test_hosts_that_the_owner_trusts_are_told() -> None:
    setting.extra_hosts = 'example.com'
    row = exporting.row_of(picture(7, url=ELSEWHERE['a stranger']), None)
    assert row['url'] == ELSEWHERE['a stranger']


def test_no_key_gets_into_a_table(db: Database, tmp_path: Path) -> None:
    setting.civitai_api_key = key = 'feedfacefeedface'
    image = picture(
        7, url=f'{url_of(7)}?token={key}', meta={'prompt': f'fog {key}', 'note': f'x{key}'}
    )
    job = listed(db, image)
    own = Database(tmp_path / 'own' / 'archive.sqlite')
    (rows,) = exporting.of_job(db, job, own, threading.Event(), Counter())
    own.close()
    assert key not in json.dumps(rows)


WANTED: dict[str, tuple[dict[str, object], list[int]]] = {
    'all': ({}, [1, 2, 3, 4]),
    'a number': ({'limit': 2}, [1, 2]),
    'pictures': ({'type': 'image'}, [1, 2, 3]),
    'videos': ({'type': 'video'}, [4]),
    'a level': ({'levels': 1}, [1, 3, 4]),
    'a prompt': ({'with_prompt': True}, [1, 2, 4]),
    'a base model': ({'base_models': ('Flux.1 D',)}, [2]),
    'a time': ({'since': '2025-01-04'}, [3, 4]),
}


@pytest.mark.parametrize('wanted, expected', WANTED.values(), ids=WANTED)
def test_of_a_folder_there_is_what_is_wanted(
    wanted: dict[str, object], expected: list[int], db: Database, tmp_path: Path
) -> None:
    images = [
        picture(1),
        picture(2, level=8, base_model='Flux.1 D'),
        picture(3, meta={}),
        picture(4, kind='video'),
    ]
    pictures.note(db, images)
    saved.note(db, [file_of(tmp_path / 'kept' / f'{one.id}.png', one) for one in images])
    rows = rows_of_folder(db, tmp_path / 'kept', **wanted)
    assert [row['id'] for row in rows] == expected


@pytest.mark.parametrize('asked', [('SDXL',), ('SDXL 1.0', 'Ponny')], ids=['one', 'among others'])
def test_a_base_model_that_there_is_not_is_refused(
    asked: tuple[str, ...], db: Database, tmp_path: Path
) -> None:
    pictures.note(db, [picture(1)])
    saved.note(db, [file_of(tmp_path / '1.png', picture(1))])
    with pytest.raises(SourceError, match='nearest names are: .*(SDXL 1.0|Pony)'):
        rows_of_folder(db, tmp_path, base_models=asked)


def test_a_base_model_newer_than_this_program_is_found_by_its_name(
    db: Database, tmp_path: Path
) -> None:
    image = picture(1, base_model='Newest 9')
    pictures.note(db, [image])
    saved.note(db, [file_of(tmp_path / '1.png', image)])
    assert [row['id'] for row in rows_of_folder(db, tmp_path, base_models=('Newest 9',))] == [1]


def test_a_picture_kept_twice_has_one_row(db: Database, tmp_path: Path) -> None:
    folder, image = tmp_path / 'kept', picture(7)
    pictures.note(db, [image])
    paths = [tmp_path / 'a' / '7.png', folder / 'b' / '7.png', folder / 'c.png']
    saved.note(db, [file_of(path, image) for path in paths])
    rows = rows_of_folder(db, folder)
    assert [row['file'] for row in rows] == [str(folder / 'b' / '7.png')]


def test_files_that_are_not_as_they_were_have_no_row(db: Database, tmp_path: Path) -> None:
    images, folder = [picture(n) for n in (1, 2, 3)], tmp_path / 'kept'
    pictures.note(db, images)
    saved.note(db, [file_of(folder / f'{one.id}.png', one) for one in images])
    (folder / '1.png').unlink()
    (folder / '2.png').write_bytes(b'other')
    counts: Counter[str] = Counter()
    found = exporting.of_folder(db, folder, Wanted(''), threading.Event(), counts)
    assert [row['id'] for some in found for row in some] == [3] and counts['missing'] == 2


def test_a_picture_that_was_never_listed_has_a_row_without_address(
    db: Database, tmp_path: Path
) -> None:
    saved.note(db, [file_of(tmp_path / 'kept' / '7.png', picture(7))])
    counts: Counter[str] = Counter()
    asked = Wanted('', type='image')
    groups = exporting.of_folder(db, tmp_path / 'kept', asked, threading.Event(), counts)
    ((row,),) = groups
    assert (row['url'], row['id'], counts['unlisted']) == ('', 7, 1)


def test_a_listing_is_told_with_the_files_that_are_there(db: Database, tmp_path: Path) -> None:
    images = [replace(picture(n), item={'id': n, 'hash': 'x'}) for n in (3, 1, 2)]
    job = listed(db, *images)
    own = Database(tmp_path / 'own' / 'archive.sqlite')
    saved.note(own, [file_of(tmp_path / 'kept' / '1.png', images[1])])
    (rows,) = exporting.of_job(db, job, own, threading.Event(), Counter())
    assert [row['id'] for row in rows] == [3, 1, 2]
    assert [bool(row['file']) for row in rows] == [False, True, False]
    assert set(pictures.find(own, [1, 2, 3])) == {1, 2, 3}, 'the table can come back'
    assert pictures.items(own, [3])[3]['hash'] == 'x'
    own.close()


def test_what_is_stopped_gives_no_more_rows(db: Database, tmp_path: Path) -> None:
    job, stop = listed(db, *map(picture, range(1, 500))), threading.Event()
    own = Database(tmp_path / 'own' / 'archive.sqlite')
    groups = exporting.of_job(db, job, own, stop, Counter())
    next(groups)
    stop.set()
    with pytest.raises(CancelledError):
        next(groups)
    own.close()


def test_ten_thousand_rows_take_the_memory_of_a_thousand(db: Database, tmp_path: Path) -> None:
    job = listed(db, *(picture(n, meta={'prompt': f'{n:06d} ' * 20}) for n in range(1, ROWS + 1)))
    own = Database(tmp_path / 'own' / 'archive.sqlite')

    def peak_of(rows: int) -> int:
        """The most memory, in bytes, that Python had while so many went into all kinds of table."""
        names.picture_stems.cache_clear()  # which is bounded, and full after 1,000
        count = 0
        tracemalloc.start()
        with ExitStack() as stack:
            writers = []
            for form in tables.FORMATS:
                file = stack.enter_context(tables.file_for(tmp_path / f'table.{form}'))
                writers.append(stack.enter_context(tables.writer(form, file, exporting.COLUMNS)))
            for some in exporting.of_job(db, job, own, threading.Event(), Counter()):
                for write in writers:
                    write(some)
                count += len(some)
                if count >= rows:
                    break
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == rows
        return peak

    peak_of(200)  # what is loaded once
    few, many = peak_of(1000), peak_of(ROWS)
    own.close()
    # threads that tests before left at work count too
    assert many < few * 1.5, f'{few} bytes for 1,000 rows, {many} for {ROWS}'
