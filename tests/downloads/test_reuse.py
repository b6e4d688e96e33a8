"""A picture that was saved before is used again wherever it is wanted, and not fetched."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from civitai_demo.server import DemoServer
from civitai_demo.world.models import OPENING_MODEL_ID, OPENING_VERSION_ID
from scripts.civitai_manager_libs import api, civitai_gallery_action as action, notices, setting
from scripts.civitai_manager_libs.archive import saved
from scripts.civitai_manager_libs.archive.place import archive
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage
from scripts.civitai_manager_libs.civitai.source import parse_source
from scripts.civitai_manager_libs.downloads import batch, beginning, checking, whole
from scripts.civitai_manager_libs.downloads.plan import BatchReport, Outcome
from scripts.civitai_manager_libs.downloads.wanted import Wanted
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.annotated_site import BYTES, META, ONSITE, AnnotatedSite, item
from tests.support.network import files_in
from tests.support.webui_reading import infotext_in

NAME = 'Some model'
PAGE = f'/models/{OPENING_MODEL_ID}?modelVersionId={OPENING_VERSION_ID}'
SOME = 6

pytestmark = pytest.mark.usefixtures('downloads')


@pytest.fixture
def images(demo: DemoServer, client: CivitaiHttpClient) -> tuple[GalleryImage, ...]:
    """Pictures of a gallery, as a page lists them."""
    gallery = api.open_gallery(client, parse_source(demo.url + PAGE, demo.url))
    return api.fetch_page(client, gallery.query, '').images[:SOME]


def fetched(demo: DemoServer) -> list[str]:
    found = [entry.path for entry in demo.requests if 'original=true' in entry.path]
    demo.requests.clear()
    return found


def kept(images: tuple[GalleryImage, ...], name: str = NAME) -> tuple[Path, BatchReport]:
    folder, results = action.keep_images(name, images)
    return Path(folder) / action.USER_GALLERY_FOLDER, batch.report(results)


def test_what_a_job_saved_is_not_fetched_for_a_page(
    demo: DemoServer, client: CivitaiHttpClient, images: tuple[GalleryImage, ...], tmp_path: Path
) -> None:
    asked = Wanted(demo.url + PAGE, limit=SOME, levels=1)
    job = beginning.begin(archive(), client, asked, tmp_path / 'job')
    whole.run(archive(), client, job, threading.Event())
    assert len(fetched(demo)) == SOME
    folder, report = kept(images)
    assert fetched(demo) == [] and report.count(Outcome.SKIPPED) == SOME
    assert len(list(folder.iterdir())) == SOME


def test_what_a_job_saved_keeps_its_first_hash_on_a_page(
    demo: DemoServer, client: CivitaiHttpClient, images: tuple[GalleryImage, ...], tmp_path: Path
) -> None:
    asked = Wanted(demo.url + PAGE, limit=SOME, levels=1, embeds=True)
    job = beginning.begin(archive(), client, asked, tmp_path / 'job')
    whole.run(archive(), client, job, threading.Event())
    came = {one.picture_id: one.came for one in saved.in_folder(archive(), tmp_path / 'job')}
    folder, _ = kept(images)

    there = {one.picture_id: one.came for one in saved.in_folder(archive(), folder)}
    assert there == came and SOME == len(there)


def test_what_a_page_kept_is_not_fetched_for_a_job(
    demo: DemoServer, client: CivitaiHttpClient, images: tuple[GalleryImage, ...], tmp_path: Path
) -> None:
    kept(images)
    demo.requests.clear()
    asked = Wanted(demo.url + PAGE, limit=SOME, levels=1, embeds=True)
    job = beginning.begin(archive(), client, asked, tmp_path / 'job')
    report = whole.run(archive(), client, job, threading.Event())
    assert report is not None and report.is_complete and fetched(demo) == []
    assert len(list((tmp_path / 'job').iterdir())) == SOME


@pytest.mark.parametrize('way', ['by address', 'as pictures'])
def test_what_was_kept_is_noted_with_the_picture_it_is(
    demo: DemoServer, images: tuple[GalleryImage, ...], way: str
) -> None:
    if way == 'by address':
        folder, results = action.keep_pictures(NAME, [image.url for image in images])
        batch.report(results)
        known = list(saved.in_folder(archive(), Path(folder)))
        assert {one.picture_id for one in known} == {0}
    else:
        known = list(saved.in_folder(archive(), kept(images)[0]))
        assert {one.picture_id for one in known} == {image.id for image in images}
    assert len(known) == SOME and all(one.is_there for one in known)


@pytest.mark.parametrize('change', ['deleted', 'changed'])
def test_a_file_that_is_no_longer_what_it_was_is_not_used_again(
    demo: DemoServer, images: tuple[GalleryImage, ...], change: str
) -> None:
    folder, _ = kept(images)
    for path in folder.iterdir():
        path.unlink() if change == 'deleted' else path.write_bytes(b'something else')
    demo.requests.clear()
    _, report = kept(images, 'Another model')
    assert len(fetched(demo)) == SOME and report.count(Outcome.SAVED) == SOME


def test_an_archive_that_cannot_be_used_stands_in_no_ones_way(
    demo: DemoServer, images: tuple[GalleryImage, ...], tmp_path: Path
) -> None:
    (tmp_path / 'file').touch()
    setting.data_folder = str(tmp_path / 'file' / 'no folder')
    folder, report = kept(images)
    assert report.count(Outcome.SAVED) == SOME == len(list(folder.iterdir()))


# -- how the pictures of a page were made ---------------------------------------------------------


def test_a_page_is_kept_with_its_prompts(client: CivitaiHttpClient, downloads: Path) -> None:
    with (site := AnnotatedSite(item(1), item(2, 'jpeg', ONSITE), item(3, 'mp4'))).server:
        folder = kept_page(site, client)

    png, jpg, told, video = (folder / name for name in files_in(folder))
    assert (video.with_suffix('.json'), '.mp4') == (told, video.suffix)
    assert 'Steps: 28' in infotext_in(png.read_bytes())
    assert 'Model: harbour_v2' in infotext_in(jpg.read_bytes())
    found = checking.check(archive(), folder)
    assert {checking.State.GOOD} == {one.state for one in found}


def test_a_page_is_kept_as_the_settings_say(client: CivitaiHttpClient, downloads: Path) -> None:
    setting.gallery_embed_infotext, setting.gallery_sidecars = False, 'txt, caption'
    with (site := AnnotatedSite(item(1))).server:
        folder = kept_page(site, client)
        next(folder.glob('*.caption')).unlink()
        kept_page(site, client)

    caption, png, text = (folder / name for name in files_in(folder))
    assert ('.caption', '.txt') == (caption.suffix, text.suffix)
    assert BYTES['png'] == png.read_bytes()


def test_what_could_not_be_written_is_told_once_for_a_page(
    client: CivitaiHttpClient, downloads: Path
) -> None:
    told: list[tuple[str, object]] = []
    long = {**META, 'prompt': 'fog, ' * 20_000}
    with (site := AnnotatedSite(item(1, 'jpeg', long), item(2, 'jpeg', long))).server:
        with notices.going_to(lambda key, values: told.append((key, dict(values)))):
            kept_page(site, client)

    assert [(key, {'count': 2}) for key in ('embed_no_room', 'annotation_beside')] == told


def test_pictures_by_their_addresses_alone_stay_to_the_byte(
    client: CivitaiHttpClient, downloads: Path
) -> None:
    with (site := AnnotatedSite(item(1))).server:
        setting.civitai_base_url = site.server.url
        url = f'{site.server.url}/key/1/original=true/1.png'
        folder, results = action.keep_pictures(NAME, [url])
        batch.report(results)

    [path] = (Path(folder) / action.USER_GALLERY_FOLDER).iterdir()
    assert BYTES['png'] == path.read_bytes()


def kept_page(site: AnnotatedSite, client: CivitaiHttpClient) -> Path:
    """Keep the page of a site, as the button of the tab does; return the folder."""
    setting.civitai_base_url = site.server.url
    gallery = api.open_gallery(client, parse_source(site.post, site.server.url))
    folder, report = kept(api.fetch_page(client, gallery.query, '').images)
    assert not report.failures
    return folder
