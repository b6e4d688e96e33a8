"""What runs in the browser itself.

gradio 3 hands such a function the inputs and then the outputs of its event, and takes what it
returns for the inputs.
"""

from __future__ import annotations

_PAGE = '(window.gradioApp ? gradioApp() : document)'
_GRID = f"{_PAGE}.querySelector('#civitai_gallery_grid')"

# Presses the button whose id it is given; '' is none.
PRESS = f"""(id) => {{
    const button = id && {_PAGE}.querySelector('#' + id);
    if (button) button.click();
    return [];
}}"""


# Counts the clicks of this page into the last input, as they may reach the server in any order.
COUNT_CLICK = """(view, shown) => {
    window.civitaiGalleryClicks = (window.civitaiGalleryClicks || 0) + 1;
    return [view, shown, String(window.civitaiGalleryClicks)];
}"""


def hold_grid(inputs: int) -> str:
    """Keep the height of the grid while it is empty, so that nothing below it jumps."""
    return f"""(...given) => {{
    const grid = {_GRID};
    if (grid && grid.offsetHeight) grid.style.minHeight = grid.offsetHeight + 'px';
    return given.slice(0, {inputs});
}}"""


def let_go_of_grid(inputs: int) -> str:
    """Let the grid have its own height again once it has pictures, or two seconds later."""
    return f"""(...given) => {{
    const settle = (tries) => {{
        const grid = {_GRID};
        if (!grid) return;
        if (tries && !grid.querySelector('.thumbnail-item')) setTimeout(settle, 100, tries - 1);
        else grid.style.minHeight = '';
    }};
    setTimeout(settle, 100, 20);
    return given.slice(0, {inputs});
}}"""
