"""Files that a person keeps: nothing has its name before it is what it should be."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

from scripts.civitai_manager_libs import errors, setting
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage
from scripts.civitai_manager_libs.downloads import batch
from scripts.civitai_manager_libs.downloads.plan import (
    BatchReport,
    DownloadJob,
    Fetch,
    Outcome,
    aside_message,
)
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.endings import riff
from tests.support.faults import PATIENCE, Work
from tests.support.network import at_home, files_in, patient, png
from tests.support.paths import ROOT
from tests.support.pictures import MOVIE, drawn
from tests.support.scripted_server import STALL, Answer, Request, ScriptedServer, head, ok

UUID = '1c9a4e0e-9a51-4d2f-8a55-0d2f5f2f7a10'
STILL = png()


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
    pytest.param('video', '.mp4', STILL, MOVIE, '.mp4', 3, id='a video'),
    pytest.param('video', '.jpeg', STILL, MOVIE, '.mp4', 3, id='a video at the address of a still'),
    pytest.param('video', '.jpeg', MOVIE, b'', '.mp4', 1, id='which is a video'),
    pytest.param('image', '.mp4', STILL, b'', '.png', 1, id='a picture at the address of a video'),
    pytest.param('image', '.mp4', MOVIE, b'', '.mp4', 1, id='a picture that is a video'),
    pytest.param('image', '', STILL, b'', '.png', 1, id='a picture'),
    pytest.param('', '.mp4', STILL, MOVIE, '.mp4', 3, id='nobody said, the ending does'),
    pytest.param('', '.WEBM', STILL, MOVIE, '.mp4', 3, id='in capitals'),
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
        assert isinstance(result.error, errors.WrongContentError) and len(asked) == 3
    else:
        assert (result.outcome, result.path) == (Outcome.SAVED, str(tmp_path / f'{UUID}.mp4'))
    assert files_in(tmp_path) == []


# -- a sound -------------------------------------------------------------------------------------

MP3 = b'ID3\x04' + bytes(7) + b'\xff\xfb\x90\x64' * 300
WAV = riff(b'WAVE', b'fmt ' + bytes(400))


@pytest.mark.parametrize('kind', ['audio', ''], ids=['told', 'by its ending'])
@pytest.mark.parametrize(('content', 'name'), [(MP3, f'{UUID}.mp3'), (WAV, f'{UUID}.wav')])
def test_a_sound_is_kept_with_the_extension_of_its_bytes_and_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, content: bytes, name: str
) -> None:
    with ScriptedServer(ok(content)) as server:
        at_home(monkeypatch, server)
        url = address(server, '.mp3')
        for _ in range(2):
            if kind:
                jobs = batch.image_jobs([GalleryImage(7, url, kind)], tmp_path)
            else:
                jobs = batch.picture_jobs([url], tmp_path)
            report = keep(jobs, patient()[0])
    assert report.count(Outcome.SKIPPED) == 1 and len(server.requests) == 1
    assert files_in(tmp_path) == [name] and (tmp_path / name).read_bytes() == content


@pytest.mark.parametrize(
    ('kind', 'content', 'cause'),
    [
        ('audio', STILL, 'in place of the sound'),
        ('image', MP3, 'neither a picture nor a video'),
        ('video', MP3, 'neither a picture nor a video'),
        ('audio', b'<html>', 'web page'),
    ],
)
def test_what_is_no_sound_is_none_and_a_sound_is_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, content: bytes, cause: str
) -> None:
    with ScriptedServer(ok(content)) as server:
        at_home(monkeypatch, server)
        image = GalleryImage(7, address(server, {'audio': '.mp3'}.get(kind, '.jpeg')), kind)
        report = keep(batch.image_jobs([image], tmp_path), patient()[0])
    (failure,) = report.failures
    assert failure.error is not None and cause in failure.error.user_message
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    ('kind', 'ending', 'content', 'name'),
    [('video', '.mp4', MOVIE, f'{UUID}.mp4'), ('audio', '.mp3', MP3, f'{UUID}.mp3')],
)
def test_what_comes_as_a_still_is_taken_from_the_storage_as_it_was_uploaded(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    ending: str,
    content: bytes,
    name: str,
) -> None:
    def answer(request: Request) -> Answer:
        is_stored = request.target == f'/file/civitai-media-cache/{UUID}/original'
        return ok(content if is_stored else STILL)

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        image = GalleryImage(7, address(server, ending), kind)
        report = keep(batch.image_jobs([image], tmp_path), patient()[0])
    assert report.count(Outcome.SAVED) == 1 and files_in(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == content and len(server.requests) == 2


# -- what is there already -----------------------------------------------------------------------

ODD = [
    pytest.param(b'', id='empty'),
    pytest.param(png(9000)[:5000], id='half'),
    pytest.param(png()[:-1], id='all but the last byte'),
    pytest.param(drawn('JPEG')[:-2], id='a jpeg without its end'),
    pytest.param(drawn('WEBP')[:-9], id='a webp that says it is longer'),
    pytest.param(drawn('GIF')[:-1], id='a gif without its end'),
    pytest.param(MOVIE[:-50], id='half an mp4'),
    pytest.param(riff(b'WEBP', b'VP8 ' + bytes(400))[:99], id='a quarter of a webp'),
    pytest.param(b'<!DOCTYPE html><title>Log in</title>', id='a web page'),
    pytest.param(b'{"error": "not found"}', id='an error message'),
    pytest.param(bytes(4096), id='zeros, as after a power cut'),
    pytest.param(b'\x89PN', id='three bytes'),
]


@pytest.mark.parametrize('extension', ['.png', '.jpeg', '.webp', '.mp4'])
@pytest.mark.parametrize('odd', ODD)
def test_an_odd_file_under_a_pictures_name_is_kept_aside_and_the_picture_fetched(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    odd: bytes,
    extension: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / f'{UUID}{extension}').write_bytes(odd)
    with ScriptedServer(ok(png())) as server:
        at_home(monkeypatch, server)
        wanted = [address(server, '.jpeg')]
        first = keep(batch.picture_jobs(wanted, tmp_path), patient()[0])
        second = keep(batch.picture_jobs(wanted, tmp_path), patient()[0])
    assert len(server.requests) == 1
    aside = f'{UUID}.odd-1{extension}'
    assert (first.count(Outcome.SAVED), first.aside) == (1, (str(tmp_path / aside),))
    assert (second.count(Outcome.SKIPPED), second.aside) == (1, ())
    assert first.paths == second.paths == (str(tmp_path / f'{UUID}.png'),)
    assert (tmp_path / f'{UUID}.png').read_bytes() == png()
    assert (tmp_path / aside).read_bytes() == odd
    assert files_in(tmp_path) == sorted([f'{UUID}.png', aside])
    assert aside in caplog.text and aside in aside_message(first, 'zh_TW')
    assert aside_message(second, 'en') == ''


WHOLE = [
    pytest.param(png(), '.png', id='png'),
    pytest.param(drawn('JPEG'), '.jpg', id='jpeg'),
    pytest.param(drawn('JPEG') + b'\0camera', '.jpg', id='with something behind its end'),
    pytest.param(drawn('WEBP'), '.webp', id='webp'),
    pytest.param(drawn('GIF'), '.gif', id='gif'),
    pytest.param(MOVIE, '.mp4', id='mp4'),
]


@pytest.mark.parametrize('extension', ['.jpeg', '.png', '.webm'])
@pytest.mark.parametrize(('content', 'right'), WHOLE)
def test_a_whole_file_is_there_whatever_its_extension_says(
    tmp_path: Path, content: bytes, right: str, extension: str
) -> None:
    (tmp_path / f'{UUID}{extension}').write_bytes(content)
    url = f'https://image.civitai.com/b/{UUID}/original=true/1.jpeg'
    report = keep(batch.picture_jobs([url], tmp_path), patient()[0])
    assert report.count(Outcome.SKIPPED) == 1 and report.aside == ()
    assert report.paths == (str(tmp_path / f'{UUID}{right}'),)
    assert files_in(tmp_path) == [f'{UUID}{right}']


@pytest.mark.parametrize('extension', ['.mp4', '.webp', '.png', '.jpeg'])
@pytest.mark.parametrize('kind', ['video', ''])
def test_a_still_that_was_left_under_a_videos_name_is_not_the_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, extension: str
) -> None:
    """One that was killed left it there, and a later run gave it the extension of its bytes."""
    (tmp_path / f'{UUID}{extension}').write_bytes(STILL)
    with ScriptedServer(ok(MOVIE)) as server:
        at_home(monkeypatch, server)
        for _ in range(2):
            if kind:
                jobs = batch.image_jobs([GalleryImage(7, address(server), kind)], tmp_path)
            else:
                jobs = batch.picture_jobs([address(server)], tmp_path)
            keep(jobs, patient()[0])
    assert files_in(tmp_path) == sorted([f'{UUID}.mp4', f'{UUID}.odd-1{extension}'])
    assert (tmp_path / f'{UUID}.mp4').read_bytes() == MOVIE and len(server.requests) == 1


def test_several_odd_files_of_one_name_are_all_kept_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, extension in enumerate(('.jpeg', '.png', '.webp')):
        (tmp_path / f'{UUID}{extension}').write_bytes(bytes([number]))
    (tmp_path / f'{UUID}.odd-1.png').write_bytes(b'from another day')
    with ScriptedServer(ok(png())) as server:
        at_home(monkeypatch, server)
        report = keep(batch.picture_jobs([address(server, '.png')], tmp_path), patient()[0])
    assert [Path(path).name for path in report.aside] == [
        f'{UUID}.odd-1.jpeg',
        f'{UUID}.odd-2.png',
        f'{UUID}.odd-1.webp',
    ]
    assert (tmp_path / f'{UUID}.odd-1.png').read_bytes() == b'from another day'
    assert (tmp_path / f'{UUID}.png').read_bytes() == png()


def test_a_whole_file_beside_an_odd_one_of_its_name_is_there_and_both_stay(tmp_path: Path) -> None:
    (tmp_path / f'{UUID}.jpeg').write_bytes(png())
    (tmp_path / f'{UUID}.png').write_bytes(b'')
    url = f'https://image.civitai.com/b/{UUID}/original=true/1.jpeg'
    report = keep(batch.picture_jobs([url], tmp_path), patient()[0])
    assert report.count(Outcome.SKIPPED) == 1
    assert files_in(tmp_path) == [f'{UUID}.jpeg', f'{UUID}.png']


def test_where_the_picture_cannot_be_had_an_odd_file_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f'{UUID}.png').write_bytes(png()[:-1])
    with ScriptedServer(ok(b'', status=404)) as server:
        at_home(monkeypatch, server)
        report = keep(batch.picture_jobs([address(server, '.png')], tmp_path), patient()[0])
    assert report.count(Outcome.FAILED) == 1 and report.aside == ()
    assert files_in(tmp_path) == [f'{UUID}.png']
    assert (tmp_path / f'{UUID}.png').read_bytes() == png()[:-1]


@pytest.mark.parametrize('was_there', [False, True], ids=['new', 'kept by the version before'])
@pytest.mark.parametrize('extension', ['.png', '.jpeg'])
def test_a_picture_that_always_comes_without_its_end_is_not_fetched_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, was_there: bool, extension: str
) -> None:
    endless = png()[:-12]
    if was_there:
        (tmp_path / f'{UUID}{extension}').write_bytes(endless)
    with ScriptedServer(ok(endless)) as server:
        at_home(monkeypatch, server)
        wanted = [address(server, extension)]
        first = keep(batch.picture_jobs(wanted, tmp_path), patient()[0])
        asked = len(server.requests)
        later = [keep(batch.picture_jobs(wanted, tmp_path), patient()[0]) for _ in range(3)]
    assert first.failures == () and asked == 2, 'the second time it was believed'
    assert len(server.requests) == asked
    assert [report.count(Outcome.SKIPPED) for report in later] == [1, 1, 1]
    assert files_in(tmp_path) == [f'{UUID}.png'], 'and there are no copies of it'


def test_half_of_a_picture_that_always_comes_without_its_end_is_an_odd_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = png(900)[:-12]
    with ScriptedServer(ok(endless)) as server:
        at_home(monkeypatch, server)
        wanted = [address(server, '.png')]
        (path,) = keep(batch.picture_jobs(wanted, tmp_path), patient()[0]).paths
        Path(path).write_bytes(endless[:300])
        report = keep(batch.picture_jobs(wanted, tmp_path), patient()[0])
    assert len(report.aside) == 1 and Path(path).read_bytes() == endless


@pytest.mark.parametrize('notes', ['{"half', '[1]', '{"a": "b"}', None])
def test_without_usable_notes_it_is_fetched_again_and_nothing_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notes: str | None
) -> None:
    home = tmp_path / 'home'
    monkeypatch.setattr(setting, 'data_folder', str(home))
    if notes is None:
        home.write_text('a file where the folder should be')
    else:
        home.mkdir()
        (home / 'fetched_as_they_are.json').write_text(notes)
    with ScriptedServer(ok(png()[:-12])) as server:
        at_home(monkeypatch, server)
        report = keep(batch.picture_jobs([address(server)], tmp_path / 'kept'), patient()[0])
        assert report.count(Outcome.FAILED) == 1  # a still in place of a video
        wanted = [address(server, '.png')]
        report = keep(batch.picture_jobs(wanted, tmp_path / 'kept'), patient()[0])
        assert report.count(Outcome.SAVED) == 1
        again = keep(batch.picture_jobs(wanted, tmp_path / 'kept'), patient()[0])
    assert again.count(Outcome.SKIPPED) == 1 and again.aside == ()


def test_two_addresses_of_one_picture_do_not_take_each_others_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(ok(png())) as server:
        at_home(monkeypatch, server)
        wanted = [address(server, '.png'), address(server, '.jpeg')]
        report = keep(batch.picture_jobs(wanted, tmp_path), patient()[0])
    assert set(report.paths) == {str(tmp_path / f'{UUID}.png')} and report.aside == ()
    assert files_in(tmp_path) == [f'{UUID}.png']


# -- two who keep one picture at a time ----------------------------------------------------------


def keep_twice(server: ScriptedServer, folder: Path) -> list[BatchReport]:
    """What two callers are told who keep the same picture; the second begins meanwhile."""
    client, _ = patient(max_retries=3)
    jobs = batch.picture_jobs([address(server, '.png')], folder)
    with Work(lambda: keep(jobs, client)) as first:
        assert server.stalled.wait(PATIENCE)
        with Work(lambda: keep(jobs, client)) as second:
            second.goes_on()
            server.release.set()
    reports = [first.result, second.result]
    assert all(isinstance(report, BatchReport) for report in reports)
    return reports  # type: ignore[return-value]


def test_who_keeps_what_another_is_keeping_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (head(200, {'Content-Length': str(len(png()))}), png()[:20], STALL, png()[20:])
    with ScriptedServer(whole) as server:
        at_home(monkeypatch, server)
        reports = keep_twice(server, tmp_path)
    assert len(server.requests) == 1
    assert {report.paths for report in reports} == {(str(tmp_path / f'{UUID}.png'),)}
    assert files_in(tmp_path) == [f'{UUID}.png'] and not [r for r in reports if r.aside]


def test_who_waits_for_another_is_told_why_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = (head(410, {'Content-Length': '9'}), STALL, b'x' * 9)
    with ScriptedServer(gone) as server:
        at_home(monkeypatch, server)
        reports = keep_twice(server, tmp_path)
    targets = [request.target for request in server.requests]
    assert len(targets) == len(set(targets)), 'once at each of its addresses'
    for report in reports:
        assert isinstance(report.failures[0].error, errors.GoneError)


# -- a power cut ---------------------------------------------------------------------------------


class Disk:
    """Notes in order which files and folders are flushed, and what gets a name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, refusal: int = 0) -> None:
        self.events: list[tuple[str, int]] = []
        flush = os.fsync

        def fsync(handle: int) -> None:
            self.events.append(('flushed', os.fstat(handle).st_ino))
            if refusal:
                raise OSError(refusal, os.strerror(refusal))
            flush(handle)

        def noting(give: Callable[[str, str], None]) -> Callable[[str, str], None]:
            def named(source: str, target: str) -> None:
                self.events.append((str(target), os.stat(source).st_ino))
                give(source, target)

            return named

        monkeypatch.setattr(os, 'fsync', fsync)
        for how in ('link', 'rename', 'replace'):
            monkeypatch.setattr(os, how, noting(getattr(os, how)))


