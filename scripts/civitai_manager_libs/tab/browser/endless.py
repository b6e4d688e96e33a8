"""The grid that grows, in the browser: the cells of the next page are put below those there are.

They come in a template, so that what is there keeps its place, its focus and what was chosen.
"""

from __future__ import annotations

WATCH_MORE = """() => {
    if (window.civitaiGalleryMore) return [];
    const state = window.civitaiGalleryMore = {};
    const usual = 250, soon = 1000, longest = 60000;
    let watched = null, pressedAt = 0, turnsBefore = 0;
    const find = (what) => (window.gradioApp ? gradioApp() : document)
        .querySelector('#civitai_gallery_' + what);
    const told = () => {
        const node = find('filters_told') && find('filters_told').querySelector('[data-told]');
        return node ? JSON.parse(node.dataset.told) : {};
    };
    const look = () => {
        const place = find('more');
        if (place && place !== watched) {
            watched = place;
            new MutationObserver(look).observe(place, {childList: true, subtree: true});
        }
        const more = place && place.querySelector('template.cg-more');
        const grid = find('grid') && find('grid').querySelector('.cg-grid');
        if (!more || !grid || grid.dataset.grid !== more.dataset.after) return;
        const {after, ...facts} = more.dataset;
        Object.assign(grid.dataset, facts);
        delete grid.dataset.done;
        grid.querySelector('.cg-cells').append(document.importNode(more.content, true));
        if (window.civitaiGalleryGrid) window.civitaiGalleryGrid.look();
    };
    // What stays is not dimmed. Of two pages on their way at once one would be left out.
    document.addEventListener('click', (event) => {
        const [pressed] = event.composedPath();
        const grid = find('grid'), next = find('next');
        if (!grid || !next || !pressed.closest) return;
        const grows = next.contains(pressed) && Boolean(told().grows), now = Date.now();
        // gradio begins a turn some moments after its button was pressed
        const isBegun = window.civitaiGalleryTurns !== turnsBefore || now > pressedAt + soon;
        const isOnItsWay = window.civitaiGalleryWaits > 0 || !isBegun;
        if (grows && isOnItsWay && now < pressedAt + longest) {
            event.stopImmediatePropagation();
            return;
        }
        grid.toggleAttribute('data-grows', grows);
        if (!grows) return;
        pressedAt = now;
        turnsBefore = window.civitaiGalleryTurns;
    }, true);
    setInterval(look, usual);
    return [];
}"""
