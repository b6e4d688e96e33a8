"""Which addresses may be asked, and what of them may be shown."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from scripts.civitai_manager_libs.civitai import urls
from scripts.civitai_manager_libs.errors import UrlRefusedError

BASE = 'https://civitai.com'
DEMO = 'http://127.0.0.1:7000'
BUCKET = 'https://image.civitai.com/xG1n'
UUID = '0a1b2c3d-0000-4000-8000-00000000000f'


PIECES = st.sampled_from(
    'https:// http:// civitai.com www. / models posts images user api v1 download ? & = # @ : % \\'
    ' modelVersionId= modelId= username= urn:air:sdxl:lora:civitai: 4201 0 99999999999 [ ] \ud800'
    ' %00 %ff ٣ ① example.org .. 127.0.0.1 :80 :99999'.split(' ')
)


# -- addresses we build -------------------------------------------------------------------------

WIDTHS = [(1, 96), (96, 96), (97, 320), (400, 450), (450, 450), (513, 800), (1000, 1200)]
WIDTHS += [(1601, 2200), (2200, 2200), (9000, 2200)]


@pytest.mark.parametrize(('wanted', 'given'), WIDTHS)
def test_thumbnails_have_a_width_the_site_keeps(wanted: int, given: int) -> None:
    original = f'{BUCKET}/{UUID}/original=true/{UUID}.jpeg'
    expected = f'{BUCKET}/{UUID}/width={given},optimized=true/{UUID}.jpeg'
    assert urls.thumbnail_url(original, wanted) == expected


def test_a_video_has_a_still_a_preview_and_an_original() -> None:
    video = f'{BUCKET}/{UUID}/original=true,quality=90/clip.mp4'
    still = f'{BUCKET}/{UUID}/anim=false,transcode=true,width=450,optimized=true/clip.jpeg'
    assert urls.thumbnail_url(video, 450, video=True) == still
    preview = f'{BUCKET}/{UUID}/transcode=true,width=450,optimized=true/clip.mp4'
    assert urls.video_preview_url(video, 450) == preview
    assert urls.original_url(preview) == f'{BUCKET}/{UUID}/original=true/clip.mp4'


@pytest.mark.parametrize(
    'url',
    [
        'https://lh3.example.com/avatar/photo.png',
        'https://example.com/photo.png?width=96',
        f'{BUCKET}/{UUID}/{UUID}.jpeg',
        'photo.png',
        '',
    ],
)
def test_an_address_of_another_form_stays(url: str) -> None:
    assert urls.thumbnail_url(url, 450) == url
    assert urls.original_url(url) == url


def test_api_and_page_addresses() -> None:
    cursor = urls.api_url(f'{BASE}/', 'images', {'cursor': '12|34', 'withMeta': 'true'})
    assert cursor == f'{BASE}/api/v1/images?cursor=12%7C34&withMeta=true'
    assert urls.api_url(BASE, 'models/1 2') == f'{BASE}/api/v1/models/1%202'
    assert urls.page_url(BASE, 'images', 88) == f'{BASE}/images/88'


@pytest.mark.parametrize(
    ('path', 'parameters'),
    [('users', {'query': 'wren\ud800ash'}), ('users/wren\udfffash', {}), ('x', {'\ud83d': 1})],
    ids=['in a value', 'in the path', 'in a name'],
)
def test_half_of_a_character_is_in_no_address(path: str, parameters: dict[str, object]) -> None:
    with pytest.raises(UrlRefusedError) as caught:
        urls.api_url(BASE, path, parameters)
    assert caught.value.user_message.isprintable()


# -- who may be asked, who may see the key ------------------------------------------------------

KEY_TABLE = [
    (BASE, 'https://civitai.com/api', True),
    (BASE, 'https://CIVITAI.com:443/api', True),
    (f'{BASE}/', 'https://civitai.com', True),
    (DEMO, f'{DEMO}/api', True),
    (BASE, 'http://civitai.com/api', False),
    (BASE, 'https://civitai.com:8443/', False),
    (BASE, 'https://api.civitai.com/', False),
    (BASE, 'https://civitai.com./', False),
    (BASE, 'https://civitai.com@example.org/', False),
    (BASE, 'https://user@civitai.com/', False),
    (BASE, 'https://image.civitai.com/', False),
    (BASE, '//civitai.com/', False),
    (BASE, '', False),
    (DEMO, 'http://localhost:7000/', False),
    (DEMO, 'http://127.0.0.1:7001/', False),
    (DEMO, 'https://127.0.0.1:7000/', False),
    (DEMO, 'http://127.1:7000/', False),
]


@pytest.mark.parametrize(('base', 'url', 'allowed'), KEY_TABLE)
def test_who_may_see_the_key(base: str, url: str, allowed: bool) -> None:
    assert urls.may_send_key(url, base) is allowed


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=12).map(''.join)))
def test_the_key_goes_to_the_configured_host_alone(url: str) -> None:
    if urls.may_send_key(url, BASE):
        assert url.lower().startswith(('https://civitai.com', 'https://civitai.com:443'))
        assert url.lower()[len(BASE) :].removeprefix(':443').removeprefix(':')[:1] in '/?#'


@pytest.mark.parametrize(
    ('url', 'is_api'),
    [
        ('https://civitai.com/api/v1/images', True),
        ('https://civitai.com/api/download/models/5', True),
        ('https://civitai.com/models/5', False),
        ('https://civitai.com/bucket/api/x.png', False),
        ('https://image.civitai.com/api/v1/images', False),
        ('', False),
    ],
)
def test_what_is_the_api(url: str, is_api: bool) -> None:
    assert urls.is_api(url, BASE) is is_api


FIRST = [
    (BASE, 'https://civitai.com/a b?c=d e', None),
    (BASE, 'https://www.civitai.com/', None),
    (BASE, 'https://civitai.red/', None),
    (BASE, 'https://image.civitai.com/a/b', None),
    (BASE, 'https://image-b2.civitai.com/file/a', None),
    (BASE, 'https://trusted.example/a.png', None),
    (DEMO, f'{DEMO}/a', None),
    (DEMO, 'http://127.0.0.1:9/a', None),
    (DEMO, 'https://image.civitai.com/a/b', None),
    (BASE, 'https://example.org/', 'error_url_refused'),
    (BASE, 'https://evil.civitai.com.example.org/', 'error_url_refused'),
    (BASE, 'https://www.example.org/', 'error_url_refused'),
    (BASE, 'https://8.8.8.8/', 'error_url_refused'),
    (BASE, 'http://civitai.com/', 'error_url_not_https'),
    (BASE, 'https://127.0.0.1/', 'error_url_private'),
    (BASE, 'ftp://civitai.com/', 'error_url_malformed'),
    (BASE, ' https://civitai.com/', 'error_url_malformed'),
    (BASE, 'https://civitai.com /', 'error_url_malformed'),
    (BASE, 'https://civitai.com/\r\nHost: x', 'error_url_malformed'),
    (BASE, 'https://civitai.com\\.example.org/', 'error_url_malformed'),
    (BASE, 'https://civitai.com:80a/', 'error_url_malformed'),
    (BASE, 'https://civitai.com:0/', 'error_url_malformed'),
    (BASE, 'https://%63ivitai.com/', 'error_url_malformed'),
    (BASE, 'https://civitai。com/', 'error_url_malformed'),
    (BASE, 'https:///path', 'error_url_malformed'),
    (BASE, 'civitai.com/api', 'error_url_malformed'),
    (DEMO, 'http://localhost:7000/', 'error_url_refused'),
]


@pytest.mark.parametrize(('base', 'url', 'key'), FIRST, ids=[repr(url) for _, url, _ in FIRST])
def test_who_may_be_asked_first(base: str, url: str, key: str | None) -> None:
    if key is None:
        urls.check_first(url, base, ['trusted.example'])
        return
    with pytest.raises(UrlRefusedError) as caught:
        urls.check_first(url, base, ['trusted.example'])
    assert caught.value.key == key


PRIVATE = ['127.0.0.1', '127.1', '0', '0x7f000001', '017700000001', '10.1.2.3', '172.16.0.1']
PRIVATE += ['192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '[::1]', '[::]', '[fe80::1]']
PRIVATE += [
    '[fc00::1]',
    '[::ffff:10.0.0.1]',
    'localhost',
    'LOCALHOST.',
    'a.localhost',
    '127.0.0.1.',
]


@pytest.mark.parametrize('host', PRIVATE)
def test_addresses_inside_are_for_a_site_inside_only(host: str) -> None:
    for scheme in ('http', 'https'):
        urls.check_redirect(f'{scheme}://{host}/', DEMO)
    with pytest.raises(UrlRefusedError):
        urls.check_redirect(f'https://{host}/', BASE)
    with pytest.raises(UrlRefusedError):
        urls.check_redirect(f'http://{host}/', 'http://mirror.example')


@pytest.mark.parametrize(
    'host', ['storage.example.com', '8.8.8.8', '[2606:4700::1111]', 'a.b:8443']
)
def test_redirects_may_lead_to_any_https_host(host: str) -> None:
    urls.check_redirect(f'https://{host}/x?y', BASE)
    with pytest.raises(UrlRefusedError) as caught:
        urls.check_redirect(f'http://{host}/x?y', BASE)
    assert caught.value.key == 'error_url_not_https'
    urls.check_redirect(f'http://{host}/x?y', 'http://mirror.example')


@pytest.mark.parametrize(
    ('location', 'target'),
    [
        ('https://storage.example.com/a?b', 'https://storage.example.com/a?b'),
        ('/other', 'https://civitai.com/other'),
        ('next', 'https://civitai.com/api/next'),
        ('../up', 'https://civitai.com/up'),
        ('?page=2', 'https://civitai.com/api/here?page=2'),
        ('//image.civitai.com/a', 'https://image.civitai.com/a'),
        ('', 'https://civitai.com/api/here?x=1'),
    ],
)
def test_where_a_redirect_leads(location: str, target: str) -> None:
    assert urls.redirect_target('https://civitai.com/api/here?x=1', location, BASE) == target


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=12).map(''.join)))
def test_a_redirect_leads_to_an_allowed_place_or_is_refused(location: str) -> None:
    try:
        target = urls.redirect_target('https://civitai.com/api/here', location, BASE)
    except UrlRefusedError as error:
        assert error.user_message
        return
    assert target.startswith('https://')


# -- what may be shown --------------------------------------------------------------------------

SHOWN = [
    ('https://civitai.com/api/v1/images?limit=5', 'https://civitai.com/api/v1/images?limit=5'),
    ('https://a.b/x?token=s', 'https://a.b/x?token=***'),
    ('https://a.b/x?fileId=1&TOKEN=s&y=2', 'https://a.b/x?fileId=1&TOKEN=***&y=2'),
    ('https://a.b/x?fileId=1?token=s', 'https://a.b/x?fileId=1?token=***'),
    ('https://a.b/x?fileId=1;api_key=s', 'https://a.b/x?fileId=1;api_key=***'),
    ('https://a.b/x?%74oken=s', 'https://a.b/x?%74oken=***'),
    (
        'https://r2/x?X-Amz-Expires=9&X-Amz-Credential=s&X-Amz-Signature=s',
        'https://r2/x?X-Amz-Expires=9&X-Amz-Credential=***&X-Amz-Signature=***',
    ),
    ('https://b2/x?Authorization=s&sig=s', 'https://b2/x?Authorization=***&sig=***'),
    ('https://me:s@a.b:8/x', 'https://a.b:8/x'),
    ('https://a.b/x#access_token=s', 'https://a.b/x'),
    ('https://a.b/x?token=', 'https://a.b/x?token='),
    ('https://a.b/x&token=s', 'https://a.b/x&token=***'),
    ('https://a.b/token=s/x.png', 'https://a.b/token=***'),
    ('https://a.b/width=450,optimized=true/x.png', 'https://a.b/width=450,optimized=true/x.png'),
    ('token=s', 'token=***'),
    ('http://[bad', '(malformed address)'),
    ('a', 'a'),
    ('', ''),
    ('https://a.b/x\r\nWARNING forged\x1b[0m', 'https://a.b/xWARNING forged[0m'),
]


@pytest.mark.parametrize(('url', 'shown'), SHOWN, ids=[repr(url) for url, _ in SHOWN])
def test_what_of_an_address_is_shown(url: str, shown: str) -> None:
    assert urls.redact(url) == shown


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=12).map(''.join)))
def test_anything_can_be_shown_on_one_line(url: str) -> None:
    assert urls.redact(url).isprintable()


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec='ascii', categories=['L', 'N']), min_size=12))
def test_a_token_is_never_shown(secret: str) -> None:
    for name in ('token', 'X-Amz-Security-Token', 'key', 'api_key', 'Signature', 'password'):
        assert secret not in urls.redact(f'https://a.b/c?d=1&{name}={secret}&e=2')


CDN = 'https://image.civitai.com/key/u/original=true/u.jpeg'
STORAGE = 'https://b2.civitai.com/file/u.jpeg'
KEPT = {
    'nothing to hide': (f'{CDN}?width=3', f'{CDN}?width=3'),
    'a token': (f'{CDN}?token=geheim', CDN),
    'between others': (f'{CDN}?a=1&token=geheim&b=2', f'{CDN}?a=1&b=2'),
    'behind a second ?': (f'{CDN}?a=1?token=geheim', f'{CDN}?a=1'),
    'a signature': (f'{CDN}?Signature=geheim&Key-Pair-Id=x&sig=y', CDN),
    'one inside': (f'{CDN}?to=%2F%3Ftoken%3Dgeheim', CDN),
    'a raw original': (
        'https://image-b2.civitai.com/file/m/u/original?sig=x',
        'https://image-b2.civitai.com/file/m/u/original',
    ),
    'a stand-in': (
        'http://127.0.0.1:1/k/u/width=450/u.png?sig=x',
        'http://127.0.0.1:1/k/u/width=450/u.png',
    ),
    'a storage': (f'{STORAGE}?X-Amz-Signature=x&b=1', f'{STORAGE}?X-Amz-Signature=x&b=1'),
    'the key at a storage': (f'{STORAGE}?sig=x&token=geheim-key', f'{STORAGE}?sig=x'),
    'the key, escaped': (f'{STORAGE}?t=geheim%2Dkey', STORAGE),
    'the key in the path': ('https://b2.civitai.com/geheim-key/u', 'https://b2.civitai.com/***/u'),
    'a user': ('https://me:geheim@b2.civitai.com/u.jpeg#geheim', 'https://b2.civitai.com/u.jpeg'),
    'no address': ('https://[broken?token=geheim', '(malformed address)'),
}


@pytest.mark.parametrize('given, kept', KEPT.values(), ids=KEPT)
def test_an_address_is_kept_without_what_it_does_not_need(given: str, kept: str) -> None:
    assert kept == urls.kept(given, 'geheim-key')
