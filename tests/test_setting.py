"""Settings: their defaults, and what files and the environment make of them."""

import json
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.store import media
from tests.support.paths import ROOT
from tests.support.settings_sandbox import NAMES

KEY = '0123456789abcdef-secret'
BY_NAME = {item.name: item for item in setting.SETTINGS}


@pytest.fixture(autouse=True)
def warnings(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def values() -> dict[str, Any]:
    return {name: getattr(setting, name) for name in BY_NAME}


def defaults() -> dict[str, Any]:
    return {item.name: item.default for item in setting.SETTINGS}


def at_defaults() -> dict[str, Any]:
    """The defaults, with the picture cache of the sandbox."""
    return defaults() | {'shortcut_gallery_folder': setting.shortcut_gallery_folder}


def write(content: str | bytes | dict[str, Any]) -> Path:
    path = setting.settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, dict):
        content = json.dumps(content)
    path.write_bytes(content.encode('utf-8') if isinstance(content, str) else content)
    return path


def kept_aside() -> list[Path]:
    return sorted(Path(setting.data_folder).glob('settings.broken-*.json'))


# --- defaults --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('name', 'default'),
    [
        ('civitai_base_url', 'https://civitai.com'),
        ('language', 'auto'),
        ('gallery_maturity_ceiling', 'PG'),
        ('gallery_columns', 6),
        ('gallery_rows', 4),
        ('gallery_endless', False),
        ('gallery_download_batch_size', 5),
        ('gallery_download_timeout', 30),
        ('gallery_max_concurrent_downloads', 16),
        ('http_timeout', 20),
        ('http_max_retries', 4),
        ('http_retry_delay', 0.5),
        ('http_proxy', ''),
        ('http_ca_bundle', ''),
        ('extra_hosts', ''),
        ('download_images_folder', ''),
        ('shortcut_gallery_max_mib', 2048),
        ('gallery_name_template', '{id}'),
        ('gallery_embed_infotext', True),
        ('gallery_sidecars', ''),
        ('gallery_jobs_go_on', False),
        ('gallery_jobs_of_others', False),
        ('models_folder', ''),
        ('model_folder_template', ''),
        ('model_info_file', True),
        ('model_preview_file', True),
        ('model_json_file', True),
    ],
)
def test_a_setting_is_at_first(name: str, default: object) -> None:
    assert (BY_NAME[name].default, type(BY_NAME[name].default)) == (default, type(default))
    assert getattr(setting, name) == default


def test_at_first_there_is_no_key_and_only_safe_pictures_are_shown() -> None:
    assert setting.civitai_api_key == ''
    assert setting.maturity_levels() == 1
    assert setting.page_size() == 24


@pytest.mark.parametrize('item', setting.SETTINGS, ids=lambda item: item.name)
def test_a_default_is_acceptable(item: setting.Setting) -> None:
    assert item.accepts(item.default)


def test_the_placeholder_picture_is_there() -> None:
    assert media.sniff(Path(setting.no_card_preview_image).read_bytes()) == media.PNG


@pytest.mark.parametrize(
    ('ceiling', 'levels'),
    [('PG', 1), ('PG-13', 3), ('R', 7), ('X', 15), ('XXX', 31), ('nonsense', 1), ('', 1)],
)
def test_the_maturity_ceiling_is_a_mask_and_nonsense_is_safe(ceiling: str, levels: int) -> None:
    setting.gallery_maturity_ceiling = ceiling
    assert setting.maturity_levels() == levels


def test_a_page_is_never_more_than_civitai_gives() -> None:
    setting.gallery_columns, setting.gallery_rows = 100, 100
    assert setting.page_size() == 200


def test_trusted_hosts_are_read_from_a_list_with_commas() -> None:
    setting.extra_hosts = ' Example.org, ,cdn.example.net ,'
    assert setting.extra_host_names() == ('example.org', 'cdn.example.net')


# --- the file --------------------------------------------------------------------------------

