"""What `models scan`, `list`, `updates` and `verify` do: the model files a person has."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Sequence

from .. import setting, texts
from ..archive import holdings
from ..archive.place import archive
from ..civitai import modelfiles
from ..errors import CancelledError, CivitaiError
from ..library import have, inventory, places, updates, verifying
from ..library.scan import Found
from ..library.updates import Newer, Standing
from ..library.verifying import Checked, Verdict
from .reports import Report, carry_out
from .running import Manner, Work

_GOOD = frozenset({Verdict.GOOD, Verdict.WHOLE, Verdict.OTHER})


# --- scan ----------------------------------------------------------------------------------------


def scan(manner: Manner) -> int:
    """Look which model files there are, and ask Civitai by their hashes which ones they are."""
    return carry_out('scan', manner, _scanned)


def _scanned(work: Work) -> Report:
    folders = places.read_from()
    if not folders:
        told = _scan_told([], inventory.Inventory(Found()))
        return Report(told, [_text('cli_scan_no_folders')])
    if not (work.manner.quiet or work.manner.as_json):
        work.screen.notice(_text('cli_scan_begins', folders=', '.join(map(str, folders))))
    db = archive()
    result = inventory.run(db, work.client, work.stop, work.screen.moved)
    known, _ = holdings.totals(db, holdings.KNOWN)
    found, unasked = result.found, result.unasked
    counts = {'files': found.files, 'fresh': found.fresh, 'gone': found.gone}
    counts |= {'hashed': result.hashed, 'newly': result.known, 'known': known}
    problems = [_text('cli_scan_unreadable', folder=one) for one in found.unreadable]
    if unasked is not None:
        problems.append(_text('cli_scan_unasked', cause=unasked.message_in(setting.language)))
    return Report(
        _scan_told(list(folders), result) | {'known': known},
        [_text('cli_scanned', **counts)],
        problems,
        not problems,
    )


def _scan_told(folders: Sequence[Path], result: inventory.Inventory) -> dict[str, Any]:
    found = result.found
    return {
        'folders': [str(one) for one in folders],
        'files': found.files,
        'fresh': found.fresh,
        'gone': found.gone,
        'hashed': result.hashed,
        'newly_known': result.known,
        'known': 0,
        'unreadable': [str(one) for one in found.unreadable],
    }


# --- list ----------------------------------------------------------------------------------------


def list_all(manner: Manner) -> int:
    """List the model files that the last scan found; nobody is asked."""
    return carry_out('list', manner, _listed)


def _listed(work: Work) -> Report:
    db = archive()
    found = updates.standings(db)
    twins = have.duplicates(db)
    lines = [_line(one) for one in found] or [_text('cli_models_none')]
    for some in twins:
        paths = ', '.join(str(one.path) for one in some)
        lines.append(_text('cli_models_twins', mib=_mib(some[0].size), paths=paths))
    told = [[str(one.path) for one in some] for some in twins]
    return Report({'models': [_row(one) for one in found], 'duplicates': told}, lines)


def _row(standing: Standing) -> dict[str, Any]:
    one = standing.holding
    return {
        'path': str(one.path),
        'kind': one.kind,
        'size': one.size,
        'title': standing.title,
        'base_model': standing.base_model,
        'model_id': one.model_id,
        'version_id': one.version_id,
        'told_by': one.told_by,
        'sha256': one.sha256,
        'autov2': one.autov2,
        'autov3': one.autov3,
        'gallery': have.gallery_link(one),
    }


def _line(standing: Standing) -> str:
    one = standing.holding
    title = standing.title or _text('cli_model_unknown')
    told = [one.kind, title, standing.base_model, str(one.path), have.gallery_link(one)]
    return '  '.join(filter(None, told))


# --- updates -------------------------------------------------------------------------------------


def list_updates(manner: Manner) -> int:
    """Ask Civitai which of the models went on, and tell."""
    return carry_out('updates', manner, _updates)


def _updates(work: Work) -> Report:
    db, problem = archive(), None
    if not holdings.totals(db)[0]:
        return Report({'updates': [], 'unknown': 0}, [_text('cli_models_none')])
    try:
        updates.refresh(db, work.client, work.stop, work.screen.moved)
    except CancelledError:
        raise
    except CivitaiError as error:  # what was told before may still be of use
        problem = _text('cli_updates_old', cause=error.message_in(setting.language))
    standing = updates.standings(db)
    went_on = [one for one in standing if _signs(one)]
    unknown = sum(not one.holding.version_id for one in standing)
    lines = [_text('cli_updates', files=len(standing), count=len(went_on))]
    lines += [line for one in went_on for line in _update_lines(one)]
    if unknown:
        lines.append(_text('cli_updates_unknown', count=unknown))
    told = {'updates': [_update_row(one) for one in went_on], 'unknown': unknown}
    return Report(told, lines, [problem] if problem else [], not problem)


def _signs(one: Standing) -> bool:
    return bool(one.newer or one.others or one.is_gone or one.is_withdrawn or one.is_changed)


def _update_row(one: Standing) -> dict[str, Any]:
    return {
        **_row(one),
        'newer': [_version_row(newer) for newer in one.newer],
        'other_bases': [_version_row(other) for other in one.others],
        'gone': one.is_gone,
        'withdrawn': one.is_withdrawn,
        'changed': one.is_changed,
    }


def _version_row(newer: Newer) -> dict[str, Any]:
    is_early = newer.is_early(time.time())
    has_end = is_early and newer.free_at != float('inf')
    return {
        'version_id': newer.id,
        'name': newer.name,
        'base_model': newer.base_model,
        'published': newer.published,
        'offered': newer.is_offered,
        'early_access': is_early,
        'early_access_until': modelfiles.told_moment(newer.free_at) if has_end else '',
    }


def _update_lines(one: Standing) -> Iterator[str]:
    yield _line(one)
    keys = {
        'cli_update_gone': one.is_gone,
        'cli_update_withdrawn': one.is_withdrawn,
        'cli_update_changed': one.is_changed,
    }
    for key in (key for key, is_so in keys.items() if is_so):
        yield f'    {_text(key)}'
    for key, some in (('cli_update_newer', one.newer), ('cli_update_other', one.others)):
        for newer in some:
            told: Mapping[str, Any] = _version_row(newer)
            day = newer.published[:10] or '?'
            told_of = {'name': newer.name, 'base': newer.base_model, 'day': day, 'id': newer.id}
            line = _text(key, model=one.holding.model_id, **told_of)
            if told['early_access']:
                until = told['early_access_until'] or '?'
                line += ' ' + _text('cli_update_early', until=until)
            elif not newer.is_offered:
                line += ' ' + _text('cli_update_not_offered')
            yield f'    {line}'


# --- verify --------------------------------------------------------------------------------------


def verify(manner: Manner) -> int:
    """Read all model files again, and tell which are not what they were; nobody is asked."""
    return carry_out('verify', manner, _verified)


def _verified(work: Work) -> Report:
    db = archive()
    counts: Counter[str] = Counter(dict.fromkeys((one.value for one in Verdict), 0))
    rows, problems = [], []
    missing = [one for one in holdings.every(db) if not one.path.exists()]
    for checked in verifying.verify(db, work.stop, work.screen.moved):
        counts[checked.verdict.value] += 1
        rows.append(_checked_row(checked))
        if checked.verdict not in (Verdict.GOOD, Verdict.WHOLE):
            problems.append(_checked_line(checked))
    problems += [_text('cli_model_missing', path=one.path) for one in missing]
    bad = len(missing) + sum(counts[one.value] for one in Verdict if one not in _GOOD)
    line = _text('cli_models_verified', **counts) if rows or missing else _text('cli_models_none')
    told = {**counts, 'missing': [str(one.path) for one in missing], 'files': rows}
    return Report(told, [line], problems, not bad)


def _checked_row(checked: Checked) -> dict[str, Any]:
    one = checked.holding
    told = {'path': str(one.path), 'state': checked.verdict.value, 'sha256': one.sha256}
    if checked.error is not None:
        told['error'] = checked.error.message_in(setting.language)
    return told


def _checked_line(checked: Checked) -> str:
    line = _text(f'cli_model_{checked.verdict.value}', path=checked.holding.path)
    why = checked.error.message_in(setting.language) if checked.error else ''
    return f'{line} {why}'.rstrip()


def _mib(size: int) -> str:
    return f'{size / 2**20:.1f}'


def _text(key: str, **values: object) -> str:
    return texts.text(key, setting.language, **values)


WORDS: Mapping[str, Callable[[Manner], int]] = {
    'scan': scan,
    'list': list_all,
    'updates': list_updates,
    'verify': verify,
}
