"""The focus in the browser: where what had it goes away, something near gets it.

Grids, texts and buttons are made anew, hidden and disabled all the time, and who has no mouse would
begin at the top of the page again.
"""

from __future__ import annotations

from .picture import PAGE

WATCH_FOCUS = f"""() => {{
    if (window.civitaiGalleryFocus) return [];
    window.civitaiGalleryFocus = {{}};
    const often = 100, patience = 500, longest = 10000, prefix = 'civitai_gallery_';
    const find = (what) => {PAGE}.querySelector('#' + prefix + what);
    // What is used in the place of a part that is gone; else it is the grid.
    const instead = {{download_page: 'cancel', retry_page: 'cancel', cancel: 'download_page',
        first: 'next', prev: 'next', next: 'prev', waits: 'load', whole: 'download_whole'}};
    const stops = 'button, a[href], input, select, textarea, summary, [tabindex]';
    const isThere = (node) => node.isConnected && !node.disabled && node.getClientRects().length;
    const stopsOf = (part) => part ? [part, ...part.querySelectorAll(stops)].filter((node) =>
        node.matches(stops) && node.tabIndex >= 0 && isThere(node)) : [];
    const nameOf = (node) => node.getAttribute('aria-label') || node.textContent;
    let had = null, lostAt = 0, isByKey = false;

    const heard = (kind, work) => document.addEventListener(kind, work, true);
    heard('keydown', () => {{ isByKey = true; }});
    heard('pointerdown', () => {{ isByKey = false; had = null; }});
    heard('focusin', (event) => {{
        const node = event.target, part = node.closest('[id^=' + prefix + ']');
        had = part && {{node, name: nameOf(node), part: part.id.slice(prefix.length),
            place: stopsOf(part).indexOf(node)}};
        lostAt = 0;
    }});
    const other = () => {{
        const some = stopsOf(find(had.part));
        const same = some.find((node) => nameOf(node) === had.name);
        if (some.length) return same || some[Math.min(Math.max(had.place, 0), some.length - 1)];
        if (Date.now() < lostAt + patience) return null;
        return stopsOf(find(instead[had.part] || 'grid'))[0];
    }};
    const look = () => {{
        const isNowhere = !document.activeElement || document.activeElement === document.body;
        const isLost = had && isNowhere && (lostAt || !isThere(had.node));
        lostAt = isLost ? lostAt || Date.now() : 0;
        if (!isLost || document.querySelector('dialog[open]')) return;
        const node = other();
        if (node) node.focus({{preventScroll: !isByKey}});
        else if (Date.now() > lostAt + longest) had = null;
    }};
    setInterval(look, often);
    return [];
}}"""
