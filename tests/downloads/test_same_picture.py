"""Addresses of one picture: it is one file, fetched once, from whichever address has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.civitai_manager_libs import civitai_gallery_action as action, ishortcut, setting
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage
from scripts.civitai_manager_libs.downloads import batch
from scripts.civitai_manager_libs.downloads.plan import BatchReport, DownloadJob, Outcome
from scripts.civitai_manager_libs.errors import AnswerError
from tests.support.faults import PATIENCE, Work
from tests.support.network import at_home, files_in, patient, png
from tests.support.pictures import MOVIE
from tests.support.scripted_server import STALL, Answer, Request, ScriptedServer, head, kept, ok
from tests.support.settings_sandbox import set_process_client

UUID = '1c9a4e0e-9a51-4d2f-8a55-0d2f5f2f7a10'
STILL = png()
GOOD = f'a/{UUID}/original=true/1.jpeg'
SAVED, SKIPPED, FAILED = Outcome.SAVED, Outcome.SKIPPED, Outcome.FAILED


def answer(request: Request) -> Answer:
    """A site where what is called gone is gone, and what is called a film is one."""
    if 'gone' in request.target:
        return kept(ok(b'', status=404))
    return kept(ok(MOVIE if 'film' in request.target else STILL))


def keep(jobs: list[DownloadJob]) -> BatchReport:
    client, _ = patient()
    return batch.report(
        batch.keep_all(jobs, lambda url, path: bool(client.fetch_file(url, path)), 4)
    )


SPELLINGS = {
    'the same twice': [GOOD, GOOD],
    'two widths': [f'a/{UUID}/width=450/1.jpeg', f'a/{UUID}/width=1200/1.jpeg'],
    'two endings': [GOOD, f'a/{UUID}/original=true/1.png', f'a/{UUID}/original=true/1.webp'],
    'in capitals': [f'a/{UUID.upper()}/original=true/1.jpeg', GOOD],
    'another folder of the CDN': [f'file/cache/{UUID}/original', GOOD, f'b/{UUID}.jpeg'],
}


@pytest.mark.parametrize('paths', SPELLINGS.values(), ids=SPELLINGS)
def test_one_picture_is_fetched_and_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str]
) -> None:
    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        wanted = [f'{server.url}/{path}' for path in paths]
        report = keep(batch.picture_jobs(wanted, tmp_path))
        assert len(server.requests) == 1
    assert [result.job.url for result in report.results] == wanted, 'each has a result'
    assert report.count(SAVED) == len(files_in(tmp_path)) == 1
    assert report.count(SKIPPED) == len(wanted) - 1
    assert set(report.paths) == {str(tmp_path / f'{UUID}.png')}


ONE_IS_GONE = {
    'the first': [f'gone/{UUID}/original=true/1.jpeg', GOOD],
    'the last': [GOOD, f'gone/{UUID}/original=true/1.jpeg'],
    'the first of another ending': [f'gone/{UUID}/original=true/1.webp', GOOD],
    'all but one': [f'gone{n}/{UUID}/original=true/1.jpeg' for n in range(3)] + [GOOD],
}


@pytest.mark.parametrize('paths', ONE_IS_GONE.values(), ids=ONE_IS_GONE)
def test_where_one_address_is_dead_the_other_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str]
) -> None:
    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        wanted = [f'{server.url}/{path}' for path in paths]
        report = keep(batch.picture_jobs(wanted, tmp_path))
    assert report.failures == () and report.aside == ()
    assert [report.count(SAVED), report.count(SKIPPED)] == [1, len(paths) - 1]
    assert files_in(tmp_path) == [f'{UUID}.png']


def test_where_all_are_dead_each_has_its_own_cause_and_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(request: Request) -> Answer:
        return kept(ok(b'', status=410 if request.target.startswith('/b') else 404))

    with ScriptedServer(handler=dead) as server:
        at_home(monkeypatch, server)
        wanted = [f'{server.url}/{place}/{UUID}/original=true/1.jpeg' for place in 'aba']
        report = keep(batch.picture_jobs(wanted, tmp_path))
        targets = [request.target for request in server.requests]
        assert len(targets) == len(set(targets))
    errors = [result.error for result in report.results]
    assert [error.status for error in errors if isinstance(error, AnswerError)] == [404, 410, 404]
    assert report.failed_urls == tuple(wanted) and files_in(tmp_path) == []


@pytest.mark.parametrize('turned', [False, True], ids=['still first', 'video first'])
def test_a_still_never_stands_in_for_the_video_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turned: bool
) -> None:
    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        images = [
            GalleryImage(1, f'{server.url}/still/{UUID}/width=450/1.jpeg', 'image'),
            GalleryImage(2, f'{server.url}/film/{UUID}/original=true/1.mp4', 'video'),
        ]
        report = keep(batch.image_jobs(images[::-1] if turned else images, tmp_path))
    assert report.failures == () and report.aside == ()
    assert files_in(tmp_path) == [f'{UUID}.mp4']


def test_where_the_video_is_gone_the_still_is_kept_and_the_video_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        images = [
            GalleryImage(1, f'{server.url}/gone/{UUID}/original=true/1.mp4', 'video'),
            GalleryImage(2, f'{server.url}/still/{UUID}/width=450/1.jpeg', 'image'),
        ]
        report = keep(batch.image_jobs(images, tmp_path))
    assert [result.outcome for result in report.results] == [FAILED, SAVED]
    assert files_in(tmp_path) == [f'{UUID}.png']


def test_another_batch_that_waits_tries_its_own_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = (head(404, {'Content-Length': '9'}), STALL, b'x' * 9)

    def on_cdn(request: Request) -> Answer:
        return answer(request) if request.target.startswith('/a/') else gone

    with ScriptedServer(handler=on_cdn) as server:
        at_home(monkeypatch, server)
        dead, good = (f'{server.url}/{p}/{UUID}/original=true/1.jpeg' for p in ('gone', 'a'))
        with Work(lambda: keep(batch.picture_jobs([dead], tmp_path))) as first:
            assert server.stalled.wait(PATIENCE)
            with Work(lambda: keep(batch.picture_jobs([good], tmp_path))) as second:
                second.goes_on()
                server.release.set()
    assert isinstance(first.result, BatchReport) and isinstance(second.result, BatchReport)
    assert first.result.count(FAILED) == 1
    assert second.result.count(SAVED) == 1 and files_in(tmp_path) == [f'{UUID}.png']


def test_what_a_program_is_told_names_each_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        report = keep(batch.picture_jobs([f'{server.url}/{GOOD}'] * 24, tmp_path))
    assert (report.count(Outcome.SAVED), report.count(Outcome.SKIPPED)) == (1, 23)
    assert set(report.paths) == {str(tmp_path / f'{UUID}.png')}


def test_a_gallery_with_a_dead_address_of_a_picture_is_kept_without_a_complaint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toasts: list[str] = []
    monkeypatch.setattr(action.gr, 'Warning', lambda message, **_: toasts.append(message))
    monkeypatch.setattr(setting, 'download_images_folder', str(tmp_path))
    monkeypatch.setattr(ishortcut, 'get_model_info', lambda model_id: {'name': 'm'})
    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        set_process_client(monkeypatch, patient()[0])
        wanted = [f'{server.url}/{place}/{UUID}/original=true/1.jpeg' for place in ('gone', 'a')]
        folder = action.download_user_gallery_images(1, wanted)
    assert folder == str(tmp_path / 'm') and toasts == []
    assert files_in(tmp_path / 'm' / 'user_gallery_images') == [f'{UUID}.png']
