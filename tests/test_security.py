"""The path of a picture as an attacker sees it: where the key shows, where files end up."""

from __future__ import annotations

import base64
import copy
import html
import json
import logging
import os
import pickle
import re
import stat
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import Any, Callable, Iterator
from urllib.parse import quote, quote_plus

import gradio
import pytest
import requests
import responses
from hypothesis import given, settings, strategies as st
from pathvalidate import is_valid_filename

import civitai_gallery
from civitai_demo.api.scenarios import CDN, part_of
from civitai_demo.server import OPENING_PATH, DemoServer
from scripts.civitai_manager_libs import (
    api,
    civitai_gallery_action as action,
    setting,
    util,
    widgets,
)
from scripts.civitai_manager_libs.civitai.source import GallerySource
from scripts.civitai_manager_libs.downloads import batch
from scripts.civitai_manager_libs.errors import CivitaiError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.store import media
from scripts.civitai_manager_libs.tab import (
    app,
    events,
    grid_markup,
    markup,
    picture_markup,
    settings_panel,
    thumbnails,
)
from tests.store.test_names import HOSTILE, fits, folded, is_device
from tests.support.grids import large_file
from tests.support.gradio_event import HERE, Progress
from tests.support.kept import download_page
from tests.support.network import at_home, files_in, patient, png
from tests.support.paths import ROOT
from tests.support.scripted_server import (
    RESET,
    STALL,
    Answer,
    Request,
    ScriptedServer,
    chunked,
    head,
    ok,
    redirect,
)
from tests.support.settings_sandbox import set_process_client

pytestmark = pytest.mark.usefixtures('downloads')

# With what changes when it is escaped for an address or for HTML.
KEY = 'sk/unique+7f3a&9c41=b2'
LINK = OPENING_PATH


