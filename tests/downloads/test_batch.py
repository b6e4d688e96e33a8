"""Many downloads at once: a bounded pool, one failure never stops the rest."""

import io
import itertools
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Callable, Iterator

import pytest
from PIL import Image

from scripts.civitai_manager_libs import notices
from scripts.civitai_manager_libs.downloads import batch, crew
from scripts.civitai_manager_libs.downloads.plan import DownloadJob, DownloadResult, Outcome
from scripts.civitai_manager_libs.errors import NotFoundError
from scripts.civitai_manager_libs.http_client import slots
from tests.support.network import png
from tests.support.paths import ROOT
from tests.support.scripted_server import ScriptedServer, ok

PATIENCE = 30  # seconds until a test that hangs is given up
UUID = '1c9a4e0e-9a51-4d2f-8a55-0d2f5f2f7a10'
CDN = 'https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA'


def picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new('RGB', (4, 4), 'teal').save(buffer, kind)
    return buffer.getvalue()


def job_at(name: str) -> DownloadJob:
    return DownloadJob(f'https://x/{name}', f'/folder/{name}')


# --- the pool --------------------------------------------------------------------------------


@pytest.mark.parametrize('concurrency', [1, 3, 16])
@pytest.mark.parametrize('count', [0, 1, 40])
def test_every_job_is_done_once_and_told_with_its_outcome(count: int, concurrency: int) -> None:
    done = list(crew.run(lambda n: n % 3 > 0, range(count), concurrency))
    assert sorted(done) == [(n, n % 3 > 0) for n in range(count)]


def test_no_more_run_at_once_than_allowed_and_so_many_do() -> None:
    lock, running, most = threading.Lock(), 0, 0
    together = threading.Barrier(4)

    def work(number: int) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(PATIENCE)  # passes only when four are here
        with lock:
            running -= 1
        return True

    assert len(list(crew.run(work, range(40), 4))) == 40
    assert most == 4


def test_what_a_job_has_to_tell_is_heard_before_its_outcome() -> None:
    heard: list[int] = []

    def work(number: int) -> bool:
        notices.tell('notice_waiting', host=number)
        return True

    with notices.going_to(lambda key, values: heard.append(values['host'])):
        for number, _ in crew.run(work, range(30), 1):
            assert number in heard
    assert heard == list(range(30))


@pytest.mark.parametrize('concurrency', [1, 2, 5])
def test_jobs_are_pulled_as_they_are_needed(concurrency: int) -> None:
    pulled, received, most = 0, 0, 0

    def endless() -> Iterator[int]:
        nonlocal pulled, most
        for number in itertools.count():
            pulled += 1
            most = max(most, pulled - received)
            yield number

    results = crew.run(lambda number: True, endless(), concurrency)
    for _ in results:
        received += 1
        if received == 50:
            break
    assert most <= 2 * concurrency
    results.close()
    assert pulled - received <= 2 * concurrency


def test_a_job_is_told_as_soon_as_it_is_done_while_others_still_run() -> None:
    told = threading.Event()
    results = crew.run(lambda slow: told.wait(PATIENCE) if slow else True, [True, False], 2)
    assert next(results) == (False, True)
    told.set()
    assert next(results) == (True, True)
    assert list(results) == []


class Odd(Exception):
    """Something nobody thought of."""