GOOD = {
    'civitai_base_url': 'https://civitai.red',
    'language': 'zh_TW',
    'gallery_maturity_ceiling': 'R',
    'gallery_columns': 8,
    'gallery_rows': 2,
    'gallery_endless': True,
    'gallery_max_concurrent_downloads': 4,
    'gallery_download_batch_size': 10,
    'gallery_download_timeout': 60,
    'model_download_segments': 8,
    'model_download_rate': 2.5,
    'model_file_format': 'GGUF',
    'model_file_size': 'full',
    'model_file_precision': 'fp16',
    'download_timeout': 60,
    'download_max_retries': 6,
    'download_retry_delay': 2,
    'http_timeout': 45,
    'http_max_retries': 6,
    'http_retry_delay': 2,
    'http_proxy': 'http://user:word@proxy.example:3128',
    'http_ca_bundle': '/etc/company.pem',
    'extra_hosts': 'example.org',
    'download_images_folder': os.path.abspath('/somewhere/ünder a name'),
    'shortcut_gallery_folder': os.path.abspath('/cache'),
    'shortcut_gallery_max_mib': 500,
    'gallery_name_template': '{username}/{id}',
    'gallery_embed_infotext': False,
    'gallery_sidecars': 'json,caption',
    'gallery_jobs_go_on': True,
    'gallery_jobs_of_others': True,
    'models_folder': os.path.abspath('/webui/models'),
    'model_folder_template': '{base_model}/{creator}',
    'model_info_file': False,
    'model_preview_file': False,
    'model_json_file': False,
}


def test_without_a_file_everything_stays(warnings: pytest.LogCaptureFixture) -> None:
    before = values()
    setting.load()
    assert values() == before == at_defaults()
    assert warnings.records == []
    assert list(Path(setting.data_folder).iterdir()) == [], 'reading writes nothing'


def test_a_good_file_is_taken_over(warnings: pytest.LogCaptureFixture) -> None:
    path = write(GOOD)
    content = path.read_bytes()
    setting.load()
    assert values() == GOOD
    assert warnings.records == []
    assert path.read_bytes() == content
    assert kept_aside() == []


PROXIES = [
    'http://proxy.example',
    'https://proxy.example:3128',
    'socks5://127.0.0.1:1080',
    'socks5h://user:word@proxy.example:1080',
    'socks5h://[::1]:1080',
]


@pytest.mark.parametrize('address', PROXIES)
def test_a_proxy_may_be_of_these_kinds(address: str) -> None:
    assert BY_NAME['http_proxy'].accepts(address)


def test_a_good_value_has_the_type_of_its_default() -> None:
    write(GOOD)
    setting.load()
    assert {name: type(value) for name, value in values().items()} == {
        name: type(value) for name, value in defaults().items()
    }


@pytest.mark.parametrize('name', GOOD)
def test_a_file_may_hold_one_value_only(name: str) -> None:
    write({name: GOOD[name]})
    setting.load()
    assert values() == at_defaults() | {name: GOOD[name]}


@pytest.mark.parametrize('mark', [b'\xef\xbb\xbf', b''], ids=['with byte order mark', 'without'])
def test_a_file_of_any_editor_is_read(mark: bytes) -> None:
    write(mark + b'{\r\n  "gallery_columns": 3\r\n}\r\n')
    setting.load()
    assert setting.gallery_columns == 3


DEEP = 10_000


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(b'', id='empty'),
        pytest.param(b'{"gallery_columns": 3', id='cut off'),
        pytest.param(b"{'gallery_columns': 3}", id='not JSON'),
        pytest.param(b'[{"gallery_columns": 3}]', id='a list'),
        pytest.param(b'null', id='null'),
        pytest.param(b'"text"', id='a text'),
        pytest.param(b'3', id='a number'),
        pytest.param(b'\x00' * 100, id='zeros after a crash'),
        pytest.param(b'\xff\xfe{\x00}\x00', id='another encoding'),
        pytest.param(b'{"gallery_columns": ' + b'9' * 5000 + b'}', id='number of 5000 digits'),
        pytest.param(b'{"a": ' * DEEP + b'1' + b'}' * DEEP, id='10000 deep'),
        pytest.param(b'[' * DEEP, id='10000 deep and cut off'),
        pytest.param(b'{"gallery_columns": 3, "x": "' + b'y' * 1_000_000 + b'"}', id='too large'),
    ],
)
def test_an_unusable_file_gives_defaults_and_is_kept_aside(
    content: bytes, warnings: pytest.LogCaptureFixture
) -> None:
    path = write(content)
    setting.load()
    assert values() == at_defaults()
    assert not path.exists()
    assert [aside.read_bytes() for aside in kept_aside()] == [content]
    assert str(path) in warnings.text and 'using defaults' in warnings.text
    assert str(kept_aside()[0]) in warnings.text


