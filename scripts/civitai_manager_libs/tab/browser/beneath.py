"""What stands below a picture shown alone: what the panel tells of it, and can do with it."""

from __future__ import annotations

from .picture import PAGE

# Makes it anew for the picture `current`; `close` closes what that is shown in.
BENEATH = f"""(current, close) => {{
    const picture = window.civitaiGalleryPicture, words = picture.words();
    const find = (what) => {PAGE}.querySelector('#civitai_gallery_' + what);
    const button = (textContent) => Object.assign(document.createElement('button'),
        {{type: 'button', className: 'cg-button', textContent}});
    const below = document.createElement('div');
    const about = find('details') && find('details').querySelector('.cg-details');
    if (!about || picture.now(about.dataset.of) !== picture.of(current)) {{
        const waits = document.createElement('p');
        waits.textContent = words.lightbox_waits;
        below.append(waits);
        return below;
    }}
    below.append(about.cloneNode(true));
    const buttons = document.createElement('p');
    buttons.className = 'cg-actions';
    const all = button(words.lightbox_copy_all);
    const told = {{done: words.copied, fails: words.copy_failed, cgCopy: 'infotext'}};
    Object.assign(all.dataset, told);
    const field = find('infotext').querySelector('textarea');
    if (field && field.value) buttons.append(all);
    for (const send of find('send') ? find('send').querySelectorAll('button') : []) {{
        if (send.disabled) continue;
        const own = button(send.textContent);
        own.addEventListener('click', () => {{ close(); send.click(); }});
        buttons.append(own);
    }}
    if (buttons.children.length) below.append(buttons);
    return below;
}}"""
