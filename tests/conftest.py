"""What every test stands on: an environment that nothing outside the test run can reach into."""

import os
import signal
import tempfile
from pathlib import Path

import pytest

pytest_plugins = ['tests.support.fixtures']

PROXIES = ('http_proxy', 'https_proxy', 'all_proxy', 'no_proxy')


def isolate(environment: pytest.MonkeyPatch, home: str) -> None:
    """Settings, key and data of this process and of those it starts are below `home`; no proxy."""
    for name in list(os.environ):
        if name.startswith('CIVITAI_') or name.lower() in PROXIES:
            environment.delenv(name)
    environment.setenv('CIVITAI_GALLERY_HOME', home)
    environment.setenv('XDG_CONFIG_HOME', os.path.join(home, 'config'))
    environment.setenv('XDG_PICTURES_DIR', os.path.join(home, 'pictures'))
    environment.setenv('GRADIO_ANALYTICS_ENABLED', 'False')


# Once before any project import, because `setting` reads the environment when it is imported.
# The plugins are imported after this file.
session_home = tempfile.TemporaryDirectory(prefix='civitai-gallery-tests-')
isolate(pytest.MonkeyPatch(), session_home.name)


def pytest_configure() -> None:
    """Let programs that tests start hear Ctrl-C, which a shell hides from what it starts with &."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    """Take the session's folder away."""
    session_home.cleanup()


@pytest.fixture(autouse=True)
def isolated_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each test has an environment of its own."""
    isolate(monkeypatch, str(tmp_path))
