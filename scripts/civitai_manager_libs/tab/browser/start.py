"""Where one begins, in the browser: links that open galleries here, favourites, what was recent.

Favourites and what was recent are this browser's own, and never leave it but as text in the box for
links. What its storage holds may have been put there by anything: it is shown as text, and loaded
as what a person pastes.
"""

from __future__ import annotations

_STATE = 'window.civitaiGalleryStart'

# The button for more is made anew with the cards, so the first of the new ones has the focus then.
MORE_FOUND = f"""() => {{
    const cards = [...document.querySelectorAll('#civitai_gallery_found .cg-card-open')];
    const first = cards[{_STATE}.cards || 0];
    if (first) first.focus({{preventScroll: true}});
    for (const more of document.querySelectorAll('[data-cg-more]')) more.disabled = false;
    return [];
}}"""

# What the card of a WebUI says of its model, see javascript/; and the gallery that is then opened.
TAKE_CARD = """() => window.civitaiGalleryCard || ['', '']"""
OPEN_CARD = f"""(link) => {{
    if (link) {_STATE}.open(link);
    return [];
}}"""

# One listener for the whole page, as what is clicked comes and goes.
WATCH_START = f"""() => {{
    if ({_STATE}) return [];
    const state = {_STATE} = {{cards: 0}};
    const often = 300, longest = 2000, most = {{recent: 12, favourites: 100}};
    const page = () => window.gradioApp ? gradioApp() : document;
    const find = (what) => page().querySelector('#civitai_gallery_' + what);
    const box = () => find('source') && find('source').querySelector('textarea, input');
    const isSeen = (node) => Boolean(node && node.getClientRects().length);
    const ours = (node, what) => {{
        const found = node && node.closest && node.closest(what);
        return found && found.closest('[id^="civitai_gallery_"]') ? found : null;
    }};

    state.open = (text) => {{
        const field = box();
        if (!field) return;
        field.value = text;
        field.dispatchEvent(new Event('input', {{bubbles: true}}));
        setTimeout(() => find('load').click(), 50);  // gradio has taken the text by then
        find('bar').scrollIntoView({{block: 'nearest'}});
    }};

    // -- what is kept ---------------------------------------------------------------------------
    const kept = {{}};
    const site = () => {{
        const home = find('home') && find('home').querySelector('.cg-home');
        return home ? home.dataset.site : '';
    }};
    const key = (list) => 'civitai-gallery-' + list + '@' + site();
    const isText = (text) => typeof text === 'string' && text && text.length <= longest;
    const read = (list) => {{
        let found = kept[key(list)] || [];
        try {{
            found = JSON.parse(localStorage.getItem(key(list)) || '[]');
        }} catch (error) {{ /* none may be had, or it is nobody's */ }}
        const pairs = (Array.isArray(found) ? found : [])
            .filter((one) => Array.isArray(one) && isText(one[0]) && isText(one[1]))
            .map(([text, name]) => [text, name]);
        const names = new Map();
        for (const [text, name] of pairs) if (!names.has(text)) names.set(text, name);
        return [...names].slice(0, most[list]);
    }};
    const write = (list, pairs) => {{
        kept[key(list)] = pairs.slice(0, most[list]);
        try {{
            localStorage.setItem(key(list), JSON.stringify(kept[key(list)]));
        }} catch (error) {{ /* then it lasts as long as the page */ }}
        fill();
    }};
    const without = (list, text) => read(list).filter(([other]) => other !== text);
    const add = (list, text, name) => {{
        if (isText(text) && isText(name)) write(list, [[text, name], ...without(list, text)]);
    }};

    // -- what is shown of it --------------------------------------------------------------------
    const entry = ([text, name], list, dropping) => {{
        const row = document.createElement('li'), open = document.createElement('a');
        const drop = document.createElement('button');
        open.textContent = name;
        open.title = text;
        open.href = '#';
        open.dataset.cgSource = text;
        drop.type = 'button';
        drop.className = 'cg-drop';
        drop.textContent = '✕';
        drop.title = dropping;
        drop.setAttribute('aria-label', dropping + ': ' + name);
        drop.dataset.cgDrop = list;
        row.append(open, drop);
        return row;
    }};
    const fill = () => {{
        for (const part of page().querySelectorAll('#civitai_gallery_home [data-cg-list]')) {{
            const list = part.dataset.cgList, pairs = read(list);
            const rows = pairs.map((pair) => entry(pair, list, part.dataset.dropping));
            part.querySelector('ul').replaceChildren(...rows);
            part.hidden = !rows.length;
            part.dataset.filled = key(list);
        }}
        mark();
    }};
    const mark = () => {{
        const star = find('title') && find('title').querySelector('[data-cg-star]');
        if (!star) return;
        const isOne = read('favourites').some(([text]) => text === star.dataset.cgStar);
        const told = isOne ? star.dataset.no : star.dataset.yes;
        star.setAttribute('aria-pressed', String(isOne));
        star.textContent = isOne ? '★' : '☆';
        if (star.title !== told) star.title = told;
    }};
    const unfold = (isOpen) => {{
        const home = find('home') && find('home').querySelector('.cg-home');
        if (home) home.toggleAttribute('data-open', isOpen);
        const button = find('title') && find('title').querySelector('[data-cg-home]');
        if (button) button.setAttribute('aria-expanded', String(isOpen));
        return home;
    }};

    // -- what is pressed ------------------------------------------------------------------------
    const press = {{
        cgSource: (node) => {{ unfold(false); state.open(node.dataset.cgSource); }},
        cgStar: (node) => {{
            const link = node.dataset.cgStar, isOne = node.getAttribute('aria-pressed') === 'true';
            if (isOne) write('favourites', without('favourites', link));
            else add('favourites', link, node.dataset.name);
        }},
        cgHome: (node) => {{
            look();  // else what has just come would fold it again
            const home = unfold(node.getAttribute('aria-expanded') !== 'true');
            if (home && isSeen(home)) home.scrollIntoView({{block: 'nearest'}});
        }},
        cgDrop: (node) => {{
            const open = node.parentNode.querySelector('a'), list = node.dataset.cgDrop;
            write(list, without(list, open.dataset.cgSource));
            const next = find('home').querySelector('a');
            if (next) next.focus();
        }},
        cgMore: (node) => {{
            state.cards = find('found').querySelectorAll('.cg-card-open').length;
            node.disabled = true;
            find('more_button').click();
        }},
        cgClose: (node) => {{
            node.closest('.cg-found').hidden = true;
            find('close_button').click();
            box().focus();
        }},
    }};
    const pressable = 'data-cg-source data-cg-star data-cg-home data-cg-drop data-cg-more '
        + 'data-cg-close';
    const wanted = pressable.split(' ').map((name) => '[' + name + ']').join(', ');
    document.addEventListener('click', (event) => {{
        const [pressed] = event.composedPath();
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        if (ours(pressed, '#civitai_gallery_home [data-cg-press]')) unfold(false);
        const node = ours(pressed, wanted + ', a, button, code');
        const name = node && Object.keys(press).find((one) => one in node.dataset);
        if (!name) return;
        event.preventDefault();
        press[name](node);
    }});

    // -- the keys that lead to the box, and back --------------------------------------------------
    document.addEventListener('keydown', (event) => {{
        if (event.key !== 'Escape' || event.isComposing || document.querySelector('dialog[open]'))
            return;
        const field = box(), home = find('home') && find('home').querySelector('[data-open]');
        if (field && event.composedPath()[0] === field) {{
            field.blur();
        }} else if (isSeen(home)) {{
            unfold(false);
            find('title').querySelector('[data-cg-home]').focus();
        }}
    }});
    document.addEventListener('keydown', (event) => {{
        const [from] = event.composedPath(), field = box();
        if (event.key !== '/' || event.altKey || event.ctrlKey || event.metaKey) return;
        const isField = from.closest
            && from.closest('input, textarea, select, [contenteditable], [role="textbox"]');
        const isCovered = document.querySelector('dialog[open]');
        if (isField || from.isContentEditable || isCovered || !isSeen(field)) return;
        event.preventDefault();
        field.focus();
        field.select();
    }});

    // -- what came --------------------------------------------------------------------------------
    let last = '', watched = [];
    // Within the change itself, so that nothing is drawn that does not belong there.
    const show = () => {{
        const has = (part, what) => Boolean(part && part.querySelector(what));
        const isFound = has(find('found'), '.cg-found:not([hidden])');
        const root = document.documentElement;
        root.toggleAttribute('data-cg-gallery', has(find('title'), '.cg-title'));
        root.toggleAttribute('data-cg-found', isFound);
    }};
    const watch = () => {{
        const parts = [find('title'), find('found')];
        if (parts.every((part, place) => part === watched[place])) return;
        watched = parts;
        const changes = {{childList: true, subtree: true, attributeFilter: ['hidden']}};
        for (const part of parts.filter(Boolean))
            new MutationObserver(show).observe(part, changes);
        show();
    }};
    const look = () => {{
        watch();
        const unfilled = '#civitai_gallery_home [data-cg-list]:not([data-filled])';
        if (page().querySelector(unfilled)) fill();
        const star = find('title') && find('title').querySelector('[data-cg-star]');
        const found = find('found') && find('found').querySelector('.cg-found:not([hidden])');
        const isFound = found && found.querySelector('.cg-card-open');
        const now = isFound ? found.dataset.words : !found && star ? star.dataset.cgStar : '';
        const isBefore = !found && find('title') && find('title').querySelector('.cg-before');
        if (now && now !== last && !isBefore) {{
            last = now;
            unfold(false);
            add('recent', now, found ? found.dataset.name : star.dataset.name);
        }}
        if (star && !star.textContent) mark();
        const secret = find('status_page') && find('status_page').querySelector('[data-cg-secret]');
        if (!secret) return;
        delete secret.dataset.cgSecret;
        box().value = '';
        box().dispatchEvent(new Event('input', {{bubbles: true}}));
    }};
    window.addEventListener('storage', fill);
    setInterval(look, often);
    look();
    return [];
}}"""
