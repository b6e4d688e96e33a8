"""Pages in Traditional Chinese beside English ones: what of them is out of step, line by line.

`NAME.zh-TW.md` is the translation of `NAME.md`. Both have the same blocks in the same order, and
each block the same code, numbers (digits stay digits) and links.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

from scripts.civitai_manager_libs import setting
from tests.support.pages import Block, anchors, blocks, read
from tests.support.paths import ROOT

SUFFIX = '.zh-TW.md'
TRANSLATED = sorted([*ROOT.glob(f'*{SUFFIX}'), *ROOT.glob(f'docs/**/*{SUFFIX}')])
LANGUAGE_LINE = 1  # the second block: the link to the page in the other language
CHINESE = re.compile('[\u3400-\u9fff]')
NUMBER = re.compile(r'\d[\d.,:]*\d|\d')
ENGLISH_WORDS = re.compile(r"[a-z]+(?:,? [a-z']+){2,}")
ENGLISH_MESSAGE = re.compile('"[^"]*"')
CHOICES = {word for item in setting.SETTINGS for one in item.choices for word in one.split()}
NAMES = {'Civitai', 'Gallery', 'Ctrl-C', 'SIGTERM', *CHOICES}  # the same in every language


def english_of(page: Path) -> Path:
    """The page that `page` is a translation of."""
    return page.with_name(page.name.replace(SUFFIX, '.md'))


class Facts(NamedTuple):
    """What a block has in every language, in whatever order."""

    kind: str
    code: frozenset[str]
    numbers: frozenset[str]
    links: frozenset[str]


class Part(NamedTuple):
    """A block, and where it stands."""

    place: str
    facts: Facts


def parts(text: str, page: Path, link: Callable[[str], str] = str) -> list[Part]:
    """The parts of a page but for its language line; `link` says where a link ought to lead."""
    found = blocks(text)
    del found[LANGUAGE_LINE]
    return [Part(f'{page.name}:{one.line}', facts(one, link)) for one in found]


def facts(block: Block, link: Callable[[str], str]) -> Facts:
    """The facts of a block; a name to be filled in (`<model>`) may be translated."""
    return Facts(
        block.kind,
        frozenset(re.sub('<[^>]*>', '<>', code) for code in block.codes),
        frozenset(NUMBER.findall(' '.join(block.pieces))),
        frozenset(map(link, block.links)),
    )


def translated_link(page: Path, link: str) -> str:
    """Where a link of the English `page` leads in the other: to what is translated, if it is."""
    name, _, anchor = link.partition('#')
    target = (page.parent / name).resolve() if name else page
    translation = target.with_name(target.name.replace('.md', SUFFIX))
    if translation not in TRANSLATED:
        return link
    if anchor in (known := anchors(read(target))):
        anchor = dict(zip(known, anchors(read(translation)))).get(anchor, anchor)
    return name.replace('.md', SUFFIX) + f'#{anchor}' * bool(anchor)


def out_of_step(english: str, chinese: str, page: Path) -> list[str]:
    """What one of the texts has and the other has not; `page` is the place of the Chinese one."""
    original = english_of(page)
    due = parts(english, original, partial(translated_link, original))
    known = parts(chinese, page)
    steps = SequenceMatcher(None, [p.facts for p in due], [p.facts for p in known], autojunk=False)
    return [
        complaint
        for word, due_at, due_to, known_at, known_to in steps.get_opcodes()
        if word != 'equal'
        for pair in zip_longest(due[due_at:due_to], known[known_at:known_to])
        for complaint in unlike(*pair)
    ]


def unlike(due: Part | None, known: Part | None) -> Iterator[str]:
    """What to say of an English part and the Chinese one in its place."""
    if not (due and known):
        yield from (f'{p.place}: not in the other language: {p.facts}' for p in (due, known) if p)
        return
    for name, expected, found in zip(Facts._fields, due.facts, known.facts):
        if expected != found:
            yield f'{known.place}: {name} {found}, but {expected} in {due.place}'


def untranslated(text: str) -> list[int]:
    """The lines of blocks in which English is left: three words in a row, or no word of Chinese."""
    return [
        block.line
        for number, block in enumerate(blocks(text))
        if any(ENGLISH_WORDS.search(ENGLISH_MESSAGE.sub('', piece)) for piece in block.pieces)
        or number != LANGUAGE_LINE
        and any(map(is_foreign, block.pieces))
    ]


def is_foreign(piece: str) -> bool:
    """Whether a heading, paragraph or cell has words and names, but no Chinese."""
    return not CHINESE.search(piece) and bool(set(re.findall(r'[A-Za-z][\w.-]+', piece)) - NAMES)


def simplified(text: str) -> list[tuple[int, str]]:
    """Line and character of each that traditional Chinese (Big5) does not have."""
    return [
        (number, one)
        for number, line in enumerate(text.split('\n'), 1)
        for one in CHINESE.findall(line)
        if not one.encode('cp950', 'ignore')
    ]
