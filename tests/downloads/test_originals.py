"""An original that fails is asked for at its other addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
import responses

from scripts.civitai_manager_libs import civitai_gallery_action as action, setting
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage
from scripts.civitai_manager_libs.downloads import batch
from scripts.civitai_manager_libs.downloads.plan import BatchReport
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.network import at_home, files_in, patient, png
from tests.support.pictures import MOVIE
from tests.support.scripted_server import (
    RESET,
    STALL,
    Answer,
    Request,
    ScriptedServer,
    head,
    ok,
    part_of,
)

UUID = '1c9a4e0e-9a51-4d2f-8a55-0d2f5f2f7a10'
CDN = f'https://image.civitai.com/key/{UUID}'
STORED = f'https://image-b2.civitai.com/file/civitai-media-cache/{UUID}/original'
COPY = f'{CDN}/transcode=true,original=true,quality=100/{UUID}.mp4'

GONE, BUSY, SILENT = ok(b'', status=404), ok(b'', status=503), (STALL,)
LARGE = png(5000)


def kept(url: str, kind: str, folder: Path, client: CivitaiHttpClient) -> BatchReport:
    jobs = batch.image_jobs([GalleryImage(7, url, kind)], folder)
    return batch.report(batch.keep_all(jobs, lambda u, p: bool(client.fetch_file(u, p)), 2))


def with_original(answer: Answer, stored: Answer, copy: Answer = GONE) -> Callable[..., Answer]:
    """A CDN that answers so for an original, at the storage behind it, and for a copy."""

    def answer_to(request: Request) -> Answer:
        if 'quality=100' in request.target:
            return copy
        return stored if request.target.endswith(f'/{UUID}/original') else answer

    return answer_to


def kinds_asked(server: ScriptedServer) -> list[str]:
    words = {'quality': 'copy', '/original=true/': 'original'}
    return [
        next((name for word, name in words.items() if word in request.target), 'stored')
        for request in server.requests
    ]


@pytest.mark.parametrize(
    ('kind', 'content', 'name'),
    [('image', png(), f'{UUID}.png'), ('video', MOVIE, f'{UUID}.mp4')],
)
@pytest.mark.parametrize(
    'original',
    [
        pytest.param(GONE, id='gone'),
        pytest.param(ok(b'', status=403), id='refused'),
        pytest.param(ok(b'', status=410), id='archived'),
        pytest.param(ok(b'<html>sorry</html>'), id='a web page'),
        pytest.param(ok(b'{"error": "no such object"}'), id='an error message'),
    ],
)
def test_an_original_that_fails_is_taken_from_the_storage_at_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    content: bytes,
    name: str,
    original: Answer,
) -> None:
    client, waits = patient()
    with ScriptedServer(handler=with_original(original, ok(content))) as server:
        at_home(monkeypatch, server)
        url = f'{server.url}/key/{UUID}/original=true/{UUID}.jpeg'
        report = kept(url, kind, tmp_path, client)
    assert report.failures == () and files_in(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == content
    assert (kinds_asked(server), waits) == (['original', 'stored'], [])


@pytest.mark.parametrize(('kind', 'content'), [('video', MOVIE), ('image', png())])
def test_what_the_storage_has_not_is_taken_as_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, content: bytes
) -> None:
    with ScriptedServer(handler=with_original(GONE, GONE, ok(content))) as server:
        at_home(monkeypatch, server)
        url = f'{server.url}/key/{UUID}/original=true/{UUID}.mp4'
        assert kept(url, kind, tmp_path, patient()[0]).failures == ()
    assert kinds_asked(server) == ['original', 'stored', 'copy']
    assert len(files_in(tmp_path)) == 1


def test_a_silent_original_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = patient(timeout=0.3)
    with ScriptedServer(handler=with_original(SILENT, ok(png()))) as server:
        at_home(monkeypatch, server)
        url = f'{server.url}/key/{UUID}/original=true/{UUID}.jpeg'
        assert kept(url, 'image', tmp_path, client).failures == ()
    assert kinds_asked(server) == ['original', 'stored']


def test_a_slow_original_that_nobody_else_has_is_waited_for_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([SILENT, SILENT, ok(png())])
    client, _ = patient(timeout=0.3)

    def answer(request: Request) -> Answer:
        return next(answers) if '/original=true/' in request.target else GONE

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        url = f'{server.url}/key/{UUID}/original=true/{UUID}.jpeg'
        assert kept(url, 'image', tmp_path, client).failures == ()
    assert kinds_asked(server) == ['original', 'stored', 'copy', 'original', 'original']


def test_an_original_that_falls_silent_half_way_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came of it is not thrown away to begin anew elsewhere."""
    client, _ = patient(timeout=0.3)

    def answer(request: Request) -> Answer:
        if 'range' in request.headers:
            return part_of(LARGE, int(request.headers['range'][6:].rstrip('-')), ETag='"1"')
        headers = {'Content-Length': str(len(LARGE)), 'ETag': '"1"'}
        return (head(200, headers), LARGE[:3000], STALL)

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        url = f'{server.url}/key/{UUID}/original=true/{UUID}.jpeg'
        assert kept(url, 'image', tmp_path, client).failures == ()
    assert kinds_asked(server) == ['original', 'original']
    assert (tmp_path / f'{UUID}.png').read_bytes() == LARGE


