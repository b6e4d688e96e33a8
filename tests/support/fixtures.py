"""The fixtures that tests of several packages share; `tests/conftest.py` makes them known."""

from __future__ import annotations

from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Callable, Iterator

import pytest
import responses
from playwright.sync_api import Browser

from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import place
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.browsing import chromium
from tests.support.prepared import Prepared
from tests.support.settings_sandbox import fresh_client, sandbox


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path) -> Iterator[None]:
    """A test may change any setting; its data folder is `tmp_path`, whose archive it lets go."""
    with sandbox(tmp_path):
        yield
    for path in [path for path in place._opened if tmp_path in path.parents]:
        place._opened.pop(path).close()


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    """The folder, not there yet, that the settings name for pictures to keep."""
    folder = tmp_path / 'downloads'
    setting.download_images_folder = str(folder)
    return folder


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> CivitaiHttpClient:
    """The client of this process: a new one, whose waits take no time."""
    return fresh_client(monkeypatch)


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    """The wire, mocked: what no test put there cannot be reached."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """An archive that nothing was noted in."""
    database = Database(tmp_path / 'data' / 'archive.sqlite')
    yield database
    database.close()


@pytest.fixture(scope='module')
def running_demo() -> Iterator[DemoServer]:
    """One stand-in for the tests of a file; they ask for `demo`."""
    with DemoServer() as server:
        yield server


@pytest.fixture
def demo(running_demo: DemoServer, client: CivitaiHttpClient) -> DemoServer:
    """The stand-in as the configured site: in fair weather, with an empty record."""
    running_demo.scenario = ''
    running_demo.requests.clear()
    setting.civitai_base_url = running_demo.url
    return running_demo


@pytest.fixture(scope='session')
def prepared_with() -> Iterator[Callable[[str], Prepared]]:
    """What starts programs that import a gradio (a key of PINS), without the seconds for that."""
    with ExitStack() as stack:
        yield lru_cache(lambda name: stack.enter_context(Prepared('gradio', gradio=name)))


@pytest.fixture(scope='session')
def prepared(prepared_with: Callable[[str], Prepared]) -> Prepared:
    """The same for the gradio of these tests."""
    return prepared_with('here')


@pytest.fixture(scope='module')
def browser() -> Iterator[Browser]:
    """A headless Chromium for the tests of a file."""
    with chromium() as started:
        yield started
