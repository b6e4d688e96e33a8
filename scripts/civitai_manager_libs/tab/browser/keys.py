"""The keys of the gallery in the browser, and the list of them.

They are heard where no field has the focus and nothing lies over the page, and only while the
gallery can be seen: the other tabs of a WebUI have keys of their own.
"""

from __future__ import annotations

from .language import LANGUAGE
from .picture import PAGE

WATCH_KEYS = f"""() => {{
    if (window.civitaiGalleryKeys) return [];
    const state = window.civitaiGalleryKeys = {{}};
    const find = (what) => {PAGE}.querySelector('#civitai_gallery_' + what);
    const here = (node, what) => node && node.closest && node.closest(what);
    const press = (what) => {{
        const button = find(what);
        if (button && !button.disabled) button.click();
    }};
    const picture = window.civitaiGalleryPicture, lightbox = window.civitaiGalleryLightbox;
    const fields = 'input, textarea, select, [contenteditable=""], [contenteditable=true], '
        + '[role=textbox], [role=listbox], [role=combobox], [role=slider]';
    const isSeen = (node) => Boolean(node && node.getClientRects().length);
    const isCovered = () => {{
        const host = document.getElementById('lightboxModal');  // that of AUTOMATIC1111
        return document.querySelector('dialog[open]') || (isSeen(host) && host.clientHeight);
    }};
    const cell = () => here(document.activeElement, '#civitai_gallery_grid .thumbnail-item')
        || lightbox.chosen();
    const enter = () => {{
        const stop = find('grid').querySelector('.thumbnail-item[tabindex="0"]');
        if (stop) stop.focus();
    }};
    const list = state.list = () => {{
        const words = picture.words(), dialog = document.createElement('dialog');
        dialog.className = 'cg-keys';
        dialog.id = 'civitai_gallery_keys';
        dialog.setAttribute('aria-label', words.keys);
        dialog.lang = {LANGUAGE};
        const title = document.createElement('h2');
        title.textContent = words.keys;
        const rows = document.createElement('dl');
        for (const [key, does] of Object.entries(words.key_list)) {{
            const name = document.createElement('dt'), told = document.createElement('dd');
            name.textContent = key;
            told.textContent = does;
            rows.append(name, told);
        }}
        const close = document.createElement('button');
        close.type = 'button';
        close.className = 'cg-button';
        close.textContent = words.keys_close;
        close.addEventListener('click', () => dialog.close());
        dialog.addEventListener('close', () => dialog.remove());
        dialog.addEventListener('keydown', (event) => {{
            event.stopPropagation();
            if (event.key === '?') dialog.close();
        }});
        dialog.append(title, rows, close);
        (find('bar').closest('.contain, .gradio-container') || document.body).append(dialog);
        dialog.showModal();
    }};
    const keys = {{
        ArrowLeft: enter,
        ArrowRight: enter,
        n: () => press('next'),
        p: () => press('prev'),
        d: () => {{
            const chosen = lightbox.chosen();
            if (!chosen || !picture.keep(picture.of(chosen))) press('download_page');
        }},
        f: () => {{
            const item = cell() || find('grid').querySelector('.thumbnail-item');
            if (item) lightbox.open(item, item === lightbox.chosen());
        }},
        s: () => {{
            const told = find('details');
            const star = told && told.querySelector('[data-cg-mark^=favourite]');
            if (star) star.click();
        }},
        '?': list,
    }};
    document.addEventListener('keydown', (event) => {{
        const work = keys[event.key], [node] = event.composedPath();
        if (!work || event.defaultPrevented || event.repeat || event.isComposing) return;
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.shiftKey && event.key !== '?') return;
        if (here(node, fields) || node.isContentEditable) return;
        if (!isSeen(find('bar')) || isCovered()) return;
        if (work === enter && node !== document.body) return;
        if (work !== list && !isSeen(find('title'))) return;  // models found hide it
        event.preventDefault();
        work();
    }});
    return [];
}}"""
