"""Files that a person keeps: nothing has its name before it is what it should be."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

from scripts.civitai_manager_libs import errors
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage
from scripts.civitai_manager_libs.downloads import batch
from scripts.civitai_manager_libs.downloads.plan import BatchReport, DownloadJob, Fetch, Outcome
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.faults import PATIENCE, Work
from tests.support.network import at_home, files_in, patient, png
from tests.support.paths import ROOT
from tests.support.scripted_server import STALL, Answer, Request, ScriptedServer, head, ok

UUID = '1c9a4e0e-9a51-4d2f-8a55-0d2f5f2f7a10'
STILL = png()


def box(name: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, 'big') + name + content


MOVIE = box(b'ftyp', b'mp42' + bytes(8)) + box(b'moov', bytes(40)) + box(b'mdat', bytes(400))


def address(server: ScriptedServer, ending: str = '.mp4') -> str:
    return f'{server.url}/b/{UUID}/original=true/1{ending}'


def fetch_with(client: CivitaiHttpClient) -> Fetch:
    return lambda url, path: bool(client.fetch_file(url, path))


def keep(jobs: list[DownloadJob], client: CivitaiHttpClient) -> BatchReport:
    return batch.report(batch.keep_all(jobs, fetch_with(client), 4))


def visible(folder: Path) -> list[str]:
    """What a person sees in `folder`."""
    return [name for name in files_in(folder) if not name.startswith('.')]


# -- a still in place of a video -----------------------------------------------------------------


def by_transform(original: Answer, transcoded: Answer) -> Callable[[Request], Answer]:
    """A CDN that answers the plain original and the other address of a video so."""
    return lambda request: transcoded if 'transcode' in request.target else original


def test_while_a_whole_video_is_fetched_nothing_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed meanwhile, it is fetched by the next run."""
    code = (
        'import sys; from pathlib import Path\n'
        'from scripts.civitai_manager_libs.downloads import batch\n'
        'from scripts.civitai_manager_libs.http_client import get_http_client\n'
        'jobs = batch.picture_jobs(sys.argv[1:2], Path(sys.argv[2]))\n'
        'list(batch.keep_all(jobs, get_http_client().download_file, 2))'
    )
    half = (head(200, {'Content-Length': str(len(MOVIE))}), MOVIE[:300], STALL)
    with ScriptedServer(handler=by_transform(ok(STILL), half)) as server:
        monkeypatch.setenv('CIVITAI_BASE_URL', server.url)
        process = subprocess.Popen(
            [sys.executable, '-c', code, address(server), str(tmp_path)], cwd=ROOT
        )
        try:
            assert server.stalled.wait(60)
            assert visible(tmp_path) == []
        finally:
            process.kill()
            process.wait()
    assert process.returncode == (1 if sys.platform == 'win32' else -signal.SIGKILL)
    with ScriptedServer(handler=by_transform(ok(STILL), ok(MOVIE))) as server:
        at_home(monkeypatch, server)
        report = keep(batch.picture_jobs([address(server)], tmp_path), patient()[0])
    assert report.count(Outcome.SAVED) == 1 and visible(tmp_path) == [f'{UUID}.mp4']
    assert (tmp_path / f'{UUID}.mp4').read_bytes() == MOVIE


def test_stopped_while_a_whole_video_is_fetched_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = (head(200, {'Content-Length': str(len(MOVIE))}), MOVIE[:300], STALL)
    with ScriptedServer(handler=by_transform(ok(STILL), half)) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        jobs = batch.picture_jobs([address(server)], tmp_path)
        with Work(lambda: keep(jobs, client)) as work:
            assert server.stalled.wait(PATIENCE)
            client.close()
    assert isinstance(work.result, BatchReport)
    assert isinstance(work.result.failures[0].error, errors.CancelledError)
    assert files_in(tmp_path) == []


