"""The lightbox in the browser: the chosen picture alone, and the way to those beside it.

Everything in it is of the grid and of the panel, so it has nothing of its own on the server.
"""

from __future__ import annotations

from .beneath import BENEATH
from .language import LANGUAGE
from .picture import PAGE
from .zoom import NEAR

# Where a tap on a picture of the grid opens it: there is no room for a panel, or no mouse.
PHONE = '(max-width: 640px), (pointer: coarse)'

_MARKUP = """
    <div class="cg-stage"><div class="cg-zoomed"></div>
        <button type="button" class="cg-step cg-previous">‹</button>
        <button type="button" class="cg-step cg-next">›</button></div>
    <div class="cg-under">
        <p class="cg-caption" role="status"></p><p class="cg-told" role="status"></p>
        <div class="cg-tools"><button type="button" class="cg-button cg-full"></button>
            <button type="button" class="cg-button cg-close">×</button></div>
    </div>
    <div class="cg-below"></div>
"""

WATCH_LIGHTBOX = f"""() => {{
    if (window.civitaiGalleryLightbox) return [];
    const state = window.civitaiGalleryLightbox = {{}};
    const picture = window.civitaiGalleryPicture;
    const phone = window.matchMedia({PHONE!r});
    const patience = 60000;
    const near = {NEAR};
    const beneath = {BENEATH};
    const find = (what) => {PAGE}.querySelector('#civitai_gallery_' + what);
    const here = (node, what) => node && node.closest && node.closest(what);
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    let dialog = null, part = null, current = null, shows = 0, opener = null;
    let turning = 0, isTurning = false, further = 0, keeps = false;

    // -- what is shown ----------------------------------------------------------------------------
    const tell = (text) => {{ part.told.textContent = text; }};
    const put = (node, kind) => {{
        node.className = kind;
        node.draggable = false;
        part.zoomed.append(node);
        return node;
    }};
    const loaded = async (address) => {{
        const image = new Image();
        image.src = address;
        await image.decode();
        return image;
    }};
    const show = async (item) => {{
        const mine = shows += 1, words = picture.words();
        const isMine = () => mine === shows && dialog.open;
        const address = picture.address(item, 'large'), kind = picture.kind(item);
        const small = await loaded(picture.small(item)).catch(() => new Image());
        if (!isMine()) return;
        part.near.asItWas();
        part.zoomed.replaceChildren();  // in one step with the next line, so nothing is ever blank
        put(small, 'cg-small').alt = item.getAttribute('aria-label');
        if (kind === 'video') {{
            const video = document.createElement('video');
            Object.assign(video, {{controls: true, loop: true, autoplay: true, playsInline: true}});
            video.poster = small.src;
            video.src = address;
            video.addEventListener('error', () => failed(address, isMine));
            video.addEventListener('loadeddata', () => small.remove());
            put(video, 'cg-large');
        }}
        if (kind === 'image') {{
            try {{
                const large = await picture.bring(item);
                if (!isMine()) return;
                put(large.cloneNode(), 'cg-large').alt = small.alt;
            }} catch (error) {{
                await failed(address, isMine);
            }}
        }}
        if (isMine()) picture.ahead(item);
    }};
    const failed = async (address, isMine) => {{
        const told = await picture.why(address);
        if (isMine()) tell(told);
    }};
    const full = async () => {{
        const mine = shows, words = picture.words(), item = current;
        const address = picture.address(item, 'original');
        part.full.disabled = true;
        tell(words.lightbox_full_loads);
        const video = part.zoomed.querySelector('video');
        if (video) {{
            const at = video.currentTime;
            video.src = address;
            video.currentTime = at;
            tell('');
            return;
        }}
        try {{
            const image = await loaded(address);
            if (mine !== shows || !dialog.open) return;
            const before = part.zoomed.querySelector('.cg-large');
            put(image, 'cg-large cg-original').alt = item.getAttribute('aria-label');
            if (before) before.remove();
            tell(image.naturalWidth + '×' + image.naturalHeight);
        }} catch (error) {{
            await failed(address, () => mine === shows && dialog.open);
            part.full.disabled = false;
        }}
    }};
    // What became of a download that was asked for in here.
    const kept = () => {{
        const place = find('kept_here');
        if (!keeps || !state.isOpen() || !place) return;
        const told = place.cloneNode(true);
        const others = 'button, progress, details, .cg-place';
        for (const one of told.querySelectorAll(others)) one.remove();
        tell(place.dataset.waits || told.textContent.trim());
    }};
    const mirror = () => {{
        if (!state.isOpen() || !current) return;
        const below = beneath(current, () => dialog.close());
        if (below.innerHTML === part.below.innerHTML) return;
        const within = () => [...part.below.querySelectorAll('button, a[href]')];
        const focused = within().indexOf(document.activeElement);
        part.below.replaceChildren(...below.childNodes);
        if (focused < 0) return;
        const again = within()[focused];
        (again && again.offsetParent ? again : dialog).focus({{preventScroll: true}});
    }};

    // -- the way through the gallery --------------------------------------------------------------
    const go = (item, isChosen) => {{
        current = item;
        turning += 1;
        isTurning = false;
        part.full.disabled = picture.kind(item) === 'audio';
        part.caption.textContent = item.getAttribute('aria-label');
        tell('');
        item.scrollIntoView({{block: 'nearest'}});
        if (!isChosen) window.civitaiGalleryGrid.choose(item);
        show(item);
        mirror();
    }};
    const visible = (grid) => [...grid.querySelectorAll('.cg-cell:not([hidden]) .thumbnail-item')];
    const turn = async (by) => {{
        const words = picture.words(), button = find(by > 0 ? 'next' : 'prev');
        if (isTurning) return;
        if (!button || button.disabled) {{ tell(words.lightbox_end); return; }}
        const mine = turning += 1, before = current.closest('.cg-grid');
        const known = visible(before).length, end = Date.now() + patience;
        const begun = window.civitaiGalleryTurns;
        let quiet = 0;
        isTurning = true;
        further = 0;
        tell(words.lightbox_turns);
        button.click();
        while (dialog.open && mine === turning && Date.now() < end && quiet < 1000) {{
            await pause(50);
            const now = find('grid').querySelector('.cg-grid');
            const items = now ? visible(now) : [];
            const isMore = now === before && items.length > known;
            if (isMore || (now !== before && items.length)) {{
                const first = isMore ? known : by > 0 ? 0 : items.length - 1;
                go(items[Math.max(0, Math.min(first + further, items.length - 1))]);
                return;
            }}
            const isOver = window.civitaiGalleryTurns !== begun && !window.civitaiGalleryWaits;
            quiet = isOver ? quiet + 50 : 0;
        }}
        if (mine !== turning) return;
        isTurning = false;
        const status = quiet && find('status_page');
        const why = status && status.querySelector('.cg-problem');
        tell(why ? why.textContent : '');
    }};
    // What is pressed while the page turns counts from the picture that is shown then.
    const step = (by) => {{
        const other = current.isConnected && picture.beside(current, by);
        if (isTurning) further += by;
        else if (other) go(other);
        else turn(by);
    }};

    // -- keys -------------------------------------------------------------------------------------
    const keys = {{
        ArrowLeft: () => step(-1),
        ArrowRight: () => step(1),
        '+': () => part.near.zoom(1.5),
        '=': () => part.near.zoom(1.5),
        '-': () => part.near.zoom(1 / 1.5),
        0: () => part.near.asItWas(),
        f: () => dialog.close(),
        s: () => {{
            const star = part.below.querySelector('[data-cg-mark^=favourite]');
            if (star) star.click();
        }},
        n: () => turn(1),
        p: () => turn(-1),
        d: () => {{ keeps = true; picture.keep(picture.of(current)); }},
        o: () => {{ if (!part.full.disabled) full(); }},
        '?': () => window.civitaiGalleryKeys.list(),
    }};
    const stops = () => [...dialog.querySelectorAll('button, a[href], video, summary')]
        .filter((one) => !one.disabled && one.offsetParent);
    const typed = (event) => {{
        const work = keys[event.key];
        if (event.key === 'Tab') {{
            const all = stops(), last = all[all.length - 1];
            const edge = event.shiftKey ? all[0] : last, other = event.shiftKey ? last : all[0];
            const isOut = document.activeElement === dialog && event.shiftKey;
            const isLost = !dialog.contains(document.activeElement);
            if (document.activeElement !== edge && !isOut && !isLost) return;
            event.preventDefault();
            other.focus();
        }} else if (work && !event.ctrlKey && !event.metaKey && !event.altKey) {{
            event.preventDefault();
            work();
        }} else if (event.key !== 'Escape') return;
        event.stopPropagation();
    }};

    // -- opened and closed ------------------------------------------------------------------------
    const make = () => {{
        dialog = document.createElement('dialog');
        dialog.id = 'civitai_gallery_lightbox';
        dialog.className = 'cg-lightbox';
        dialog.tabIndex = -1;
        dialog.setAttribute('role', 'dialog');
        dialog.setAttribute('aria-modal', 'true');
        dialog.lang = {LANGUAGE};
        dialog.innerHTML = `{_MARKUP}`;
        part = {{}};
        for (const name of ['stage', 'zoomed', 'previous', 'next', 'caption', 'told', 'full',
            'close', 'below']) part[name] = dialog.querySelector('.cg-' + name);
        // gradio takes our rules for small windows to be about what is inside of this
        const place = find('bar').closest('.contain') || find('bar').closest('.gradio-container');
        (place || document.body).append(dialog);
        window.civitaiGallerySpoken.regions(dialog);
        part.previous.addEventListener('click', () => step(-1));
        part.next.addEventListener('click', () => step(1));
        part.full.addEventListener('click', full);
        part.close.addEventListener('click', () => dialog.close());
        part.near = near(part.stage, part.zoomed, step);
        // on the window, as the focus may get lost, and as nothing below is to hear of a key
        window.addEventListener('keydown', (event) => {{
            if (dialog.open && !find('keys')) typed(event);  // their list lies over it
        }}, true);
        dialog.addEventListener('click', (event) => {{  // another gallery is opened below
            if (here(event.target, '[data-cg-source]')) dialog.close();
            if (here(event.target, '[data-cg-keep]')) keeps = true;
        }});
        dialog.addEventListener('close', () => {{
            shows += 1;
            part.near.clear();
            part.zoomed.replaceChildren();
            document.documentElement.classList.remove('cg-is-large');
            const back = [opener, current]
                .find((one) => one && one.isConnected && one.offsetParent);
            if (back) back.focus({{preventScroll: true}});
        }});
    }};
    // Another gallery, or another page, is shown below then.
    window.addEventListener('popstate', () => {{ if (state.isOpen()) dialog.close(); }});
    const named = () => {{
        const words = picture.words();
        dialog.setAttribute('aria-label', words.lightbox || '');
        for (const name of ['previous', 'next', 'close']) {{
            part[name].title = words['lightbox_' + name] || '';
            part[name].setAttribute('aria-label', part[name].title);
        }}
        part.full.textContent = words.lightbox_full || '';
    }};
    const watched = new WeakSet();
    const look = () => {{
        // before it is opened, as what it says is heard where it stood before
        if (!dialog && find('bar') && window.civitaiGallerySpoken) make();
        const side = find('side');
        if (side && side.dataset.lightbox === undefined) side.dataset.lightbox = '';
        const wanted = {{subtree: true, childList: true, characterData: true}};
        wanted.attributeFilter = ['data-waits'];
        for (const [place, heard] of [[find('details'), mirror], [find('kept_here'), kept]]) {{
            if (!place || watched.has(place)) continue;
            watched.add(place);
            new MutationObserver(heard).observe(place, wanted);
        }}
    }};
    state.open = (item, isChosen) => {{
        look();
        if (!item || !dialog || dialog.open) return;
        named();
        keeps = false;
        // who moved on through the pictures wants to go on from there
        const from = document.activeElement;
        opener = from === document.body || here(from, '#civitai_gallery_grid') ? null : from;
        document.documentElement.classList.add('cg-is-large');
        dialog.showModal();
        dialog.focus();
        go(item, isChosen);
    }};
    state.isOpen = () => Boolean(dialog && dialog.open);
    state.chosen = () => find('grid') && find('grid').querySelector('.thumbnail-item.selected');

    const cell = (event) => here(event.composedPath()[0], '#civitai_gallery_grid .thumbnail-item');
    // before the grid hears of it, to know what was chosen until now
    document.addEventListener('click', (event) => {{
        const item = cell(event);
        if (!item || event.defaultPrevented || here(item, '[data-picking]')) return;
        const isAgain = event.detail === 0 && item.classList.contains('selected');
        if (phone.matches || isAgain) state.open(item, true);  // the grid chooses it
    }}, true);
    document.addEventListener('dblclick', (event) => {{
        const item = cell(event);
        if (item && !here(item, '[data-picking]')) state.open(item, true);
    }});
    document.addEventListener('click', (event) => {{
        if (here(event.composedPath()[0], '#civitai_gallery_image .cg-open'))
            state.open(state.chosen(), true);
    }});
    setInterval(look, 500);
    look();
    return [];
}}"""
