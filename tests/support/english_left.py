"""The English sentences of ours that a page shows, or tells to who hears it."""

from __future__ import annotations

import re
import string
from typing import Iterator

from playwright.sync_api import Page

from scripts.civitai_manager_libs import texts

# What is read or heard of our parts of the page. How a picture was made is told by Civitai, and a
# button with an icon is gradio's.
_SAID = """() => {
    const said = new Set();
    for (const part of document.querySelectorAll('[id^=civitai_gallery]')) {
        const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const node = walker.currentNode;
            if (!node.parentNode.closest('.cg-settings')) said.add(node.data);
        }
        for (const node of [part, ...part.querySelectorAll('*:not(.icon-button)')])
            for (const name of ['placeholder', 'title', 'aria-label', 'alt'])
                if (node.hasAttribute(name)) said.add(node.getAttribute(name));
    }
    return [...said].map((one) => one.trim()).filter(Boolean);
}"""
WORD = re.compile('[A-Za-z]{2,}')
A_SENTENCE = 3  # words; fewer may stand in anything, so they count only where they stand alone


def _sentences() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Those that are others in Chinese, and what they look like on a page."""
    for key, english in texts.TABLES['en'].items():
        parts = list(string.Formatter().parse(english))
        words = WORD.findall(' '.join(literal for literal, *_ in parts))
        is_filled = any(name is not None for _, name, *_ in parts)
        if english == texts.TABLES['zh_TW'][key] or (is_filled and len(words) < 2):
            continue
        looks = ''.join(re.escape(text) + ('.+' if name else '') for text, name, *_ in parts)
        whole = '' if len(words) >= A_SENTENCE else r'\Z'
        yield key, re.compile((r'\A' if whole else '') + looks + whole)


SENTENCES = tuple(_sentences())


def english_left(tab: Page) -> list[str]:
    """The keys of our English sentences on the page, each with where it stands."""
    said = tab.evaluate(_SAID)
    return [f'{key}: {one}' for one in said for key, looks in SENTENCES if looks.search(one)]
