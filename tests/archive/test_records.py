"""What the archive tells of pictures, of files and of folders is what was so."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import beside, folders, jobs, pictures, places, saved
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.archive.rebuild import rebuild
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage, ImagePage, parse_image
from tests.support.pictures import drawn

UUID = '0b7c1d2e-1111-4222-8333-0123456789ab'
URL = f'https://image.civitai.com/key/{UUID}/original=true/{UUID}.jpeg'


def picture(number: int, **more: object) -> GalleryImage:
    values: dict[str, object] = {'url': URL, 'username': 'wren', 'post_id': 5, **more}
    return GalleryImage(number, **values)  # type: ignore[arg-type]


def kept(folder: Path, name: str, content: bytes = b'') -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content or drawn('png'))
    return path


# -- pictures -------------------------------------------------------------------------------------


def test_a_picture_is_found_as_it_was_listed(db: Database) -> None:
    seen = [picture(n, meta={'seed': n, 'extra': {'a': [1]}}, level=4) for n in range(1, 1201)]
    pictures.note(db, seen)

    assert {one.id: one for one in seen} == pictures.find(db, list(range(0, 1300)))


def test_generation_data_that_is_hidden_later_stays(db: Database) -> None:
    pictures.note(db, [picture(1, meta={'seed': 3}, reactions=1)])
    pictures.note(db, [picture(1, meta={}, reactions=9)])

    assert picture(1, meta={'seed': 3}, reactions=9) == pictures.find(db, [1])[1]


def test_all_that_was_said_of_a_picture_is_kept(db: Database) -> None:
    said = {'id': 7, 'url': URL, 'hash': 'UKO2', 'stats': {'likeCount': 2}, 'meta': {'seed': 3}}
    image = parse_image(said)
    assert image is not None

    pictures.note(db, [image])

    assert {7: said} == pictures.items(db, [7, 8])


def test_no_secret_in_what_was_said_is_kept(db: Database) -> None:
    setting.civitai_api_key = 'geheim-0123456789'
    more = [{'next': 'https://civitai.com/x?token=geheim&page=2'}, 'geheim-0123456789']
    said = {'id': 7, 'url': URL, 'more': more, 'meta': {'prompt': 'geheim-0123456789'}}
    image = parse_image(said)
    assert image is not None

    pictures.note(db, [image])

    assert 'geheim' not in str(pictures.items(db, [7]))
    assert 'page=2' in str(pictures.items(db, [7]))


@pytest.mark.parametrize(
    'name', ['Authorization', 'token', 'apiKey', 'api_key', 'access-token', 'Set-Cookie']
)
def test_what_is_called_a_secret_is_not_kept(name: str, db: Database) -> None:
    image = parse_image({'id': 7, 'url': URL, 'extra': [{name: 'geheim', 'keys': 'music'}]})
    assert image is not None

    pictures.note(db, [image])

    assert [{'keys': 'music'}] == pictures.items(db, [7])[7]['extra']


STRANGE = {
    'half a character': picture(1, username='a\ud800b'),
    'a number beyond all': picture(1, reactions=10**30, width=10**19),
    'half a character in its data': picture(1, meta={'prompt': '\udfff'}),
}


@pytest.mark.parametrize('image', STRANGE.values(), ids=STRANGE)
def test_a_strange_picture_is_noted_all_the_same(image: GalleryImage, db: Database) -> None:
    pictures.note(db, [image])

    assert [1] == list(pictures.find(db, [1]))


@pytest.mark.parametrize(
    'query', ['token=geheim', 'sig=geheim', 'Signature=geheim', 'X-Amz-Signature=geheim&a=b']
)
def test_no_secret_of_an_address_is_in_the_file(
    query: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting, 'civitai_api_key', 'my-own-key')
    storage = f'https://b2.civitai.com/file/1.jpeg?to=my-own-key&{query}'
    pictures.note(db, [picture(1, url=f'{URL}?{query}'), picture(2, url=storage)])
    found = pictures.find(db, [1, 2])
    db.close()

    assert URL == found[1].url.removesuffix('?a=b')
    assert f'https://b2.civitai.com/file/1.jpeg?{query}' == found[2].url
    assert b'my-own-key' not in db.path.read_bytes()
    assert 1 == db.path.read_bytes().count(b'geheim')  # without that the storage gives nothing


def test_a_picture_is_gone_until_it_is_not(db: Database) -> None:
    pictures.note(db, [picture(1), picture(2)])
    pictures.note_gone(db, [1])
    pictures.note(db, [picture(1)])  # it is still listed
    assert {1} == pictures.gone(db, [1, 2, 3])

    pictures.note_gone(db, [1], is_gone=False)
    assert set() == pictures.gone(db, [1, 2, 3])


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'number, stem', [(7, UUID), (7, 'other'), (0, UUID)], ids=['both', 'by id', 'by address']
)
def test_a_file_is_found_by_what_is_known_of_it(
    number: int, stem: str, db: Database, tmp_path: Path
) -> None:
    file = saved.looked_at(kept(tmp_path, '7.png'), UUID, 7)
    saved.note(db, [file])

    assert [file] == saved.of_picture(db, number, stem)


def test_files_of_unknown_pictures_are_not_one_picture(db: Database, tmp_path: Path) -> None:
    saved.note(db, [saved.looked_at(kept(tmp_path, 'x.png'), '', 0)])

    assert [] == saved.of_picture(db, 0, '')


def test_files_of_many_pictures_are_found_at_once(db: Database, tmp_path: Path) -> None:
    count = 1200  # more than SQLite takes in one question
    by_id = saved.looked_at(kept(tmp_path, 'a.png'), '', 700)
    by_address = saved.looked_at(kept(tmp_path, 'b.png'), 's1200', 0)
    of_both = saved.looked_at(kept(tmp_path, 'c.png'), 's3', 2)
    lost = saved.looked_at(kept(tmp_path, 'd.png'), 's4', 4)
    saved.note(db, [by_id, by_address, of_both, lost])
    lost.path.unlink()

    stems = {number: f's{number}' for number in range(1, count + 1)} | {5: '', 6: ''}
    found = saved.of_pictures(db, stems)

    assert found == {2: [of_both], 3: [of_both], 700: [by_id], 1200: [by_address]}


def replaced(path: Path) -> None:
    path.write_bytes(drawn('png') + b'more')


def moved(path: Path) -> None:
    path.rename(path.with_name('elsewhere.png'))


@pytest.mark.parametrize('by_hand', [Path.unlink, moved, replaced])
def test_a_file_that_was_changed_by_hand_is_noticed(
    by_hand: object, db: Database, tmp_path: Path
) -> None:
    path = kept(tmp_path, '7.png')
    saved.note(db, [saved.looked_at(path, UUID, 7)])
    by_hand(path)  # type: ignore[operator]

    assert [] == saved.of_picture(db, 7, UUID)
    assert [] == list(saved.in_folder(db, tmp_path))


def test_bytes_that_came_twice_are_the_same_whatever_was_put_into_them(
    db: Database, tmp_path: Path
) -> None:
    came = saved.looked_at(kept(tmp_path, 'came.png'), '').sha256
    for number, prompt in ((1, b'one'), (2, b'two')):
        path = kept(tmp_path, f'{number}.png', prompt)
        saved.note(db, [saved.looked_at(path, f's{number}', number, came)])
    job, images = jobs.make(db, {}, tmp_path, [{}]), [picture(1), picture(2)]
    jobs.note_page(db, job, jobs.lanes(db, job)[0], ImagePage(tuple(images)), images, '')
    listed = jobs.listed(db, job, jobs.TO_DO, 0, 9)
    where = [replace(one, path=str(tmp_path / f'{one.place}.png')) for one in listed]
    places.note_outcomes(db, job, [replace(one, state=jobs.SAVED) for one in where])

    assert (2, [1, 2]) == saved.same_bytes(db, job, 9)


def test_a_file_beside_a_picture_is_known_by_its_last_content(db: Database, tmp_path: Path) -> None:
    beside.note(db, {tmp_path / '1.txt': 'aa', tmp_path / '1.json': 'bb'})
    beside.note(db, {tmp_path / '1.txt': 'cc'})

    assert {'cc'} == beside.known(db, [tmp_path / '1.txt', tmp_path / '2.txt'])


def test_other_pictures_of_the_same_bytes_are_told(db: Database, tmp_path: Path) -> None:
    files = {n: kept(tmp_path, f'{n}.png') for n in (1, 2, 5)}
    files[3] = kept(tmp_path, '3.jpeg', drawn('jpeg'))
    copy = kept(tmp_path / 'copy', '3.jpeg', drawn('jpeg'))  # of the same picture
    saved.note(db, [saved.looked_at(path, f's{n}', n) for n, path in files.items()])
    saved.note(db, [saved.looked_at(copy, 's3', 3)])
    first, second = (jobs.make(db, {}, tmp_path, [{}]) for _ in range(2))
    for job, ids in ((first, (1, 3)), (second, (1, 2, 5, 3))):
        images = [picture(n) for n in ids]
        page = ImagePage(tuple(images))
        jobs.note_page(db, job, jobs.lanes(db, job)[0], page, images, '')
        for one in jobs.listed(db, job, jobs.TO_DO, 0, 9):
            done = replace(one, state=jobs.SAVED, path=str(files[one.image.id]))
            places.note_outcomes(db, job, [done])

    assert (1, [1]) == saved.same_bytes(db, first, 2)
    assert (3, [1, 2]) == saved.same_bytes(db, second, 2)


def test_the_files_of_a_folder_are_those_below_it(db: Database, tmp_path: Path) -> None:
    inside = [kept(tmp_path / 'a' / sub, '1.png') for sub in ('', 'b', 'b/c')]
    outside = [kept(tmp_path / name, '1.png') for name in ('ab', 'a.b', 'a-', 'b')]
    saved.note(db, [saved.looked_at(path, 's', 1) for path in [*outside, *inside]])

    assert inside == [one.path for one in saved.in_folder(db, tmp_path / 'a')]


OTHER_NAMES = ['a', 'a/.', 'b/../a', 'link', 'above/a', 'link/../a']


@pytest.mark.parametrize('asked_as', OTHER_NAMES)
@pytest.mark.parametrize('noted_as', OTHER_NAMES)
def test_files_are_found_by_whatever_name_their_folder_has(
    db: Database, tmp_path: Path, noted_as: str, asked_as: str
) -> None:
    inside = [kept(tmp_path / 'a' / sub, '1.png') for sub in ('', 'below')]
    kept(tmp_path / 'ab', '1.png')
    (tmp_path / 'b').mkdir()
    (tmp_path / 'link').symlink_to(tmp_path / 'a')
    (tmp_path / 'above').symlink_to(tmp_path)
    called = [tmp_path / noted_as / sub / '1.png' for sub in ('', 'below', '../ab')]
    saved.note(db, [saved.looked_at(path, 's', 1) for path in called])

    found = [one.path.resolve() for one in saved.in_folder(db, tmp_path / asked_as)]
    assert sorted(inside) == sorted(found)


@pytest.mark.skipif(os.name == 'nt', reason='names are text on Windows')
def test_a_name_that_is_no_text_is_kept_as_it_is(db: Database, tmp_path: Path) -> None:
    path = kept(Path(os.fsdecode(os.fsencode(tmp_path) + b'/\xff\xfe')), '1.png')
    saved.note(db, [saved.looked_at(path, UUID, 1)])

    assert [path] == [one.path for one in saved.of_picture(db, 1, UUID)]


# -- folders, and what can be known again ---------------------------------------------------------


def test_a_folder_is_listed_once(db: Database, tmp_path: Path) -> None:
    odd = tmp_path / 'a\nb \udcff'
    for folder in (tmp_path, odd, tmp_path):
        folders.note(db.path, folder)

    assert [tmp_path, odd] == folders.read(db.path)


def test_broken_lines_of_the_list_cost_only_themselves(db: Database, tmp_path: Path) -> None:
    folders.note(db.path, tmp_path)
    with db.path.with_name(folders.NAME).open('a') as file:
        file.write('"half a li\n[]\n7\n\n')

    assert [tmp_path] == folders.read(db.path)


def test_what_lies_in_the_folders_is_known_again(db: Database, tmp_path: Path) -> None:
    folder = tmp_path / 'kept'
    by_id, by_uuid = kept(folder, '7.png'), kept(folder / 'sub', f'{UUID}.png')
    kept(folder, '8.png', drawn('png')[:-20])
    kept(folder, 'notes.txt', b'not a picture')
    folders.note(db.path, folder)
    folders.note(db.path, tmp_path / 'was deleted')
    db.path.parent.mkdir(parents=True, exist_ok=True)
    db.path.write_bytes(b'no database ' * 1000)
    assert db.was_lost

    assert 2 == rebuild(db)
    assert not db.was_lost
    assert [by_id] == [one.path for one in saved.of_picture(db, 7, 'unknown')]
    assert [by_uuid] == [one.path for one in saved.of_picture(db, 0, UUID)]
    assert [] == saved.of_picture(db, 8, 'unknown')


def test_numbers_that_are_no_ids_are_not_taken_for_them(db: Database, tmp_path: Path) -> None:
    by_index, by_id = kept(tmp_path / 'one' / 'sub', '7.png'), kept(tmp_path / 'other', '8.png')
    folders.note(db.path, by_index.parent.parent, numbers_are_ids=False)
    folders.note(db.path, by_id.parent)
    assert [by_index.parent.parent, by_id.parent] == folders.read(db.path)

    assert 2 == rebuild(db)
    assert [] == saved.of_picture(db, 7, 'unknown')
    assert [by_id] == [one.path for one in saved.of_picture(db, 8, 'unknown')]
