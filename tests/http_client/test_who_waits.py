"""Who waits for what, and for how long: people, jobs, and hosts that only refuse."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Mapping

import pytest

from scripts.civitai_manager_libs import errors, notices, setting
from scripts.civitai_manager_libs.downloads.running import which_try
from scripts.civitai_manager_libs.http_client import client as client_module, retry
from scripts.civitai_manager_libs.http_client.pacing.budget import Budget
from scripts.civitai_manager_libs.http_client.pacing.throttle import Throttle
from tests.support.clock import Clock
from tests.support.network import at_home, files_in, patient, png
from tests.support.scripted_server import Answer, Request, ScriptedServer, kept, ok

GOOD = kept(ok(b'{"items": [1]}'))
NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def busy(status: int = 503, **headers: str) -> Answer:
    return kept(ok(b'', status=status, **headers))


# -- patience of people and of jobs --------------------------------------------------------------


@pytest.mark.parametrize(
    ('after', 'of_a_person', 'of_a_job'),
    [
        pytest.param('4', [4.0] * 4, [4.0] * 4, id='short waits'),
        pytest.param('20', [20.0], [20.0] * 4, id='long ones'),
        pytest.param('26', [], [26.0] * 4, id='one that is too long'),
    ],
)
def test_a_person_does_not_wait_as_long_as_a_job(
    monkeypatch: pytest.MonkeyPatch, after: str, of_a_person: list[float], of_a_job: list[float]
) -> None:
    for is_person, expected in ((True, of_a_person), (False, of_a_job)):
        with ScriptedServer(busy(Retry_After=after)) as server:
            at_home(monkeypatch, server)
            client, waits = patient()
            asking = client.for_a_person() if is_person else client
            with pytest.raises(errors.ServerBusyError):
                asking.fetch_json(f'{server.url}/api/v1/images')
        assert waits == pytest.approx(expected, abs=0.01)


def test_what_is_shown_is_waited_for_as_people_wait(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(setting, 'shortcut_gallery_folder', str(tmp_path / 'cache'))
    waited = {}
    for folder in ('cache', 'kept'):
        with ScriptedServer(busy(429, Retry_After='20')) as server:
            at_home(monkeypatch, server)
            client, waits = patient()
            assert not client.download_file(f'{server.url}/a.png', tmp_path / folder / 'a.png')
        waited[folder] = sum(waits)
    assert waited['cache'] < 60 < waited['kept']


def test_a_gallery_of_a_host_that_only_refuses_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(client_module, 'PATIENCE_OF_A_PERSON', 6.0)
    monkeypatch.setattr(setting, 'shortcut_gallery_folder', str(tmp_path))
    with ScriptedServer(busy(429)) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        threads, failed = [], []

        def fetch(number: int) -> None:
            url = f'{server.url}/{number}.png'
            if not client.download_file(url, tmp_path / f'{number}.png'):
                failed.append(client.failure_for(url))

        for number in range(24):
            threads.append(threading.Thread(target=fetch, args=(number,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join(60)
        asked = len(server.requests)
    assert [type(error) for error in failed] == [errors.RateLimitedError] * 24
    assert asked < 24 * 5 and files_in(tmp_path) == []


def refuse(throttle: Throttle, rest: float = 3600.0, **of_turn: float) -> None:
    """Take a turn and have it refused, with a wish for so many seconds of rest."""
    budget = Budget(9.0, 9, 9)
    with pytest.raises(errors.RateLimitedError):
        with throttle.turn(
            'a', threading.Event(), lambda: budget, patience=25.0, **of_turn
        ) as turn:
            turn.refused(rest, errors.RateLimitedError(status=429))
            raise errors.RateLimitedError(status=429)


def test_who_has_not_had_a_turn_hears_why_when_patience_ends() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    refuse(throttle)
    heard: list[Any] = []

    def ask() -> None:
        try:
            with throttle.turn('a', threading.Event(), lambda: None, asked=1.0, patience=25.0):
                heard.append('a turn')
        except errors.CivitaiError as error:
            heard.append((error.status, error.transient))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    clock.now = 26.5
    thread.join(20)
    assert heard == [(429, False)]


def test_who_asks_after_patience_has_ended_hears_at_once() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    refuse(throttle, rest=0.0)
    clock.now = 20.0
    refuse(throttle, asked=20.0)
    clock.now = 26.0
    turn = throttle.turn(
        'a', threading.Event(), lambda: Budget(9.0, 9, 9), asked=26.0, patience=25.0
    )
    with pytest.raises(errors.RateLimitedError):
        with turn:
            pytest.fail('the host refuses all, and asks for an hour of rest')


def test_refusals_of_long_ago_keep_nobody_from_asking() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    refuse(throttle)
    clock.now = 4000.0
    with throttle.turn('a', threading.Event(), lambda: None, asked=4000.0, patience=25.0):
        pass


# -- saying so -----------------------------------------------------------------------------------


def test_a_wait_of_more_than_a_few_seconds_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, Any]] = []
    answers = busy(), busy(Retry_After='14'), GOOD
    with ScriptedServer(*answers) as server:
        at_home(monkeypatch, server)
        client, waits = patient()
        with notices.going_to(lambda key, values: told.append((key, dict(values)))):
            assert client.get_json(f'{server.url}/api/v1/images') == {'items': [1]}
    assert waits == [0.5, 14.0]
    assert told == [
        (
            'notice_asked_to_wait',
            {'host': '127.0.0.1', 'status': 503, 'seconds': 14, 'attempt': 3, 'tries': 5},
        )
    ]


def test_who_has_no_patience_for_all_tries_is_told_when_there_are_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[float, Mapping[str, Any]]] = []
    with ScriptedServer(busy(429, Retry_After='5')) as server:
        at_home(monkeypatch, server)
        patient_one, waits = patient()
        client = patient_one.for_a_person()

        def hear(key: str, values: Mapping[str, Any]) -> None:
            told.append((sum(waits), dict(values)))

        with notices.going_to(hear):
            assert client.get_json(f'{server.url}/api/v1/images') is None
        asked = len(server.requests)
    assert told and 1 < asked < 10, 'time ends what ten tries would be'
    for passed, values in told:
        last_try_at = sum(waits)
        assert passed + values['left'] == pytest.approx(client_module.PATIENCE_OF_A_PERSON, abs=1)
        assert last_try_at <= passed + values['left']
        sentence = which_try(values)
        assert f'try {values["attempt"]};' in sentence and 'of 10' not in sentence


# -- what one answer says about others -----------------------------------------------------------


@pytest.mark.parametrize('status', [400, 401, 403, 404, 410, 451, 500, 502, 504])
def test_an_answer_about_one_picture_says_nothing_about_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int
) -> None:
    def answer(request: Request) -> Answer:
        return busy(status, Retry_After='600') if 'bad' in request.target else kept(ok(png()))

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        client, _ = patient(max_retries=0)
        assert not client.download_file(f'{server.url}/bad.png', tmp_path / 'bad.png')
        assert client.download_file(f'{server.url}/good.png', tmp_path / 'good.png')
        assert client.failure_for(f'{server.url}/good.png') is None


@pytest.mark.parametrize('status', [429, 503])
def test_a_refusal_says_nothing_about_the_host_that_led_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int
) -> None:
    def answer(request: Request) -> Answer:
        if 'other' in request.target:
            return kept(ok(b'', status=302, Location=f'{storage.url}/x'))
        return kept(ok(png()))

    with ScriptedServer(busy(status, Retry_After='600')) as storage:
        with ScriptedServer(handler=answer) as server:
            at_home(monkeypatch, server)
            client, _ = patient(max_retries=0)
            assert not client.download_file(f'{server.url}/other.png', tmp_path / 'other.png')
            assert client.download_file(f'{server.url}/good.png', tmp_path / 'good.png')


def test_a_clock_set_back_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock = Clock()
    clock.now = NOW
    gone, closed = busy(404), busy(429, Retry_After='86400')
    with ScriptedServer(gone, closed, kept(ok(png()))) as server:
        at_home(monkeypatch, server)
        client, _ = patient(clock=clock)
        urls = [f'{server.url}/{name}.png' for name in 'abc']
        assert not client.download_file(urls[0], tmp_path / 'a.png')
        assert not client.download_file(urls[1], tmp_path / 'b.png')
        clock.now -= 86_400
        assert not client.download_file(urls[0], tmp_path / 'a.png'), 'still known to be gone'
        assert len(server.requests) == 2
        clock.now += 31
        assert client.download_file(urls[2], tmp_path / 'c.png'), 'and closed for no longer'


def test_a_date_to_come_back_is_read_by_the_clock_of_who_named_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dates = {
        'Date': 'Tue, 14 Nov 2023 22:13:20 GMT',
        'Retry_After': 'Tue, 14 Nov 2023 22:13:27 GMT',
    }
    with ScriptedServer(busy(**dates), GOOD) as server:
        at_home(monkeypatch, server)
        client, waits = patient(clock=lambda: NOW - 86_400)
        assert client.get_json(f'{server.url}/api/v1/images') == {'items': [1]}
    assert waits == [7.0]


def test_patience_is_a_bound_on_the_next_try() -> None:
    policy = retry.RetryPolicy(patience=25.0)
    error = errors.ServerBusyError(status=503, retry_after=10.0)
    decided = [
        retry.decide(policy, 1, error, from_api=True, chance=0.5, since=since)
        for since in (0.0, 15.0, 15.1)
    ]
    assert decided[:2] == [retry.Wait(10.0)] * 2 and isinstance(decided[2], retry.GiveUp)
