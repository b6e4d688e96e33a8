"""Forks: a child waits for no thread of its parent, whatever that was doing."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from scripts.civitai_manager_libs import (
    civitai_gallery_action as action,
    errors,
    forks,
    setting,
)
from scripts.civitai_manager_libs.downloads import crew, presence
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient, slots
from scripts.civitai_manager_libs.store import cache
from tests.support.faults import PATIENCE, Work
from tests.support.forking import all_held, ended, fork, locks_of
from tests.support.gradio_event import Progress
from tests.support.network import at_home, png
from tests.support.scripted_server import Answer, Request, ScriptedServer, kept, ok

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no such thing')

CHILDREN = 30
PLACES = 3
LIBRARY = forks.__name__.rpartition('.')[0]


def picture(request: Request) -> Answer:
    return kept(ok(png(len(request.target))))


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, client: CivitaiHttpClient) -> Iterator[ScriptedServer]:
    """A Civitai that has every picture."""
    with ScriptedServer(handler=picture) as server:
        at_home(monkeypatch, server)
        yield server


def save_settings(number: int = 0) -> bool:
    return setting.save({'gallery_columns': 1 + number % 12}) == []


def load_settings(number: int = 0) -> bool:
    setting.load()
    return setting.gallery_columns > 0


def show_pictures(number: int = 0) -> bool:
    cache.on_screen.show(f'tab {number % 50}', [f'{number}.png'])
    return bool(cache.on_screen.names())


def load_gallery(number: int = 0) -> bool:
    """Show pictures as a gallery does, through the public function."""
    urls = [f'{setting.civitai_base_url}/{os.getpid()}-{number % 5}-{n}.png' for n in range(3)]
    return setting.no_card_preview_image not in action.gallery_loading(urls, Progress())[0]


def bound_cache(number: int = 0) -> bool:
    kept_here = cache.at(Path(setting.data_folder) / 'another cache')
    kept_here.added(__file__)
    kept_here.bound(setting.cache_limit(), cache.on_screen.names())
    return kept_here.clear(set()) == 0


def vouch(number: int = 0) -> bool:
    path = Path(setting.data_folder) / f'odd{number}.png'
    path.write_bytes(png()[:-4])
    presence.vouch(path, path.stem)
    return path.is_file()


def fetch(number: int = 0) -> bool:
    """Download a picture under a name of its own, through the public functions."""
    who = f'{os.getpid()}-{threading.get_ident()}-{number}'
    url = f'{setting.civitai_base_url}/{who}.png'
    action.download_images([url])
    action.tell_notices()
    return Path(setting.get_image_url_to_gallery_file(url)).is_file()


USES = {
    'save settings': save_settings,
    'load settings': load_settings,
    'show pictures': show_pictures,
    'load a gallery': load_gallery,
    'bound the cache': bound_cache,
    'vouch for a file': vouch,
    'download': fetch,
}


def every_lock() -> list[Any]:
    """All that hang on the modules of the library."""
    modules = [module for name, module in sys.modules.items() if name.startswith(LIBRARY)]
    return [lock for module in modules for lock in locks_of(vars(module))]


@pytest.mark.parametrize('use', USES.values(), ids=USES)
def test_no_lock_that_a_thread_of_the_parent_holds_is_waited_for(
    site: ScriptedServer, use: Callable[[], bool]
) -> None:
    assert all(used() for used in USES.values())
    locks = every_lock()
    assert len(locks) > 10
    with all_held(locks):
        child = fork(use)
    assert ended(child) == 0
    assert use()


def test_children_that_are_forked_in_the_midst_of_work_work_too(site: ScriptedServer) -> None:
    """Threads download, save and show; every child loads the settings and gets a picture."""
    over = threading.Event()
    failed: list[str] = []

    def go_on(name: str, use: Callable[[int], bool]) -> None:
        number = 0
        while not over.is_set():
            number += 1
            if not use(number):
                failed.append(name)

    def work() -> bool:
        return load_settings() and fetch() and save_settings() and load_gallery()

    workers = [
        threading.Thread(target=go_on, args=item, daemon=True)
        for item in USES.items()
        for _ in '12'
    ]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that threads are in the midst of everything
    try:
        for worker in workers:
            worker.start()
        children = []
        for _ in range(CHILDREN):
            children.append(fork(work))
            over.wait(0.01)
        ends = [ended(child) for child in children]
    finally:
        over.set()
        sys.setswitchinterval(interval)
        for worker in workers:
            worker.join(PATIENCE)
    assert ends == [0] * CHILDREN and not failed
    speakers: dict[int, set[str]] = {}
    for request in site.requests:
        process = request.target.lstrip('/').split('-')[0]
        speakers.setdefault(request.connection, set()).add(process)
    assert {len(processes) for processes in speakers.values()} == {1}
    assert {process for one in speakers.values() for process in one} >= set(map(str, children))


def test_who_forks_inside_a_lock_holds_it_in_the_child_too() -> None:
    lock = forks.Lock()

    def take() -> bool:
        with lock:
            return True

    def is_mine_alone() -> bool:
        with Work(take) as other:
            is_kept_out = other.goes_on()
            lock.__exit__()
        return is_kept_out and other.result is True

    with lock:
        child = fork(is_mine_alone)
        assert ended(child) == 0
    assert take()


def test_a_child_does_not_wait_for_work_that_threads_of_the_parent_do(
    site: ScriptedServer,
) -> None:
    """It is told so, and can end the batch; the parent's goes on."""
    go_on = threading.Event()

    def work(number: int) -> bool:
        return number == 0 or go_on.wait(PATIENCE)

    def child_of(running: Any) -> bool:
        with pytest.raises(errors.CancelledError):
            for _ in running:
                pass
        running.close()
        return fetch()

    running = crew.run(work, range(20), 4)
    assert next(running) == (0, True)
    with all_held(locks_of(running)):
        child = fork(lambda: child_of(running))
    assert ended(child) == 0
    go_on.set()
    assert sorted(number for number, _ in running) == list(range(1, 20))


def test_who_forks_while_it_works_in_a_crew_can_work_on(site: ScriptedServer) -> None:
    """In the child nobody holds the other places, nor can take the one it lends."""
    ends: list[int] = []
    go_on = threading.Event()

    def work(number: int) -> bool:
        if number:
            return go_on.wait(PATIENCE)
        with all_held(locks_of(slots.current())):
            child = fork(lend_and_fetch)
        ends.append(ended(child))
        go_on.set()
        return True

    def lend_and_fetch() -> bool:
        with slots.lent(threading.Event()):
            pass
        return fetch() and threading.active_count() < PLACES

    assert len(list(crew.run(work, range(3 * PLACES), PLACES))) == 3 * PLACES
    assert ends == [0]