def test_a_kept_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    with ScriptedServer(ok(png())) as server:
        at_home(monkeypatch, server)
        (path,) = keep(batch.picture_jobs([address(server, '.png')], tmp_path), patient()[0]).paths
    mine, folder = os.stat(path).st_ino, os.stat(tmp_path).st_ino
    expected = [('flushed', mine), (path, mine)]
    if sys.platform != 'win32':
        expected.append(('flushed', folder))
    assert disk.events[-len(expected) :] == expected


def test_the_picture_cache_waits_for_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    with ScriptedServer(ok(png())) as server:
        at_home(monkeypatch, server)
        job = DownloadJob(address(server, '.png'), str(tmp_path / 'a.png'))
        report = batch.report(batch.download([job], fetch_with(patient()[0]), 1))
    assert report.count(Outcome.SAVED) == 1
    assert [what for what, _ in disk.events] == [str(tmp_path / 'a.png')]


@pytest.mark.parametrize(
    ('refusal', 'is_kept'),
    [(errno.EINVAL, True), (errno.ENOSYS, True), (errno.EIO, False), (errno.ENOSPC, False)],
)
def test_a_disk_that_fails_to_flush_gets_no_name_and_one_that_cannot_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int, is_kept: bool
) -> None:
    Disk(monkeypatch, refusal)
    with ScriptedServer(ok(png())) as server:
        at_home(monkeypatch, server)
        report = keep(batch.picture_jobs([address(server, '.png')], tmp_path), patient()[0])
    assert files_in(tmp_path) == ([f'{UUID}.png'] if is_kept else [])
    assert is_kept or isinstance(report.failures[0].error, errors.StorageError)