@pytest.mark.parametrize('error', [Odd('!'), OSError(28, 'full'), NotFoundError(status=404)])
def test_what_goes_wrong_in_one_job_is_logged_and_stops_no_other(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def work(number: int) -> bool:
        if number == 2:
            raise error
        return True

    done = list(crew.run(work, range(10), 3))
    assert sorted(done) == [(n, n != 2) for n in range(10)]
    assert type(error).__name__ in caplog.text


def test_closing_drops_what_has_not_begun_and_waits_for_what_has() -> None:
    begun: list[int] = []
    ended: list[int] = []

    def work(number: int) -> bool:
        begun.append(number)
        ended.append(number)
        return True

    jobs = iter(range(1000))
    results = crew.run(work, jobs, 2)
    next(results)
    results.close()
    assert sorted(begun) == sorted(ended)
    assert len(begun) <= 4
    assert next(jobs) == 4, 'no further job was pulled'


def test_closing_before_the_beginning_starts_nothing() -> None:
    begun: list[int] = []
    results = crew.run(lambda number: bool(begun.append(number)), range(9), 2)
    results.close()
    assert begun == []


def test_a_source_of_jobs_that_breaks_is_an_error_after_the_running_ones_ended() -> None:
    ended: list[int] = []
    before = {*threading.enumerate()}

    def broken() -> Iterator[int]:
        yield 0
        yield 1
        raise Odd

    with pytest.raises(Odd):
        list(crew.run(lambda number: not ended.append(number), broken(), 4))
    assert sorted(ended) in ([], [0], [1], [0, 1])
    assert not {*threading.enumerate()} - before, 'a thread of it is left'


def test_while_some_can_only_wait_others_work_in_their_place() -> None:
    all_lent, back = threading.Barrier(3), threading.Event()
    told: list[int] = []
    before = {*threading.enumerate()}

    def work(number: int) -> bool:
        slot = slots.current()
        assert slot is not None
        if number < 2:
            slot.lend()
            all_lent.wait(PATIENCE)
            back.wait(PATIENCE)
            slot.take_back(threading.Event())
        return True

    results = crew.run(work, range(20), 2)
    meanwhile = threading.Thread(target=lambda: told.extend(number for number, _ in results))
    meanwhile.start()
    all_lent.wait(PATIENCE)  # both places are lent
    deadline = time.monotonic() + PATIENCE
    while len(told) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(told[:2]) == [2, 3], 'others were done'
    back.set()
    meanwhile.join(PATIENCE)
    assert sorted(told) == list(range(20))
    assert not {*threading.enumerate()} - before, 'a thread of it is left'


def test_nobody_gets_more_places_than_there_are_by_lending() -> None:
    lock, running, most = threading.Lock(), 0, 0

    def work(number: int) -> bool:
        nonlocal running, most
        slot = slots.current()
        assert slot is not None
        for _ in range(3):
            with lock:
                running += 1
                most = max(most, running)
            with lock:
                running -= 1
            slot.lend()
            slot.lend()  # twice is once
            slot.take_back(threading.Event())
        return True

    assert len(list(crew.run(work, range(60), 3))) == 60
    assert most <= 3


def test_a_place_is_not_waited_for_once_stopped() -> None:
    stop = threading.Event()
    stop.set()

    def work(number: int) -> bool:
        slot = slots.current()
        assert slot is not None
        slot.lend()
        slot.take_back(stop)
        return True

    assert len(list(crew.run(work, range(9), 1))) == 9
    assert slots.current() is None


# --- downloads -------------------------------------------------------------------------------


class Fetcher:
    """A fetch that succeeds but for some names, and remembers what it was asked."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.asked: list[tuple[str, str]] = []

    def __call__(self, url: str, path: str) -> bool:
        self.asked.append((url, path))
        return not path.endswith(self.failing) if self.failing else True


def outcomes(jobs: list[DownloadJob], fetch: batch.Fetch) -> list[Outcome]:
    report = batch.report(batch.download(jobs, fetch, 4))
    assert [result.job for result in report.results] == jobs, 'the order is that of the jobs'
    return [result.outcome for result in report.results]


def test_results_are_in_the_order_of_the_jobs_whatever_ends_first() -> None:
    names = [f'{number:02}' for number in range(12)]
    turn = {name: threading.Event() for name in names}
    turn[names[3]].set()

    def fetch(url: str, path: str) -> bool:
        """The first four end backwards: each lets the one before it go."""
        name = path[-2:]
        if name in names[:4]:
            turn[name].wait(PATIENCE)
            if name != names[0]:
                turn[names[names.index(name) - 1]].set()
        return True

    assert outcomes([job_at(name) for name in names], fetch) == [Outcome.SAVED] * 12


def test_one_failure_leaves_the_others_alone() -> None:
    jobs = [job_at(name) for name in 'abcdef']
    assert outcomes(jobs, Fetcher('c')) == [
        Outcome.FAILED if job.path.endswith('c') else Outcome.SAVED for job in jobs
    ]


def test_an_exception_in_a_fetch_is_a_failure_of_that_file() -> None:
    def fetch(url: str, path: str) -> bool:
        if path.endswith('b'):
            raise Odd
        return True

    expected = [Outcome.SAVED, Outcome.FAILED, Outcome.SAVED]
    assert outcomes([job_at(name) for name in 'abc'], fetch) == expected


def test_what_is_present_is_not_fetched() -> None:
    fetch = Fetcher()
    jobs = [job_at('a'), DownloadJob('https://x/b', '/folder/b', present=True), job_at('c')]
    assert outcomes(jobs, fetch) == [Outcome.SAVED, Outcome.SKIPPED, Outcome.SAVED]
    assert sorted(path for _, path in fetch.asked) == ['/folder/a', '/folder/c']


@pytest.mark.parametrize('failing', [(), ('a',)], ids=['saved', 'failed'])
def test_jobs_for_one_file_share_one_fetch_and_its_outcome(failing: tuple[str, ...]) -> None:
    """What was saved is counted once; the others find it there."""
    fetch = Fetcher(*failing)
    first, then = (Outcome.FAILED,) * 2 if failing else (Outcome.SAVED, Outcome.SKIPPED)
    jobs = [job_at('a'), job_at('b'), job_at('a'), job_at('a')]
    assert outcomes(jobs, fetch) == [first, Outcome.SAVED, then, then]
    assert Counter(path for _, path in fetch.asked) == {'/folder/a': 1, '/folder/b': 1}


def test_each_failure_of_very_many_has_its_own_cause() -> None:
    """A client remembers only the last ones."""
    causes = {f'https://x/{n}': NotFoundError(status=404, url=str(n)) for n in range(2500)}

    def fetch(url: str, path: str) -> bool:
        raise causes[url]

    report = batch.report(batch.download([job_at(str(n)) for n in range(2500)], fetch, 8))
    told = {failure.job.url: failure.error for failure in report.failures}
    assert told.keys() == causes.keys()
    for url, error in told.items():
        assert isinstance(error, NotFoundError) and error.url == causes[url].url
        assert error.__traceback__ is None, 'it would keep buffers alive'


def test_jobs_for_one_file_share_the_cause_of_its_failure() -> None:
    def fetch(url: str, path: str) -> bool:
        raise NotFoundError(status=404)

    report = batch.report(batch.download([job_at('a'), job_at('a')], fetch, 2))
    assert [type(failure.error) for failure in report.failures] == [NotFoundError] * 2


@pytest.mark.parametrize('error', [None, Odd('!')], ids=['just False', 'unexpected'])
def test_where_nobody_can_tell_the_cause_there_is_none(error: Exception | None) -> None:
    def fetch(url: str, path: str) -> bool:
        if error:
            raise error
        return False

    (failure,) = batch.report(batch.download([job_at('a')], fetch, 2)).failures
    assert failure.error is None


def test_no_jobs_is_an_empty_report() -> None:
    assert outcomes([], Fetcher()) == []


def test_closing_the_results_stops_the_rest() -> None:
    fetch = Fetcher()
    results = batch.download([job_at(str(number)) for number in range(500)], fetch, 2)
    next(results)
    results.close()
    assert len(fetch.asked) <= 4


def test_ctrl_c_reaches_the_caller_while_downloads_still_run() -> None:
    """The caller then ends them, by closing its client; here: by setting `closed`."""
    closed, one_is_done, other_runs = threading.Event(), threading.Event(), threading.Event()
    ended: list[bool] = []

    class Pressed(str):
        """A path at whose second use, after the download, somebody presses Ctrl-C."""

        def __hash__(self) -> int:
            if one_is_done.is_set():
                raise KeyboardInterrupt
            return super().__hash__()

    def fetch(url: str, path: str) -> bool:
        if isinstance(path, Pressed):
            other_runs.wait(PATIENCE)
            one_is_done.set()
        else:
            other_runs.set()
            ended.append(closed.wait(PATIENCE))
        return True

    jobs = [DownloadJob('https://x/a', Pressed('/folder/a')), job_at('b')]
    try:
        list(batch.with_right_extension(batch.download(jobs, fetch, 2)))
    except KeyboardInterrupt:
        closed.set()
    assert ended == [True]


# --- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('url', 'name'),
    [
        (f'{CDN}/{UUID}/original=true/{UUID}.jpeg', f'{UUID}.jpeg'),
        (f'{CDN}/{UUID}/original=true/whatever.mp4', f'{UUID}.mp4'),
        (f'{CDN}/{UUID.upper()}/original=true/1.PNG', f'{UUID}.png'),
        (f'{CDN}/{UUID}/original=true/1.jpeg?token=secret', f'{UUID}.jpeg'),
        (f'{CDN}/{UUID}/original=true/1.webp#part', f'{UUID}.webp'),
        (f'https://image-b2.civitai.com/file/civitai-media-cache/{UUID}/original', f'{UUID}.jpeg'),
        (f'{CDN}/{UUID}/original=true/1.exe', f'{UUID}.jpeg'),
        (f'{CDN}/{UUID}/original=true/1', f'{UUID}.jpeg'),
    ],
)
def test_a_picture_is_called_by_its_identity(url: str, name: str, tmp_path: Path) -> None:
    assert batch.picture_jobs([url], tmp_path) == [DownloadJob(url, str(tmp_path / name))]


HOSTILE = (
    'https://x/../../../../etc/passwd',
    'https://x/..%2f..%2f..%2fetc%2fpasswd.png',
    'https://x/%2e%2e/%2e%2e.png',
    'https://x/..',
    'https://x/.',
    'https://x/.png',
    'https://x/a/..\\..\\b.png',
    'https://x/C%3A%5CWindows%5Cx.png',
    'https://x/%00.png',
    'https://x/a\0b.png',
    'https://x/CON.png',
    f'https://x/{"n" * 5000}.png',
    f'https://x/{"%E5%90%8D" * 500}.png',
    'https://x/~/.ssh/authorized_keys',
    'https://x/$(reboot).png',
    'https://x/-rf.png',
    'https://x/\ud83d.png',
    'https://x/%ff%fe.png',
    'https://[::1/x.png',
    'http://[bad]/x.png',
    '/etc/passwd',
    'file:///etc/passwd',
    '../x.png',
    'a',
    '?',
    '',
)


@pytest.mark.parametrize('url', HOSTILE, ids=lambda url: ascii(url)[:50])
def test_no_address_leads_out_of_the_folder(url: str, tmp_path: Path) -> None:
    (job,) = batch.picture_jobs([url], tmp_path)
    path = Path(job.path)
    assert (job.url, job.present) == (url, False)
    assert path.parent == tmp_path
    assert path.resolve().parent == tmp_path.resolve()
    assert path.name.isprintable() and not path.name.startswith('.')
    path.write_bytes(b'the system takes the name')


def test_different_addresses_of_one_name_are_different_files(tmp_path: Path) -> None:
    urls = ['https://x/a/1.png', 'https://x/b/1.png', 'https://y/a/1.png', 'https://x/a/1.png?v=2']
    assert len({job.path for job in batch.picture_jobs(urls, tmp_path)}) == len(urls)
    assert batch.picture_jobs(urls, tmp_path) == batch.picture_jobs(urls, tmp_path)


@pytest.mark.parametrize('suffix', ['.jpeg', '.jpg', '.png', '.webp', '.mp4', '.webm', '.gif'])
def test_a_picture_that_is_there_under_any_extension_is_present(
    suffix: str, tmp_path: Path
) -> None:
    there = tmp_path / f'{UUID}{suffix}'
    there.write_bytes(picture('PNG'))
    url = f'{CDN}/{UUID}/original=true/{UUID}.jpeg'
    assert batch.picture_jobs([url], tmp_path) == [DownloadJob(url, str(there), present=True)]


def test_a_picture_that_is_there_with_a_large_extension_is_present(tmp_path: Path) -> None:
    there = tmp_path / f'{UUID}.PNG'
    there.write_bytes(picture('PNG'))
    (job,) = batch.picture_jobs([f'{CDN}/{UUID}/original=true/{UUID}.jpeg'], tmp_path)
    assert job.present and Path(job.path).samefile(there)


@pytest.mark.parametrize('name', [f'{UUID}.txt', f'{UUID}.part', f'{UUID}', 'other.png'])
def test_another_file_is_not_the_picture(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b'x')
    (tmp_path / f'{UUID}.png').mkdir()
    (job,) = batch.picture_jobs([f'{CDN}/{UUID}/original=true/1.jpeg'], tmp_path)
    assert not job.present


# --- extensions ------------------------------------------------------------------------------


def writer(content: Callable[[str], bytes | None]) -> batch.Fetch:
    def fetch(url: str, path: str) -> bool:
        data = content(url)
        if data is not None:
            Path(path).write_bytes(data)
        return data is not None

    return fetch


@pytest.mark.parametrize(
    ('content', 'extension'),
    [
        pytest.param(picture('PNG'), '.png', id='png'),
        pytest.param(picture('JPEG'), '.jpg', id='jpeg'),
        pytest.param(picture('WEBP'), '.webp', id='webp'),
        pytest.param(picture('GIF'), '.gif', id='gif'),
        pytest.param(b'\0\0\0\x18ftypmp42' + bytes(16), '.mp4', id='mp4'),
        pytest.param(b'\x1a\x45\xdf\xa3' + bytes(16), '.webm', id='webm'),
        pytest.param(b'nobody knows', '.jpeg', id='unknown stays'),
    ],
)
def test_a_kept_file_has_the_extension_of_its_bytes(
    content: bytes, extension: str, tmp_path: Path
) -> None:
    jobs = batch.picture_jobs([f'{CDN}/{UUID}/original=true/{UUID}.jpeg'], tmp_path)
    done = batch.download(jobs, writer(lambda url: content), 2)
    (result,) = batch.report(batch.with_right_extension(done)).results
    assert Path(result.path) == tmp_path / f'{UUID}{extension}'
    assert Path(result.path).read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == [f'{UUID}{extension}']


def test_every_job_of_one_file_tells_where_it_is_now(tmp_path: Path) -> None:
    jobs = batch.picture_jobs([f'{CDN}/{UUID}/original=true/{UUID}.jpeg'] * 3, tmp_path)
    done = batch.download(jobs, writer(lambda url: picture('PNG')), 2)
    report = batch.report(batch.with_right_extension(done))
    assert set(report.paths) == {str(tmp_path / f'{UUID}.png')}


def test_two_jobs_of_a_file_that_was_there_tell_where_it_is_now(tmp_path: Path) -> None:
    (tmp_path / f'{UUID}.jpeg').write_bytes(picture('WEBP'))
    jobs = batch.picture_jobs([f'{CDN}/{UUID}/original=true/{UUID}.jpeg'] * 2, tmp_path)
    report = batch.report(batch.with_right_extension(batch.download(jobs, Fetcher(), 2)))
    assert report.paths == (str(tmp_path / f'{UUID}.webp'),) * 2
    assert report.count(Outcome.SKIPPED) == 2


def test_the_second_time_everything_is_there_already(tmp_path: Path) -> None:
    urls = [f'{CDN}/{UUID[:-1]}{digit}/original=true/{digit}.jpeg' for digit in range(5)]
    kinds = itertools.cycle(['PNG', 'JPEG', 'WEBP'])
    content = {url: picture(kind) for url, kind in zip(urls, kinds)}

    def keep() -> list[DownloadResult]:
        jobs = batch.picture_jobs(urls, tmp_path)
        done = batch.download(jobs, writer(lambda url: content[url]), 3)
        return list(batch.report(batch.with_right_extension(done)).results)

    first, second = keep(), keep()
    assert {result.outcome for result in first} == {Outcome.SAVED}
    assert {result.outcome for result in second} == {Outcome.SKIPPED}
    assert [result.path for result in first] == [result.path for result in second]


def test_a_failed_or_missing_file_keeps_the_name_it_would_have(tmp_path: Path) -> None:
    url = f'{CDN}/{UUID}/original=true/{UUID}.jpeg'
    for fetch in (Fetcher('.jpeg'), Fetcher()):  # the second says True and writes nothing
        done = batch.download(batch.picture_jobs([url], tmp_path), fetch, 1)
        (result,) = batch.report(batch.with_right_extension(done)).results
        assert result.path == str(tmp_path / f'{UUID}.jpeg')


def test_a_file_that_cannot_be_renamed_keeps_its_extension(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / f'{UUID}.png' / 'in the way').mkdir(parents=True)
    jobs = batch.picture_jobs([f'{CDN}/{UUID}/original=true/{UUID}.jpeg'], tmp_path)
    done = batch.download(jobs, writer(lambda url: picture('PNG')), 1)
    report = batch.report(batch.with_right_extension(done))
    assert report.paths == (str(tmp_path / f'{UUID}.jpeg'),)
    assert Path(report.paths[0]).read_bytes() == picture('PNG')
    assert 'keeps its extension' in caplog.text


# --- what a picture costs ----------------------------------------------------------------------

NOTED = """
import sys
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.downloads import batch
from scripts.civitai_manager_libs.downloads.plan import DownloadJob
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient

url, folder = sys.argv[1:]
setting.civitai_base_url, fetch = url, CivitaiHttpClient().download_file
first, second = [DownloadJob(f'{url}/{n}.png', f'{folder}/{n}.png') for n in range(2)]
noted = []


def note(event, arguments):
    if event in ('open', 'os.rename', 'os.remove') and str(arguments[0]).startswith(folder):
        if arguments[1] is not None:  # an opener of its own is told of too
            noted.append(event)


batch.report(batch.download([first], fetch, 1))  # it looks through the folder, once
sys.addaudithook(note)  # in a program of its own, because nobody can take it away again
batch.report(batch.download([second], fetch, 1))
print(*noted)
"""


def test_a_picture_is_opened_to_write_it_and_once_to_look_at_it(tmp_path: Path) -> None:
    with ScriptedServer(ok(png())) as server:
        command = [sys.executable, '-c', NOTED, server.url, str(tmp_path)]
        noted = subprocess.check_output(command, cwd=ROOT, text=True)
    assert noted.split() == ['open', 'os.rename', 'open']
