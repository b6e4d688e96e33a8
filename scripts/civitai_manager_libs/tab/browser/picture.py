"""The chosen picture in the browser: seen at once, its texts copied and read.

What is clicked anywhere is heard by one listener each, as the HTML is made anew all the time.
"""

from __future__ import annotations

PAGE = "(window.gradioApp ? gradioApp() : document)"

# Hands what was ordered for a picture to the server, beside the view; '' for nothing.
TAKE_MARK = "(view) => [view, window.civitaiGalleryPicture.take()]"
MARK_TAKEN = """() => {
    window.civitaiGalleryPicture.marked();
    return [];
}"""

# Begun when a picture of the grid is chosen: its small picture is in the browser already, and the
# large one is asked for before the server knows of the choice, then those beside it.
WATCH_PICTURE = f"""() => {{
    if (window.civitaiGalleryPicture) return [];
    const state = window.civitaiGalleryPicture = {{orders: [], sent: ''}};
    const find = (what) => {PAGE}.querySelector('#civitai_gallery_' + what);
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    const idle = window.requestIdleCallback || ((work) => setTimeout(work, 50));
    const here = (node, what) => node && node.closest && node.closest(what);
    const patience = 5000;

    // What the page says in the language of the settings.
    state.words = () => {{
        const told = find('words') && find('words').querySelector('[data-words]');
        return told ? JSON.parse(told.dataset.words) : {{}};
    }};
    state.of = (item) => item.closest('.cg-grid').dataset.grid + ' ' + item.dataset.index;
    // A grid that grew has another name by then, and each picture its old place.
    state.now = (of) => {{
        const grid = find('grid'), chosen = grid && grid.querySelector('.thumbnail-item.selected');
        const isChosen = chosen && chosen.dataset.index === of.split(' ')[1];
        return isChosen ? state.of(chosen) : of;
    }};
    state.address = (item, size) =>
        item.closest('.cg-grid').dataset[size] + '/' + item.dataset.index;
    state.kind = (item) => item.closest('.cg-cell').dataset.kind;
    state.small = (item) => item.querySelector('img').src;
    state.beside = (item, by) => {{
        const items = [...item.closest('.cg-grid').querySelectorAll('.thumbnail-item')];
        let place = items.indexOf(item) + by;
        while (items[place] && items[place].closest('[hidden]')) place += by;
        return items[place];
    }};
    const asked = new Map();  // the last ones, so that none is asked for twice
    state.bring = (item) => {{
        if (state.kind(item) !== 'image') return Promise.reject(new Error());
        const address = state.address(item, 'large');
        if (!asked.has(address)) {{
            const image = new Image();
            image.src = address;
            asked.set(address, image.decode().then(() => image));
            asked.get(address).catch(() => asked.delete(address));
            if (asked.size > 12) asked.delete(asked.keys().next().value);
        }}
        return asked.get(address);
    }};
    state.ahead = (item) => {{
        const both = () => idle(() => {{
            for (const by of [1, -1]) {{
                const other = item.isConnected && state.beside(item, by);
                if (other) state.bring(other).catch(() => null);
            }}
        }});
        state.bring(item).then(both, both);
    }};

    // The picture that is asked for stands in the panel until the server draws it.
    const veil = (item) => {{
        const panel = find('image');
        const shown = panel && panel.querySelector('.cg-picture');
        if (!panel || (shown && state.now(shown.dataset.of) === state.of(item))) return;
        panel.style.setProperty('--cg-veil', 'url("' + state.small(item) + '")');
        const mine = panel.dataset.veil = state.of(item);
        state.bring(item).then((image) => {{
            if (panel.dataset.veil === mine)
                panel.style.setProperty('--cg-veil', 'url("' + image.src + '")');
        }}, () => null);
    }};
    const unveil = () => {{
        const panel = find('image');
        if (!panel || !('veil' in panel.dataset)) return;
        const shown = panel.querySelector('.cg-picture');
        if (shown && shown.dataset.of === panel.dataset.veil) delete panel.dataset.veil;
    }};
    document.addEventListener('cg-taken', () => {{
        const panel = find('image');
        unveil();
        if (panel) delete panel.dataset.veil;
    }});
    state.chosen = (item) => {{
        veil(item);
        state.ahead(item);
    }};

    state.why = async (address) => {{
        const answer = await fetch(address + '?why', {{cache: 'no-store'}}).catch(() => null);
        const cause = answer && answer.ok ? await answer.text() : '';
        return (state.words().lightbox_failed || '').replace('{{cause}}', cause);
    }};
    document.addEventListener('error', async (event) => {{
        const lost = event.target, place = here(lost, '.cg-picture');
        if (!place || !lost.matches('.cg-large, video')) return;
        const told = document.createElement('p');
        told.className = 'cg-lost';
        told.setAttribute('role', 'status');
        place.append(told);
        told.textContent = await state.why(lost.getAttribute('src'));
    }}, true);

    // Without https a browser offers no clipboard, but copies what is marked.
    const marked = (text) => {{
        const field = document.createElement('textarea');
        field.value = text;
        field.style.cssText = 'position:fixed;opacity:0';
        const focused = document.activeElement;
        (document.querySelector('dialog[open]') || document.body).append(field);
        field.select();
        const isDone = document.execCommand('copy');
        field.remove();
        if (focused) focused.focus({{preventScroll: true}});
        if (!isDone) throw new Error();
    }};
    const textFor = (button) => {{
        if ('text' in button.dataset) return button.dataset.text;
        if (button.dataset.cgCopy === 'infotext')
            return find('infotext').querySelector('textarea').value;
        const section = button.closest('.cg-text');
        const file = section.querySelector('a[download]');
        if (!file) return section.querySelector('.cg-copied').textContent;
        const bytes = Uint8Array.from(atob(file.href.split(',')[1]), (one) => one.charCodeAt(0));
        return new TextDecoder().decode(bytes);
    }};
    const copy = async (button) => {{
        const text = textFor(button), before = button.textContent;
        let told = button.dataset.done;
        try {{
            if (navigator.clipboard && window.isSecureContext)
                await navigator.clipboard.writeText(text).catch(() => marked(text));
            else marked(text);
        }} catch (error) {{
            told = button.dataset.fails;
        }}
        if (before === told) return;
        button.textContent = told;
        window.civitaiGallerySpoken.say(told);
        await pause(2000);
        button.textContent = before;
    }};
    document.addEventListener('click', (event) => {{
        const button = here(event.composedPath()[0], '[data-cg-copy]');
        if (button) copy(button);
    }});

    // -- what can be done with it -----------------------------------------------------------------
    const press = (what) => {{
        const button = find(what);
        if (button) button.click();
        return Boolean(button);
    }};
    // What is asked of the marks waits for those that were made before it.
    const marksMade = async () => {{
        const end = Date.now() + patience;
        while ((state.orders.length || sentAt) && Date.now() < end) await pause(50);
    }};
    // One after the other, as two that are carried out at once might be so in another order.
    let sentAt = 0;
    state.take = () => (state.sent = state.orders.shift() || '');
    const sendMark = () => {{
        if (!state.orders.length || Date.now() < sentAt + patience) return;
        sentAt = Date.now();
        press('mark_button');
    }};
    // As if it had been chosen among several, of which the bar below the grid keeps those chosen.
    state.keep = (of) => {{
        const foot = window.civitaiGalleryFoot;
        if (!foot) return false;
        foot.orders.push(of.split(' '));
        return press('keep_chosen_button');
    }};
    document.addEventListener('click', (event) => {{
        const [node] = event.composedPath();
        const mark = here(node, '[data-cg-mark]'), other = here(node, '[data-cg-press]');
        const kept = here(node, '[data-cg-keep]');
        if (mark) {{
            const same = '[data-cg-mark="' + mark.dataset.cgMark + '"]';
            const turned = String(mark.getAttribute('aria-pressed') !== 'true');
            for (const one of document.querySelectorAll(same))
                one.setAttribute('aria-pressed', turned);
            // what is pressed may not have been drawn anew since it was pressed before
            const [kind, , ...of] = mark.dataset.cgMark.split(' ');
            const is = Number(turned === 'true');
            state.orders.push([kind, is, state.now(of.join(' '))].join(' '));
            sendMark();
        }}
        if (kept) state.keep(state.now(kept.dataset.cgKeep));
        if (other && /^[a-z_]+$/.test(other.dataset.cgPress))
            marksMade().then(() => press(other.dataset.cgPress + '_button'));
    }});
    state.marked = () => {{
        state.sent = '';
        sentAt = 0;
        sendMark();
    }};
    // What was pressed since counts for a button that an answer to what was before has drawn anew.
    const isPressed = (button, kind, of) => {{
        const later = [state.sent, ...state.orders].map((order) => order.split(' '))
            .filter(([what, , ...at]) => what === kind && at.join(' ') === of).pop();
        const is = later ? later[1] === '1' : button.getAttribute('aria-pressed') === 'true';
        if (later && button.getAttribute('aria-pressed') !== String(is))
            button.setAttribute('aria-pressed', String(is));
        return is;
    }};
    // A cell is marked as its buttons say, whether they were pressed or drawn anew.
    const markCells = () => {{
        const drawn = find('grid') && find('grid').querySelector('.cg-grid');
        for (const button of find('details').querySelectorAll('[data-cg-mark]')) {{
            const [kind, , ...of] = button.dataset.cgMark.split(' ');
            const where = state.now(of.join(' ')), [grid, place] = where.split(' ');
            const is = isPressed(button, kind, where);
            if (!drawn || drawn.dataset.grid !== grid) continue;
            const cell = drawn.querySelectorAll('.cg-cell')[place];
            if (cell.hasAttribute('data-' + kind) === is) continue;
            cell.toggleAttribute('data-' + kind, is);
            const item = cell.querySelector('.thumbnail-item');
            const name = item.getAttribute('aria-label'), word = state.words()['grid_' + kind];
            item.setAttribute('aria-label', is ? name + word : name.replace(word, ''));
        }}
    }};

    // A field that gradio disables can neither be reached by the keyboard nor read aloud.
    const readable = () => {{
        const place = find('infotext');
        for (const field of place ? place.querySelectorAll('textarea[disabled]') : []) {{
            field.readOnly = true;
            field.disabled = false;
        }}
    }};
    const watched = new WeakSet();
    const watch = (what, heard, wanted) => {{
        const place = find(what);
        if (!place || watched.has(place)) return;
        watched.add(place);
        new MutationObserver(heard).observe(place, wanted);
        heard();
    }};
    const look = () => {{
        const all = {{subtree: true, childList: true}};
        watch('infotext', readable, {{...all, attributeFilter: ['disabled']}});
        watch('image', unveil, all);
        watch('details', markCells, {{...all, attributeFilter: ['aria-pressed']}});
    }};
    setInterval(look, 500);
    look();
    return [];
}}"""


def together(*programs: str) -> str:
    """What runs one after the other when the page opens."""
    return '() => {' + ''.join(f'({program})();' for program in programs) + 'return [];}'
