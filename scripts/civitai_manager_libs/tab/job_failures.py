"""The pictures that failed in jobs: small, why, and tried again. Every word is escaped here.

A small picture is one of the picture cache; no address of another site gets into the page.
"""

from __future__ import annotations

import os
from typing import Iterable, Mapping
from urllib.parse import quote

from .. import setting
from ..downloads.standing import MOST_FAILURES, Failure, Standing
from ..widgets import escape
from . import grid_markup, job_parts, thumbnails
from .loading import Given, Loading, Small, State
from .markup import label
from .view import View

_NAME = 'failed'


def small(view: View, some: Iterable[Failure]) -> dict[int, str]:
    """Give the tab the small pictures of `some` that are here; return where they are, by id."""
    addresses = {
        one.image.id: thumbnails.address(one.image) for one in some if not one.image.is_audio
    }
    paths = {number: setting.get_image_url_to_gallery_file(a) for number, a in addresses.items()}
    names = {number: os.path.basename(p) for number, p in paths.items() if os.path.isfile(p)}
    levels = {one.image.id: one.image.level for one in some}
    smalls = [Small(name, levels[number], State.THERE) for number, name in names.items()]
    view.failures = view.failures or Given()
    known = view.failures.grid(_NAME)
    if known is None or list(known.smalls) != smalls:
        view.failures.give(_NAME, Loading(smalls, lambda loading, places: None))
        view.sees(_NAME, [addresses[number] for number in names])
    folder = grid_markup.folder(view.failures)
    return {number: f'{folder}/{quote(name)}' for number, name in names.items()}


def listed(job: Standing, smalls: Mapping[int, str], may_retry: bool) -> str:
    """The pictures that failed, folded up, with where their small ones are, by id."""
    if not job.failed:
        return ''
    rows = [_row(job.job_id, one, smalls.get(one.image.id, ''), may_retry) for one in job.failures]
    left = job.failed - len(rows)
    if left > 0:
        is_cut = len(rows) >= MOST_FAILURES
        more = job_parts.button('more', job.job_id, 'failures_show') if is_cut else ''
        rows.append(f'<li>{escape(label("failures_more", count=left))} {more}</li>')
    title = escape(label('failures_title', count=job.failed))
    every = ''
    if may_retry and job.failed > 1:
        retry = job_parts.button('retry', job.job_id, 'failures_again', count=job.failed)
        every = f'<p class="cg-actions">{retry}</p>'
    return (
        f'<details class="cg-failures" data-name="failures {job.job_id}">'
        f'<summary>{title}</summary>{every}<ul>{"".join(rows)}</ul></details>'
    )


def _row(job_id: int, one: Failure, source: str, may_retry: bool) -> str:
    number = one.image.id
    picture = grid_markup.mini(source) if source else '<span class="cg-mini"></span>'
    link = (
        f'<a href="{escape(one.page)}" target="_blank" rel="noreferrer" '
        f'title="{escape(label("open_on_civitai"))}">{number}</a>'
    )
    again = ''
    if may_retry:
        name = escape(label('again_picture', id=number))
        again = (
            f'<button type="button" class="cg-button" data-order="again {job_id} {number}" '
            f'aria-label="{name}">{escape(label("grid_again"))}</button>'
        )
    return f'<li>{picture}<span class="cg-cause-of">{link} {escape(one.error)}</span>{again}</li>'
