"""The HTML of models: those of a picture, and those on this machine.

Every word from outside is escaped here. What orders its buttons give is said in `models`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Collection, Sequence

from .. import host, setting
from ..downloads.getting import Planned
from ..downloads.models import PICKLES
from ..errors import CancelledError, CivitaiError
from ..library import have, lookup, scan
from ..library.have import Have, State
from ..library.inventory import Inventory
from ..library.scan import Progress
from ..library.updates import Newer, Standing
from ..store.cache import MIB
from ..widgets import escape
from . import markup, source_links
from .markup import label

_STAGES = {
    scan.LOOKING: 'models_looking',
    scan.HASHING: 'models_hashing',
    lookup.ASKING: 'models_asking_progress',
}
_MOODS = {State.HERE: 'good', State.MAYBE: 'calm', State.NOT_HERE: 'problem'}


@dataclass(frozen=True)
class Listed:
    """Rows of the list of local models: `shown` of `total` that fit, out of `files` in all."""

    shown: Sequence[Standing]
    total: int
    files: int
    twins: Collection[Path]


# --- of a picture ---------------------------------------------------------------------------------


def mark(one: Have) -> str:
    """Whether a model of a picture is here, and a button that gets it if not."""
    key = f'models_is_{one.state.name.lower()}'
    paths = ', '.join(str(file.path) for file in one.files)
    title = f' title="{escape(paths)}"' if paths else ''
    mood = _MOODS.get(one.state, 'calm')
    chip = f' <span class="cg-chip cg-have cg-{mood}"{title}>{escape(label(key))}</span>'
    if one.is_lacking and one.source:
        chip += ' ' + _button(f'get {one.source}', 'models_get', label('models_asking'))
    return chip


def hint(found: Sequence[Have]) -> str:
    """How more can be known of them, if it is not known of all."""
    if all(one.state is not State.UNKNOWN for one in found):
        return ''
    return f'<p class="cg-none">{escape(label("models_unknown_hint"))}</p>'


def confirmation(planned: Planned) -> str:
    """What would be fetched and where to, with buttons that say yes or no."""
    version, file = planned.version, planned.file
    rows = {
        'models_ask_file': planned.path.name,
        'models_ask_kind': ' · '.join(filter(None, (planned.place.kind, version.base_model))),
        'models_ask_size': _size(file.size) if file.size else label('models_ask_size_unknown'),
        'models_ask_folder': planned.place.sentence(),
    }
    listed = ''.join(
        f'<dt>{escape(label(key))}</dt><dd>{escape(value)}</dd>' for key, value in rows.items()
    )
    virus, pickle = (*file.scans, '', '')[:2]
    warned = {
        label('models_ask_suspect', virus=virus or '-', pickle=pickle or '-'): file.is_suspect,
        label('model_pickle', name=planned.path.name): planned.path.suffix.lower() in PICKLES,
        label('models_ask_unverified'): not file.sha256,
        label('models_ask_taken'): planned.path.exists(),
    }
    notices = ''.join(markup.notice(told, 'problem') for told, is_so in warned.items() if is_so)
    take = 'models_take_anyway' if file.is_suspect else 'models_get'
    buttons = _button(f'take {version.id} {file.id}', take) + _button('drop', 'models_drop')
    title = escape(label('models_ask', title=version.title))
    return (
        f'<section class="cg-ask"><strong>{title}</strong><dl>{listed}</dl>{notices}'
        f'<p class="cg-actions">{buttons}</p></section>'
    )


def _button(order: str, key: str, waits: str = '') -> str:
    """A button that the page hands on, and `waits` said until there is an answer."""
    waiting = f' data-says="{escape(waits)}"' if waits else ''
    return (
        f'<button type="button" class="cg-button" data-models="{escape(order)}"{waiting}>'
        f'{escape(label(key))}</button>'
    )


# --- on this machine ------------------------------------------------------------------------------


def scan_panel(progress: Progress | None, result: Inventory | None, error: object) -> str:
    """The scan: a button for it, how far it is, or what came of it."""
    if progress is not None:
        body = _progress(progress) + _actions(_button('stop', 'models_stop'))
        return f'<section class="cg-scan" data-moves>{body}</section>'
    said = f'<p class="cg-none">{escape(label("models_scan_told"))}</p>'
    told = _scan_told(result, error)
    return (
        f'<section class="cg-scan">{_actions(_button("scan", "models_scan"))}{said}{told}</section>'
    )


def _actions(buttons: str) -> str:
    return f'<p class="cg-actions">{buttons}</p>'


def _progress(progress: Progress) -> str:
    told = label(_STAGES[progress.stage], done=progress.done, total=progress.total)
    if progress.bytes_total:
        value = f' value="{progress.bytes_done}" max="{progress.bytes_total}"'
    else:
        value = f' value="{progress.done}" max="{progress.total}"' if progress.total else ''
    return (
        f'<div class="cg-notice cg-busy">{escape(told)} '
        f'<progress{value} aria-label="{escape(told)}"></progress></div>'
    )


def _scan_told(result: Inventory | None, error: object) -> str:
    if isinstance(error, CancelledError):
        return markup.notice(label('models_stopped'))
    if isinstance(error, CivitaiError):
        return markup.problem(error)
    if result is None:
        return ''
    found = result.found
    counts = {'files': found.files, 'fresh': found.fresh, 'gone': found.gone}
    if found.files:
        told = markup.notice(label('models_scanned', hashed=result.hashed, **counts), 'good')
    else:
        told = markup.notice(label('models_scanned_none'), more=_looked_in(found.folders))
    for folder in found.unreadable:
        told += markup.notice(label('models_unreadable', folder=folder), 'problem')
    if result.unasked is not None:
        cause = result.unasked.message_in(setting.language)
        told += markup.notice(label('models_unasked', cause=cause), 'problem')
    return told


def _looked_in(folders: Sequence[Path]) -> str:
    """Where no model file was found, and what has another folder looked in."""
    paths = ', '.join(f'<code class="cg-path">{escape(str(one))}</code>' for one in folders)
    where = f'{escape(label("models_looked_in"))} {paths}' if folders else ''
    where = where or escape(label('models_no_folders'))
    is_of_host = host.detect().model_layout() is not None
    key = 'models_folders_of_host' if is_of_host else 'models_folder_of_setting'
    other = escape(label(key, name=label('setting_models_folder')))
    return f' {where}<p>{other}</p>'


def rows(listed: Listed) -> str:
    """The list of local models."""
    if not listed.files:
        return f'<p class="cg-none">{escape(label("models_none"))}</p>'
    count = label('models_count', listed=listed.total, files=listed.files)
    body = ''.join(_row(one, one.holding.path in listed.twins) for one in listed.shown)
    left = listed.total - len(listed.shown)
    more = ''
    if left:
        more = _button(f'more {len(listed.shown)}', 'models_more')
        more = _actions(f'{more} {escape(label("models_left", count=left))}')
    return f'<p class="cg-line">{escape(count)}</p><ul class="cg-models">{body}</ul>{more}'


def _row(one: Standing, is_twin: bool) -> str:
    held = one.holding
    name, link = escape(one.title or held.path.name), have.gallery_link(held)
    title = source_links.gallery_link(name, link) if link else f'<span>{name}</span>'
    facts = (held.kind, one.base_model, _size(held.size))
    chips = ''.join(f'<span class="cg-chip">{escape(fact)}</span>' for fact in facts if fact)
    opens = f' data-cg-source="{escape(link)}"' if link else ''
    path = f'<code class="cg-path">{escape(held.path)}</code>'
    return f'<li{opens}><strong>{title}</strong> {chips}{_signs(one, is_twin)}{path}</li>'


def _signs(one: Standing, is_twin: bool) -> str:
    """What a person should know of a local model, each as a mark."""
    signs = [_newer('models_newer', newer) for newer in one.newer[:1]]
    signs += [_newer('models_other_base', other) for other in one.others[:1]]
    keys = {
        'models_gone': one.is_gone,
        'models_withdrawn': one.is_withdrawn,
        'models_changed': one.is_changed,
        'models_twin': is_twin,
        'models_of_nothing': not one.holding.version_id,
    }
    signs += [_sign(label(key), 'problem') for key, is_so in keys.items() if is_so]
    return ''.join(signs)


def _newer(key: str, newer: Newer) -> str:
    told = label(key, name=newer.name, base=newer.base_model, day=newer.published[:10] or '?')
    if newer.is_early(time.time()):
        told = f'{told} {label("models_early")}'
    elif not newer.is_offered:
        told = f'{told} {label("models_not_offered")}'
    return _sign(told, 'good')


def _sign(told: str, mood: str) -> str:
    return f'<span class="cg-chip cg-have cg-{mood}">{escape(told)}</span>'


def _size(size: int) -> str:
    return label('job_size', mib=f'{size / MIB:.1f}')
