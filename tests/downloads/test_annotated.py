"""A picture that is kept shows how it was made, in itself and beside, and stays that picture."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest
from PIL import Image

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import places, saved
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.downloads import beginning, checking, version_names, whole
from scripts.civitai_manager_libs.downloads.standing import JobReport
from scripts.civitai_manager_libs.downloads.wanted import Wanted
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.annotated_site import BYTES, META, ONSITE, UNKNOWN, USED, AnnotatedSite, item
from tests.support.network import files_in
from tests.support.pictures import drawn
from tests.support.scripted_server import STALL
from tests.support.webui_reading import infotext_in, webui_reads

LONG = {**META, 'prompt': 'fog, ' * 20_000}


class Keeper:
    """Keeps the post of a site, as a person would who looks at the folder afterwards."""

    def __init__(self, db: Database, client: CivitaiHttpClient, folder: Path) -> None:
        self.db, self.client, self.folder = db, client, folder

    def keep(
        self, site: AnnotatedSite, folder: Path | None = None, refreshes: bool = False, **how: Any
    ) -> JobReport:
        setting.civitai_base_url = site.server.url
        wanted = Wanted(site.post, levels=1, **{'embeds': True, 'sidecars': None, **how})
        job = beginning.begin(self.db, self.client, wanted, folder or self.folder)
        report = whole.run(self.db, self.client, job, threading.Event(), refreshes=refreshes)
        assert report is not None and report.is_complete
        return report

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


@pytest.fixture
def keeper(db: Database, client: CivitaiHttpClient, tmp_path: Path) -> Iterator[Keeper]:
    yield Keeper(db, client, tmp_path / 'kept')


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.convert('RGBA').tobytes()


# -- in the file ----------------------------------------------------------------------------------


@pytest.mark.parametrize('ending', ['png', 'jpeg', 'webp'])
def test_a_webui_reads_how_a_kept_picture_was_made(ending: str, keeper: Keeper) -> None:
    with (site := AnnotatedSite(item(1, ending))).server:
        keeper.keep(site)

    [name] = files_in(keeper.folder)
    found = webui_reads(infotext_in(keeper.read(name)))
    assert (META['prompt'], 'blur') == (found['Prompt'], found['Negative prompt'])
    assert ('28', 'Euler a', '6.5') == (found['Steps'], found['Sampler'], found['CFG scale'])
    assert ('4021337700', '640x960') == (found['Seed'], found['Size'])
    assert pixels(BYTES[ending]) == pixels(keeper.read(name))


@pytest.mark.parametrize('meta', [None, {}], ids=['hidden', 'empty'])
def test_a_picture_of_which_nothing_is_told_stays_to_the_byte(meta: object, keeper: Keeper) -> None:
    with (site := AnnotatedSite(item(1, meta=meta))).server:
        keeper.keep(site)

    assert BYTES['png'] == keeper.read('1.png')
    assert ['1.png'] == files_in(keeper.folder)


def test_a_picture_that_tells_already_stays_to_the_byte(keeper: Keeper) -> None:
    own = io.BytesIO()
    with Image.open(io.BytesIO(drawn('JPEG'))) as picture:
        exif = picture.getexif()
        exif.get_ifd(0x8769)[0x9286] = b'UNICODE\0' + 'mine\nSteps: 3'.encode('utf-16-be')
        picture.save(own, 'JPEG', exif=exif)
    with (site := AnnotatedSite(item(1, 'jpeg'), files={1: own.getvalue()})).server:
        keeper.keep(site)

    assert own.getvalue() == keeper.read('1.jpg')


def test_nothing_is_written_where_nothing_is_asked_for(keeper: Keeper) -> None:
    with (site := AnnotatedSite(item(1), item(2, 'mp4'))).server:
        keeper.keep(site, embeds=False, sidecars=())

    assert ['1.png', '2.mp4'] == files_in(keeper.folder)
    assert BYTES['png'] == keeper.read('1.png')


# -- what is noted --------------------------------------------------------------------------------


def test_verify_finds_a_picture_as_it_is_and_the_archive_knows_what_came(keeper: Keeper) -> None:
    with (site := AnnotatedSite(item(1), item(2, 'mp4'))).server:
        keeper.keep(site, sidecars=('json', 'txt', 'caption'))

    found = {one.path.name: one.state for one in checking.check(keeper.db, keeper.folder)}
    assert {'1.png': checking.State.GOOD, '2.mp4': checking.State.GOOD} == found
    noted = saved.at(keeper.db, keeper.folder / '1.png')
    assert noted is not None
    assert hashlib.sha256(BYTES['png']).hexdigest() == noted.came
    assert hashlib.sha256(keeper.read('1.png')).hexdigest() == noted.sha256 != noted.came


def test_the_same_bytes_under_two_ids_are_told_though_their_prompts_differ(keeper: Keeper) -> None:
    other = {**META, 'prompt': 'another'}
    with (site := AnnotatedSite(item(1), item(2, meta=other))).server:
        report = keeper.keep(site)

    assert keeper.read('1.png') != keeper.read('2.png')
    assert (2, [1, 2]) == saved.same_bytes(keeper.db, report.job.id, 9)


def test_what_was_kept_is_used_again_with_what_came(keeper: Keeper, tmp_path: Path) -> None:
    with (site := AnnotatedSite(item(1))).server:
        keeper.keep(site)
        keeper.keep(site, tmp_path / 'other')
        assert 1 == site.asked('original=true')

    noted = saved.at(keeper.db, tmp_path / 'other' / '1.png')
    assert noted is not None and hashlib.sha256(BYTES['png']).hexdigest() == noted.came
    assert keeper.read('1.png') == (tmp_path / 'other' / '1.png').read_bytes()


def test_where_nothing_is_to_be_written_into_pictures_they_are_as_they_came(
    keeper: Keeper, tmp_path: Path
) -> None:
    with (site := AnnotatedSite(item(1), item(2, meta={}))).server:
        keeper.keep(site)
        keeper.keep(site, tmp_path / 'plain', embeds=False)
        fetched = site.asked('original=true')
        keeper.keep(site, tmp_path / 'again', embeds=False)

    for number in (1, 2):
        assert BYTES['png'] == (tmp_path / 'plain' / f'{number}.png').read_bytes()
    assert (3, 3) == (fetched, site.asked('original=true'))


def test_a_picture_that_is_repaired_shows_how_it_was_made(keeper: Keeper) -> None:
    with (site := AnnotatedSite(item(1))).server:
        keeper.keep(site)
        before = keeper.read('1.png')
        (keeper.folder / '1.png').write_bytes(b'spoiled')
        [finding] = checking.check(keeper.db, keeper.folder)
        checking.repair(keeper.db, keeper.client, finding)

    assert before == keeper.read('1.png')
    found = [one.state for one in checking.check(keeper.db, keeper.folder)]
    assert [checking.State.GOOD] == found


# -- beside the file ------------------------------------------------------------------------------


FORMS = {
    'none': ((), ['1.png', '2.mp4']),
    'json': (('json',), ['1.json', '1.png', '2.json', '2.mp4']),
    'txt and caption': (
        ('txt', 'caption'),
        ['1.caption', '1.png', '1.txt', '2.caption', '2.mp4', '2.txt'],
    ),
    'nobody chose': (None, ['1.png', '2.json', '2.mp4']),
}


@pytest.mark.parametrize('forms, expected', FORMS.values(), ids=FORMS)
def test_beside_a_picture_stands_what_was_asked_for(
    forms: tuple[str, ...] | None, expected: list[str], keeper: Keeper
) -> None:
    with (site := AnnotatedSite(item(1), item(2, 'mp4'))).server:
        keeper.keep(site, sidecars=forms)

    assert expected == files_in(keeper.folder)


def test_a_file_beside_has_all_that_civitai_said_and_where(keeper: Keeper) -> None:
    with (site := AnnotatedSite(item(1, stats={'likeCount': 3}))).server:
        keeper.keep(site, sidecars=('json', 'txt', 'caption'))

    told = json.loads(keeper.read('1.json'))
    assert (f'{site.server.url}/images/1', META) == (told['page'], told['meta'])
    assert ({'likeCount': 3}, 'UKO2?VM{') == (told['stats'], told['hash'])
    assert infotext_in(keeper.read('1.png')) == keeper.read('1.txt').decode().strip()
    assert 'a teal harbour, 海\n' == keeper.read('1.caption').decode()


def test_the_key_is_in_no_file_whatever_a_server_says(keeper: Keeper) -> None:
    setting.civitai_api_key = 'geheim-0123456789'
    said = {'echo': 'geheim-0123456789', 'link': 'https://example.org/?token=abcdef123'}
    with (site := AnnotatedSite(item(1, **said))).server:
        keeper.keep(site, sidecars=('json',))

    assert b'geheim' not in keeper.read('1.json')
    assert b'abcdef123' not in keeper.read('1.json')


def test_what_does_not_fit_goes_beside_and_is_told_once_and_fails_nothing(keeper: Keeper) -> None:
    with (site := AnnotatedSite(item(1, 'jpeg', LONG), item(2, 'jpeg', LONG))).server:
        report = keeper.keep(site)

    assert {'embed_no_room': 2, 'annotation_beside': 2} == report.unwritten
    assert BYTES['jpeg'] == keeper.read('1.jpg')
    assert keeper.read('1.txt').startswith(b'fog, fog')


@pytest.mark.parametrize(
    'forms, key', [((), 'annotation_nowhere'), (('json', 'txt'), 'annotation_beside')]
)
def test_it_is_told_where_a_prompt_is_that_does_not_fit(
    forms: tuple[str, ...], key: str, keeper: Keeper
) -> None:
    with (site := AnnotatedSite(item(1, 'jpeg', LONG))).server:
        report = keeper.keep(site, sidecars=forms)

    assert {'embed_no_room': 1, key: 1} == report.unwritten


def test_a_film_has_its_prompt_beside_it_where_nothing_goes_into_files(keeper: Keeper) -> None:
    with (site := AnnotatedSite(item(1, 'mp4'), item(2))).server:
        keeper.keep(site, embeds=False)
        first = files_in(keeper.folder)
        (keeper.folder / '1.json').unlink()
        keeper.keep(site, embeds=False)

    assert ['1.json', '1.mp4', '2.png'] == first == files_in(keeper.folder)


def test_what_is_missing_beside_comes_the_next_time(keeper: Keeper) -> None:
    with (site := AnnotatedSite(item(1), item(2))).server:
        keeper.keep(site, sidecars=())
        keeper.keep(site, sidecars=('txt',))
        (keeper.folder / '2.txt').unlink()
        keeper.keep(site, sidecars=('txt',))
        assert 2 == site.asked('original=true')

    assert ['1.png', '1.txt', '2.png', '2.txt'] == files_in(keeper.folder)


def test_a_job_that_goes_on_finishes_what_is_missing_beside(keeper: Keeper) -> None:
    with (site := AnnotatedSite(item(1))).server:
        job = keeper.keep(site, sidecars=('json',)).job
        (keeper.folder / '1.json').unlink()
        report = whole.run(keeper.db, keeper.client, job.id, threading.Event())

    assert report is not None and report.is_complete and 1 == report.progress.found
    assert ['1.json', '1.png'] == files_in(keeper.folder)


def test_files_beside_are_written_anew_on_request_but_not_what_a_person_changed(
    keeper: Keeper,
) -> None:
    forms = ('json', 'caption')
    with (site := AnnotatedSite(item(1, stats={'likeCount': 3}))).server:
        keeper.keep(site, sidecars=forms)
        (keeper.folder / '1.caption').write_text('my own words')
        site.items[0]['stats'] = {'likeCount': 9}
        keeper.keep(site, sidecars=forms)
        assert 3 == json.loads(keeper.read('1.json'))['stats']['likeCount']
        report = keeper.keep(site, sidecars=forms, refreshes=True)

    assert 9 == json.loads(keeper.read('1.json'))['stats']['likeCount']
    assert b'my own words' == keeper.read('1.caption')
    assert {'annotation_foreign': 1} == report.unwritten


@pytest.mark.parametrize('forms', [None, (), ('json',)], ids=['nobody chose', 'none', 'another'])
def test_all_that_is_ours_is_written_anew_whatever_forms_are_asked(
    forms: tuple[str, ...] | None, keeper: Keeper
) -> None:
    with (site := AnnotatedSite(item(1), item(2))).server:
        keeper.keep(site, embeds=False, sidecars=('txt', 'caption'))
        (keeper.folder / '2.caption').write_text('my own words')
        for one in site.items:
            one['meta'] = {**META, 'prompt': 'a red harbour'}
        report = keeper.keep(site, embeds=False, sidecars=forms, refreshes=True)

    assert b'a red harbour\n' == keeper.read('1.caption')
    assert keeper.read('1.txt').startswith(b'a red harbour') and keeper.read('1.txt') == (
        keeper.read('2.txt')
    )
    assert b'my own words' == keeper.read('2.caption')
    assert {'annotation_foreign': 1} == report.unwritten
    assert ('json' in (forms or ())) == (keeper.folder / '1.json').is_file()


def test_what_a_killed_run_wrote_is_known_as_ours(keeper: Keeper) -> None:
    """It is killed before it notes anything of a picture that is there."""
    with (site := AnnotatedSite(item(1))).server:
        keeper.keep(site, sidecars=('json', 'txt'))
        with keeper.db.writing() as connection:
            connection.execute('DELETE FROM saved')
            connection.execute('DELETE FROM beside')
        keeper.keep(site, sidecars=('json', 'txt'))
        noted = saved.at(keeper.db, keeper.folder / '1.png')
        site.items[0]['meta'] = {**META, 'seed': 7}
        report = keeper.keep(site, sidecars=('json', 'txt'), refreshes=True)

    assert noted is not None and '' == noted.came
    assert b'Seed: 7' in keeper.read('1.txt') and {} == report.unwritten


def test_a_picture_that_an_older_archive_knows_gets_all_that_is_known_beside(
    keeper: Keeper,
) -> None:
    with (site := AnnotatedSite(item(1))).server:
        job = keeper.keep(site, sidecars=()).job
        with keeper.db.writing() as connection:
            connection.execute("UPDATE pictures SET item = '{}'")
        places.ask_otherwise(keeper.db, job.id, {**job.asked, 'sidecars': ['json']})
        whole.run(keeper.db, keeper.client, job.id, threading.Event())

    told = json.loads(keeper.read('1.json'))
    assert (1, 'wren', 28) == (told['id'], told['username'], told['meta']['steps'])


def test_a_folder_in_the_way_beside_a_picture_costs_no_picture(keeper: Keeper) -> None:
    (keeper.folder / '1.json').mkdir(parents=True)
    with (site := AnnotatedSite(item(1))).server:
        report = keeper.keep(site, sidecars=('json',))

    assert 1 == sum(report.unwritten.values())
    assert (keeper.folder / '1.png').is_file() and (keeper.folder / '1.json').is_dir()


# -- the models it was made with ------------------------------------------------------------------


def test_models_that_are_named_by_number_get_their_names_and_hashes(keeper: Keeper) -> None:
    pictures = [item(number, meta={**ONSITE, 'seed': number}) for number in range(1, 31)]
    with (site := AnnotatedSite(*pictures)).server:
        keeper.keep(site)
        assert 1 == site.asked('/api/v1/models?')

    found = webui_reads(infotext_in(keeper.read('30.png')))
    assert ('harbour_v2', 'abcdef0123') == (found['Model'], found['Model hash'])
    assert 'fog: ffeeddccbbaa' == found['Lora hashes']


def test_a_model_is_asked_for_once_for_all_jobs(keeper: Keeper, tmp_path: Path) -> None:
    with (site := AnnotatedSite(item(1, meta=ONSITE))).server:
        keeper.keep(site)
        site.items.append(item(2, meta=ONSITE))
        keeper.keep(site, tmp_path / 'other')
        assert 1 == site.asked('/api/v1/models?')

    found = webui_reads(infotext_in((tmp_path / 'other' / '2.png').read_bytes()))
    assert 'harbour_v2' == found['Model']


def test_a_model_that_nobody_can_name_costs_nothing_but_a_note(keeper: Keeper) -> None:
    used = [*USED, {'type': 'lora', 'modelVersionId': UNKNOWN}]
    pictures = [item(n, meta={**ONSITE, 'civitaiResources': used}) for n in (1, 2)]
    with (site := AnnotatedSite(*pictures)).server:
        report = keeper.keep(site)

    assert {'models_unknown': 1} == report.unwritten
    assert 'harbour_v2' == webui_reads(infotext_in(keeper.read('2.png')))['Model']


def test_pictures_wait_for_names_no_longer_than_one_patience(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version_names, 'PATIENCE_SECONDS', 0.3)
    pictures = [item(n, meta=ONSITE) for n in range(1, 41)]
    with (site := AnnotatedSite(*pictures, instead={'/api/v1/models?': (STALL,)})).server:
        report = keeper.keep(site)
        assert 40 == report.saved_now and report.seconds < 5
        site.server.release.set()

    assert {'models_unknown': 2} == report.unwritten
    assert 'Euler a' in infotext_in(keeper.read('40.png'))


def test_names_are_not_asked_for_where_no_text_is_written(keeper: Keeper) -> None:
    with (site := AnnotatedSite(item(1, meta=ONSITE))).server:
        keeper.keep(site, embeds=False, sidecars=('json',))
        assert 0 == site.asked('/api/v1/models?')
