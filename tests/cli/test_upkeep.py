"""Looking after what is there: files that are verified, the key, settings, the picture cache."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from civitai_demo.api.scenarios import DEMO_KEY
from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.cli import main
from tests.support.network import png
from tests.support.settings_sandbox import fresh_client

PAGE = '/models/4703?modelVersionId=470302'
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    demo: DemoServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    def carry_out(word: str, *argv: object) -> tuple[int, str, str]:
        fresh_client(monkeypatch)
        try:
            code = main.main(list(map(str, argv)), word)
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return carry_out


# --- verify --------------------------------------------------------------------------------------


@pytest.fixture
def kept(run: Run, demo: DemoServer, tmp_path: Path) -> Path:
    folder = tmp_path / 'kept'
    words = (demo.url + PAGE, '--to', folder, '--limit', 6, '--type', 'image', '--quiet')
    assert run('download', *words)[0] == 0
    return folder


def changed(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b'x')


def another(path: Path) -> None:
    path.write_bytes(png())


DAMAGE: dict[str, tuple[str, Callable[[Path], object]]] = {
    'deleted': ('missing', Path.unlink),
    'cut off': ('changed', lambda path: path.write_bytes(path.read_bytes()[:500])),
    'emptied': ('changed', lambda path: path.write_bytes(b'')),
    'one byte': ('changed', changed),
    'another whole picture': ('changed', another),
}


def test_a_folder_that_is_as_it_was_is_good(run: Run, kept: Path) -> None:
    code, out, err = run('verify', kept)
    assert (code, err) == (0, '') and '6 good, 0 missing, 0 changed, 0 broken' in out


@pytest.mark.parametrize('state, damage', DAMAGE.values(), ids=DAMAGE)
def test_what_is_not_as_it_was_is_told_and_repaired(
    run: Run, kept: Path, state: str, damage: Callable[[Path], object]
) -> None:
    before = {path: path.read_bytes() for path in kept.iterdir()}
    bad = sorted(before)[2]
    damage(bad)

    code, out, err = run('verify', kept)
    assert code == 1 and f'1 {state}' in out and str(bad) in err

    code, out, _ = run('verify', kept, '--repair', '--json')
    report: dict[str, Any] = json.loads(out)
    assert (code, report['good'], report[state], report['repaired']) == (0, 5, 1, 1)
    assert [one['file'] for one in report['files']] == [str(bad)]
    assert {path: path.read_bytes() for path in before} == before
    assert run('verify', kept)[0] == 0


@pytest.mark.parametrize('state, damage', DAMAGE.values(), ids=DAMAGE)
def test_after_a_repair_it_tells_what_is_so_then(
    run: Run, kept: Path, state: str, damage: Callable[[Path], object]
) -> None:
    for path in sorted(kept.iterdir())[:2]:
        damage(path)
    code, out, _ = run('verify', kept, '--repair')
    assert code == 0 and ': 6 good, 0 missing, 0 changed, 0 broken.' in out
    assert f'Repaired: 2. Before: 2 {state}.' in out
    code, out, _ = run('verify', kept)
    assert code == 0 and 'Repaired' not in out


def test_what_was_not_repaired_is_still_bad_then(run: Run, demo: DemoServer, kept: Path) -> None:
    first, second, *_ = sorted(kept.iterdir())
    first.unlink()
    (kept / 'other.jpeg').write_bytes(b'no picture')
    another(second)
    code, out, _ = run('verify', kept, '--repair')
    assert code == 1 and ': 6 good, 0 missing, 0 changed, 1 broken.' in out
    assert 'Repaired: 2. Before: 1 missing, 1 changed, 1 broken' in out
    (kept / 'more.jpeg').write_bytes(b'no picture')
    _, out, _ = run('verify', kept, '--repair', '--json')
    now = json.loads(out)['now']
    assert now == {'good': 6, 'missing': 0, 'changed': 0, 'broken': 2}


def test_where_it_does_not_come_all_stays(run: Run, demo: DemoServer, kept: Path) -> None:
    all_of_it = sorted(kept.iterdir())
    for path in all_of_it:
        another(path)
    demo.scenario = 'cdn-404'  # of some
    code, out, err = run('verify', kept, '--repair')
    assert code == 1 and '6 changed' in out and 'deleted, unpublished' in err
    left = [path for path in all_of_it if path.exists() and path.read_bytes() == png()]
    assert 0 < len(left) == len([line for line in err.splitlines() if '(404)' in line])
    assert not [path for path in left if path.with_stem(f'{path.stem}.odd-1').exists()]


@pytest.mark.parametrize(
    'content', [b'', b'<html>Log in</html>', png()[:40]], ids=['empty', 'page', 'half']
)
def test_a_file_that_nobody_saved_is_looked_at_too(run: Run, kept: Path, content: bytes) -> None:
    (kept / 'below').mkdir()
    (kept / 'below' / 'mine.png').write_bytes(png())
    (kept / 'other.jpeg').write_bytes(content)
    (kept / 'notes.txt').write_text('mine')
    code, out, err = run('verify', kept, '--repair')
    assert code == 1 and '7 good' in out and '1 broken' in out and 'other.jpeg' in err
    assert '1 of the good ones are not known here' in out
    assert (kept / 'other.jpeg').read_bytes() == content


def test_a_folder_that_was_renamed_is_said_to_be_unknown(run: Run, kept: Path) -> None:
    code, out, _ = run('verify', kept.rename(kept.with_name('moved')))
    assert code == 0 and '6 of the good ones are not known here: they were only opened' in out


def test_pixels_that_cannot_be_decoded_are_found(run: Run, kept: Path) -> None:
    whole = png()
    place = whole.index(b'IDAT') + 6
    (kept / 'odd.png').write_bytes(whole[:place] + b'\xff\xff' + whole[place + 2 :])
    code, _, err = run('verify', kept)
    assert code == 1 and 'odd.png' in err


def test_a_folder_that_is_none_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    code, out, err = run('verify', tmp_path / 'nowhere')
    assert (code, out) == (2, '') and 'nowhere' in err


# --- login ---------------------------------------------------------------------------------------


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, 'stdin', io.StringIO(text))


def test_a_key_that_civitai_knows_is_kept_and_never_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch, f'  {DEMO_KEY}\n')
    code, out, err = run('login')
    assert code == 0 and 'Civitai knows it as' in out
    assert DEMO_KEY not in out + err
    assert setting.api_key_file().read_text() == DEMO_KEY
    assert DEMO_KEY not in run('config')[1]


@pytest.mark.parametrize(
    'given, code, words',
    [
        ('nobody-knows-this-key', 1, 'does not know this key'),
        ('two words', 2, 'cannot be an API key'),
        ('', 2, 'no API key'),
    ],
)
def test_another_key_leaves_the_one_before(
    run: Run, monkeypatch: pytest.MonkeyPatch, given: str, code: int, words: str
) -> None:
    setting.save_api_key(DEMO_KEY)
    type_in(monkeypatch, f'{given}\n')
    ended, out, err = run('login')
    assert (ended, out) == (code, '') and words in err
    assert not given or given not in err
    assert setting.api_key_file().read_text() == DEMO_KEY


def test_a_key_of_the_environment_is_not_changed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CIVITAI_TOKEN', DEMO_KEY)
    type_in(monkeypatch, f'{DEMO_KEY}\n')
    code, _, err = run('login')
    assert code == 2 and 'CIVITAI_TOKEN' in err and not setting.api_key_file().exists()


# --- config --------------------------------------------------------------------------------------


def test_all_settings_are_shown_with_what_they_are(run: Run) -> None:
    code, out, err = run('config')
    assert (code, err) == (0, '')
    for item in setting.SETTINGS:
        assert f'{item.name} = {getattr(setting, item.name)}' in out
    assert 'pictures stand side by side' in out and 'api_key' not in out


@pytest.mark.parametrize(
    'name, value, kept_as',
    [
        ('gallery_columns', '3', 3),
        ('http_retry_delay', '1.5', 1.5),
        ('gallery_maturity_ceiling', 'R', 'R'),
        ('gallery_maturity_ceiling', 'r', 'R'),
        ('gallery_maturity_ceiling', 'pg13', 'PG-13'),
        ('gallery_maturity_ceiling', 'pg_13', 'PG-13'),
        ('gallery_maturity_ceiling', 'Pg 13', 'PG-13'),
        ('language', 'zh-tw', 'zh_TW'),
        ('extra_hosts', '', ''),
        ('gallery_jobs_go_on', 'on', True),
        ('gallery_jobs_of_others', 'False', False),
        ('gallery_name_template', '{username}/{id}', '{username}/{id}'),
    ],
)
def test_a_setting_is_kept(run: Run, name: str, value: str, kept_as: object) -> None:
    code, out, _ = run('config', name, value)
    assert code == 0 and f'{name} = {kept_as}' in out
    assert json.loads(setting.settings_file().read_text())[name] == kept_as
    assert f'{name} = {kept_as}' in run('config', name)[1]


@pytest.mark.parametrize(
    'argv, words',
    [
        (['gallery_columns', '99'], '1 - 12'),
        (['gallery_columns', 'many'], '1 - 12'),
        (['gallery_maturity_ceiling', 'q'], 'PG, PG-13, R, X, XXX'),
        (['http_proxy', 'nonsense'], 'http_proxy'),
        (['gallery_jobs_go_on', 'maybe'], 'on, off'),
        (['gallery_name_template', '{ide}'], '"ide'),
        (['gallery_sidecars', 'foo'], 'gallery_sidecars: There are no files'),
        (['colour'], 'gallery_columns'),
        (['civitai_api_key', 'x'], 'no setting'),
        (['gallery_rows', '1', '2'], ''),
    ],
)
def test_what_cannot_be_a_setting_is_wrong_usage(run: Run, argv: list[str], words: str) -> None:
    code, out, err = run('config', *argv)
    assert (code, out) == (2, '') and words in err
    assert not setting.settings_file().exists()


# --- cache ---------------------------------------------------------------------------------------


def test_the_picture_cache_is_told_and_emptied(run: Run) -> None:
    setting.claim_picture_cache()
    path = Path(setting.get_image_url_to_gallery_file('https://image.civitai.com/a/b/c.png'))
    path.write_bytes(png(3 * 2**20))
    code, out, _ = run('cache')
    assert code == 0 and 'It holds 3.0 MiB' in out and setting.shortcut_gallery_folder in out
    code, out, _ = run('cache', '--clear')
    assert code == 0 and '0.0 MiB are left' in out and not path.exists()
