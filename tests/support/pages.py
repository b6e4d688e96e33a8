"""The project's pages in Markdown: what they are made of, line by line, as GitHub reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

MARKDOWN = MarkdownIt('commonmark').enable('table')
COMMENT = re.compile(r'(?<=\S)\s+# (.*)$')
OPENERS = {'list_item_open': 'item', 'tr_open': 'row'}
CLOSERS = {'list_item_close', 'tr_close'}


@dataclass
class Block:
    """A heading, paragraph, item of a list, row of a table, or one line of code.

    `line` counts from 1. `pieces` are the words outside of code: one text, or one for each cell;
    of a line of code its comment, which `codes` has without it.
    """

    kind: str
    line: int
    pieces: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


def blocks(text: str) -> list[Block]:
    """What the page `text` is made of, in its order."""
    found: list[Block] = []
    holder: Block | None = None
    kind = 'paragraph'
    for token in MARKDOWN.parse(text):
        line = token.map[0] + 1 if token.map else 0
        if token.type in OPENERS:
            holder = Block(OPENERS[token.type], line)
            found.append(holder)
        elif token.type in CLOSERS:
            holder = None
        elif token.type in ('heading_open', 'paragraph_open'):
            kind = 'paragraph' if token.tag == 'p' else f'heading {token.tag}'
        elif token.type in ('code_block', 'fence'):
            found += _code_lines(token.content, line)
        elif token.type == 'inline':
            if holder is None:
                found.append(Block(kind, line))
            _read(token.children or [], holder or found[-1])
    return found


def _read(parts: list[Token], block: Block) -> None:
    """Add one paragraph or cell to `block`."""
    piece = ''
    for part in parts:
        if part.type == 'code_inline':
            block.codes.append(part.content)
        elif part.type in ('link_open', 'image'):
            block.links.append(unquote(str(part.attrGet('href') or part.attrGet('src'))))
        piece += {'code_inline': '`', 'softbreak': ' '}.get(part.type, part.content)
    block.pieces.append(piece)


def _code_lines(content: str, first: int) -> list[Block]:
    lines = content.rstrip('\n').split('\n')
    return [
        Block('code', number, COMMENT.findall(line), [COMMENT.sub('', line)])
        for number, line in enumerate(lines, first)
    ]


def anchors(text: str) -> list[str]:
    """What a link to each heading of the page ends with, as GitHub makes it of the heading."""
    headings = [one for one in blocks(text) if one.kind.startswith('heading')]
    return [_anchor(one) for one in headings]


def _anchor(heading: Block) -> str:
    words = heading.pieces[0].lower()
    for code in heading.codes:
        words = words.replace('`', code, 1)
    return re.sub(r'[^\w\- ]', '', words).replace(' ', '-')


def quoted_messages(text: str) -> list[tuple[int, str]]:
    """Line and text of each message that stands in quotes in the first cell of a table's row."""
    return [
        (block.line, ''.join(quoted))
        for block in blocks(text)
        if block.kind == 'row'
        for quoted in re.findall(r'"([^"]+)"|「([^」]+)」', block.pieces[0])
    ]


def setting_rows(text: str) -> dict[str, tuple[str, str]]:
    """Default and range of each setting in the README's table, by its name."""
    rows = re.findall(r'^\| `([a-z_]+)` \| ([^|]*?) \| ([^|]*?) \|', text, re.MULTILINE)
    return {name: (default, bounds) for name, default, bounds in rows}


def read(path: Path) -> str:
    """The text of a page."""
    return path.read_text(encoding='utf-8')
