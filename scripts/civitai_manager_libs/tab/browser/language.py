"""The language of the page, told to the browser: it chooses fonts and voices by it."""

from __future__ import annotations

import json

from ... import setting, texts

# In a WebUI only the tab is ours, which may come later; what lies over the page says its language
# itself.
_SPEAK = """() => {
    const language = window.civitaiGalleryLanguage = LANGUAGE, often = 500;
    const page = window.gradioApp ? gradioApp() : document;
    const say = () => {
        const tab = page.querySelector('#tab_civitai_gallery');
        const ours = IS_OURS ? document.documentElement : tab;
        if (ours && ours.lang !== language) ours.lang = language;
    };
    setInterval(say, often);
    say();
    return [];
}"""
LANGUAGE = "window.civitaiGalleryLanguage || ''"

# The page is opened anew where what was told says that it speaks another language from now on.
CHANGED = '<span data-language></span>'
OPEN_ANEW = f"""(told) => {{
    if (told.includes('{CHANGED}')) location.reload();
    return [];
}}"""


def speaks(is_ours: bool) -> str:
    """Say which language the labels are in; `is_ours`: so is all of the page.

    It is made with the components, whose labels stay as they are made.
    """
    language = json.dumps(texts.tag(setting.language))
    return _SPEAK.replace('IS_OURS', json.dumps(is_ours)).replace('LANGUAGE', language)
