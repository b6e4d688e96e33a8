"""Batches that want the same files at the same time, and what threads have to tell."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any, Callable

import pytest

from scripts.civitai_manager_libs import civitai_gallery_action as action, notices, widgets
from scripts.civitai_manager_libs.downloads import batch, crew
from scripts.civitai_manager_libs.downloads.plan import BatchReport, Outcome
from tests.support.faults import PATIENCE
from tests.support.gradio_event import Progress
from tests.support.network import at_home, files_in, patient, png
from tests.support.scripted_server import Answer, Request, ScriptedServer, kept, ok
from tests.support.settings_sandbox import set_process_client


def at_once(count: int, work: Callable[[int], object]) -> None:
    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize('callers', [2, 16])
def test_callers_who_want_the_same_page_send_one_request_for_each_picture(
    monkeypatch: pytest.MonkeyPatch, callers: int
) -> None:
    with ScriptedServer(handler=lambda request: kept(ok(png(2000)))) as server:
        at_home(monkeypatch, server)
        set_process_client(monkeypatch, patient()[0])
        wanted = [f'{server.url}/width=450/{number}.png' for number in range(24)]
        shown: list[Any] = []
        at_once(callers, lambda _: shown.append(action.gallery_loading(wanted, Progress())[0]))
        asked = Counter(request.target for request in server.requests)
    assert len(asked) == 24 and set(asked.values()) == {1}
    assert len(shown) == callers
    for paths in shown:
        assert all(Path(path).read_bytes() == png(2000) for path in paths)


def test_two_who_keep_the_same_pictures_fetch_each_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    began = threading.Barrier(2)

    def answer(request: Request) -> Answer:
        return kept(ok(png(2000)))

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        client, _ = patient()
        wanted = [f'{server.url}/original=true/{number}.png' for number in range(12)]
        reports: list[BatchReport] = []

        def keep(_: int) -> None:
            jobs = batch.picture_jobs(wanted, tmp_path)
            began.wait(PATIENCE)
            reports.append(batch.report(batch.keep_all(jobs, client.download_file, 4)))

        at_once(2, keep)
        assert len(server.requests) == 12
    assert [len(report.failures) for report in reports] == [0, 0]
    assert sum(report.count(Outcome.SAVED) for report in reports) == 12
    assert len(files_in(tmp_path)) == 12


def test_what_a_thread_has_to_tell_is_told_by_who_waits_for_it_and_once_for_a_host() -> None:
    told: list[tuple[str, Any]] = []

    def work(number: int) -> bool:
        notices.tell('notice_asked_to_wait', host='a' if number else 'b', seconds=number)
        return True

    here = threading.get_ident()
    with notices.going_to(lambda key, values: told.append((values['host'], threading.get_ident()))):
        assert len(list(crew.run(work, range(8), 4))) == 8
    assert sorted(told) == [('a', here), ('b', here)]


def test_who_looks_at_a_gallery_is_told_that_the_site_asks_to_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    toasts: list[str] = []
    monkeypatch.setattr(widgets.gr, 'Warning', lambda message, **_: toasts.append(message))
    monkeypatch.setattr(notices, 'sink', widgets.notice)
    slow = kept(ok(b'', status=429, Retry_After='9'))
    with ScriptedServer(slow, kept(ok(png()))) as server:
        at_home(monkeypatch, server)
        set_process_client(monkeypatch, patient()[0])
        wanted = [f'{server.url}/width=450/{number}.png' for number in range(3)]
        paths, _, _ = action.gallery_loading(wanted, Progress())
    assert all(Path(path).read_bytes() == png() for path in paths)
    assert toasts == ['127.0.0.1 asks us to wait (429). Going on in 9 s; what is there stays.']