def test_every_unusable_file_is_kept() -> None:
    for content in ('one', 'two', 'three'):
        write(content)
        setting.load()
    assert [aside.read_text() for aside in kept_aside()] == ['one', 'two', 'three']


INFINITE = float('inf')


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('gallery_columns', '6'),
        ('gallery_columns', None),
        ('gallery_columns', [6]),
        ('gallery_columns', {'value': 6}),
        ('gallery_columns', True),
        ('gallery_columns', 6.5),
        ('gallery_columns', 0),
        ('gallery_columns', -6),
        ('gallery_columns', 13),
        ('gallery_columns', 10**300),
        ('gallery_columns', INFINITE),
        ('gallery_columns', float('nan')),
        ('gallery_max_concurrent_downloads', 0),
        ('gallery_max_concurrent_downloads', 1000),
        ('gallery_download_timeout', 0),
        ('http_timeout', -1),
        ('http_max_retries', 0),
        ('http_retry_delay', -0.1),
        ('http_retry_delay', INFINITE),
        ('http_retry_delay', float('nan')),
        ('http_retry_delay', False),
        ('language', 'de'),
        ('language', 1),
        ('language', ''),
        ('gallery_maturity_ceiling', 'XXXX'),
        ('gallery_maturity_ceiling', 31),
        ('civitai_base_url', ''),
        ('civitai_base_url', None),
        ('civitai_base_url', 'civitai.com'),
        ('civitai_base_url', 'javascript:alert(1)'),
        ('civitai_base_url', 'javascript://civitai.com/%0aalert(1)'),
        ('civitai_base_url', 'file:///etc/passwd'),
        ('civitai_base_url', 'ftp://civitai.com'),
        ('civitai_base_url', 'https://'),
        ('civitai_base_url', 'https://civitai.com/api'),
        ('civitai_base_url', 'https://civitai.com?a=b'),
        ('civitai_base_url', 'https://civitai.com?'),
        ('civitai_base_url', 'https://civitai.com#x'),
        ('civitai_base_url', 'https://civitai.com/#'),
        ('civitai_base_url', 'https://user:word@civitai.com'),
        ('civitai_base_url', 'https://civitai.com:99999'),
        ('civitai_base_url', 'https://[::1'),
        ('civitai_base_url', 'https://civitai.com\nHost: evil.example'),
        ('civitai_base_url', 'https://civitai.com\0.evil.example'),
        ('civitai_base_url', 'https://civi tai.com'),
        ('http_proxy', 'proxy.example:3128'),
        ('http_proxy', 'socks5://proxy.example'),
        ('http_proxy', 'socks5h://:1080'),
        ('http_proxy', 'socks5://proxy.example:0'),
        ('http_proxy', 'javascript:alert(1)'),
        ('http_proxy', 'http://'),
        ('http_proxy', 'http://[::1'),
        ('http_proxy', 'http://proxy.example:99999'),
        ('http_proxy', 'http://proxy.example:port'),
        ('http_proxy', 'http://proxy.example\r\nX: y'),
        ('http_proxy', 'http://proxy example'),
        ('http_proxy', None),
        ('extra_hosts', ['example.org']),
        ('http_ca_bundle', 'company.pem'),
        ('extra_hosts', 'example.org\n'),
        ('extra_hosts', 'x' * 5000),
        ('models_folder', 'relative/models'),
        ('model_folder_template', '{id}'),
        ('model_folder_template', '{creator}/../..'),
        ('model_folder_template', '/{creator}'),
        ('model_folder_template', '{creator.__class__}'),
        ('model_folder_template', '{creator:>99}'),
        ('model_folder_template', '{creator!r}'),
        ('download_images_folder', 'relative/folder'),
        ('download_images_folder', os.path.abspath('/a/' + 'z' * 300)),
        ('download_images_folder', os.path.abspath('/' + '\u6a21' * 300 + '/deep')),
        ('shortcut_gallery_folder', os.path.abspath('/' + 'z' * 300)),
        ('download_images_folder', '..'),
        ('download_images_folder', '/a\0b'),
        ('download_images_folder', '/a\nb'),
        ('download_images_folder', '/half \ud83d'),
        ('download_images_folder', '~no_such_user_here/x'),
        ('download_images_folder', 7),
        ('shortcut_gallery_folder', 'relative'),
        ('shortcut_gallery_folder', ''),
        ('shortcut_gallery_folder', None),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_an_unusable_value_gives_its_default_and_loses_nothing(
    name: str, value: object, warnings: pytest.LogCaptureFixture
) -> None:
    good = {'http_timeout': 45} if name != 'http_timeout' else {'gallery_rows': 2}
    content = json.dumps({name: value, 'setting_of_tomorrow': {'x': ['ü', None]}, **good})
    path = write(content)
    setting.load()
    assert values() == at_defaults() | good
    assert name in warnings.text and 'using defaults' in warnings.text
    assert [aside.read_text() for aside in kept_aside()] == [content]
    assert json.loads(path.read_text()) == {'setting_of_tomorrow': {'x': ['ü', None]}, **good}

    warnings.clear()
    setting.load()
    assert warnings.records == [], 'the second time all is well'
    assert values() == at_defaults() | good


