"""Who may do what, asked of the real app: another account, a stranger's name, another site."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
import requests

from tests.support.environments import PINS
from tests.support.network import png
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp
from tests.support.visitor import SOMEBODY_ELSE, WEBSOCKET

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason='only root can be another account too')
ADDRESS = 'https://civitai.com'
OWNERS: dict[str, object] = {
    'setting_gallery_maturity_ceiling': 'XXX',
    'setting_language': 'zh_TW',
    'setting_gallery_rows': 7,
    'setting_shortcut_gallery_max_mib': 1,
    'setting_extra_hosts': 'evil.example',
    'setting_http_proxy': 'http://evil.example:1',
    'setting_shortcut_gallery_folder': '/somewhere/else',
    'setting_gallery_name_template': '{username}/{id}',
    'setting_gallery_jobs_of_others': True,
}


@pytest.fixture(scope='module')
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv('XDG_CONFIG_HOME', str(tmp_path_factory.mktemp('config')))
        yield patched


@pytest.fixture(scope='module', params=[*PINS, 'here'], ids=lambda gradio: f'gradio-{gradio}')
def app(
    request: Any,
    prepared_with: Callable[[str], Prepared],
    environment: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningApp]:
    """The app on each gradio that hands a request to a handler in its own way."""
    home = tmp_path_factory.mktemp('home')
    running = RunningApp(prepared_with(request.param), home, '--port', '0')
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


# -- a name of a stranger's, a page of another site ---------------------------------------------

EVERY_ROUTE = [
    ('GET', '/'),
    ('HEAD', '/'),
    ('GET', '/config'),
    ('GET', '/theme.css'),
    ('GET', '/nowhere'),
    ('GET', '{api}/info'),
    ('GET', '{api}/file=/etc/passwd'),
    ('GET', '{api}/queue/status'),
    ('GET', '{api}/queue/data?session_hash=x'),
    ('GET', '{api}/startup-events'),
    ('POST', '{api}/queue/join'),
    ('POST', '{api}/run/predict'),
    ('POST', '{api}/api/predict'),
    ('POST', '{api}/upload'),
    ('POST', '/login'),
]


@pytest.mark.parametrize(('method', 'path'), EVERY_ROUTE)
@pytest.mark.parametrize('host', ['evil.example', 'evil.example:7860', '', None], ids=repr)
def test_under_a_strangers_name_nothing_is_answered(
    app: RunningApp, method: str, path: str, host: str | None
) -> None:
    status, text = app.ask(method, path.format(api=app.prefix), {'Host': host})
    assert status in (400, 421)  # 400: without the line the server itself refuses
    assert status == 400 or method == 'HEAD' or '--allow-host' in text and text.count('\n') == 1


@pytest.mark.parametrize('path', ['/queue/join', '/gradio_api/queue/join', '/x'])
@pytest.mark.parametrize(
    ('name', 'value', 'status'),
    [('Host', 'evil.example', 421), ('Origin', 'https://evil.example', 403)],
)
def test_no_websocket_opens_for_a_stranger(
    app: RunningApp, path: str, name: str, value: str, status: int
) -> None:
    told, _ = app.ask('GET', path, {**WEBSOCKET, name: value})
    assert told == status


FOREIGN = {'Origin': 'https://evil.example', 'Sec-Fetch-Site': 'cross-site'}


@pytest.mark.parametrize('headers', [FOREIGN, {'Host': 'evil.example'}], ids=['site', 'name'])
def test_a_stranger_changes_nothing(app: RunningApp, headers: dict[str, str | None]) -> None:
    given: dict[str, object] = {'setting_extra_hosts': 'evil.example', 'setting_gallery_rows': 9}
    assert 'cg-' not in save(app, given, headers=headers)
    assert 'evil.example' not in kept(app).values() and kept(app).get('gallery_rows') != 9


@pytest.mark.parametrize('headers', [FOREIGN, {'Host': 'evil.example'}], ids=['site', 'name'])
def test_a_stranger_starts_nothing(app: RunningApp, headers: dict[str, str | None]) -> None:
    for button in ('load', 'download_page'):
        assert 'cg-' not in app.click(button, {'source': ADDRESS + '/models/1'}, headers=headers)


@pytest.mark.parametrize('headers', [FOREIGN, {**FOREIGN, 'Host': 'evil.example'}], ids=repr)
def test_nobody_says_yes_when_a_browser_asks_before(
    app: RunningApp, headers: dict[str, str | None]
) -> None:
    asked = {'Access-Control-Request-Method': 'POST', **headers}
    assert app.ask('OPTIONS', f'{app.prefix}/queue/join', asked)[0] in (403, 421)


def test_a_link_of_another_site_opens_the_page_but_no_frame_does(app: RunningApp) -> None:
    link = {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate'}
    assert app.ask('GET', '/', {**link, 'Sec-Fetch-Dest': 'document'})[0] == 200
    assert app.ask('GET', '/', {**link, 'Sec-Fetch-Dest': 'iframe'})[0] == 403


def test_older_browsers_are_told_that_it_belongs_in_no_frame(app: RunningApp) -> None:
    answer = requests.get(app.url, timeout=30)
    assert answer.headers['X-Frame-Options'] == 'SAMEORIGIN'


@pytest.mark.parametrize('route', ['upload', 'upload/', 'component_server'])
def test_nothing_can_be_uploaded(app: RunningApp, route: str) -> None:
    for prefix in ('', '/gradio_api'):
        answer = requests.post(
            f'{app.url.rstrip("/")}{prefix}/{route}',
            files={'files': ('planted.html', b'<script>')},
            timeout=30,
        )
        assert answer.status_code == 403 and 'no files' in answer.text


# -- the folders that are served ----------------------------------------------------------------


def test_no_folder_that_is_or_was_the_picture_cache_is_served_itself(
    app: RunningApp, tmp_path: Path
) -> None:
    """What is shown is served from the app's own folder, so that nothing piles up."""
    folders = [tmp_path / name for name in ('one', 'two', 'three')]
    for folder in folders:
        assert 'cg-good' in save(app, {'setting_shortcut_gallery_folder': str(folder)})
        folder.mkdir(exist_ok=True)
        picture = folder / f'{"0" * 40}.png'
        picture.write_bytes(png())
    for folder in folders:
        assert app.ask('GET', f'{app.prefix}/file={folder}/{"0" * 40}.png')[0] == 403


@needs_root
def test_what_is_not_saved_is_not_served(app: RunningApp, tmp_path: Path) -> None:
    picture = tmp_path / f'{"0" * 40}.png'
    picture.write_bytes(png())
    given: dict[str, object] = {'setting_shortcut_gallery_folder': str(tmp_path)}
    assert 'cg-problem' in save(app, given, account=SOMEBODY_ELSE)
    assert app.ask('GET', f'{app.prefix}/file={picture}')[0] == 403
