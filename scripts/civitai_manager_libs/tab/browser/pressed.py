"""A button in the browser that was pressed: it shows that until something comes of it.

Most of what is pressed is answered by the server, which may be far away or busy.
"""

from __future__ import annotations

WATCH_PRESSED = """() => {
    if (window.civitaiGalleryPressed) return [];
    window.civitaiGalleryPressed = {};
    const shortest = 150, longest = 10000;
    const ours = '[id^=civitai_gallery_]', clock = '[data-testid=status-tracker]';
    let pressed = null;
    const end = (press) => {
        if (pressed !== press) return;
        press.button.removeAttribute('data-pressed');
        pressed = null;
    };
    const isNews = (change) => {
        const node = change.target.nodeType === 1 ? change.target : change.target.parentElement;
        return Boolean(node) && node !== pressed.button && !node.closest(clock);
    };
    window.addEventListener('click', (event) => {
        const [node] = event.composedPath();
        const button = node.closest && node.closest('button:not(.thumbnail-item)');
        if (!event.isTrusted || !button || !button.closest(ours)) return;
        if (pressed) end(pressed);
        const press = pressed = {button, at: Date.now()};
        button.setAttribute('data-pressed', '');
        setTimeout(() => end(press), longest);
    }, true);
    new MutationObserver((changes) => {
        if (!pressed || !changes.some(isNews)) return;
        setTimeout(end, Math.max(0, pressed.at + shortest - Date.now()), pressed);
    }).observe(document.body, {subtree: true, childList: true, characterData: true,
        attributes: true, attributeFilter: ['class', 'style', 'hidden', 'open', 'disabled']});
    return [];
}"""
