"""Who may do what, asked of the real app: another account, a stranger's name, another site."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Iterator

import pytest

from tests.support.environments import PINS, interpreter
from tests.support.running_app import RunningApp
from tests.support.visitor import SOMEBODY_ELSE

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason='only root can be another account too')
ADDRESS = 'https://civitai.com'
OWNERS = {
    'setting_extra_hosts': 'evil.example',
    'setting_http_proxy': 'http://evil.example:1',
    'setting_shortcut_gallery_folder': '/somewhere/else',
}


@pytest.fixture(scope='module')
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv('XDG_CONFIG_HOME', str(tmp_path_factory.mktemp('config')))
        yield patched


@pytest.fixture(scope='module', params=[*PINS, 'here'], ids=lambda gradio: f'gradio-{gradio}')
def app(
    request: Any, environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    """The app on each gradio that hands a request to a handler in its own way."""
    home = tmp_path_factory.mktemp('home')
    running = RunningApp(home, '--port', '7910', python=interpreter(request.param))
    yield running
    assert running.stop() == 0


def kept(app: RunningApp) -> dict[str, object]:
    """What the settings file holds."""
    file = app.home / 'settings.json'
    return json.loads(file.read_text()) if file.is_file() else {}  # type: ignore[no-any-return]


def save(app: RunningApp, given: dict[str, object], **how: Any) -> str:
    """Save the panel as it is shown, with some fields changed."""
    shown = {
        'setting_civitai_base_url': ADDRESS,
        'setting_shortcut_gallery_folder': str(app.home / 'picture_cache'),
    }
    return app.click('settings_save', {**shown, **given}, **how)


def key_files() -> list[Path]:
    """The file of the API key, if there is one."""
    return list(Path(os.environ['XDG_CONFIG_HOME']).rglob('api_key'))


# -- another account of the same machine --------------------------------------------------------


@needs_root
@pytest.mark.parametrize('name', OWNERS)
def test_another_account_does_not_change_what_is_the_owners(app: RunningApp, name: str) -> None:
    assert 'cg-problem' in save(app, {name: OWNERS[name]}, account=SOMEBODY_ELSE)
    assert OWNERS[name] not in kept(app).values()


@needs_root
def test_another_account_changes_the_rest_as_any_visitor_may(app: RunningApp) -> None:
    answer = app.click('settings_save', {'setting_gallery_rows': 7}, account=SOMEBODY_ELSE)
    assert 'cg-good' in answer and kept(app)['gallery_rows'] == 7


@needs_root
def test_another_account_plants_no_key(app: RunningApp) -> None:
    answer = app.click('key_save', {'api_key': 'planted'}, account=SOMEBODY_ELSE)
    assert 'cg-problem' in answer and 'account' in answer
    assert key_files() == []


@needs_root
def test_another_account_opens_no_folder(app: RunningApp) -> None:
    assert 'account that runs the gallery' in app.click('open_folder', {}, account=SOMEBODY_ELSE)


def test_the_owner_changes_what_is_the_owners(app: RunningApp) -> None:
    answer = save(app, {'setting_extra_hosts': 'cdn.example'})
    assert 'cg-good' in answer
    assert kept(app)['extra_hosts'] == 'cdn.example'


@pytest.mark.parametrize(
    'header', ['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Real-IP', 'Via']
)
def test_behind_a_proxy_nobody_is_the_owner(app: RunningApp, header: str) -> None:
    given = {'setting_extra_hosts': 'evil.example'}
    assert 'cg-problem' in save(app, dict(given), headers={header: '127.0.0.1'})
    assert 'evil.example' not in kept(app).values()


@needs_root
@pytest.mark.parametrize('value', ['owner', 'OWNER', '1'])
def test_another_account_cannot_say_that_it_is_the_owner(app: RunningApp, value: str) -> None:
    said = {'X-Civitai-Gallery-Owner': value}
    given: dict[str, object] = {'setting_extra_hosts': 'evil.example'}
    assert 'cg-problem' in save(app, given, headers=said, account=SOMEBODY_ELSE)
    assert 'evil.example' not in kept(app).values()


@needs_root
def test_a_request_in_the_body_of_another_is_not_believed(app: RunningApp) -> None:
    """Gradio 3 takes one from there, with address and headers, as its own queue writes it."""
    number, inputs = app.handler('key_save')
    with contextlib.closing(app.connected()) as owners:
        body = {
            'fn_index': number,
            'data': ['planted' for _ in inputs],
            'session_hash': 'forged',
            'request': {
                'headers': {'host': f'127.0.0.1:{app.port}', 'x-civitai-gallery-owner': 'owner'},
                'client': {'host': '127.0.0.1', 'port': owners.getsockname()[1]},
            },
        }
        for path in ('/run/predict', '/api/predict'):
            _, answer = app.ask('POST', app.prefix + path, body=body, account=SOMEBODY_ELSE)
            assert 'cg-good' not in answer
    assert 'evil.example' not in kept(app).values()
    assert key_files() == []


@needs_root
def test_who_leaves_at_once_is_not_taken_for_root(app: RunningApp) -> None:
    """The end of a connection that is over is shown as account 0."""
    number, _ = app.handler('key_save')
    for attempt in range(20):
        body = {'fn_index': number, 'data': ['planted'], 'session_hash': f'gone{attempt}'}
        with contextlib.closing(app.connected(SOMEBODY_ELSE)) as line:
            line.sendall(app.request('POST', f'{app.prefix}/queue/join', body=body))
    assert 'cg-problem' in app.click('key_save', {'api_key': 'a b'})  # what came before is done
    assert key_files() == []