def key_in(content: bytes | str) -> bool:
    """Whether the key is in there: as it is, escaped, in UTF-16, or anywhere inside base64."""
    data = content.encode('utf-8', 'surrogateescape') if isinstance(content, str) else content
    plain = {KEY, quote(KEY), quote(KEY, safe=''), quote_plus(KEY), html.escape(KEY)}
    plain |= {json.dumps(KEY).strip('"'), json.dumps(KEY).strip('"').replace('/', '\\/')}
    plain |= {quote(quote(KEY, safe=''), safe=''), KEY.encode().hex(), KEY[::-1]}
    forms = [text.encode() for text in plain] + [KEY.encode('utf-16-le'), KEY.encode('utf-16-be')]
    for before in range(3):  # base64 depends on the place; the rim shares characters with others
        shifted = base64.b64encode(b'x' * before + KEY.encode())
        core = shifted[4 if before else 0 :][: len(KEY) // 3 * 4 - 4]
        forms += [core, core.replace(b'+', b'-').replace(b'/', b'_')]
    return any(form in data for form in forms)


def holding_the_key(*folders: Path) -> list[str]:
    """The files below `folders` that hold the key, or have it in their name."""
    found = [path for folder in folders for path in folder.rglob('*')]
    return [
        str(path)
        for path in found
        if key_in(str(path)) or (path.is_file() and key_in(path.read_bytes()))
    ]


HIDING_PLACES: list[Callable[[str], str]] = [
    lambda key: f'Bearer {key}',
    lambda key: f'https://a.b/?next={quote(key, safe="")}',
    lambda key: base64.b64encode(f'me:{key}'.encode()).decode(),
    lambda key: base64.urlsafe_b64encode(f'{{"k": "{key}"}}'.encode()).decode(),
    lambda key: json.dumps({'key': key}),
    lambda key: html.escape(f'<b title="{key}">'),
]


def test_the_search_for_the_key_finds_it_where_it_hides() -> None:
    assert all(key_in(hide(KEY)) for hide in HIDING_PLACES)
    assert not any(key_in(hide('another')) for hide in HIDING_PLACES)


# -- whatever goes wrong, nothing shows the key -------------------------------------------------


def to_strangers(request: Request) -> Answer:
    return redirect(f'https://10.0.0.1{request.target}')


def in_circles(request: Request) -> Answer:
    return redirect(request.target)


def echoing(request: Request) -> Answer:
    """What a server says that repeats all it was told."""
    told = {'error': f'Not good: {request.headers["authorization"]}', **request.headers}
    return ok(json.dumps(told).encode(), status=403)


FAULTS: list[Any] = [
    pytest.param((RESET,), id='reset before the answer'),
    pytest.param(ok(b'{"error": "bad key ' + KEY.encode() + b'"}', status=403), id='repeated'),
    pytest.param(ok(f'{{"error": "{"x" * 290} {KEY}"}}'.encode(), status=403), id='cut short'),
    pytest.param((head(200, {'Content-Length': '9'}), b'ab', RESET), id='reset in the body'),
    pytest.param((head(200, {'Content-Length': '9'}), b'ab', STALL), id='stall in the body'),
    pytest.param((STALL,), id='no answer in time'),
    pytest.param(ok(b'half', length=100), id='short body'),
    pytest.param(chunked(b'half', end=False), id='chunks cut'),
    pytest.param(b'SSH-2.0-OpenSSH_9.2\r\n', id='another protocol'),
    pytest.param(ok(b'<html>log in</html>'), id='a page'),
    pytest.param(ok(b''), id='nothing'),
    pytest.param(ok(b'no', Content_Encoding='gzip'), id='bytes that are not gzip'),
    pytest.param(ok(b'{"error": "Unauthorized"}', status=401), id='401'),
    pytest.param(ok(b'', status=404), id='404'),
    pytest.param(ok(b'', status=429, Retry_After='1'), id='429'),
    pytest.param(ok(b'', status=503), id='503'),
    pytest.param(to_strangers, id='redirect to a private address'),
    pytest.param(in_circles, id='redirects in circles'),
    pytest.param(echoing, id='an answer that repeats the request'),
]


@pytest.mark.parametrize('kind', ['data', 'file'])
@pytest.mark.parametrize('fault', FAULTS)
def test_no_error_and_no_log_shows_the_key(
    fault: Any,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    played: dict[str, Any] = {'handler': fault} if callable(fault) else {}
    answers = () if callable(fault) else (fault,)
    with caplog.at_level(logging.DEBUG), ScriptedServer(*answers, **played) as server:
        at_home(monkeypatch, server)
        client, _ = patient(api_key=KEY, timeout=0.3, max_retries=3)
        url = f'{server.url}/api/download/models/1'
        with pytest.raises(CivitaiError) as caught:
            if kind == 'data':
                client.fetch_json(url)
            else:
                client.fetch_file(url, tmp_path / 'x.png')
        server.release.set()
        sent = {request.headers.get('authorization') for request in server.requests}
    assert f'Bearer {KEY}' in sent, 'otherwise this proves nothing'
    failure = client.failure_for(url)
    assert failure is not None
    shown = [caplog.text, *map(repr, caplog.records), repr(client), repr(client.session)]
    shown += [repr(vars(client.session)), *traceback.format_exception(caught.value)]
    shown += [text for error in (caught.value, failure) for text in all_of(error)]
    assert not [text for text in shown if key_in(text)]
    for twin in (caught.value, failure, copy.copy(failure), client.session):
        assert not key_in(pickle.dumps(twin))


def test_an_error_in_place_of_a_file_does_not_show_the_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ScriptedServer(ok(b'{"error": "bad key ' + KEY.encode() + b'"}')) as server:
        at_home(monkeypatch, server)
        client, _ = patient(api_key=KEY)
        with pytest.raises(CivitaiError, match='bad key [*]{3}'):
            client.fetch_file(f'{server.url}/api/download/models/1', tmp_path / 'x.png')


def test_what_a_stream_holds_of_its_request_is_without_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ScriptedServer(ok(b'{}')) as server:
        at_home(monkeypatch, server)
        response = patient(api_key=KEY)[0].get_stream(f'{server.url}/api/v1/me')
        assert response is not None and not key_in(repr(response.request.headers))
        response.close()
    assert server.requests[0].headers['authorization'] == f'Bearer {KEY}'


def all_of(error: BaseException) -> Iterator[str]:
    """What can be read of an error and of those that led to it."""
    step: BaseException | None = error
    while step is not None:
        yield from (str(step), repr(step), repr(step.args), repr(vars(step)))
        if isinstance(step, CivitaiError):
            yield step.message_in('zh_TW')
        step = step.__cause__ or step.__context__


def test_no_address_of_a_redirect_shows_a_token_inside_an_address_inside_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place = f'/login?returnUrl={quote("/models/1?token=" + quote(KEY, safe=""), safe="")}&x=1'
    answers = {'/api/v1/me': redirect(place)}
    with caplog.at_level(logging.DEBUG, logger='scripts'):
        with ScriptedServer(handler=lambda r: answers.get(r.target, ok(b'', status=404))) as server:
            at_home(monkeypatch, server)
            client, _ = patient(api_key=KEY)
            assert client.get_json(f'{server.url}/api/v1/me') is None
    failure = client.failure_for(f'{server.url}/api/v1/me')
    assert failure is not None and failure.url == f'{server.url}/login?returnUrl=***&x=1'
    assert not key_in(caplog.text)


# -- all that a run writes ----------------------------------------------------------------------


def keys_told(demo: DemoServer, to_cdn: bool = False) -> set[str | None]:
    """The Authorization headers that the API, or the CDN, was sent."""
    return {
        record.headers.get('authorization')
        for record in demo.requests
        if (part_of(record.path) == CDN) is to_cdn
    }


# Python imports a module of this name at every start: everything is logged, to a file.
LOG_ALL = """
import logging, os
logging.basicConfig(level=logging.DEBUG, filename=os.environ['LOG_ALL'])
"""

RUNS = [
    pytest.param('', LINK, id='fair weather'),
    pytest.param('503:1', LINK, id='busy once'),
    pytest.param('truncated', LINK, id='pictures break off'),
    pytest.param('cdn-404', LINK, id='pictures are gone'),
    pytest.param('html', LINK, id='pages instead of data'),
    pytest.param('451', LINK, id='not in this country'),
    pytest.param('key-needed', LINK, id='the key is not good'),
    pytest.param('400', LINK, id='not accepted'),
    pytest.param('', f'{LINK}&token={quote(KEY, safe="")}', id='a token in the link'),
    pytest.param('', f'/none?token={quote(KEY, safe="")}', id='a token in a bad link'),
]


@pytest.mark.parametrize(('scenario', 'link'), RUNS)
def test_nothing_that_a_run_of_the_command_line_writes_holds_the_key(
    demo: DemoServer, tmp_path: Path, scenario: str, link: str
) -> None:
    needed = civitai_gallery.read_requirements(ROOT / 'requirements.txt')
    if civitai_gallery.unmet(needed, sys.path):
        pytest.skip('The launcher would set up an environment with the packages it needs.')
    demo.scenario = scenario
    home, hook, log = tmp_path / 'person', tmp_path / 'hook', tmp_path / 'person' / 'all.log'
    hook.mkdir()
    home.mkdir()
    (hook / 'sitecustomize.py').write_text(LOG_ALL)
    (home / 'settings.json').write_text('{"http_retry_delay": 0, "http_max_retries": 3}')
    command = [str(ROOT / 'civitai_gallery.py'), 'download', demo.url + link, '--json']
    done = subprocess.run(
        [sys.executable, *command, '--to', str(home / 'pictures'), '--limit', '8'],
        cwd=home,
        env=environment(home, CIVITAI_BASE_URL=demo.url, PYTHONPATH=str(hook), LOG_ALL=str(log)),
        capture_output=True,
        timeout=120,
    )
    is_link = 'none' not in link
    assert done.returncode == (
        2 if not is_link else 0 if scenario in ('', '503:1', 'cdn-404') else 1
    )
    if is_link:
        assert keys_told(demo) == {f'Bearer {KEY}'}, 'otherwise this proves nothing'
        assert 'urllib3' in log.read_text(), 'the log has everything'
    assert keys_told(demo, to_cdn=True) <= {f'Bearer {KEY}'}  # here it is the same host and port
    assert not key_in(done.stdout) and not key_in(done.stderr)
    assert holding_the_key(home) == []
    assert not [record for record in demo.requests if key_in(record.path + record.query)]


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a person who lives in `home` and has set the key."""
    folders = {
        'HOME': home,
        'USERPROFILE': home,
        'CIVITAI_GALLERY_HOME': home,
        'XDG_CONFIG_HOME': home / 'config',
        'XDG_DATA_HOME': home / 'data',
        'XDG_CACHE_HOME': home / 'cache',
        'TMPDIR': home,
    }
    return {**os.environ, **{n: str(p) for n, p in folders.items()}, 'CIVITAI_TOKEN': KEY, **more}


def everything_in_the_tab(demo: DemoServer) -> Iterator[object]:
    """Do what a person can do in the tab, in fair and in foul weather; what each step gives."""
    view = events.View()
    for scenario in ('', 'cdn-404', 'html', 'key-needed', '451', 'truncated'):
        demo.scenario = scenario
        for step in (
            lambda: events.open_source(view, demo.url + LINK),
            lambda: events.go_next(view),
            lambda: thumbnails.show(view),
            lambda: thumbnails.load(view),
            lambda: grid_markup.grid(view, str(view.listed)),
            lambda: events.load_ahead(view),
            lambda: large_file(events.select(view, 0)),
            lambda: events.generation_text(events.select(view, 1)),
            lambda: picture_markup.details(events.select(view, 1)),
            lambda: list(download_page(view)),
            lambda: markup.title(view.gallery) + markup.page_status(view),
            lambda: settings_panel._current(HERE),
            lambda: settings_panel._shown_key_state(),
        ):
            try:
                yield step()
            except CivitaiError as error:
                yield (error.message_in('en'), error.message_in('zh_TW'), vars(error))
        yield view
    for thread in threading.enumerate():
        if thread.name == 'civitai-gallery-pre_load':
            thread.join(60)
    yield action._notices


def test_nothing_that_the_tab_writes_holds_the_key_but_its_own_file(
    demo: DemoServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    demo.scenario = '451'  # so that nobody can say that the key is not good
    with caplog.at_level(logging.DEBUG):
        shown: list[object] = [settings_panel._save_key(HERE, f' {KEY}\n')]
        shown += everything_in_the_tab(demo)
        changed = {item.name: getattr(setting, item.name) for item in setting.SETTINGS}
        shown.append(settings_panel._save_settings(HERE, *{**changed, 'gallery_rows': 5}.values()))
    assert keys_told(demo) == {f'Bearer {KEY}'}, 'otherwise this proves nothing'
    assert 'urllib3' in caplog.text and files_in(tmp_path / 'downloads')
    mine = setting.api_key_file()
    assert mine.read_text() == KEY and stat.S_IMODE(mine.stat().st_mode) == 0o600
    assert holding_the_key(tmp_path) == [str(mine)]
    assert json.loads(setting.settings_file().read_text()) == {'gallery_rows': 5}
    said = capfd.readouterr()
    assert not [t for t in (*map(repr, shown), caplog.text, *said) if key_in(t)]
    assert not [record for record in demo.requests if key_in(record.path + record.query)]


def test_a_new_key_leaves_nothing_of_the_old_one(demo: DemoServer, tmp_path: Path) -> None:
    demo.scenario = '451'
    settings_panel._save_key(HERE, KEY)
    settings_panel._save_key(HERE, 'another')
    assert holding_the_key(tmp_path) == []
    settings_panel._save_key(HERE, KEY)
    settings_panel._remove_key(HERE)
    assert holding_the_key(tmp_path) == [] and not setting.api_key_file().exists()


# -- names from outside -------------------------------------------------------------------------

NAME_SETTINGS = settings(deadline=None, max_examples=60)
SEGMENTS = st.lists(st.one_of(HOSTILE, HOSTILE.map(lambda s: quote(s, safe='', errors='replace'))))
ADDRESSES = st.one_of(
    HOSTILE,
    SEGMENTS.map(lambda parts: 'https://image.civitai.com/' + '/'.join(parts)),
    SEGMENTS.map(lambda parts: 'https://image.civitai.com/k/' + '/'.join(parts) + '.png'),
)


def assert_safe(path: str | Path, folder: Path) -> None:
    """`path` is directly in `folder`, legal everywhere, and can be made here under that name."""
    given, name = Path(path), Path(path).name
    assert given.parent == folder and given.resolve().parent == folder.resolve()
    assert name and is_valid_filename(name, platform='universal')
    assert is_valid_filename(name, platform='windows') and not is_device(name) and fits(name)
    if not given.exists():
        given.write_bytes(b'x')
    assert name in os.listdir(folder)


@NAME_SETTINGS
@given(HOSTILE)
def test_a_model_of_any_name_gets_one_folder_of_its_own(name: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        setting.download_images_folder = str(Path(place) / 'downloads')
        made = util.make_download_image_folder(name)
        assert Path(made).is_dir()
        assert_safe(made, Path(setting.download_images_folder))
        assert os.listdir(place) == ['downloads']


@NAME_SETTINGS
@given(st.text(min_size=1), st.sampled_from(['user', 'post', 'image']))
def test_a_user_of_any_name_gets_one_folder_too(username: str, kind: str) -> None:
    source = GallerySource(kind, 7, username=username)
    gallery = api.Gallery(source, api.GalleryQuery())
    with tempfile.TemporaryDirectory() as place:
        setting.download_images_folder = place
        assert_safe(util.make_download_image_folder(gallery.folder_name), Path(place))


@NAME_SETTINGS
@given(st.lists(ADDRESSES, max_size=6))
def test_a_picture_at_any_address_stays_in_its_folder(addresses: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / 'pictures'
        folder.mkdir()
        for job in batch.picture_jobs(addresses, folder):
            assert_safe(job.path, folder)
            assert Path(job.path).suffix in media.MEDIA_SUFFIXES
        assert os.listdir(place) == ['pictures']


@NAME_SETTINGS
@given(ADDRESSES)
def test_a_thumbnail_of_any_address_stays_in_the_cache(address: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        setting.shortcut_gallery_folder = place
        assert_safe(setting.get_image_url_to_gallery_file(address), Path(place))


@settings(deadline=None, max_examples=25)
@given(HOSTILE, st.lists(ADDRESSES, min_size=1, max_size=4))
def test_what_is_kept_of_a_hostile_answer_is_in_its_folder_whole(
    name: str, addresses: list[str]
) -> None:
    client, _ = patient(api_key='', max_retries=3)
    addresses = [*addresses, 'https://image.civitai.com/k/..%2f..%2fevil%00.png']
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        downloads = Path(place) / 'downloads'
        setting.download_images_folder = str(downloads)
        set_process_client(patch, client)
        with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
            wire.add(responses.GET, re.compile('https://image.civitai.com/.*'), body=png())
            folder, results = action.keep_pictures(name, addresses)
            saved = [Path(r.path) for _, r in results if r.path and Path(r.path).is_file()]
        pictures = Path(folder) / 'user_gallery_images'
        assert os.listdir(place) == ['downloads']
        assert os.listdir(downloads) == [Path(folder).name]
        assert os.listdir(folder) == ['user_gallery_images']
        assert saved and {pictures / file for file in files_in(pictures)} == set(saved)
        for path in saved:
            assert_safe(path, pictures)
            assert path.read_bytes() == png()


@pytest.mark.parametrize(
    ('one', 'other'),
    [('Dream', 'DREAM'), ('Caf\u00e9', 'Cafe\u0301'), ('a/b', 'ab'), ('x' * 300, 'x' * 301)],
    ids=['case', 'accents', 'separator', 'length'],
)
def test_models_that_share_a_folder_do_not_share_pictures(one: str, other: str) -> None:
    """On some systems the two are one folder; what is in there has names of its own."""
    paths = []
    for number, name in enumerate((one, other)):
        folder = Path(util.make_download_image_folder(name))
        address = f'https://image.civitai.com/k/0a1b2c3d-0000-4000-8000-00000000000{number}/a/b.png'
        (job,) = batch.picture_jobs([address], folder)
        paths.append(folded(job.path))
    assert folded(str(Path(paths[0]).parent)) == folded(str(Path(paths[1]).parent))
    assert Path(paths[0]).name != Path(paths[1]).name


# -- files and links that somebody planted ------------------------------------------------------

needs_links = pytest.mark.skipif(sys.platform == 'win32', reason='links need a right there')


@needs_links
@pytest.mark.parametrize('kind', ['file', 'folder'])
def test_a_link_in_the_picture_cache_that_leads_out_is_not_shown_and_not_kept(
    tmp_path: Path, kind: str
) -> None:
    secret = tmp_path / 'outside' / 'diary.png'
    secret.parent.mkdir()
    secret.write_bytes(png())
    cache = Path(setting.shortcut_gallery_folder)
    cache.mkdir(parents=True)
    planted = cache / 'link'
    planted.symlink_to(secret if kind == 'file' else secret.parent)
    address = str(planted if kind == 'file' else planted / secret.name)
    assert events.showable([address]) == [setting.no_card_preview_image]
    assert action.gallery_loading([address], Progress())[0] == [setting.no_card_preview_image]
    folder, results = action.keep_pictures('model', [address])
    assert [result.outcome.value for _, result in results] == ['failed']
    assert files_in(Path(folder)) == []


@needs_links
@pytest.mark.parametrize('name', ['api_key', 'settings.json'])
def test_a_link_in_the_place_of_a_private_file_is_replaced_not_followed(
    tmp_path: Path, name: str
) -> None:
    mine = {'api_key': setting.api_key_file(), 'settings.json': setting.settings_file()}[name]
    elsewhere = tmp_path / 'everybody reads this'
    elsewhere.write_text('old')
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.symlink_to(elsewhere)
    setting.save_api_key(KEY)
    setting.save({'gallery_rows': 3})
    assert elsewhere.read_text() == 'old'
    assert not mine.is_symlink() and stat.S_IMODE(mine.stat().st_mode) == 0o600


def test_a_hostile_settings_file_does_not_move_the_key(tmp_path: Path) -> None:
    path = setting.settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    hostile = {'civitai_base_url': 'https://civitai.com@evil.example', 'extra_hosts': 'x\ny'}
    path.write_text(json.dumps(hostile))
    setting.load()
    assert setting.civitai_base_url == 'https://civitai.com' and setting.extra_hosts == ''


# -- a page of another site, in the same browser ------------------------------------------------


@pytest.fixture
def panel(client: CivitaiHttpClient) -> Iterator[tuple[str, int]]:
    """The panel of settings as a running app; (its URL, the number of the handler of the key)."""
    setting.civitai_base_url = 'http://127.0.0.1:9'
    blocks = gradio.Blocks(analytics_enabled=False)
    with blocks:
        settings_panel.build_panel(blocks, lambda: None)
    port = app.free_port('127.0.0.1', 7900)
    url = widgets.launch(blocks, server_name='127.0.0.1', server_port=port)
    config = requests.get(f'{url}config', timeout=30).json()
    names = {part['id']: part['props'].get('elem_id') for part in config['components']}
    (number,) = [
        handler['id']
        for handler in config['dependencies']
        if 'civitai_gallery_api_key' in [names[output] for output in handler['outputs']]
    ]
    yield url, number
    blocks.close()


SIMPLE = [None, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']


@pytest.mark.skipif(int(gradio.__version__.split('.')[0]) < 6, reason='not the app of its own')
def test_a_page_of_another_site_cannot_save_a_key(panel: tuple[str, int]) -> None:
    """What browsers send without asking first is refused, and when they ask nobody says yes."""
    url, number = panel
    stranger = {'Origin': 'https://evil.example', 'Sec-Fetch-Site': 'cross-site'}
    body = json.dumps({'data': [KEY], 'fn_index': number, 'session_hash': 'x'}).encode()
    for route in ('queue/join', 'run/predict'):
        address = f'{url}gradio_api/{route}'
        for kind in SIMPLE:
            headers = {**stranger, **({'Content-Type': kind} if kind else {})}
            answer = requests.post(address, data=body, headers=headers, timeout=30)
            assert answer.status_code == 422
        asked = {'Access-Control-Request-Method': 'POST'}
        asked['Access-Control-Request-Headers'] = 'content-type'
        answer = requests.options(address, headers={**stranger, **asked}, timeout=30)
        assert 'Access-Control-Allow-Origin' not in answer.headers
    assert setting.civitai_api_key == '' and not setting.api_key_file().exists()


# -- the document -------------------------------------------------------------------------------


def test_every_test_that_the_document_names_exists() -> None:
    document = (ROOT / 'docs' / 'security.md').read_text(encoding='utf-8')
    named = re.findall(r'(tests/[\w/]+\.py)::(\w+)', document)
    assert len(named) > 20
    missing = [
        f'{file}::{name}'
        for file, name in named
        if not (ROOT / file).is_file()
        or not re.search(rf'^def {name}\(', (ROOT / file).read_text(encoding='utf-8'), re.MULTILINE)
    ]
    assert missing == []
