"""The address of the app's own page: it names what is on show, and what it names is opened.

In a WebUI the address is the host's, and nothing of this runs.
"""

from __future__ import annotations

# What the address names now, as text; what it named when it was to be opened.
HERE = 'location.search'
WANTED = '(window.civitaiGalleryAddress || {}).wanted || ""'


_WATCH = """() => {
    if (window.civitaiGalleryAddress) return [];
    const state = window.civitaiGalleryAddress = {wanted: ''};
    const usual = 250, ours = ['source', 'level', 'prompt', 'versions', 'p', 'at'];
    let listed = 0, isOpening = true, fills = new URLSearchParams(location.search).has('source');
    const find = (what) => document.querySelector('#civitai_gallery_' + what);
    const named = () => {
        const here = new URLSearchParams(location.search);
        for (const name of new Set(here.keys())) if (!ours.includes(name)) here.delete(name);
        return here.toString();
    };
    const others = () => {
        const here = new URLSearchParams(location.search);
        for (const name of ours) here.delete(name);
        return here.toString();
    };
    const open = () => {
        const button = find('address_button'), wanted = named();
        if (!button || !new URLSearchParams(wanted).get('source')) return;
        isOpening = fills = true;
        state.wanted = wanted;
        button.click();
    };
    const fill = () => {
        const source = new URLSearchParams(location.search).get('source');
        const box = find('source') && find('source').querySelector('textarea, input');
        if (!source || !box || box.value === source) return;
        box.value = source;
        box.dispatchEvent(new Event('input', {bubbles: true}));
    };
    window.addEventListener('popstate', open);
    const look = () => {
        const node = find('filters_told') && find('filters_told').querySelector('[data-told]');
        const told = node ? JSON.parse(node.dataset.told) : {listed: 0};
        if (told.listed === listed) return;
        const wanted = new URLSearchParams(told.address).toString();
        const query = [wanted, others()].filter(Boolean).join('&');
        const address = location.pathname + (query ? '?' + query : '') + location.hash;
        if (wanted !== named())
            history[isOpening ? 'replaceState' : 'pushState'](history.state, '', address);
        if (fills) fill();
        listed = told.listed;
        isOpening = fills = false;
    };
    setInterval(look, usual);
    if (!IS_OPENING) open();
    return [];
}"""


def watch(is_opening: bool) -> str:
    """Follow what is on show, and open what the address names.

    `is_opening`: something else opens what it names at first.
    """
    return _WATCH.replace('IS_OPENING', 'true' if is_opening else 'false')
