"""Jobs in the browser: their panel, and the line of the one that was begun in this tab.

What was pressed lives here until the server has taken it.
"""

from __future__ import annotations

_PAGE = '(window.gradioApp ? gradioApp() : document)'

# Hands the order that was given about a job, '' for none, to the server.
TAKE_ORDER = '(view) => [view, ((window.civitaiGalleryJobs || {}).orders || []).shift() || ""]'

# Keeps what is told of jobs up to date. What asks the server is a hidden button, pressed while a
# job moves, when the panel comes into view again, and for an order; else nothing is asked. What is
# told is made anew each time, so what was unfolded or had the focus in it has that again.
WATCH_JOBS = f"""(view) => {{
    if (window.civitaiGalleryJobs) return [view];
    const here = 'civitaiGalleryBegun', mostHere = 10;
    const begunHere = () => {{
        try {{
            return (sessionStorage.getItem(here) || '').split(',').filter(Boolean);
        }} catch (error) {{
            return [];  // no page may keep anything in this browser
        }}
    }};
    const keep = (jobs) => {{
        try {{ sessionStorage.setItem(here, jobs.slice(-mostHere).join(',')); }}
        catch (error) {{ return; }}
    }};
    const remember = (job) => keep([...begunHere().filter((one) => one !== job), job]);
    const forget = (last) => keep(begunHere().filter((job) => Number(job) > last));
    const before = begunHere();  // the page was opened anew since
    const state = window.civitaiGalleryJobs = {{
        orders: before.length ? ['recall ' + before.join(',')] : [],
    }};
    const usual = 1000, longest = 300000;
    const unfolded = new Set(), scrolled = {{}}, watched = {{jobs: null, begun: null}};
    let inView = true, due = 0, pressedAt = 0, patience = 10 * usual, focus = null, newest = '';
    let wasAsking = false, shown = 0, isOld = false;
    const find = (what) => {_PAGE}.querySelector('#civitai_gallery_' + what);
    const places = () => Object.values(watched).filter(Boolean);
    const order = (node, kind = 'order') => {{
        const part = node && node.closest && places().some((place) => place.contains(node));
        const button = part && node.closest('[data-' + kind + ']');
        return button ? button.dataset[kind] : '';
    }};
    const press = (wanted) => {{
        const button = find('jobs_button');
        if (!button) return;
        if (wanted) state.orders.push(wanted);
        pressedAt = Date.now();
        due = pressedAt + patience;
        patience = Math.min(2 * patience, longest);
        button.click();
    }};
    const settle = () => {{
        due = Date.now() + usual;
        patience = 10 * usual;
        // answers may pass each other
        const panel = watched.jobs.querySelector('[data-number]');
        const number = panel ? Number(panel.dataset.number) : shown;
        isOld = number < shown;
        shown = Math.max(number, shown);
        const told = watched.begun && watched.begun.querySelector('[data-begun]');
        const job = told ? told.dataset.begun : '';
        if (job && job !== newest && !begunHere().includes(job)) {{
            remember(job);
            // the form above it closes now
            setTimeout(() => watched.begun.scrollIntoView({{block: 'nearest'}}), 100);
        }}
        newest = job;
        for (const part of watched.jobs.querySelectorAll('details')) {{
            part.open = unfolded.has(part.dataset.name);
            const list = part.querySelector('ul');
            if (list && scrolled[part.dataset.name]) list.scrollTop = scrolled[part.dataset.name];
        }}
        if (document.activeElement !== document.body || !focus) return;
        const of = (which) => watched[focus.place].querySelector('[data-order' + which + '"]');
        const [what, id] = focus.order.split(' ');
        // behind "Show more" comes what it showed, see `browser.focus`
        const again = of('="' + focus.order) || (what !== 'more' && of('$=" ' + id));
        if (again) again.focus({{preventScroll: true}});
    }};
    const watch = (place, node) => {{
        watched[place] = node;
        // gradio 6 may change no more than texts and the number of the answer
        const changes = {{childList: true, subtree: true, attributeFilter: ['data-number']}};
        new MutationObserver(settle).observe(node, changes);
        node.addEventListener('toggle', (event) => {{
            const name = event.target.dataset.name;
            if (event.target.isConnected && name)
                unfolded[event.target.open ? 'add' : 'delete'](name);
        }}, true);
        node.addEventListener('scroll', (event) => {{
            const part = event.target.closest('details');
            if (part && part.isConnected) scrolled[part.dataset.name] = event.target.scrollTop;
        }}, true);
        node.addEventListener('focusin', (event) => {{
            const of = order(event.target);
            focus = of ? {{place, order: of}} : null;
        }});
    }};
    document.addEventListener('click', (event) => {{
        // the button under the mouse may have been made anew since it was pressed
        const [pressed] = event.composedPath();
        const isIn = places().some((place) => place.contains(pressed));
        const now = isIn && document.elementFromPoint(event.clientX, event.clientY);
        const wanted = order(pressed) || order(now);
        if (wanted.startsWith('hide ')) forget(Number(wanted.split(' ')[1]));
        if (wanted) press(wanted);
        const saved = order(pressed, 'saved') || order(now, 'saved');
        if (saved) {{
            state.saved = saved;
            find('saved_button').click();
            find('title').scrollIntoView({{block: 'nearest'}});
        }}
    }});
    const beat = () => {{
        for (const place of Object.keys(watched)) {{
            const node = find(place);
            if (node && node !== watched[place]) watch(place, node);
        }}
        const form = find('whole'), isAsking = Boolean(form && form.offsetParent);
        if (isAsking && !wasAsking) form.scrollIntoView({{block: 'nearest'}});
        wasAsking = isAsking;
        const panel = watched.jobs;
        const isSeen = Boolean(panel && panel.offsetParent) && !document.hidden;
        const moves = isSeen && places().some((place) => place.querySelector('[data-moves]'))
            && !places().some((place) => place.matches(':active'));
        // gradio drops what is pressed while it is busy with the press before
        const isLeft = (state.orders.length || isOld) && Date.now() > pressedAt + usual;
        if (isLeft || (isSeen && (!inView || (moves && Date.now() > due)))) press('');
        inView = isSeen || !panel;
    }};
    setInterval(beat, usual / 4);
    beat();
    return [view];
}}"""
