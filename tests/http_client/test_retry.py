"""What follows an attempt, as data: how long to wait, and when to stop."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings, strategies as st

from scripts.civitai_manager_libs import errors
from scripts.civitai_manager_libs.http_client import retry
from scripts.civitai_manager_libs.http_client.retry import Done, GiveUp, RetryPolicy, Wait

POLICY = RetryPolicy(tries=4, first_delay=1.0, max_delay=30.0, max_retry_after=60.0)
NOW = 1_700_000_000.0

BUSY = errors.error_for_status(503)
SOON = errors.error_for_status(503, retry_after=7.0)
AT_ONCE = errors.error_for_status(503, retry_after=0.0)
LATER = errors.error_for_status(503, retry_after=61.0)
LIMITED = errors.error_for_status(429)
LIMITED_FOR = errors.error_for_status(429, retry_after=5.0)
CUT = errors.BodyIncompleteError()
LOST = errors.ConnectionFailedError(host='h')

WAITED_FOR = [
    pytest.param(1, BUSY, True, 1.0, id='busy'),
    pytest.param(2, BUSY, True, 2.0, id='busy again'),
    pytest.param(3, LOST, True, 4.0, id='connection lost'),
    pytest.param(1, CUT, False, 1.0, id='body cut'),
    pytest.param(1, errors.TimedOutError(host='h'), False, 1.0, id='time-out'),
    pytest.param(1, SOON, True, 7.0, id='told when'),
    pytest.param(2, AT_ONCE, True, 2.0, id='told at once'),
    pytest.param(1, LIMITED_FOR, True, 5.0, id='limited, told when'),
    pytest.param(1, LIMITED, False, 1.0, id='limited elsewhere'),
]


@pytest.mark.parametrize(('attempt', 'error', 'from_api', 'seconds'), WAITED_FOR)
def test_what_is_tried_again(
    attempt: int, error: errors.CivitaiError, from_api: bool, seconds: float
) -> None:
    decision = retry.decide(POLICY, attempt, error, from_api=from_api, chance=0.5)
    assert decision == Wait(seconds)


GIVEN_UP = [
    pytest.param(4, BUSY, id='tries used'),
    pytest.param(9, LOST, id='more than used'),
    pytest.param(1, LATER, id='told to wait too long'),
    pytest.param(1, LIMITED, id='limited by the api without a time'),
    *(
        pytest.param(1, errors.error_for_status(status), id=str(status))
        for status in (400, 401, 403, 404, 405, 410, 416, 451, 501)
    ),
    pytest.param(1, errors.TlsFailedError(host='h'), id='certificate'),
    pytest.param(1, errors.UrlRefusedError('error_url_malformed'), id='address refused'),
    pytest.param(1, errors.WrongContentError(), id='wrong content'),
    pytest.param(1, errors.StorageError('error_disk_full', folder='f'), id='disk full'),
    pytest.param(1, errors.CancelledError(), id='cancelled'),
]


@pytest.mark.parametrize(('attempt', 'error'), GIVEN_UP)
def test_what_is_final(attempt: int, error: errors.CivitaiError) -> None:
    decision = retry.decide(POLICY, attempt, error, from_api=True, chance=0.5)
    assert isinstance(decision, GiveUp) and decision.reason


BUSY, REFUSED = errors.error_for_status(503), errors.error_for_status(429)


@pytest.mark.parametrize(
    ('error', 'last'),
    [pytest.param(BUSY, 5, id='tries'), pytest.param(REFUSED, 10, id='refusals')],
)
def test_refusals_have_a_patience_of_their_own(error: errors.CivitaiError, last: int) -> None:
    decisions = [
        retry.decide(RetryPolicy(), attempt, error, from_api=False, chance=0.5)
        for attempt in range(1, last + 1)
    ]
    assert all(isinstance(decision, Wait) for decision in decisions[:-1])
    assert isinstance(decisions[-1], GiveUp)


def test_success_is_done() -> None:
    assert retry.decide(POLICY, 1, None, from_api=True, chance=0.5) == Done()


def test_the_default_is_at_least_four_tries() -> None:
    assert RetryPolicy().tries >= 4


@settings(deadline=None)
@given(
    attempt=st.integers(min_value=1, max_value=10**9),
    chance=st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_waits_stay_within_the_jitter_of_the_cap(attempt: int, chance: float) -> None:
    plain = POLICY.backoff(attempt, 0.5)
    assert 1.0 <= plain <= 30.0
    assert plain * 0.75 <= POLICY.backoff(attempt, chance) <= plain * 1.25


@pytest.mark.parametrize('delay', [31.0, 45.0, 60.0])
@pytest.mark.parametrize('attempt', [1, 2, 9])
@pytest.mark.parametrize('chance', [0.0, 0.5, 0.999])
def test_a_delay_above_the_cap_was_asked_for(delay: float, attempt: int, chance: float) -> None:
    assert RetryPolicy(first_delay=delay).backoff(attempt, chance) == delay


@settings(deadline=None)
@given(retry_after=st.floats(min_value=0, max_value=60), chance=st.floats(0, 0.999))
def test_nobody_comes_back_before_the_time_told(retry_after: float, chance: float) -> None:
    error = errors.error_for_status(503, retry_after=retry_after)
    decision = retry.decide(POLICY, 1, error, from_api=True, chance=chance)
    assert isinstance(decision, Wait) and decision.seconds >= retry_after


HEADERS = [
    (None, None),
    ('', None),
    ('   ', None),
    ('0', 0.0),
    ('5', 5.0),
    (' 12 ', 12.0),
    ('9' * 5000, 999_999_999.0),
    ('-1', None),
    ('1.5', None),
    ('1e3', None),
    ('٥', None),
    ('soon', None),
    ('Tue, 14 Nov 2023 22:14:20 GMT', 60.0),
    ('Tue, 14 Nov 2023 22:14:20', 60.0),
    ('Tue, 14 Nov 2023 23:14:20 +0100', 60.0),
    ('Tue, 14 Nov 2023 22:13:19 GMT', 0.0),
    ('Thu, 01 Jan 1970 00:00:00 GMT', 0.0),
    ('Mon, 01 Jan 99999999999999 00:00:00 GMT', None),
    ('Wed, 21 Oct 2015 07:28:00 +99999999999999', None),
    ('Wed, 99 Foo 2015 07:28:00 GMT', None),
]


@pytest.mark.parametrize(('value', 'seconds'), HEADERS, ids=[repr(v)[:40] for v, _ in HEADERS])
def test_when_to_come_back(value: str | None, seconds: float | None) -> None:
    assert retry.parse_retry_after(value, NOW) == seconds


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)))
def test_any_date_is_a_number_of_seconds(when: datetime) -> None:
    when = when.replace(microsecond=0, tzinfo=timezone.utc)
    found = retry.parse_retry_after(format_datetime(when, usegmt=True), NOW)
    assert found == max(0.0, when.timestamp() - NOW)


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.from_regex(r'[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,20} \d+:\d+:\d+ [+-]\d{1,20}'),
    )
)
def test_no_header_is_a_surprise(value: str) -> None:
    found = retry.parse_retry_after(value, NOW)
    assert found is None or found >= 0
