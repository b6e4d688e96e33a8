"""What `verify`, `login`, `config` and `cache` do."""

from __future__ import annotations

import getpass
import json
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from .. import api, ending, setting, texts
from ..archive.place import archive
from ..civitai import keys, spelling
from ..downloads import checking
from ..downloads.checking import State
from ..ending import ExitCode
from ..errors import CivitaiError, KeyNeededError, SourceError
from ..http_client import CivitaiHttpClient, get_http_client
from ..setting.kinds import Setting
from ..store.cache import MIB, on_screen
from . import options, saying, telling


def _say(key: str, **values: object) -> None:
    saying.say(texts.text(key, setting.language, **values))


def _complain(line: str) -> None:
    saying.say(line, to_stderr=True)


# --- verify --------------------------------------------------------------------------------------


def verify(folder: Path, is_to_repair: bool, as_json: bool) -> int:
    """Look at all pictures in a folder, fetch bad ones again if that is asked, and tell."""
    if not folder.is_dir():
        raise options.wrong('cli_not_a_folder', folder=folder)
    client, stopped = get_http_client(), threading.Event()
    counts: Counter[str] = Counter(
        dict.fromkeys([*(s.value for s in State), 'unknown', 'repaired'], 0)
    )
    now: Counter[str] = Counter(dict.fromkeys((s.value for s in State), 0))
    lines: list[dict[str, Any]] = []

    def work() -> None:
        db = archive()
        for found in checking.check(db, folder):
            if stopped.is_set():
                return
            counts[found.state.value] += 1
            counts['unknown'] += found.state is State.GOOD and not found.is_noted
            if found.state is State.GOOD:
                now[found.state.value] += 1
                continue
            told = {'file': str(found.path), 'id': found.picture_id, 'state': found.state.value}
            if is_to_repair:
                told |= _repaired(client, found)
                counts['repaired'] += bool(told['repaired'])
            now[State.GOOD.value if told.get('repaired') else found.state.value] += 1
            lines.append(told)
            if not as_json:
                _tell_bad(told)
        db.close()

    def stop() -> None:
        stopped.set()
        client.close()

    number = ending.run(work, stop)
    bad = sum(now[s.value] for s in State if s is not State.GOOD)
    if as_json:
        reason = 'interrupted' if number else 'incomplete' if bad else 'complete'
        report = {**counts, 'now': now, 'reason': reason, 'folder': str(folder), 'files': lines}
        print(json.dumps(report))
    elif not number:
        saying.say(_verified(folder, counts, now))
    return 128 + number if number else int(bool(bad))


def _verified(folder: Path, before: Counter[str], now: Counter[str]) -> str:
    """What is so now, and what was before a repair."""
    told = texts.text('cli_verified', setting.language, folder=folder, **now)
    if before['unknown']:
        told += ' ' + texts.text('cli_only_opened', setting.language, count=before['unknown'])
    if not before['repaired']:
        return told
    found = [
        texts.text(f'cli_count_{s.value}', setting.language, count=before[s.value])
        for s in State
        if s is not State.GOOD and before[s.value]
    ]
    was = telling.joined(found)
    mended = texts.text('cli_repaired', setting.language, count=before['repaired'], was=was)
    return f'{told} {mended}'


def _repaired(client: CivitaiHttpClient, found: checking.Finding) -> dict[str, Any]:
    try:
        checking.repair(archive(), client, found)
    except CivitaiError as error:
        return {'repaired': False, 'error': error.message_in(setting.language)}
    return {'repaired': True}


def _tell_bad(told: dict[str, Any]) -> None:
    key = 'repaired' if told.get('repaired') else told['state']
    line = texts.text(f'cli_file_{key}', setting.language, file=told['file'])
    _complain(f'{line} {told.get("error", "")}'.rstrip())


# --- login ---------------------------------------------------------------------------------------


def login() -> int:
    """Ask for the API key, keep it if Civitai knows it."""
    if setting.key_is_fixed():
        raise SourceError('key_from_environment')
    given = _asked_for()
    client = CivitaiHttpClient(api_key=given)
    names: list[str] = []
    try:
        number = ending.run(lambda: names.append(api.whoami(client)), client.close)
    except KeyNeededError:
        _complain(texts.text('key_refused', setting.language))
        return ExitCode.FAILED
    if number:
        return 128 + number
    setting.save_api_key(given)
    _say('key_works', username=names[0])
    _say('cli_key_kept', file=setting.api_key_file())
    return ExitCode.COMPLETE


def _asked_for() -> str:
    """The key that a person types unseen, or that comes through a pipe."""
    prompt = texts.text('cli_ask_key', setting.language)
    if sys.stdin.isatty():
        given = getpass.getpass(f'{prompt} ')
    else:
        given = sys.stdin.readline()
    key = keys.usable_key(given)
    if not key:
        raise options.wrong('cli_no_key')
    return key


# --- config --------------------------------------------------------------------------------------


def config(name: str | None, value: str | None) -> int:
    """Show all settings, or one, or set one."""
    if name is None:
        for item in setting.SETTINGS:
            _show(item)
        return ExitCode.COMPLETE
    chosen = next((one for one in setting.SETTINGS if one.name == name), None)
    if chosen is None:
        known = ', '.join(one.name for one in setting.SETTINGS)
        raise options.wrong('cli_no_setting', name=ascii(name[:40]), known=known)
    if value is not None:
        _set(chosen, value)
    _show(chosen)
    return ExitCode.COMPLETE


def _set(item: Setting, value: str) -> None:
    if setting.is_fixed(item):
        raise options.wrong('cli_setting_fixed', name=item.name, variable=item.environment)
    given: object = value
    value = spelling.meant(value, item.choices) or value  # PG-13 for pg13
    try:
        given = value if isinstance(item.default, (str, bool)) else type(item.default)(value)
    except ValueError:
        pass  # then it does not fit
    if not item.fits(given):
        if why := item.why_not(given, setting.language):
            raise options.wrong('cli_setting_wrong', name=item.name, why=why)
        raise options.wrong('cli_setting_bad', name=item.name, may=_range(item))
    setting.save({item.name: given})


def _range(item: Setting) -> str:
    if item.choices:
        return ', '.join(item.choices)
    if isinstance(item.default, bool):
        return 'on, off'
    if isinstance(item.default, str):
        return texts.text(f'setting_{item.name}_help', setting.language)
    return f'{item.minimum:g} - {item.maximum:g}'


def _show(item: Setting) -> None:
    value = getattr(setting, item.name)
    fixed = f'  ({item.environment})' if setting.is_fixed(item) else ''
    saying.say(f'{item.name} = {value}{fixed}')
    saying.say(f'    {texts.text(f"setting_{item.name}_help", setting.language)}')


# --- cache ---------------------------------------------------------------------------------------


def cache(is_to_clear: bool) -> int:
    """Tell how large the picture cache is; empty it if that is asked."""
    kept = setting.picture_cache()
    if is_to_clear:
        left = kept.clear(on_screen.names())
        _say('cache_cleared', size=f'{left / MIB:.1f}')
        return ExitCode.COMPLETE
    saying.say(setting.shortcut_gallery_folder)
    _say('cache_size', size=f'{kept.size() / MIB:.1f}', limit=setting.shortcut_gallery_max_mib)
    return ExitCode.COMPLETE
