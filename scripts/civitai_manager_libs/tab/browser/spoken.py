"""What is told of in the browser, spoken: by two regions that stand in the page from the beginning.

A region that comes with its words, as all that is drawn anew does, is spoken by some screen
readers, twice by others, and by most not at all. So what is to be heard is only marked
(`data-spoken`).
"""

from __future__ import annotations

from .picture import PAGE

WATCH_SPOKEN = f"""() => {{
    if (window.civitaiGallerySpoken) return [];
    const state = window.civitaiGallerySpoken = {{}};
    const prefix = 'civitai_gallery_', most = 5, pause = 100;
    const find = (what) => {PAGE}.querySelector('#' + prefix + what);
    let root = null;
    const isSeen = (node) => node.getClientRects().length > 0;
    const made = (role) => {{
        const region = document.createElement('div');
        region.className = 'cg-unseen cg-spoken';
        region.setAttribute('role', role);
        region.setAttribute('aria-atomic', 'false');  // what was said before is not said again
        return region;
    }};
    // What lies behind an open dialog is not heard, so that has its own.
    state.regions = (place) => place.append(made('status'), made('alert'));
    state.say = (text, role = 'status') => {{
        const place = document.querySelector('dialog[open]') || root;
        const region = place && place.querySelector(':scope > .cg-spoken[role=' + role + ']');
        if (!region || !text) return;
        const told = document.createElement('p');
        told.textContent = text;
        region.append(told);
        while (region.children.length > most) region.firstChild.remove();
    }};

    // What is being told, by component; a panel that is drawn anew says what is new in it.
    let before = null, chosen = '', turns = 0;
    const wordsOf = (node) => {{
        const copy = node.cloneNode(true);
        for (const one of copy.querySelectorAll('button, progress, [hidden]')) one.remove();
        return copy.textContent.replace(/\\s+/g, ' ').trim();
    }};
    const untold = (text) => {{
        for (const one of document.querySelectorAll('.toast-text, [data-testid="toast-text"]'))
            text = text.replace(one.textContent.trim(), '');  // gradio has had that spoken
        return text.trim();
    }};
    const look = () => {{
        const now = new Map(), fresh = [];
        const tell = (part, text, role) => {{
            if (!now.has(part)) now.set(part, new Set());
            const isOld = !before || (before.get(part) || new Set()).has(text);
            if (!isOld && !now.get(part).has(text)) fresh.push([text, role]);
            now.get(part).add(text);
        }};
        // a page may be turned so soon that all which is told of the next one are the same words
        const begun = window.civitaiGalleryTurns || 0;
        if (before && begun !== turns && !window.civitaiGalleryWaits) {{
            before.delete(prefix + 'status_page');
            turns = begun;
        }}
        for (const part of [find('status_page'), find('details')])
            if (part && part.dataset.waits) tell(part.id, part.dataset.waits, 'status');
        for (const node of root.querySelectorAll('[data-spoken]')) {{
            const part = node.closest('[id^=' + prefix + ']');
            if (!part || !isSeen(node) || node.closest('dialog')) continue;
            tell(part.id, wordsOf(node), node.dataset.spoken);
        }}
        before = now;
        for (const [text, role] of fresh) state.say(untold(text), role);
        const picture = window.civitaiGalleryPicture;
        const item = find('grid') && find('grid').querySelector('.thumbnail-item.selected');
        const about = find('details') && find('details').querySelector('.cg-details');
        const isTold = item && about && picture.now(about.dataset.of) === picture.of(item);
        const last = chosen, isAlone = Boolean(document.querySelector('dialog[open]'));
        const isKnown = isTold || (item && isAlone);  // alone, it says itself what it shows
        chosen = isKnown ? item.closest('.cg-cell').dataset.picture : item ? chosen : '';
        if (!chosen || chosen === last || isAlone) return;
        const name = item.getAttribute('aria-label');
        state.say(picture.words().picture_told.replace('{{picture}}', name));
    }};
    const begin = () => {{
        const bar = find('bar');
        if (!bar) return setTimeout(begin, 250);  // newer gradio makes a tab when it is opened
        root = bar.closest('.contain, .gradio-container') || document.body;
        state.regions(root);
        look();
        // Not within each change: whether a node is seen is only known once all is laid out, and
        // to have that done several times is what a turn of the page would wait for.
        let isDue = false;
        const soon = () => {{
            if (isDue) return;
            isDue = true;
            setTimeout(() => {{ isDue = false; look(); }}, pause);
        }};
        const wanted = {{subtree: true, childList: true, characterData: true}};
        wanted.attributeFilter = ['data-waits'];
        return new MutationObserver(soon).observe(root, wanted);
    }};
    begin();
    return [];
}}"""
