"""Which requests the standalone app answers."""

from __future__ import annotations

import pytest

from scripts.civitai_manager_libs.access import guard
from scripts.civitai_manager_libs.access.door import Asked, Door

OURS = '192.168.1.5'


def refused(
    asked: Asked, listening: str = '127.0.0.1', names: frozenset[str] = frozenset()
) -> int | None:
    refusal = Door(listening, names, lambda address: address == OURS).refusal(asked)
    return refusal.status if refusal else None


def called(host: str | None, listening: str = '127.0.0.1', *names: str) -> int | None:
    """How the call of a host name ends."""
    headers = {} if host is None else {'host': host}
    return refused(Asked('GET', '/', headers), listening, frozenset(names))


@pytest.mark.parametrize(
    'host',
    [
        '127.0.0.1:7860',
        '127.0.0.1',
        '127.0.0.2:7860',
        'localhost:7860',
        'LocalHost:7860',
        'localhost.:7860',
        '[::1]:7860',
        '[0:0:0:0:0:0:0:1]',
    ],
)
@pytest.mark.parametrize('listening', ['127.0.0.1', '0.0.0.0', '::', OURS])
def test_names_of_this_very_machine_are_answered(host: str, listening: str) -> None:
    assert called(host, listening) is None


@pytest.mark.parametrize(
    'host',
    [
        None,
        '',
        'evil.example',
        'evil.example:7860',
        'localhost.evil.example',
        '127.0.0.1.evil.example',
        'evil.example@127.0.0.1:7860',
        '127.0.0.1@evil.example',
        '127.0.0.1, evil.example',
        '127.0.0.1/evil.example',
        '127.0.0.1:7860:1',
        '127.0.0.1:http',
        '[::1',
        '::1',
        '[evil.example]',
        '2130706433',
        '0x7f000001',
        'lоcalhost',  # its o is a Cyrillic one
        ' 127.0.0.1',
        '127.0.0.1\t',
        '8.8.8.8:7860',
        '192.168.1.6',
    ],
)
@pytest.mark.parametrize('listening', ['127.0.0.1', '0.0.0.0', '::', OURS])
def test_other_names_are_not(host: str | None, listening: str) -> None:
    assert called(host, listening) == 421


def test_an_address_of_this_machine_is_answered_where_it_is_listened_on() -> None:
    assert called(f'{OURS}:7860', '0.0.0.0') is None
    assert called(f'{OURS}:7860', '::') is None
    assert called(f'{OURS}:7860', OURS) is None
    assert called(f'{OURS}:7860', '127.0.0.1') == 421
    assert called('0.0.0.0:7860', '0.0.0.0') is None
    assert called('0.0.0.0:7860', '127.0.0.1') == 421
    assert called('my-box:7860', 'my-box') is None


def test_an_allowed_name_is_answered_and_none_below_or_above_it() -> None:
    for name in ('gallery.example', 'Gallery.Example:443', 'gallery.example.'):
        assert called(name, '127.0.0.1', 'gallery.example') is None
    for name in ('example', 'a.gallery.example', 'xgallery.example'):
        assert called(name, '127.0.0.1', 'gallery.example') == 421


@pytest.mark.parametrize(
    ('address', 'ours'),
    [
        ('127.0.0.1', True),
        ('127.8.9.10', True),
        ('::1', True),
        ('203.0.113.7', False),
        ('2001:db8::7', False),
        ('localhost', False),
        ('', False),
    ],
)
def test_what_can_be_listened_on_is_an_address_of_this_machine(address: str, ours: bool) -> None:
    assert guard.is_our_address(address) is ours


# -- pages of other sites -----------------------------------------------------------------------