@pytest.mark.parametrize('passing', [BUSY, (RESET,)], ids=['busy', 'reset'])
def test_a_passing_trouble_is_sat_out_before_others_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passing: Answer
) -> None:
    answers = iter([passing, passing, ok(png())])
    with ScriptedServer(handler=lambda request: next(answers)) as server:
        at_home(monkeypatch, server)
        url = f'{server.url}/key/{UUID}/original=true/{UUID}.jpeg'
        assert kept(url, 'image', tmp_path, patient()[0]).failures == ()
    assert kinds_asked(server) == ['original'] * 3


@pytest.mark.parametrize('trouble', [BUSY, (RESET,), SILENT], ids=['busy', 'reset', 'silent'])
def test_other_addresses_are_asked_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Answer
) -> None:
    client, _ = patient(timeout=0.3)
    with ScriptedServer(handler=with_original(GONE, trouble, trouble)) as server:
        at_home(monkeypatch, server)
        url = f'{server.url}/key/{UUID}/original=true/{UUID}.jpeg'
        (failure,) = kept(url, 'image', tmp_path, client).failures
    assert failure.error is not None and failure.error.status == 404
    assert kinds_asked(server) == ['original', 'stored', 'copy']


def test_where_nobody_has_it_the_first_cause_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = ok(b'', status=403)  # by the storage, and for a copy
    with ScriptedServer(handler=with_original(GONE, refused, refused)) as server:
        at_home(monkeypatch, server)
        url = f'{server.url}/key/{UUID}/original=true/{UUID}.mp4'
        (failure,) = kept(url, 'video', tmp_path, patient()[0]).failures
    assert failure.error is not None and failure.error.status == 404
    assert failure.job.url == url and files_in(tmp_path) == []


def test_who_asks_to_slow_down_is_not_gone_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = ok(b'', status=429, Retry_After='9999')
    with ScriptedServer(handler=with_original(refused, ok(png()))) as server:
        at_home(monkeypatch, server)
        url = f'{server.url}/key/{UUID}/original=true/{UUID}.jpeg'
        (failure,) = kept(url, 'image', tmp_path, patient()[0]).failures
    assert failure.error is not None and failure.error.status == 429
    assert set(kinds_asked(server)) == {'original'}


@pytest.mark.parametrize(
    ('kind', 'there', 'content'), [('image', STORED, png()), ('video', COPY, MOVIE)]
)
def test_of_civitais_own_pictures_the_storage_has_a_host_of_its_own(
    wire: responses.RequestsMock,
    client: CivitaiHttpClient,
    tmp_path: Path,
    kind: str,
    there: str,
    content: bytes,
) -> None:
    for url in (f'{CDN}/original=true/{UUID}.jpeg', STORED, COPY):
        if url == there:
            wire.get(url, body=content)
        else:
            wire.get(url, status=404)
    report = kept(f'{CDN}/original=true/{UUID}.jpeg', kind, tmp_path, client)
    assert report.failures == () and len(files_in(tmp_path)) == 1


def test_other_callers_get_their_originals_so_too(
    wire: responses.RequestsMock, client: CivitaiHttpClient, downloads: Path
) -> None:
    original = f'{CDN}/original=true/{UUID}.jpeg'
    wire.get(original, status=404)
    wire.get(STORED, body=png())
    wire.get('https://civitai.com/api/v1/models/5', json={'id': 5, 'name': 'N'})
    folder = action.download_user_gallery_images(5, [original])
    assert folder and files_in(Path(folder)) == [f'user_gallery_images/{UUID}.png']
    action.download_images([original])
    assert Path(setting.get_image_url_to_gallery_file(original)).is_file()


@pytest.mark.parametrize(
    'url',
    [
        f'{CDN}/width=450,optimized=true/{UUID}.jpeg',
        COPY,
        'https://image.civitai.com/key/no-uuid/original=true/1.jpeg',
        'https://image.civitai.com/avatar.png',
        'https://[broken/original=true/x.png',
    ],
)
def test_what_is_no_original_has_no_other_address(tmp_path: Path, url: str) -> None:
    asked: list[str] = []

    def fetch(address: str, path: str) -> bool:
        asked.append(address)
        return False

    report = batch.report(batch.keep_all(batch.picture_jobs([url], tmp_path), fetch, 1))
    assert len(report.failures) == 1 and asked == [url]
