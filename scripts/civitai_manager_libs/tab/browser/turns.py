"""A listing that is asked for, in the browser, and small things that many events use."""

from __future__ import annotations

import json

_PAGE = '(window.gradioApp ? gradioApp() : document)'
_GRID = f"{_PAGE}.querySelector('#civitai_gallery_grid')"
_BAR = f"{_PAGE}.querySelector('#civitai_gallery_status')"
_STATUS = f"{_PAGE}.querySelector('#civitai_gallery_status_page')"

# Presses the button whose id it is given; '' is none.
PRESS = f"""(id) => {{
    const button = id && {_PAGE}.querySelector('#' + id);
    if (button) button.click();
    return [];
}}"""


# gradio takes our HTML for an article. A WebUI's page has style.css as it is, and there what gradio
# says of headings, lists, tables and buttons of an article outweighs it; without that class it says
# nothing of ours.
TAKE_OWN_LOOKS = f"""() => {{
    const ours = '[id^=civitai_gallery]', page = {_PAGE};
    for (const article of page.querySelectorAll(`${{ours}}.prose, ${{ours}} .prose`))
        article.classList.remove('prose');
    return [];
}}"""

# The first input of an event, as it was given; the job whose saved gallery was chosen in the panel.
AS_GIVEN = 'given[0]'
SAVED_CHOSEN = "(window.civitaiGalleryJobs || {}).saved || ''"


def begin_turn(inputs: int, waiting: str, *said: str) -> str:
    """Say `waiting` in the place of the status, at once, and dim the grid, until END_WAIT.

    `said` is what stands in for the first inputs.
    """
    return f"""(...given) => {{
    const grid = {_GRID}, status = {_STATUS};
    window.civitaiGalleryWaits = (window.civitaiGalleryWaits || 0) + 1;
    window.civitaiGalleryTurns = (window.civitaiGalleryTurns || 0) + 1;
    if (status) status.dataset.waits = {json.dumps(waiting)};
    if (grid) grid.dataset.isOld = '';
    window.civitaiGalleryBefore = grid && grid.querySelector('.cg-grid');
    return [{", ".join([*said, f"...given.slice({len(said)}, {inputs})"])}];
}}"""


# The last of the turns that wait has its answer.
END_WAIT = f"""() => {{
    const grid = {_GRID}, status = {_STATUS};
    window.civitaiGalleryWaits -= 1;
    if (status && !window.civitaiGalleryWaits) delete status.dataset.waits;
    if (grid && !window.civitaiGalleryWaits) delete grid.dataset.isOld;
    return [];
}}"""

# Scrolls to the first row of a page that was turned to, once it is there, if that is out of sight
# by then. One that grew is the same as before.
SHOW_TOP = f"""() => {{
    const before = window.civitaiGalleryBefore, most = 300;
    const look = (frames) => {{
        const grid = {_GRID}, shown = grid && grid.querySelector('.cg-grid');
        const first = shown && shown.querySelector('.thumbnail-item');
        if (!first || shown === before) {{
            if (frames < most) requestAnimationFrame(() => look(frames + 1));
            return;
        }}
        // it tells where that is without laying the page out once more
        new IntersectionObserver(([seen], observer) => {{
            observer.disconnect();
            // what covers the page is what the line at the top says, not the room kept below it
            const bar = {_BAR}.getBoundingClientRect(), {{top, height}} = seen.boundingClientRect;
            const said = [...{_BAR}.querySelectorAll('.cg-notice')];
            const covered = Math.max(...said.map((one) => one.getBoundingClientRect().bottom), 0);
            const isInSight = top >= Math.max(0, covered);
            if (!height || isInSight || document.querySelector('dialog[open]')) return;
            first.style.scrollMarginTop = `${{Math.max(0, covered - bar.top) + 8}}px`;
            first.scrollIntoView({{block: 'start', behavior: 'instant'}});
        }}).observe(first);
    }};
    look(0);
    return [];
}}"""
