"""The filters in the browser: kept there, shown as the gallery has them, told when they change.

Kept is what a person chose here, by name; a link that says something else changes the boxes only.
"""

from __future__ import annotations

# What the browser keeps, as text; read where it is needed, as no other code need have run by then.
KEPT = """(() => {
    try { return localStorage.getItem('civitai_gallery_filters') || ''; }
    catch (error) { return (window.civitaiGalleryFilters || {}).kept || ''; }
})()"""

# What the boxes held as one of them was changed.
CHOSEN = "(window.civitaiGalleryFilters || {}).wanted || ''"

WATCH_FILTERS = f"""() => {{
    if (window.civitaiGalleryFilters) return [];
    const state = window.civitaiGalleryFilters = {{kept: ''}};
    const usual = 250, none = {{filters: {{}}, shown: false}};
    let row = null, told = '', listed = 0, undo = [];
    const find = (what) => (window.gradioApp ? gradioApp() : document)
        .querySelector('#civitai_gallery_' + what);
    const boxes = () => [...((find('filters') || document.createElement('i'))
        .querySelectorAll('[data-filter]'))];
    const facts = () => {{
        const node = find('filters_told') && find('filters_told').querySelector('[data-told]');
        return {{node, ...(node ? JSON.parse(node.dataset.told) : none)}};
    }};
    const kept = () => {{
        try {{
            const found = JSON.parse({KEPT} || '{{}}');
            return found && typeof found === 'object' ? found : {{}};
        }} catch (error) {{ return {{}}; }}
    }};
    const keep = (name, value) => {{
        const all = kept();
        delete all[name];
        if (value) all[name] = value;
        state.kept = JSON.stringify(all);
        try {{ localStorage.setItem('civitai_gallery_filters', state.kept); }}
        catch (error) {{ /* it is kept until the page is left */ }}
    }};
    const isSwitch = (box) => box.type === 'checkbox';
    const usual_of = (box) => isSwitch(box) ? false
        : box.dataset.filter !== 'level' ? ''
        : [...box.options].filter((one) => !one.disabled).pop().value;
    const valueOf = (box) => isSwitch(box) ? box.checked : box.value;
    const put = (box, value) => {{
        if (isSwitch(box)) {{ box.checked = value === true; return; }}
        const text = String(value === undefined || value === null ? '' : value);
        const has = [...box.options].some((one) => one.value === text && !one.disabled);
        if (!has && text && box.dataset.filter === 'base_models') box.add(new Option(text, text));
        box.value = has || box.value === text ? text : usual_of(box);
        if (box.dataset.filter === 'base_models' && text) box.value = text;
    }};
    const count = () => {{
        const button = find('filters') && find('filters').querySelector('.cg-fold');
        if (!button) return;
        const on = boxes().filter((box) => !box.disabled && valueOf(box) !== usual_of(box)).length;
        button.textContent = button.dataset.title + (on ? ' (' + on + ')' : '');
    }};
    const settle = () => {{
        const now = facts(), all = kept();
        const levels = now.levels || JSON.parse(row.closest('[data-levels]').dataset.levels);
        for (const box of boxes()) {{
            const name = box.dataset.filter;
            if (name === 'level') for (const one of box.options)
                one.hidden = one.disabled = !levels.includes(one.value);
            box.disabled = Boolean(now.shown && !now.usable.includes(name));
            put(box, now.shown ? now.filters[name] : all[name] || usual_of(box));
        }}
        const [usual] = row.closest('.cg-filters').querySelector('[data-filter=sort]').options;
        usual.dataset.words = usual.dataset.words || usual.textContent;
        usual.textContent = now.order || usual.dataset.words;
        count();
    }};
    const choose = (names) => {{
        for (const box of boxes().filter((one) => names.includes(one.dataset.filter))) {{
            if (facts().shown) undo.push([box.dataset.filter, kept()[box.dataset.filter]]);
            keep(box.dataset.filter, valueOf(box) === usual_of(box) ? '' : valueOf(box));
        }}
        count();
        state.wanted = JSON.stringify(Object.fromEntries(
            boxes().map((one) => [one.dataset.filter, valueOf(one)])));
        if (facts().shown) find('filters_button').click();
    }};
    document.addEventListener('change', (event) => {{
        const [box] = event.composedPath();
        if (!box.closest || !box.closest('#civitai_gallery_filters [data-filter]')) return;
        const value = valueOf(box);
        look();  // what was told before it was changed does not undo that
        put(box, value);
        choose([box.dataset.filter]);
    }});
    document.addEventListener('click', (event) => {{
        const [pressed] = event.composedPath();
        const show = pressed.closest && pressed.closest('[data-unfilter]');
        const fold = pressed.closest && pressed.closest('#civitai_gallery_filters .cg-fold');
        if (show) {{
            look();
            const name = show.dataset.unfilter;
            const some = boxes().filter((box) => name === 'all'
                ? !['level', 'sort'].includes(box.dataset.filter) : box.dataset.filter === name);
            for (const box of some) put(box, usual_of(box));
            choose(some.map((box) => box.dataset.filter));
        }}
        if (fold) {{
            const open = find('see').toggleAttribute('data-open');
            fold.setAttribute('aria-expanded', String(open));
        }}
    }});
    // The row may be made anew, and what is told comes with every gallery.
    const look = () => {{
        const {{node}} = facts(), now = node ? node.dataset.told : '';
        const [first] = boxes();
        if (!first || (first === row && now === told)) return;
        row = first;
        if (now !== told) {{
            // what did not come is not kept
            const isNew = facts().listed !== listed;
            if (!isNew) for (const [name, value] of undo.reverse()) keep(name, value);
            listed = facts().listed;
            undo = [];
        }}
        told = now;
        settle();
    }};
    setInterval(look, usual);
    look();
    return [];
}}"""
