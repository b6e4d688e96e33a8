"""The bar below the grid in the browser: several pictures are chosen, what is saved is marked.

What is chosen lives here, until a download of it is asked for over hidden buttons.
"""

from __future__ import annotations

import json

_STATE = 'window.civitaiGalleryFoot'

# What stands in for the inputs of an event: what was chosen, and which failed picture to try again.
CHOSEN = f'view, ...({_STATE}.orders.shift() || ["", ""])'
AGAIN_ONE = f'view, {_STATE}.again.shift() || ""'


def says(waiting: str, inputs: str) -> str:
    """Say `waiting` where downloads are told of, at once, until there is an answer."""
    return f"""(view) => {{
    const told = {_STATE}.find('kept_here');
    if (told) told.dataset.waits = {json.dumps(waiting)};
    return [{inputs}];
}}"""


# For what leaves no answer.
SAID = f"""(view) => {{
    {_STATE}.said();
    return [view];
}}"""

WATCH_FOOT = f"""() => {{
    if ({_STATE}) return [];
    const state = {_STATE} = {{orders: [], again: []}};
    const often = 250;
    const picked = new Set();
    let gridName = '', last = null, picking = false, watched = [];
    let drawn = null, count = 0, box = null;
    const find = state.find = (what) => (window.gradioApp ? gradioApp() : document)
        .querySelector('#civitai_gallery_' + what);
    const grid = () => find('grid') && find('grid').querySelector('.cg-grid');
    const cells = () => grid() ? [...grid().querySelectorAll('.cg-cell')] : [];
    const tickOf = (cell) => cell.querySelector('.cg-tick');
    const choosable = () => cells().filter(tickOf);  // none of a saved gallery
    const placeOf = (cell) => Number(tickOf(cell).dataset.place);
    const press = (what) => {{ const button = find(what); if (button) button.click(); }};
    const within = (node, what) => node && node.closest ? node.closest(what) : null;

    const mark = (node, name, is) => {{
        if (node.getAttribute(name) !== is) node.setAttribute(name, is);
    }};
    const draw = () => {{
        const all = choosable(), place = find('grid'), foot = find('foot');
        const buttons = foot && foot.querySelector('.cg-select');
        if (!buttons) return;
        for (const cell of all) {{
            const is = picked.has(placeOf(cell));
            cell.classList.toggle('cg-picked', is);
            mark(tickOf(cell), 'aria-checked', String(is));
        }}
        place.toggleAttribute('data-picking', picking);
        foot.toggleAttribute('data-picked', picked.size > 0);
        foot.toggleAttribute('data-picking', picking);
        buttons.hidden = false;
        const filled = (text) => text.replace('{{count}}', picked.size);
        for (const button of buttons.querySelectorAll('[data-pick]')) {{
            const what = button.dataset.pick;
            if (what === 'mode') {{
                button.disabled = !all.length;
                mark(button, 'aria-pressed', String(picking));
            }} else if (what === 'send') {{
                button.hidden = !picked.size;
                if (picked.size) button.textContent = filled(buttons.dataset.download);
            }} else {{
                button.hidden = !picking;
            }}
        }}
        const told = buttons.querySelector('[role=status]');
        const text = picked.size ? filled(buttons.dataset.chosen) : '';
        if (told.textContent !== text) told.textContent = text;
    }};
    const pick = (place, is) => {{
        picked[is ? 'add' : 'delete'](place);
        last = place;
        if (picked.size) picking = true;
        draw();
    }};
    const pickTo = (place) => {{
        const [low, high] = [last ?? place, place].sort((a, b) => a - b);
        for (let one = low; one <= high; one += 1) picked.add(one);
        pick(place, true);
    }};
    const clear = () => {{ picked.clear(); last = null; picking = false; draw(); }};
    const toggle = (place) => pick(place, !picked.has(place));

    const orders = {{
        mode: () => {{ if (picking) clear(); else {{ picking = true; draw(); }} }},
        all: () => {{ choosable().forEach((cell) => picked.add(placeOf(cell))); draw(); }},
        none: () => {{ picked.clear(); last = null; draw(); }},
        send: () => {{
            const places = [...picked].sort((a, b) => a - b).join(',');
            state.orders.push([gridName, places]);
            clear();
            press('keep_chosen_button');
            find('select').querySelector('[data-pick=mode]').focus();
        }},
    }};
    // On the window, so that nothing else takes such a click for one on the picture.
    window.addEventListener('click', (event) => {{
        const [node] = event.composedPath();
        const cell = within(node, '#civitai_gallery_grid .cg-cell');
        const item = within(node, '.thumbnail-item, .cg-tick');
        if (!cell || !item || !tickOf(cell)) return;
        const isTick = item.classList.contains('cg-tick');
        const many = event.shiftKey, one = event.ctrlKey || event.metaKey;
        if (!isTick && !picking && !many && !one) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        look();  // else what is chosen on a page that has just come is taken for the last one's
        if (many) pickTo(placeOf(cell)); else toggle(placeOf(cell));
    }}, true);
    let isSpaceOurs = false;
    window.addEventListener('keydown', (event) => {{
        const [node] = event.composedPath();
        const item = within(node, '#civitai_gallery_grid .thumbnail-item');
        const isPlain = !event.altKey && !event.ctrlKey && !event.metaKey;
        const isOurs = item && tickOf(item.closest('.cg-cell'));
        isSpaceOurs = Boolean(isOurs && event.key === ' ' && isPlain);
        if (isSpaceOurs) {{
            event.preventDefault();
            look();
            const place = placeOf(item.closest('.cg-cell'));
            if (event.shiftKey) pickTo(place); else if (!event.repeat) toggle(place);
        }} else if (event.key === 'Escape' && isPlain && picking
                && within(node, '#civitai_gallery_grid, #civitai_gallery_foot')) {{
            event.stopImmediatePropagation();
            clear();
        }}
    }}, true);
    window.addEventListener('keyup', (event) => {{
        if (event.key === ' ' && isSpaceOurs) event.preventDefault();
    }}, true);
    document.addEventListener('click', (event) => {{
        const [node] = event.composedPath();
        const button = within(node, '[data-pick], [data-press], [data-show], [data-again-one]');
        if (!button || !within(button, '[id^=civitai_gallery_]')) return;
        const order = orders[button.dataset.pick];
        if (order) order();
        if (/^[a-z_]+$/.test(button.dataset.press || '')) press(button.dataset.press);
        if (button.dataset.show) show(button.dataset.show, 1);
        if (button.dataset.againOne) {{
            state.again.push(button.dataset.againOne);
            press('again_one_button');
        }}
    }});

    // The settings, or the field for the key among them, in a panel that is folded: newer gradio
    // makes what is inside when that opens.
    const show = (what, tries) => {{
        const field = find('api_key') && find('api_key').querySelector('input');
        const panel = find('settings') || find('key');
        const title = panel && panel.querySelector('.label-wrap');
        if (field && field.offsetParent) {{
            const node = what === 'key' ? field : title;
            node.tabIndex = Math.max(node.tabIndex, -1);  // in gradio 3 a title gets no focus else
            node.focus({{preventScroll: true}});
            node.scrollIntoView({{block: what === 'key' ? 'center' : 'start'}});
        }} else if (tries < 20) {{
            if (tries === 1 && title) title.click();
            setTimeout(() => show(what, tries + 1), often / 2);
        }}
    }};

    // What is saved by now is marked in its cell.
    const note = () => {{
        const ids = new Set(watched.flatMap((part) => {{
            const told = part.querySelector('[data-kept]');
            return told ? told.dataset.kept.split(',') : [];
        }}));
        const word = grid() && grid().dataset.saved;
        for (const cell of cells()) {{
            if (!ids.has(cell.dataset.picture) || 'kept' in cell.dataset) continue;
            cell.dataset.kept = '';
            const item = cell.querySelector('.thumbnail-item');
            item.setAttribute('aria-label', item.getAttribute('aria-label') + word);
        }}
    }};
    state.said = () => {{ delete find('kept_here').dataset.waits; }};
    const heard = () => {{ state.said(); note(); }};
    const look = () => {{
        const told = find('kept_here'), panel = find('jobs');
        if (told && panel && told !== watched[0]) {{
            watched = [told, panel];
            const changes = {{childList: true, subtree: true, characterData: true}};
            new MutationObserver(heard).observe(told, changes);
            new MutationObserver(note).observe(panel, changes);
        }}
        const name = grid() ? grid().dataset.grid : '', some = cells();
        const isOther = name !== gridName, [first] = some;
        gridName = name;
        if (isOther) clear();
        else if (first !== drawn || some.length !== count || find('select') !== box) draw();
        [drawn, count, box] = [first, some.length, find('select')];
    }};
    document.addEventListener('error', (event) => {{
        if (event.target.classList.contains('cg-mini')) event.target.hidden = true;
    }}, true);
    // These show signs in the place of their words.
    for (const button of [find('first'), find('prev')])
        if (button) button.title = button.textContent.trim();
    setInterval(look, often);
    look();
    return [];
}}"""
