"""The address of the app's own page: it names what is on show, and what it names is opened.

In a WebUI the address is the host's, and nothing of this runs.
"""

from __future__ import annotations

# What the address names now, as text; what it named when it was to be opened.
HERE = 'location.search'
WANTED = '((state) => state.sent = state.wanted)(window.civitaiGalleryAddress || {}) || ""'


_WATCH = """() => {
    if (window.civitaiGalleryAddress) return [];
    const state = window.civitaiGalleryAddress = {wanted: '', sent: ''};
    const usual = 250, patience = 1000;
    const ours = ['source', 'words', 'saved', 'level', 'prompt', 'versions', 'type', 'baseModels',
        'p', 'at'];
    const find = (what) => document.querySelector('#civitai_gallery_' + what);
    const here = () => new URLSearchParams(location.search);
    const pasted = () => here().get('source') || here().get('words') || '';
    const names = () => Boolean(pasted() || here().get('saved'));
    const those = (isOurs) => {
        const some = here();
        for (const name of new Set(some.keys()))
            if (ours.includes(name) !== isOurs) some.delete(name);
        return some.toString();
    };
    const facts = () => {
        const node = find('filters_told') && find('filters_told').querySelector('[data-told]');
        const told = node ? JSON.parse(node.dataset.told) : {seen: 0, address: ''};
        return {seen: told.seen, address: new URLSearchParams(told.address).toString()};
    };
    let seen = 0, isOpening = IS_OPENING || names(), fills = names();
    const begun = () => window.civitaiGalleryTurns || 0;
    let turns = 0, quiet = 0, pressedAt = 0;
    const open = () => {
        const button = find('address_button');
        if (!button) return;
        isOpening = fills = true;
        state.sent = null;
        state.wanted = those(true);
        pressedAt = Date.now();
        button.click();
    };
    // what a person writes there meanwhile stays
    document.addEventListener('input', (event) => {
        if (event.isTrusted && event.target.closest('#civitai_gallery_source')) fills = false;
    }, true);
    const fill = () => {
        const box = find('source') && find('source').querySelector('textarea, input');
        if (!box || box.value === pasted()) return;
        box.value = pasted();
        box.dispatchEvent(new Event('input', {bubbles: true}));
    };
    window.addEventListener('popstate', () => {
        if (isOpening || those(true) !== facts().address) open();  // else it is a jump in the page
    });
    // What it names stays to be tried again, and what comes after it is a step of its own.
    const failed = () => {
        if (fills) fill();
        isOpening = fills = false;
        turns = begun();
    };
    const look = () => {
        const told = facts();
        // what is on its way may be for the address that there is by now
        quiet = window.civitaiGalleryWaits ? 0 : quiet + usual;
        if (!quiet) return;
        if (state.sent !== state.wanted) {  // gradio 3 was busy with one before
            if (Date.now() > pressedAt + patience) open();
            return;
        }
        if (told.seen === seen) {
            const isOver = quiet > patience && turns !== begun();
            if (isOver) failed();
            return;
        }
        const query = [told.address, those(false)].filter(Boolean).join('&');
        const address = location.pathname + (query ? '?' + query : '') + location.hash;
        const words = new URLSearchParams(told.address).get('words');
        const isMore = words && words === here().get('words');
        if (told.address !== those(true))
            history[isOpening || isMore ? 'replaceState' : 'pushState'](history.state, '', address);
        if (fills) fill();
        seen = told.seen;
        turns = begun();
        isOpening = fills = false;
    };
    setInterval(look, usual);
    if (!IS_OPENING && names()) open();
    return [];
}"""


def watch(is_opening: bool) -> str:
    """Follow what is on show, and open what the address names.

    `is_opening`: something else opens what it names at first.
    """
    return _WATCH.replace('IS_OPENING', 'true' if is_opening else 'false')
