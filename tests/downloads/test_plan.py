"""What is said about many downloads."""

import pytest

from scripts.civitai_manager_libs.downloads.plan import (
    BatchReport,
    DownloadJob,
    DownloadResult,
    Outcome,
    main_cause,
)
from scripts.civitai_manager_libs.errors import (
    CivitaiError,
    NotFoundError,
    ServerBusyError,
    StorageError,
    TimedOutError,
)

BUSY = ServerBusyError(status=503)
BUSY_TOO = ServerBusyError(status=503, url='https://civitai.com/other')
BROKEN = ServerBusyError(status=500)
GONE = NotFoundError(status=404)
SLOW = TimedOutError(host='image.civitai.com')
FULL = StorageError('error_disk_full', folder='/x')


@pytest.mark.parametrize(
    ('errors', 'cause'),
    [
        pytest.param([], None, id='no failure'),
        pytest.param([None, None], None, id='nothing known'),
        pytest.param([GONE], GONE, id='one'),
        pytest.param([None, GONE, None], GONE, id='one known'),
        pytest.param([GONE, BUSY, BUSY_TOO], BUSY, id='the commonest, its first'),
        pytest.param([BUSY, GONE], BUSY, id='a tie goes to the first'),
        pytest.param([BROKEN, BUSY, BUSY_TOO, BROKEN, BUSY], BUSY, id='statuses count apart'),
        pytest.param([SLOW, FULL, None, FULL, None, None], FULL, id='unknown causes do not count'),
    ],
)
def test_the_main_cause_of_many_failures(
    errors: list[CivitaiError | None], cause: CivitaiError | None
) -> None:
    assert main_cause(iter(errors)) is cause


def result(name: str, outcome: Outcome) -> DownloadResult:
    return DownloadResult(DownloadJob(f'https://x/{name}', f'/f/{name}'), outcome, f'/f/{name}.png')


def test_a_report_counts_and_lists_in_order() -> None:
    report = BatchReport(
        (
            result('c', Outcome.SAVED),
            result('a', Outcome.FAILED),
            result('b', Outcome.SKIPPED),
            result('d', Outcome.FAILED),
        )
    )
    assert [report.count(outcome) for outcome in Outcome] == [1, 1, 2]
    assert report.failed_urls == ('https://x/a', 'https://x/d')
    assert [failure.job.path for failure in report.failures] == ['/f/a', '/f/d']
    assert report.paths == ('/f/c.png', '/f/b.png')


def test_a_report_of_nothing_is_empty() -> None:
    report = BatchReport()
    assert (report.paths, report.failed_urls, report.count(Outcome.SAVED)) == ((), (), 0)
