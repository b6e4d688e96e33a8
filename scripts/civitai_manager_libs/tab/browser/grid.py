"""The grid in the browser: which picture is chosen, where the keys lead, which pictures are there.

A grid is HTML of the server, made anew for each page; what it is asked for goes over the hidden
buttons of the bridge.
"""

from __future__ import annotations

_STATE = 'window.civitaiGalleryGrid'

# Hands the picture that was chosen last to the server, beside the view.
TAKE_CHOICE = f"""(view) => {{
    const state = {_STATE};
    state.sent = state.choice;
    return [view, ...state.choice];
}}"""

# gradio 3 drops what is pressed while it is busy with the press before.
CHOICE_TAKEN = f"""() => {{
    const state = {_STATE};
    state.taken = state.sent;
    if (state.sent !== state.choice) state.press('choose');
    else document.dispatchEvent(new Event('cg-taken'));
    return [];
}}"""

# So it does with what is to be learned of a picture, while it waits for that of the one before; and
# the answer about that one may have come after the newer picture was shown.
LEARN = f"""(view) => {{
    {_STATE}.learning = {_STATE}.taken;
    return [view];
}}"""
LEARNED = f"""() => {{
    const state = {_STATE};
    if (state.taken === state.choice && state.learning !== state.taken) state.press('choose');
    return [];
}}"""

# The same for a picture that is to be brought again.
TAKE_AGAIN = f"(view) => [view, ...({_STATE}.again.shift() || ['', ''])]"
FOLLOW = f"""() => {{
    {_STATE}.asked.shift();
    {_STATE}.turns += 1;
    for (const grid of document.querySelectorAll('.cg-grid')) delete grid.dataset.done;
    {_STATE}.look();
    if ({_STATE}.again.length) {_STATE}.press('again');
    return [];
}}"""

