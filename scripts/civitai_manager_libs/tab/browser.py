"""What runs in the browser itself.

gradio 3 hands such a function the inputs and then the outputs of its event, and takes what it
returns for the inputs.
"""

from __future__ import annotations

import json

_PAGE = '(window.gradioApp ? gradioApp() : document)'
_GRID = f"{_PAGE}.querySelector('#civitai_gallery_grid')"
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
    if (status) status.dataset.waits = {json.dumps(waiting)};
    if (grid) grid.dataset.isOld = '';
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


def take_models_order(inputs: int) -> str:
    """Hand the order that was given about models, '' for none, to the server as the first input."""
    return f"""(...given) => {{
    const orders = (window.civitaiGalleryModels || {{}}).orders || [];
    return [orders.shift() || '', ...given.slice(1, {inputs})];
}}"""


# What was said until there is an answer is not said any more.
END_MODELS_ORDER = f"""() => {{
    const details = {_PAGE}.querySelector('#civitai_gallery_details');
    if (details) delete details.dataset.waits;
    return [];
}}"""

# Hands on the orders of the buttons about models. What asks the server is a hidden button, pressed
# while a scan moves, when the list comes into view, when a model has come, and for an order; else
# nothing is asked.
WATCH_MODELS = f"""() => {{
    if (window.civitaiGalleryModels) return [];
    const state = window.civitaiGalleryModels = {{orders: []}};
    const usual = 1000, pause = 300;
    let pressedAt = 0, inView = false, came = '', typed = 0;
    const find = (what) => {_PAGE}.querySelector('#civitai_gallery_' + what);
    const press = (wanted) => {{
        const button = find('models_button');
        if (!button) return;
        if (wanted) state.orders.push(wanted);
        pressedAt = Date.now();
        button.click();
    }};
    document.addEventListener('click', (event) => {{
        const [pressed] = event.composedPath();
        const node = pressed.closest && pressed.closest('[data-models]');
        if (!node || event.ctrlKey || event.metaKey || event.shiftKey) return;
        if (node.dataset.says) find('details').dataset.waits = node.dataset.says;
        press(node.dataset.models);
    }});
    document.addEventListener('input', (event) => {{
        const [field] = event.composedPath();
        if (field.closest && field.closest('#civitai_gallery_models_search')) typed = Date.now();
    }}, true);
    const beat = () => {{
        const list = find('models_list'), now = Date.now();
        const isSeen = Boolean(list && list.offsetParent) && !document.hidden;
        const panel = find('jobs') && find('jobs').querySelector('[data-came]');
        const has = panel ? panel.dataset.came : came;
        // gradio drops what is pressed while it is busy with the press before
        const isLeft = state.orders.length && now > pressedAt + usual;
        const scans = isSeen && {_PAGE}.querySelector('#civitai_gallery_models_scan [data-moves]');
        if (isSeen && !inView) {{
            press('list');
        }} else if (isSeen && typed && now > typed + pause) {{
            typed = 0;
            press('find');
        }} else if (isLeft || (came && has !== came) || (scans && now > pressedAt + usual)) {{
            press('');
        }}
        came = has;
        inView = isSeen;
    }};
    setInterval(beat, usual / 4);
    beat();
    return [];
}}"""
