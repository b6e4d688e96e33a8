"""Who may have the real app list and keep pictures: its owner, or whom it is opened to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from civitai_demo.server import DemoServer
from tests.support.environments import PINS
from tests.support.prepared import Prepared
from tests.support.running_app import RunningApp
from tests.support.visitor import SOMEBODY_ELSE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason='only root can be another account too')
MODEL = '/models/4201?modelVersionId=420102'


def started(
    prepared: Prepared, home: Path, site: DemoServer, *arguments: str
) -> Iterator[RunningApp]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv('XDG_CONFIG_HOME', str(home / 'config'))
        patched.setenv('CIVITAI_BASE_URL', site.url)
        given = ('--port', '0', '--downloads', str(home / 'downloads'), *arguments)
        running = RunningApp(prepared, home, *given)
        yield running
        assert running.stop() == 0


@pytest.fixture(scope='module', params=[*PINS, 'here'], ids=lambda gradio: f'gradio-{gradio}')
def own(
    request: Any,
    prepared_with: Callable[[str], Prepared],
    running_demo: DemoServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningApp]:
    """The app as it is started by default: for its owner."""
    yield from started(prepared_with(request.param), tmp_path_factory.mktemp('own'), running_demo)


@pytest.fixture(scope='module', params=['3.41.2', 'here'], ids=lambda gradio: f'gradio-{gradio}')
def opened(
    request: Any,
    prepared_with: Callable[[str], Prepared],
    running_demo: DemoServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningApp]:
    """The app as its owner opens it to others, a phone in the own network, say."""
    home = tmp_path_factory.mktemp('opened')
    given = '--host', '0.0.0.0', '--allow-host', 'box'
    yield from started(prepared_with(request.param), home, running_demo, *given)


LIKE_THE_OWNER: dict[str, dict[str, str | None]] = {
    'plainly': {},
    'as if through a proxy': {'X-Forwarded-For': '192.168.1.5'},
    'as if let in': {'X-Civitai-Gallery-Owner': 'owner'},
}


@pytest.mark.parametrize('headers', LIKE_THE_OWNER.values(), ids=LIKE_THE_OWNER)
@pytest.mark.parametrize('button', ['load', 'next', 'first', 'download_page'])
def test_another_account_has_nothing_listed_and_nothing_kept(
    own: RunningApp, running_demo: DemoServer, button: str, headers: dict[str, str | None]
) -> None:
    running_demo.requests.clear()
    given: dict[str, object] = {'source': running_demo.url + MODEL} if button == 'load' else {}
    answer = own.click(button, given, headers=headers, account=SOMEBODY_ELSE)
    assert 'cg-problem' in answer and 'another account' in answer
    assert running_demo.requests == [] and not (own.home / 'downloads').exists()


def test_a_request_in_the_body_of_another_is_not_let_in(
    own: RunningApp, running_demo: DemoServer
) -> None:
    """Gradio 3 takes one from there."""
    running_demo.requests.clear()
    number, inputs = own.handler('load')
    body = {
        'fn_index': number,
        'data': [running_demo.url + MODEL, *[None] * (len(inputs) - 1)],
        'session_hash': 'forged',
        'request': {
            'headers': {'host': f'127.0.0.1:{own.port}'},
            'client': {'host': '127.0.0.1', 'port': 9},
        },
    }
    for path in ('/run/predict', '/api/predict'):
        own.ask('POST', own.prefix + path, body=body, account=SOMEBODY_ELSE)
    assert running_demo.requests == []


@pytest.mark.parametrize('headers', [{}, {'X-Forwarded-For': '203.0.113.7'}], ids=repr)
def test_the_owner_has_a_gallery_listed_also_through_a_proxy_of_the_owners(
    own: RunningApp, running_demo: DemoServer, headers: dict[str, str | None]
) -> None:
    running_demo.requests.clear()
    answer = own.click('load', {'source': running_demo.url + MODEL}, headers=headers)
    assert 'cg-problem' not in answer and running_demo.requests != []


VISITORS: dict[str, dict[str, str | None]] = {
    'under its name': {'Host': 'box'},
    'by another account here': {},
    'through a proxy': {'Host': 'box', 'X-Forwarded-For': '192.168.1.5'},
}


@pytest.mark.parametrize('headers', VISITORS.values(), ids=VISITORS)
def test_where_the_owner_lets_others_in_they_browse(
    opened: RunningApp, running_demo: DemoServer, headers: dict[str, str | None]
) -> None:
    running_demo.requests.clear()
    given: dict[str, object] = {'source': running_demo.url + MODEL}
    answer = opened.click('load', given, headers=headers, account=SOMEBODY_ELSE)
    assert 'cg-problem' not in answer and running_demo.requests != []


@pytest.mark.parametrize('headers', VISITORS.values(), ids=VISITORS)
@pytest.mark.parametrize(
    ('button', 'given'),
    [
        ('settings_save', {'setting_gallery_maturity_ceiling': 'XXX'}),
        ('settings_save', {'setting_language': 'zh_TW'}),
        ('key_save', {'api_key': 'planted'}),
        ('key_remove', {}),
        ('cache_clear', {}),
    ],
    ids=['ceiling', 'language', 'key', 'no key', 'cache'],
)
def test_what_is_the_owners_stays_so(
    opened: RunningApp, headers: dict[str, str | None], button: str, given: dict[str, object]
) -> None:
    answer = opened.click(button, given, headers=headers, account=SOMEBODY_ELSE)
    assert 'cg-problem' in answer
    assert not (opened.home / 'settings.json').exists()
    assert list((opened.home / 'config').rglob('api_key')) == []
