"""Files the client saves: whole and of the right kind under their name, or not there at all."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import secrets
import shutil
import tempfile
import threading
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from scripts.civitai_manager_libs import errors
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.store import files
from tests.support.network import at_home, files_in, patient, png
from tests.support.scripted_server import (
    RESET,
    STALL,
    Answer,
    Request,
    ScriptedServer,
    chunked,
    head,
    ok,
)

PNG = png()
BIG = png(300_000)
JPEG = b'\xff\xd8\xff\xe0\x00\x10JFIF' + bytes(40) + b'\xff\xd9'
WEBP = b'RIFF\x24\0\0\0WEBPVP8 ' + bytes(28)
MP4 = b'\0\0\0\x18ftypisom' + bytes(40)
WEIGHTS = (64).to_bytes(8, 'little') + b'{"__metadata__": {}}' + bytes(100)
PAGE = b'\n<!DOCTYPE html>\n<html><title>Log in</title></html>'


def download(
    monkeypatch: pytest.MonkeyPatch, target: Path, *answers: Answer, **options: Any
) -> tuple[bool, CivitaiHttpClient, str, list[float]]:
    """Save what a server with these answers sends; was it saved, by whom, from where, waits."""
    with ScriptedServer(*answers) as server:
        at_home(monkeypatch, server)
        client, waits = patient(**options)
        url = f'{server.url}/original=true/picture.jpeg'
        return client.download_file(url, target), client, url, waits


def failure(
    monkeypatch: pytest.MonkeyPatch, target: Path, *answers: Answer, **options: Any
) -> errors.CivitaiError:
    """The error of a download that must fail and leave nothing new."""
    before = files_in(target.parent) if target.parent.exists() else []
    saved, client, url, _ = download(monkeypatch, target, *answers, **options)
    error = client.failure_for(url)
    assert not saved and error is not None
    assert (files_in(target.parent) if target.parent.exists() else []) == before
    return error


# -- saved --------------------------------------------------------------------------------------

KINDS = [
    pytest.param('a.png', PNG, id='png'),
    pytest.param('a.jpeg', PNG, id='a picture of another type than its name'),
    pytest.param('a.jpeg', MP4, id='a video behind .jpeg'),
    pytest.param('a.mp4', WEBP, id='a still behind .mp4'),
    pytest.param('A.PNG', JPEG, id='suffix in capitals'),
    pytest.param('m.safetensors', WEIGHTS, id='weights'),
    pytest.param('m.safetensors', b'<' + WEIGHTS[1:], id='weights that begin like markup'),
    pytest.param('m.yaml', b'model: {"error": 1}', id='text that is no JSON'),
    pytest.param('m.json', b'{"steps": 20}', id='JSON that is no error'),
    pytest.param('m.bin', b'\0', id='one byte'),
    pytest.param('no suffix', b'anything', id='no suffix'),
]


@pytest.mark.parametrize(('name', 'body'), KINDS)
def test_the_bytes_arrive_as_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, body: bytes
) -> None:
    folder = tmp_path / 'new' / 'folders, 新'
    saved, client, url, waits = download(monkeypatch, folder / name, ok(body))
    assert saved and waits == [] and client.failure_for(url) is None
    assert files_in(tmp_path) == [str((folder / name).relative_to(tmp_path))]
    assert (folder / name).read_bytes() == body


@pytest.mark.parametrize(
    'answer',
    [
        pytest.param(ok(BIG), id='with a length'),
        pytest.param(chunked(BIG[:7], BIG[7:]), id='in chunks, the first one short'),
        pytest.param(head(200) + BIG, id='until the connection closes'),
        pytest.param(ok(gzip.compress(BIG), Content_Encoding='gzip'), id='gzip all the same'),
        pytest.param(ok(BIG, Content_Type='text/html'), id='called a page'),
    ],
)
def test_every_honest_way_to_send_a_body(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer
) -> None:
    saved, _, _, waits = download(monkeypatch, tmp_path / 'a.png', answer)
    assert saved and waits == [] and (tmp_path / 'a.png').read_bytes() == BIG


def test_files_are_asked_for_uncoded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with ScriptedServer(ok(PNG)) as server:
        at_home(monkeypatch, server)
        assert patient()[0].download_file(f'{server.url}/a', str(tmp_path / 'a.png'))
    assert server.requests[0].headers['accept-encoding'] == 'identity'


def test_an_old_file_is_replaced_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / 'a.png'
    target.write_bytes(b'old')
    assert download(monkeypatch, target, ok(PNG))[0]
    assert target.read_bytes() == PNG and files_in(tmp_path) == ['a.png']


def progress_of(
    monkeypatch: pytest.MonkeyPatch, target: Path, answer: Answer
) -> list[tuple[int, int]]:
    """What is told while a file is saved: each time the bytes so far, and of how many."""
    told: list[tuple[int, int]] = []
    with ScriptedServer(answer) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        assert client.download_file(
            f'{server.url}/a', target, lambda done, total: told.append((done, total))
        )
    return told


def test_progress_rises_to_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = progress_of(monkeypatch, tmp_path / 'a.png', ok(BIG))
    assert len(told) > 1 and told == sorted(told)
    assert told[-1] == (len(BIG), len(BIG)) and {total for _, total in told} == {len(BIG)}


def test_progress_without_a_length_says_zero(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert progress_of(monkeypatch, tmp_path / 'a.png', chunked(PNG)) == [(len(PNG), 0)]


@pytest.mark.parametrize('mine', [OSError('the terminal is gone'), RuntimeError('a bug of mine')])
def test_what_a_progress_callback_raises_comes_through_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mine: Exception
) -> None:
    def broken(done: int, total: int) -> None:
        raise mine

    with ScriptedServer(ok(PNG)) as server:
        at_home(monkeypatch, server)
        with pytest.raises(type(mine), match=str(mine)):
            patient()[0].download_file(f'{server.url}/a', tmp_path / 'a.png', broken)
    assert files_in(tmp_path) == []


# -- broken off ---------------------------------------------------------------------------------

CUT = [
    pytest.param(ok(BIG[:100_000], length=len(BIG)), id='shorter than said'),
    pytest.param(
        (head(200, {'Content-Length': str(len(BIG))}), BIG[:100_000], RESET), id='reset on the way'
    ),
    pytest.param((head(200, {'Content-Length': '9'}), RESET), id='reset before the first byte'),
    pytest.param(chunked(BIG[:100_000], end=False), id='chunks without an end'),
    pytest.param(ok(b''), id='empty'),
    pytest.param(chunked(), id='empty in chunks'),
    pytest.param(head(200), id='empty until closed'),
    pytest.param((RESET,), id='no answer'),
    pytest.param(
        ok(gzip.compress(BIG)[:-50], length=len(gzip.compress(BIG)), Content_Encoding='gzip'),
        id='coded and cut',
    ),
]


@pytest.mark.parametrize('cut', CUT)
def test_a_body_that_breaks_off_is_fetched_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cut: Answer
) -> None:
    saved, _, _, waits = download(monkeypatch, tmp_path / 'a.png', cut, cut, ok(BIG))
    assert saved and waits == [0.5, 1.0]
    assert files_in(tmp_path) == ['a.png'] and (tmp_path / 'a.png').read_bytes() == BIG


@pytest.mark.parametrize('cut', CUT)
@pytest.mark.parametrize('name', ['a.png', 'm.safetensors'])
def test_a_body_that_keeps_breaking_off_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cut: Answer, name: str
) -> None:
    error = failure(monkeypatch, tmp_path / name, cut)
    assert isinstance(error, errors.TransferError)


@pytest.mark.parametrize('answer', [*CUT, pytest.param(ok(PAGE), id='a page')])
def test_a_failure_keeps_the_file_that_was_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer
) -> None:
    target = tmp_path / 'a.png'
    target.write_bytes(PNG)
    failure(monkeypatch, target, answer, max_retries=0)
    assert target.read_bytes() == PNG


def test_silence_in_the_middle_is_a_time_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stalled = (head(200, {'Content-Length': str(len(BIG))}), BIG[:100_000], STALL)
    error = failure(monkeypatch, tmp_path / 'a.png', stalled, timeout=0.2, max_retries=0)
    assert isinstance(error, errors.TimedOutError)


# -- not what was asked for ---------------------------------------------------------------------

ERROR_JSON = json.dumps({'error': 'Unauthorized', 'message': 'log in to download'}).encode()
REFUSED = [
    pytest.param(PAGE, 'web page came instead', id='page'),
    pytest.param(b'\xef\xbb\xbf<html>', 'web page came instead', id='page with a mark'),
    pytest.param(b'<!-- busy --><HTML>', 'web page came instead', id='page after a remark'),
    pytest.param(b'<title>Log in</title>', 'web page came instead', id='page without html'),
    pytest.param(ERROR_JSON, 'log in to download', id='error'),
    pytest.param(b' {"message": "File not found"}', 'File not found', id='message'),
]


@pytest.mark.parametrize('name', ['a.png', 'm.safetensors', 'm.json', 'plain'])
@pytest.mark.parametrize(('body', 'sentence'), REFUSED)
def test_a_page_or_an_error_sent_as_a_success_is_refused_anywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, body: bytes, sentence: str
) -> None:
    error = failure(monkeypatch, tmp_path / name, ok(body), ok(PNG))
    assert isinstance(error, errors.WrongContentError) and sentence in error.user_message


@pytest.mark.parametrize('name', ['a.png', 'a.jpeg', 'a.JPG', 'a.webp', 'a.gif', 'a.mp4', 'a.webm'])
@pytest.mark.parametrize('body', [b'GIF, but not one', WEIGHTS, b'%PDF-1.7', b'{"a": 1}', b'\x89P'])
def test_a_picture_name_gets_a_picture_or_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, body: bytes
) -> None:
    error = failure(monkeypatch, tmp_path / name, ok(body))
    assert isinstance(error, errors.WrongContentError)
    assert 'neither a picture nor a video' in error.user_message


@pytest.mark.parametrize('status', [201, 204, 206, 304])
def test_only_200_is_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int) -> None:
    answer = ok(b'' if status in (204, 304) else PNG, status=status)
    error = failure(monkeypatch, tmp_path / 'a.png', answer)
    assert isinstance(error, errors.AnswerError) and error.status == status


def test_a_missing_picture_is_final(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    saved, client, url, waits = download(monkeypatch, tmp_path / 'a.png', ok(b'', status=404))
    assert not saved and waits == [] and files_in(tmp_path) == []
    assert isinstance(client.failure_for(url), errors.NotFoundError)


# -- the disk refuses ---------------------------------------------------------------------------


def test_a_folder_in_the_way_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / 'a.png').mkdir()
    (tmp_path / 'a.png' / 'kept.txt').write_text('kept')
    error = failure(monkeypatch, tmp_path / 'a.png', ok(PNG))
    assert isinstance(error, errors.StorageError) and 'a.png is a folder' in error.user_message
    assert files_in(tmp_path) == [os.path.join('a.png', 'kept.txt')]


def test_a_file_where_a_folder_should_be_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / 'folder').write_text('kept')
    saved, client, url, waits = download(monkeypatch, tmp_path / 'folder' / 'a.png', ok(PNG))
    assert not saved and waits == []
    assert isinstance(client.failure_for(url), errors.StorageError)
    assert (tmp_path / 'folder').read_text() == 'kept'


BAD_NAMES = [
    pytest.param('a' * 300 + '.png', id='too long'),
    pytest.param('a\0.png', id='zero byte'),
    pytest.param('\ud800.png', id='half a character'),
    pytest.param('sub\0folder/a.png', id='zero byte in a folder'),
    pytest.param('', id='none'),
    pytest.param('.', id='dot'),
    pytest.param('..', id='two dots'),
]


@pytest.mark.parametrize('name', BAD_NAMES)
def test_a_name_the_system_does_not_take_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    inside = tmp_path / 'inside'
    inside.mkdir()
    monkeypatch.chdir(inside)
    with ScriptedServer(ok(PNG)) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        assert not client.download_file(f'{server.url}/a', name)
    assert isinstance(client.failure_for(f'{server.url}/a'), errors.StorageError)
    assert waits == [] and files_in(tmp_path) == []


def test_a_read_only_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # not below tmp_path, which is open to one user only
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        is_root = os.geteuid() == 0
        if is_root:  # whom no permission binds
            os.seteuid(65534)
        try:
            error = failure(monkeypatch, folder / 'a.png', ok(PNG))
        finally:
            if is_root:
                os.seteuid(0)
            folder.chmod(0o755)
    assert 'No permission to write' in error.user_message and name in error.user_message


def test_too_little_room_is_seen_before_the_first_byte(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    large = png(2_000_000)
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage(10**9, 10**9, len(large) - 1))
    error = failure(monkeypatch, tmp_path / 'a.png', ok(large))
    assert isinstance(error, errors.StorageError)
    assert 'disk is full' in error.user_message and str(tmp_path) in error.user_message


@pytest.mark.parametrize('length', ['9' * 30, '9' * 5000], ids=['huge', 'more than huge'])
def test_an_absurd_length_is_no_accident(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, length: str
) -> None:
    failure(monkeypatch, tmp_path / 'a.png', head(200, {'Content-Length': length}) + PNG)


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='no device that is always full')
def test_a_disk_that_fills_up_on_the_way_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # the part file, whose name usually ends in chance, is a device on which nothing fits
    monkeypatch.setattr(secrets, 'token_hex', lambda size: '0' * 2 * size)
    with files.part_file(tmp_path / 'another') as part:
        part.touch()
    (tmp_path / 'another').unlink()
    part.symlink_to('/dev/full')
    saved, client, url, waits = download(monkeypatch, tmp_path / 'a.png', ok(BIG))
    assert not saved and waits == [] and files_in(tmp_path) == []
    assert 'disk is full' in str(client.failure_for(url))


def test_a_name_taken_by_the_system_at_the_last_moment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def locked(source: object, target: object) -> None:
        raise OSError(errno.EACCES, 'another program has it open')

    monkeypatch.setattr(os, 'replace', locked)
    error = failure(monkeypatch, tmp_path / 'a.png', ok(PNG))
    assert 'No permission to write' in error.user_message


# -- stopping, and many at once -----------------------------------------------------------------


def test_cancelling_in_the_middle_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cancel = threading.Event()
    endless = (head(200, {'Content-Length': str(2 * len(BIG))}), BIG, STALL)
    with ScriptedServer(endless) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with pytest.raises(errors.CancelledError):
            client.fetch_file(
                f'{server.url}/a',
                tmp_path / 'a.png',
                lambda done, total: cancel.set(),
                cancel=cancel,
            )
    assert files_in(tmp_path) == [] and waits == []


def numbered(number: int) -> bytes:
    """A picture of about 50 kB that no other number has."""
    return PNG + hashlib.sha256(str(number).encode()).digest() * 1600


def test_many_threads_share_one_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: set[str] = set()
    lock = threading.Lock()

    def answer(request: Request) -> Answer:
        number = int(request.target.strip('/'))
        with lock:
            first = request.target not in seen
            seen.add(request.target)
        whole = ok(numbered(number))
        if first and number % 3 == 0:
            return ok(b'', status=500)
        return whole[: len(whole) // 2] if first and number % 3 == 1 else whole

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        client, _ = patient(api_key='key')
        with ThreadPoolExecutor(32) as pool:
            saved = pool.map(
                lambda n: client.download_file(f'{server.url}/{n}', tmp_path / f'{n}.png'),
                range(160),
            )
            assert all(saved)
    assert len(files_in(tmp_path)) == 160
    assert [n for n in range(160) if (tmp_path / f'{n}.png').read_bytes() != numbered(n)] == []
    assert {request.headers['authorization'] for request in server.requests} == {'Bearer key'}


def test_two_writers_of_one_file_never_mix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with ScriptedServer(handler=lambda request: ok(numbered(int(request.target[1:])))) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        with ThreadPoolExecutor(8) as pool:
            urls = [f'{server.url}/{number}' for number in range(24)]
            assert all(pool.map(lambda url: client.download_file(url, tmp_path / 'a.png'), urls))
    assert files_in(tmp_path) == ['a.png']
    assert (tmp_path / 'a.png').read_bytes() in [numbered(number) for number in range(24)]
