"""A listing that takes long, in the browser: asked about while it does, and given up there."""

from __future__ import annotations

# Nothing is asked while no listing is waited for; see `browser.turns.begin_turn`.
WATCH_WAITS = """() => {
    if (window.civitaiGalleryLong) return [];
    const state = window.civitaiGalleryLong = {};
    const piece = 250, soon = 1500, usual = 1000, late = 3000, mostTries = 6;
    let since = 0, pressedAt = 0, isTold = false, lateSince = 0;
    let tries = 0, dueAt = Date.now() + 2 * late;
    const find = (what) => (window.gradioApp ? gradioApp() : document)
        .querySelector('#civitai_gallery_' + what);
    const press = (what) => {
        const button = find(what + '_button');
        if (button) button.click();
    };
    document.addEventListener('click', (event) => {
        const [pressed] = event.composedPath();
        if (!pressed.closest) return;
        if (pressed.closest('[data-cancel-load]')) press('cancel');
        if (pressed.closest('[data-repeat-load]')) press('repeat');
    });
    const beat = () => {
        const now = Date.now(), waits = (window.civitaiGalleryWaits || 0) > 0;
        since = waits ? since || now : 0;
        // All pictures are there or failed, and it is not told: that got lost, or came first.
        const status = find('status_page'), grid = find('grid');
        const isLate = !waits && status && status.querySelector('.cg-busy')
            && grid && !grid.querySelector('.cg-cell[data-state=coming]');
        lateSince = isLate ? lateSince || now : 0;
        if (isLate && now > lateSince + late) {
            lateSince = now;
            press('settle');
        }
        // The panel of jobs always says something, once it is asked as the page opens.
        if (tries < mostTries && now > dueAt && !document.hidden) {
            const isThere = find('jobs') && find('jobs').querySelector('[data-number]');
            tries = isThere ? mostTries : tries + 1;
            dueAt = now + 2 ** tries * late;
            if (!isThere) press('reopen');
        }
        isTold = Boolean(find('waits') && find('waits').querySelector('.cg-notice'));
        const isDue = waits ? now > since + soon : isTold;
        if (!isDue || now < pressedAt + usual) return;
        pressedAt = now;
        press('waits');
    };
    setInterval(beat, piece);
    return [];
}"""