KINDS = [
    pytest.param('video', '.mp4', STILL, MOVIE, '.mp4', 2, id='a video'),
    pytest.param('video', '.jpeg', STILL, MOVIE, '.mp4', 2, id='a video at the address of a still'),
    pytest.param('video', '.jpeg', MOVIE, b'', '.mp4', 1, id='which is a video'),
    pytest.param('image', '.mp4', STILL, b'', '.png', 1, id='a picture at the address of a video'),
    pytest.param('image', '.mp4', MOVIE, b'', '.mp4', 1, id='a picture that is a video'),
    pytest.param('image', '', STILL, b'', '.png', 1, id='a picture'),
    pytest.param('', '.mp4', STILL, MOVIE, '.mp4', 2, id='nobody said, the ending does'),
    pytest.param('', '.WEBM', STILL, MOVIE, '.mp4', 2, id='in capitals'),
    pytest.param('', '.jpeg', STILL, b'', '.png', 1, id='nobody said, ending of a picture'),
    pytest.param('', '.jpeg', MOVIE, b'', '.mp4', 1, id='nobody said, ending and bytes differ'),
]


@pytest.mark.parametrize(('kind', 'ending', 'original', 'elsewhere', 'name', 'asked'), KINDS)
def test_what_civitai_calls_it_decides_whether_a_still_will_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    ending: str,
    original: bytes,
    elsewhere: bytes,
    name: str,
    asked: int,
) -> None:
    with ScriptedServer(handler=by_transform(ok(original), ok(elsewhere))) as server:
        at_home(monkeypatch, server)
        url = address(server, ending)
        if kind:
            jobs = batch.image_jobs([GalleryImage(7, url, kind)], tmp_path)
        else:
            jobs = batch.picture_jobs([url], tmp_path)
        report = keep(jobs, patient()[0])
    assert report.paths == (str(tmp_path / f'{UUID}{name}'),)
    assert files_in(tmp_path) == [f'{UUID}{name}'] and len(server.requests) == asked
    assert Path(report.paths[0]).read_bytes() == (elsewhere or original)


STILLS = [
    pytest.param(ok(STILL), 'still picture in place of the video', id='another still'),
    pytest.param(ok(b'', status=404), 'still picture in place of the video', id='404'),
    pytest.param(ok(b'', status=403), 'still picture in place of the video', id='403'),
    pytest.param(ok(b'<html>'), 'still picture in place of the video', id='a web page'),
    pytest.param(ok(b'', status=503), 'Civitai is busy (503)', id='busy, which may pass'),
    pytest.param(ok(MOVIE[:99], length=len(MOVIE)), 'broke off', id='broken off'),
]


@pytest.mark.parametrize(('elsewhere', 'cause'), STILLS)
def test_why_there_is_no_video_is_told_and_the_still_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: bytes, cause: str
) -> None:
    with ScriptedServer(handler=by_transform(ok(STILL), elsewhere)) as server:
        at_home(monkeypatch, server)
        report = keep(batch.picture_jobs([address(server)], tmp_path), patient()[0])
    (failure,) = report.failures
    assert failure.error is not None and cause in failure.error.user_message
    assert files_in(tmp_path) == []


@pytest.mark.parametrize('writes', [True, False])
def test_the_least_of_fetchers_may_bring_a_still_or_nothing(tmp_path: Path, writes: bool) -> None:
    asked: list[str] = []

    def fetch(url: str, path: str) -> bool:
        asked.append(url)
        if writes:
            Path(path).write_bytes(STILL)
        return True

    url = f'https://image.civitai.com/b/{UUID}/original=true/1.mp4'
    (result,) = batch.report(batch.keep_all(batch.picture_jobs([url], tmp_path), fetch, 1)).results
    if writes:
        assert isinstance(result.error, errors.WrongContentError) and len(asked) == 2
    else:
        assert (result.outcome, result.path) == (Outcome.SAVED, str(tmp_path / f'{UUID}.mp4'))
    assert files_in(tmp_path) == []