# -- two that want one name at once --------------------------------------------------------------


@pytest.mark.parametrize(
    ('faster', 'outcome', 'names'),
    [
        pytest.param(png(3000), Outcome.SKIPPED, ['1.png'], id='another picture'),
        pytest.param(STILL, Outcome.SKIPPED, ['1.png'], id='the same bytes'),
        pytest.param(b'no picture', Outcome.SAVED, ['1.odd-1.png', '1.png'], id='no picture'),
    ],
)
def test_the_file_of_another_program_that_was_faster_is_not_replaced(
    client: CivitaiHttpClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    faster: bytes,
    outcome: Outcome,
    names: list[str],
) -> None:
    """It took the name while the disk was slow with ours."""
    settled = os.fsync

    def slow(handle: int) -> None:
        monkeypatch.setattr(os, 'fsync', settled)
        (tmp_path / '1.png').write_bytes(faster)
        settled(handle)

    with ScriptedServer(handler=lambda _: ok(STILL)) as server:
        at_home(monkeypatch, server)
        job = DownloadJob(address(server, '.png'), str(tmp_path / '1.png'))
        monkeypatch.setattr(os, 'fsync', slow)
        report = keep([job], client)
    assert [outcome] == [result.outcome for result in report.results]
    assert names == visible(tmp_path)
    assert faster in [(tmp_path / name).read_bytes() for name in names]