HOST = {'host': '127.0.0.1:7860'}
FOLLOWED = {'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate'}
OTHERS = {
    'another site': {'origin': 'https://evil.example', 'sec-fetch-site': 'cross-site'},
    'another site, an old browser': {'origin': 'https://evil.example'},
    'another site, without an origin': {'sec-fetch-site': 'cross-site'},
    'another port': {'origin': 'http://127.0.0.1:8000', 'sec-fetch-site': 'same-site'},
    'another port, an old browser': {'origin': 'http://127.0.0.1:8000'},
    'the same machine by another name': {'origin': 'http://localhost:7860'},
    'a file or a sandbox': {'origin': 'null'},
    'two origins': {'origin': 'http://127.0.0.1:7860, https://evil.example'},
    'a word nobody knows': {'sec-fetch-site': 'whatever'},
}
OWN = {
    'our page': {'origin': 'http://127.0.0.1:7860', 'sec-fetch-site': 'same-origin'},
    'our page, an old browser': {'origin': 'http://127.0.0.1:7860'},
    'typed by a person': {'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate'},
    'a program': {},
}
ROUTES = [
    ('POST', '/gradio_api/queue/join'),
    ('POST', '/gradio_api/run/predict'),
    ('POST', '/'),
    ('', '/queue/join'),
    ('GET', '/gradio_api/queue/data'),
    ('GET', '/gradio_api/file=/x.png'),
    ('GET', '/config'),
    ('DELETE', '/anything'),
    ('OPTIONS', '/gradio_api/queue/join'),
]


@pytest.mark.parametrize(('method', 'path'), ROUTES)
@pytest.mark.parametrize('told', OTHERS.values(), ids=OTHERS)
def test_a_page_of_another_site_gets_nowhere(method: str, path: str, told: dict[str, str]) -> None:
    assert refused(Asked(method, path, {**HOST, **told})) == 403


@pytest.mark.parametrize(('method', 'path'), ROUTES)
@pytest.mark.parametrize('told', OWN.values(), ids=OWN)
def test_our_own_page_and_programs_go_everywhere(
    method: str, path: str, told: dict[str, str]
) -> None:
    assert refused(Asked(method, path, {**HOST, **told})) is None


@pytest.mark.parametrize('method', ['GET', 'HEAD'])
@pytest.mark.parametrize('site', ['cross-site', 'same-site'])
def test_a_link_of_another_site_may_lead_to_the_page(method: str, site: str) -> None:
    told = {**HOST, **FOLLOWED, 'sec-fetch-site': site, 'sec-fetch-dest': 'document'}
    assert refused(Asked(method, '/', told)) is None
    assert refused(Asked('POST', '/', told)) == 403
    assert refused(Asked(method, '/gradio_api/startup-events', told)) == 403


@pytest.mark.parametrize('inside', ['iframe', 'frame', 'embed', 'object', 'image', 'script'])
def test_no_other_site_shows_the_page_inside_its_own(inside: str) -> None:
    assert refused(Asked('GET', '/', {**HOST, **FOLLOWED, 'sec-fetch-dest': inside})) == 403


def test_behind_a_proxy_the_page_is_opened_under_an_allowed_name() -> None:
    told = {**HOST, 'origin': 'https://gallery.example'}
    join = Asked('POST', '/gradio_api/queue/join', told)
    names = frozenset({'gallery.example'})
    assert refused(join, names=names) is None
    assert refused(join) == 403
    other = Asked('POST', join.path, {**told, 'sec-fetch-site': 'same-site'})
    assert refused(other, names=names) == 403


# -- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'path',
    [
        '/upload',
        '/upload/',
        '/gradio_api/upload',
        '/gradio_api/upload//',
        '/component_server',
        '/gradio_api/component_server',
    ],
)
@pytest.mark.parametrize('method', ['POST', 'PUT'])
def test_nothing_can_be_uploaded(method: str, path: str) -> None:
    assert refused(Asked(method, path, HOST)) == 403


def test_nothing_takes_a_form_with_files() -> None:
    form = {**HOST, 'content-type': 'Multipart/form-data; boundary=x'}
    assert refused(Asked('POST', '/login', form)) == 403


@pytest.mark.parametrize(
    ('listening', 'names', 'is_shared'),
    [
        ('127.0.0.1', (), False),
        ('127.0.0.2', (), False),
        ('::1', (), False),
        ('localhost', (), False),
        ('127.0.0.1', ('box',), True),
        ('0.0.0.0', (), True),
        ('::', (), True),
        ('192.168.1.5', (), True),
        ('box', (), True),
    ],
)
def test_what_the_owner_says_at_the_start_tells_whether_others_may_come_in(
    listening: str, names: tuple[str, ...], is_shared: bool
) -> None:
    assert Door(listening, frozenset(names)).is_shared is is_shared
