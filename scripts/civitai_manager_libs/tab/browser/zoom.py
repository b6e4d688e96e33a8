"""How near a picture is looked at in the browser: by wheel, fingers, double click and keys."""

from __future__ import annotations

# Makes the picture in `zoomed`, which lies in `stage`, come nearer and be moved; where it is as far
# as can be, a finger that sweeps over it has `step` take the next one.
NEAR = """(stage, zoomed, step) => {
    const closest = 1, farthest = 8, swipe = 50;
    const here = (node, what) => node && node.closest && node.closest(what);

    // -- how near the picture is ------------------------------------------------------------------
    const view = {scale: 1, x: 0, y: 0};
    const place = () => {
        const box = stage.getBoundingClientRect();
        view.x = Math.min(0, Math.max(view.x, box.width * (1 - view.scale)));
        view.y = Math.min(0, Math.max(view.y, box.height * (1 - view.scale)));
        zoomed.style.transform =
            'translate(' + view.x + 'px,' + view.y + 'px) scale(' + view.scale + ')';
        stage.toggleAttribute('data-near', view.scale > closest);
    };
    const zoom = (factor, clientX, clientY) => {
        const box = stage.getBoundingClientRect();
        const scale = Math.min(farthest, Math.max(closest, view.scale * factor));
        const px = clientX - box.left, py = clientY - box.top, by = scale / view.scale;
        view.x = px - (px - view.x) * by;
        view.y = py - (py - view.y) * by;
        view.scale = scale;
        place();
    };
    const middle = (factor) => {
        const box = stage.getBoundingClientRect();
        zoom(factor, box.left + box.width / 2, box.top + box.height / 2);
    };
    const asItWas = () => { view.scale = 1; view.x = view.y = 0; place(); };
    const toggle = (event) => {
        if (view.scale > closest) asItWas();
        else zoom(2.5, event.clientX, event.clientY);
    };

    // -- fingers and the mouse --------------------------------------------------------------------
    const fingers = new Map();
    let apart = 0, began = null, tapped = 0, isMouse = true;
    const distance = () => {
        const [a, b] = [...fingers.values()];
        return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    };
    const pressed = (event) => {
        if (here(event.target, 'button') || event.button) return;
        isMouse = event.pointerType === 'mouse';
        fingers.set(event.pointerId, event);
        if (fingers.size === 1) began = event;
        if (fingers.size === 2) { apart = distance(); began = null; }
    };
    const moved = (event) => {
        const before = fingers.get(event.pointerId);
        if (!before) return;
        fingers.set(event.pointerId, event);
        if (fingers.size === 2) {
            const [a, b] = [...fingers.values()], now = distance();
            zoom(now / apart, (a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2);
            apart = now;
        } else if (view.scale > closest) {
            view.x += event.clientX - before.clientX;
            view.y += event.clientY - before.clientY;
            place();
        }
    };
    const lifted = (event) => {
        const isLast = fingers.delete(event.pointerId) && !fingers.size;
        if (!isLast || !began || event.type === 'pointercancel') return;
        const right = event.clientX - began.clientX, down = event.clientY - began.clientY;
        const isTouch = event.pointerType !== 'mouse';
        if (view.scale === closest && isTouch && Math.abs(right) > swipe
            && Math.abs(right) > 1.5 * Math.abs(down)) step(right < 0 ? 1 : -1);
        else if (isTouch && Math.hypot(right, down) < 10 && !here(event.target, 'video')) {
            if (event.timeStamp - tapped < 300) toggle(event);
            tapped = event.timeStamp;
        }
    };

    stage.addEventListener('wheel', (event) => {
        event.preventDefault();
        zoom(Math.exp(-event.deltaY / 400), event.clientX, event.clientY);
    }, {passive: false});
    stage.addEventListener('dblclick', (event) => {
        if (isMouse && !here(event.target, 'button, video')) toggle(event);
    });
    stage.addEventListener('pointerdown', pressed);
    stage.addEventListener('dragstart', (event) => event.preventDefault());
    window.addEventListener('pointermove', moved);
    for (const end of ['pointerup', 'pointercancel']) window.addEventListener(end, lifted);
    const clear = () => { fingers.clear(); began = null; };
    return {asItWas, clear, zoom: middle};
}"""
