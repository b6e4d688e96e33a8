"""Models in the browser: orders about them handed on, and what is told of them kept up to date."""

from __future__ import annotations

from .picture import PAGE


def take_models_order(inputs: int) -> str:
    """Hand the order that was given about models, '' for none, to the server as the first input."""
    return f"""(...given) => {{
    const orders = (window.civitaiGalleryModels || {{}}).orders || [];
    return [orders.shift() || '', ...given.slice(1, {inputs})];
}}"""


# What was said until there is an answer is not said any more.
END_MODELS_ORDER = f"""() => {{
    const details = {PAGE}.querySelector('#civitai_gallery_details');
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
    const find = (what) => {PAGE}.querySelector('#civitai_gallery_' + what);
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
        const scans = isSeen && {PAGE}.querySelector('#civitai_gallery_models_scan [data-moves]');
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