def test_a_cache_that_can_be_none_gives_its_default_and_the_cause(
    tmp_path: Path, warnings: pytest.LogCaptureFixture
) -> None:
    (tmp_path / 'file').touch()
    write(json.dumps({'shortcut_gallery_folder': str(tmp_path / 'file')}))
    setting.load()
    assert values() == at_defaults()
    assert f"{tmp_path / 'file'} cannot be a picture cache" in warnings.text
    setting.claim_picture_cache()


def test_dots_in_the_folder_of_the_cache_are_settled_when_it_is_saved(tmp_path: Path) -> None:
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'notes.txt').touch()
    before = setting.shortcut_gallery_folder
    assert setting.save({'shortcut_gallery_folder': f'{tmp_path}/new/../mine'})
    assert setting.shortcut_gallery_folder == before
    assert not setting.save({'shortcut_gallery_folder': f'{tmp_path}/new/../cache'})
    assert setting.shortcut_gallery_folder == os.path.realpath(tmp_path / 'cache')
    setting.claim_picture_cache()
    assert os.listdir(tmp_path / 'cache') and not (tmp_path / 'new').exists()


@pytest.mark.parametrize(
    'unknown',
    [
        pytest.param(b'"half \\ud83d"', id='half an emoji'),
        pytest.param(b'NaN', id='not a number'),
        pytest.param(b'[' * 400 + b']' * 400, id='deep'),
    ],
)
def test_what_we_do_not_know_survives_beside_an_unusable_value(unknown: bytes) -> None:
    path = write(b'{"gallery_rows": 0, "gallery_columns": 3, "other": ' + unknown + b'}')
    setting.load()
    assert (setting.gallery_rows, setting.gallery_columns) == (4, 3)
    kept = json.loads(path.read_text())
    assert kept.keys() == {'gallery_columns', 'other'}
    assert repr(kept['other']) == repr(json.loads(unknown))


def test_a_folder_of_the_files_name_is_no_file(warnings: pytest.LogCaptureFixture) -> None:
    setting.settings_file().mkdir(parents=True)
    setting.load()
    assert values() == at_defaults()