# Listens for the whole page, as grids come and go.
WATCH_GRID = f"""() => {{
    if ({_STATE}) return [];
    const state = {_STATE} = {{choice: ['', '', '0'], sent: null, again: [], asked: [], turns: 0}};
    const shortPause = 250, longPause = 2000, tries = 8, reloads = 4;
    const watched = new Set();
    let clicks = 0;
    const find = (what) => (window.gradioApp ? gradioApp() : document)
        .querySelector('#civitai_gallery_' + what);
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    const itemsOf = (grid) => [...grid.querySelectorAll('.thumbnail-item')];
    const gridOf = (node) => node.closest('.cg-grid');
    const here = (node, what, place = 'grid') =>
        node && node.closest && node.closest('#civitai_gallery_' + place + ' ' + what);
    state.press = (what) => {{
        const button = find(what + '_button');
        if (button) button.click();
    }};

    const stopAt = (item) => {{
        for (const other of itemsOf(gridOf(item))) other.tabIndex = other === item ? 0 : -1;
    }};
    const choose = (item) => {{
        for (const other of itemsOf(gridOf(item))) {{
            other.classList.toggle('selected', other === item);
            other.setAttribute('aria-pressed', String(other === item));
        }}
        stopAt(item);
        clicks += 1;
        state.choice = [gridOf(item).dataset.grid, item.dataset.index, String(clicks)];
        state.press('choose');
        const picture = window.civitaiGalleryPicture;
        if (picture) picture.chosen(item);
    }};
    state.choose = choose;
    const tryAgain = (button) => {{
        const cell = button.closest('.cg-cell');
        if (cell.dataset.state !== 'failed') return;
        cell.dataset.state = 'coming';
        delete gridOf(button).dataset.done;
        const item = cell.querySelector('.thumbnail-item'), image = cell.querySelector('img');
        // else the browser would show what it has kept
        if (image.dataset.src)
            image.dataset.src = image.dataset.src.split('?')[0] + '?again=' + Date.now();
        delete image.dataset.tries;
        stopAt(item);
        item.focus();
        state.asked.push(cell);
        state.again.push([gridOf(button).dataset.grid, button.dataset.again]);
        state.press('again');
    }};
    document.addEventListener('click', (event) => {{
        const [pressed] = event.composedPath();
        const item = here(pressed, '.thumbnail-item'), again = here(pressed, '.cg-again');
        if (item) choose(item);
        if (again) tryAgain(again);
    }});

    // Up and down lead to the nearest picture of the next row.
    const beyond = (items, from, down) => {{
        const middle = (box) => (box.left + box.right) / 2;
        const start = from.getBoundingClientRect();
        const rows = items.map((item) => [item, item.getBoundingClientRect()])
            .filter(([, box]) => down ? box.top >= start.bottom - 1 : box.bottom <= start.top + 1);
        const edge = rows.length && (down ? rows[0] : rows[rows.length - 1])[1].top;
        return rows.filter(([, box]) => Math.abs(box.top - edge) < 2)
            .sort(([, a], [, b]) =>
                Math.abs(middle(a) - middle(start)) - Math.abs(middle(b) - middle(start)))
            .map(([item]) => item)[0];
    }};
    document.addEventListener('keydown', (event) => {{
        const [from] = event.composedPath(), item = here(from, '.thumbnail-item');
        if (!item || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
        const items = itemsOf(gridOf(item)), place = items.indexOf(item);
        const next = {{
            ArrowLeft: () => items[place - 1],
            ArrowRight: () => items[place + 1],
            ArrowUp: () => beyond(items, item, false),
            ArrowDown: () => beyond(items, item, true),
            Home: () => items[0],
            End: () => items[items.length - 1],
        }}[event.key];
        if (!next) return;
        event.preventDefault();
        const other = next();
        if (!other) return;
        stopAt(other);
        other.focus();
    }});

    const fail = (cell, why) => {{
        const image = cell.querySelector('img');
        image.src = gridOf(cell).dataset.missing;  // first, so that its own is not asked for
        image.loading = 'eager';
        cell.dataset.state = 'failed';
        cell.querySelector('.cg-cause').textContent = why;
        (cell.querySelector('.thumbnail-item') || cell).title = why;
    }};
    const show = (grid, told) => {{
        const cells = grid.querySelectorAll('.cg-cell');
        const turned = (place, to) => {{
            const cell = cells[place];
            if (!cell || cell.dataset.state === to) return null;
            if (state.asked.includes(cell)) return null;  // that was before
            cell.dataset.state = to;
            return cell.querySelector('img');
        }};
        for (const place of told.there) {{
            const image = turned(place, 'there');
            const own = image && image.dataset.src;
            if (!own) continue;
            const isOther = image.getAttribute('src') !== own;
            if (isOther || (image.complete && !image.naturalWidth)) image.src = own;
            image.loading = 'eager';
        }}
        for (const [place, why] of Object.entries(told.failed))
            if (turned(place, 'failed')) fail(cells[place], why);
    }};
    // One question at a time, so that the other connections of the browser are free.
    const follow = async (grid) => {{
        let left = tries;
        while (grid.isConnected && left && grid.querySelector('[data-state="coming"]')) {{
            try {{
                const states = grid.dataset.states, turn = state.turns;
                const address = states + '?known=' + grid.dataset.known;
                const answer = await fetch(address, {{cache: 'no-store'}});
                const told = answer.status === 404 ? {{over: true}} : await answer.json();
                // It grew meanwhile, or a picture of it is tried again.
                if (states !== grid.dataset.states || turn !== state.turns) continue;
                if (told.there) show(grid, told);
                grid.dataset.known = told.known;
                if (told.over) {{ grid.dataset.done = ''; return; }}
                left = tries;
            }} catch (error) {{
                left -= 1;
                await pause(shortPause * (tries - left));
            }}
        }}
    }};
    const followed = new WeakSet();
    state.look = () => {{
        for (const place of [find('grid'), find('found')]) {{
            if (place && !watched.has(place)) {{
                watched.add(place);
                new MutationObserver(state.look).observe(place, {{childList: true, subtree: true}});
            }}
            const grid = place && place.querySelector('.cg-grid');
            if (!grid || followed.has(grid) || 'done' in grid.dataset) continue;
            followed.add(grid);
            follow(grid).finally(() => followed.delete(grid));
        }}
    }};
    // The first ones are asked for before they are there, and shown without waiting for news.
    document.addEventListener('load', (event) => {{
        const image = event.target, cell = here(image, '.cg-cell[data-state="coming"]');
        if (cell && image.getAttribute('src') === image.dataset.src) cell.dataset.state = 'there';
    }}, true);
    // A picture that is there may still get lost on its way.
    document.addEventListener('error', (event) => {{
        const image = event.target;
        const cell = here(image, '.cg-cell') || here(image, '.cg-cell', 'found');
        if (!cell || image.tagName !== 'IMG' || cell.dataset.state !== 'there') return;
        const count = Number(image.dataset.tries || 0);
        image.dataset.tries = count + 1;
        if (count < reloads) setTimeout(() => {{ image.src = image.getAttribute('src'); }},
            Math.min(longPause, shortPause * 2 ** count));
        else fail(cell, window.civitaiGalleryPicture.words().grid_damaged);
    }}, true);
    setInterval(state.look, shortPause);
    state.look();
    return [];
}}"""