def test_a_file_that_cannot_be_kept_aside_is_not_touched(
    tmp_path: Path, warnings: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = '{"gallery_columns": 99, "gallery_rows": 2}'
    path = write(content)

    def refuse(*_: object) -> None:
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr(os, 'replace', refuse)
    setting.load()
    assert (setting.gallery_columns, setting.gallery_rows) == (6, 2)
    assert path.read_text() == content
    assert [entry.name for entry in Path(setting.data_folder).iterdir()] == ['settings.json']
    assert 'could not be kept aside' in warnings.text


def test_a_failed_write_leaves_no_half_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write('{"gallery_columns": 99, "gallery_rows": 2}')

    def full(handle: int, *args: Any, **kwargs: Any) -> Any:
        os.write(handle, b'half')
        os.close(handle)
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fdopen', full)
    setting.load()
    assert setting.gallery_rows == 2
    assert os.listdir(setting.data_folder) == ['settings.broken-1.json']


# --- the key ---------------------------------------------------------------------------------


def write_key(content: bytes, mode: int = 0o600) -> Path:
    path = setting.api_key_file()
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


# What else comes along when a key is copied, or set in the manner of another system.
DRESSED_KEYS = [
    f'"{KEY}"',
    f"'{KEY}'",
    f' "{KEY}" ',
    f'" {KEY} "',
    f"'\"{KEY}\"'",
    f'`{KEY}`',
    f'“{KEY}”',
    f'Bearer {KEY}',
    f'bearer  {KEY}',
    f'"Bearer {KEY}"',
    f'Authorization: Bearer {KEY}',
    f'"{KEY}',
    f"{KEY}'",
    f'“{KEY}',
    f'{KEY}” ',
    f'„{KEY}“',
    f'«{KEY}»',
    f'「{KEY}」',
    f'"Bearer {KEY}',
    f'Bearer "{KEY}',
    f'“Authorization: Bearer {KEY}”',
    f'Bearer “{KEY}”',
]


@pytest.mark.parametrize(
    'content',
    [KEY, f'{KEY}\n', f'  {KEY}\r\n', f'\ufeff{KEY}', *(f'{key}\n' for key in DRESSED_KEYS)],
    ids=ascii,
)
def test_the_key_file_holds_the_key(content: str, warnings: pytest.LogCaptureFixture) -> None:
    write_key(content.encode('utf-8'))
    setting.load()
    assert setting.civitai_api_key == KEY
    assert KEY not in warnings.text


@pytest.mark.skipif(sys.platform == 'win32', reason='Windows has no such permissions')
@pytest.mark.parametrize('mode', [0o644, 0o666, 0o640, 0o400])
def test_a_key_file_is_closed_to_others(mode: int) -> None:
    path = write_key(KEY.encode(), mode)
    setting.load()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert setting.civitai_api_key == KEY


@pytest.mark.parametrize(
    'content',
    [
        b'two words ' + KEY.encode(),
        KEY.encode() + b'\nX-Evil: 1',
        KEY.encode() + b'\0',
        f'{KEY}ü'.encode(),
        b'\xff\xfe' + KEY.encode('utf-16-le'),
        b'\xff' + KEY.encode(),
    ],
    ids=ascii,
)
def test_what_is_no_key_is_not_used_and_not_logged(
    content: bytes, warnings: pytest.LogCaptureFixture
) -> None:
    path = write_key(content)
    setting.load()
    assert setting.civitai_api_key == ''
    assert str(path) in warnings.text
    assert 'secret' not in warnings.text
    assert path.read_bytes() == content


def test_an_empty_or_missing_key_file_is_no_key(warnings: pytest.LogCaptureFixture) -> None:
    setting.load()
    assert setting.civitai_api_key == ''
    write_key(b'\n')
    setting.load()
    assert setting.civitai_api_key == ''
    assert warnings.records == []


def test_a_key_in_the_settings_file_is_no_setting() -> None:
    write({'civitai_api_key': KEY, 'data_folder': '/elsewhere', 'ROOT': '/', 'load': 'x'})
    folder = setting.data_folder
    setting.load()
    assert (setting.civitai_api_key, setting.data_folder) == ('', folder)
    assert callable(setting.load)


# --- the picture cache -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ('url', 'extension'),
    [
        ('https://image.civitai.com/k/u/width=450/a.png', '.png'),
        ('https://image.civitai.com/k/u/width=450/a.JPEG', '.jpeg'),
        ('https://image.civitai.com/k/u/width=450/a.mp4?x=.png', '.mp4'),
        ('https://x/a.exe', '.jpeg'),
        ('https://x/a', '.jpeg'),
        ('https://x/a.png/', '.jpeg'),
        ('https://x/../../../etc/passwd', '.jpeg'),
        ('https://x/%2e%2e%2f.png', '.png'),
        ('../../x.png', '.png'),
        ('/etc/passwd', '.jpeg'),
        ('a', '.jpeg'),
        ('', '.jpeg'),
        ('\0', '.jpeg'),
        ('half \ud83d.png', '.png'),
        ('x' * 100_000 + '.webp', '.webp'),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_cached_picture_has_a_safe_name_in_the_cache(url: str, extension: str) -> None:
    path = Path(setting.get_image_url_to_gallery_file(url))
    assert path.parent == Path(setting.shortcut_gallery_folder)
    assert path.resolve().is_relative_to(Path(setting.shortcut_gallery_folder).resolve())
    assert path.suffix == extension
    assert path.stem.isalnum() and path.name.isascii() and len(path.name) < 60


def test_the_name_of_a_cached_picture_depends_on_its_address_alone() -> None:
    url = 'https://image.civitai.com/k/u/width=450/a.jpeg'
    name = Path(setting.get_image_url_to_gallery_file(url)).name
    setting.civitai_base_url = 'https://civitai.red'
    setting.civitai_api_key = KEY
    setting.gallery_columns = 3
    setting.shortcut_gallery_folder = os.path.abspath('/elsewhere')
    assert Path(setting.get_image_url_to_gallery_file(url)) == Path('/elsewhere').absolute() / name
    others = [url + '?', url + '#', url.replace('450', '320'), url.replace('https', 'http')]
    assert name not in {Path(setting.get_image_url_to_gallery_file(u)).name for u in others}


def test_a_folder_in_the_home_folder_may_be_written_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setenv('USERPROFILE', str(tmp_path))
    write({'shortcut_gallery_folder': '~/cache', 'download_images_folder': '~/downloads'})
    setting.load()
    assert Path(setting.get_image_url_to_gallery_file('a')).parent == tmp_path / 'cache'
    assert setting.download_folder() == tmp_path / 'downloads'


# --- the environment -------------------------------------------------------------------------


def fresh(home: Path, code: str = '', **environment: str) -> tuple[dict[str, Any], str]:
    """The settings of a new process with `environment`, and what it says on stderr."""
    program = (
        'import json, sys\n'
        'from scripts.civitai_manager_libs import setting\n'
        f'{code}\n'
        f'print(json.dumps({{name: getattr(setting, name) for name in {NAMES!r}}}))\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', program],
        cwd=ROOT,
        env={**os.environ, 'CIVITAI_GALLERY_HOME': str(home), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_the_environment_is_read_at_import(tmp_path: Path) -> None:
    found, said = fresh(
        tmp_path,
        CIVITAI_BASE_URL=' http://127.0.0.1:8765 ',
        CIVITAI_GALLERY_LANG='zh_TW',
        CIVITAI_TOKEN=f' {KEY} ',
    )
    assert found['civitai_base_url'] == 'http://127.0.0.1:8765'
    assert found['language'] == 'zh_TW'
    assert found['civitai_api_key'] == KEY
    assert found['data_folder'] == str(tmp_path)
    assert Path(found['shortcut_gallery_folder']) == tmp_path / 'picture_cache'
    assert said == ''


@pytest.mark.parametrize('given', DRESSED_KEYS, ids=ascii)
def test_a_key_in_the_environment_may_have_quotes_around_it(given: str, tmp_path: Path) -> None:
    write_key(b'key-of-the-file')
    found, said = fresh(tmp_path, 'setting.load()', CIVITAI_TOKEN=given)
    assert (found['civitai_api_key'], said) == (KEY, '')


@pytest.mark.parametrize('quote', ['"', "'"])
def test_every_variable_may_have_quotes_around_it(quote: str, tmp_path: Path) -> None:
    given = {
        'CIVITAI_GALLERY_HOME': str(tmp_path),
        'CIVITAI_BASE_URL': 'http://127.0.0.1:8765',
        'CIVITAI_GALLERY_LANG': 'zh_TW',
    }
    named = {name: f'{quote}{value}{quote}' for name, value in given.items()}
    found, said = fresh(tmp_path, 'setting.load()', **named)
    assert (found['data_folder'], said) == (str(tmp_path), '')
    assert found['civitai_base_url'] == 'http://127.0.0.1:8765'
    assert found['language'] == 'zh_TW'


@pytest.mark.parametrize('nothing', ['""', "''", '" "'])
def test_quotes_around_nothing_count_as_unset(nothing: str, tmp_path: Path) -> None:
    names = ('CIVITAI_BASE_URL', 'CIVITAI_GALLERY_LANG', 'CIVITAI_TOKEN')
    found, said = fresh(tmp_path, **dict.fromkeys(names, nothing))
    assert found['civitai_base_url'] == 'https://civitai.com'
    assert (found['language'], found['civitai_api_key'], said) == ('auto', '', '')


def test_an_empty_environment_variable_counts_as_unset(tmp_path: Path) -> None:
    names = ('CIVITAI_BASE_URL', 'CIVITAI_GALLERY_LANG', 'CIVITAI_TOKEN')
    found, said = fresh(tmp_path, **dict.fromkeys(names, ' '))
    assert found['civitai_base_url'] == 'https://civitai.com'
    assert (found['language'], found['civitai_api_key'], said) == ('auto', '', '')


def test_without_a_named_home_data_is_in_the_users_data_folder(tmp_path: Path) -> None:
    found, _ = fresh(
        tmp_path, CIVITAI_GALLERY_HOME='', HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path / 'data')
    )
    assert 'civitai-gallery' in found['data_folder']
    assert os.path.isabs(found['data_folder'])
    if sys.platform == 'linux':
        assert Path(found['data_folder']) == tmp_path / 'data' / 'civitai-gallery'


@pytest.mark.parametrize(
    ('given', 'folder'), [('relative home', ROOT / 'relative home'), ('~/x', None)], ids=repr
)
def test_the_home_is_an_absolute_folder(given: str, folder: Path | None, tmp_path: Path) -> None:
    found, _ = fresh(
        tmp_path, CIVITAI_GALLERY_HOME=given, HOME=str(tmp_path), USERPROFILE=str(tmp_path)
    )
    assert Path(found['data_folder']) == (folder or tmp_path / 'x')
    assert not Path(found['data_folder']).exists(), 'importing makes no folder'


@pytest.mark.parametrize(
    ('variable', 'value', 'name'),
    [
        ('CIVITAI_BASE_URL', 'javascript:alert(1)', 'civitai_base_url'),
        ('CIVITAI_BASE_URL', 'civitai.com', 'civitai_base_url'),
        ('CIVITAI_BASE_URL', 'https://civitai.com/api/v1', 'civitai_base_url'),
        ('CIVITAI_BASE_URL', 'https://civitai.com\nX: y', 'civitai_base_url'),
        ('CIVITAI_GALLERY_LANG', 'klingon', 'language'),
        ('CIVITAI_TOKEN', 'two secret words', 'civitai_api_key'),
        ('CIVITAI_TOKEN', 'secret\nX-Evil: 1', 'civitai_api_key'),
        ('CIVITAI_TOKEN', 'secret-ü', 'civitai_api_key'),
    ],
)
def test_an_unusable_environment_variable_is_named_and_the_default_used(
    variable: str, value: str, name: str, tmp_path: Path
) -> None:
    found, said = fresh(tmp_path, 'setting.load()', **{variable: value})
    assert found[name] == (BY_NAME[name].default if name in BY_NAME else '')
    assert said.count('\n') == 1 and variable in said
    assert 'secret' not in said


def test_the_environment_wins_over_the_files(tmp_path: Path) -> None:
    write(GOOD)
    write_key(b'key-of-the-file')
    found, said = fresh(
        tmp_path,
        'setting.load()',
        CIVITAI_BASE_URL='https://civitai.green',
        CIVITAI_GALLERY_LANG='en',
        CIVITAI_TOKEN=KEY,
    )
    assert said == ''
    assert found['civitai_base_url'] == 'https://civitai.green'
    assert (found['language'], found['civitai_api_key']) == ('en', KEY)
    assert found['gallery_columns'] == GOOD['gallery_columns'], 'the rest is the file\'s'


def test_without_the_environment_the_files_are_used(tmp_path: Path) -> None:
    write(GOOD)
    write_key(KEY.encode())
    found, said = fresh(tmp_path, 'setting.load()')
    assert (found['language'], found['civitai_api_key'], said) == ('zh_TW', KEY, '')


def test_an_unusable_value_in_the_file_does_not_matter_where_the_environment_wins(
    tmp_path: Path,
) -> None:
    write({'language': 'klingon'})
    found, said = fresh(tmp_path, 'setting.load()', CIVITAI_GALLERY_LANG='zh_TW')
    assert (found['language'], said) == ('zh_TW', '')


WATCHER = '''
import sys

seen = []
CODE = ('.py', '.pyc', '.pyd', '.so', '.dll', '.pth')

def watch(event, args):
    if event == 'open':
        name, mode, flags = args
        reads = mode is None or not set(mode) & set('wax+')
        if not (reads and str(name).endswith(CODE)):
            seen.append((event, str(name), mode))
    elif event.startswith(('socket.', 'subprocess.', 'os.mkdir', 'os.rename', 'shutil.')):
        # what importing the standard library asks of sockets is whether there is IPv6
        seen.append((event, *map(str, args)))

import PACKAGES
sys.addaudithook(watch)
import MODULE
sys.stdout.write(repr(seen))
'''


@pytest.mark.parametrize(
    'module',
    (
        'civitai.gallery civitai.models downloads.plan api ishortcut downloads.batch setting texts '
        'util host cli.main'
    ).split(),
)
def test_importing_opens_no_file_and_no_socket(module: str, tmp_path: Path) -> None:
    program = WATCHER.replace('MODULE', f'scripts.civitai_manager_libs.{module}')
    # other packages are not our business
    packages = 'requests, urllib3, platformdirs, pathvalidate, http.cookiejar, argparse, ssl'
    done = subprocess.run(
        [sys.executable, '-B', '-c', program.replace('PACKAGES', packages)],
        cwd=ROOT,
        env={**os.environ, 'CIVITAI_GALLERY_HOME': str(tmp_path / 'home')},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout == '[]'
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('name', ['gallery_jobs_go_on', 'gallery_jobs_of_others'])
@pytest.mark.parametrize(
    'value, fits',
    [(True, True), (False, True), ('on', True), ('No', True), (1, False), (0.0, False)]
    + [('', False), ('maybe', False), (None, False), ([], False)],
)
def test_a_switch_is_on_or_off(name: str, value: object, fits: bool) -> None:
    assert setting.save({name: value}) == ([] if fits else [name])
    assert getattr(setting, name) is (value in (True, 'on') and fits)


@pytest.mark.parametrize(
    'value, word',
    [('{ide}', 'ide'), ('{id', 'braces'), ('', 'empty'), ('{id}//x', 'empty')]
    + [('../{id}', 'out of the folder'), ('C:/{id}', 'out of the folder'), ('/{id}', 'before')],
)
def test_it_is_said_what_is_wrong_with_a_pattern_for_names(value: str, word: str) -> None:
    assert setting.save({'gallery_name_template': value}) == ['gallery_name_template']
    assert word in BY_NAME['gallery_name_template'].why_not(value, 'en')
    assert setting.gallery_name_template == '{id}'


@pytest.mark.parametrize('value', ['json', 'json, TXT', 'caption,json,txt', 'none', ''])
def test_files_beside_pictures_are_a_list(value: str) -> None:
    assert setting.save({'gallery_sidecars': value}) == []


@pytest.mark.parametrize(
    'value, words', [('yaml', 'caption'), ('json;txt', 'caption'), ('none,json', 'none means')]
)
def test_it_is_said_which_files_beside_pictures_there_are(value: str, words: str) -> None:
    assert setting.save({'gallery_sidecars': value}) == ['gallery_sidecars']
    assert words in BY_NAME['gallery_sidecars'].why_not(value, 'en')
