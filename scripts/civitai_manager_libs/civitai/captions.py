"""A prompt as the plain caption that trainers want beside a picture.

What only a WebUI understands goes: tags of networks, weights, brackets, prompt editing, BREAK and
AND. The rules are those of the WebUI's prompt parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from . import meta

_NETWORK = re.compile(r'<\w+:[^<>\n]+>')
_NUMBER = r'\s*[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*'
_AND, _PARTING = r'(?<!\w)AND(?!\w)', re.compile(r'(?<!\w)(?:AND|BREAK)(?!\w)')
# What a part of a prompt with AND counts: 'a cat :1.2 AND a dog'.
_SHARE = re.compile(rf':{_NUMBER}(?={_AND}|\Z)')
_WEIGHT = re.compile(_NUMBER)
_TOKEN = re.compile(r'\\.|[\[\]():|\\]|[^\\\[\]():|]+', re.DOTALL)
_SENTENCE = re.compile(r'([.!?;。！？；])\s*\n')
_SPACE = re.compile(r'[ \t\u3000]+')
# Nobody writes more of them into each other.
_DEEPEST = 100
_BRACKETS = {')': '(', ']': '['}


def caption(prompt: object) -> str:
    """Return `prompt` in one line without what only a WebUI understands, '' for no text.

    `(word:1.2)`, `((word))` and `[word]` are 'word'; of `[from:to:0.5]` what it ends as; of
    `[one|other]` both; `\\(` is a bracket. Never raises.
    """
    if not isinstance(prompt, str):
        return ''
    text = _NETWORK.sub('', meta.clean(prompt))
    if re.search(_AND, text):
        text = _SHARE.sub('', text)
    return _in_one_line(_plain(_PARTING.sub(',', text)))


def _in_one_line(text: str) -> str:
    """The words between commas and line ends, without what is empty between them."""
    words = re.split(r'[,\n]', _SENTENCE.sub(r'\1 ', text))
    return ', '.join(filter(None, (_SPACE.sub(' ', word).strip() for word in words)))


@dataclass
class _Bracket:
    """What stands in a bracket that is still open, parted at its colons and bars."""

    mark: str
    parts: list[list[str]] = field(default_factory=lambda: [[]])
    between: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Go on with `text`."""
        self.parts[-1].append(text)

    def part(self, mark: str) -> None:
        """Begin what follows a colon or bar."""
        self.between.append(mark)
        self.parts.append([])

    def as_it_stands(self) -> str:
        """All that stands in it."""
        marks = [*self.between, '']
        return ''.join(''.join(part) + mark for part, mark in zip(self.parts, marks))

    def meant(self) -> str:
        """What it means where it is closed."""
        is_choice = self.mark == '[' and '|' in self.between
        if self.between[-1:] == [':'] and _WEIGHT.fullmatch(''.join(self.parts[-1])):
            del self.parts[-1], self.between[-1]
            if self.mark == '[' and not is_choice:
                # the last of what takes each other's place that says something
                return next(filter(str.strip, map(''.join, reversed(self.parts))), '')
        if is_choice:
            return ' '.join(filter(None, (''.join(part).strip() for part in self.parts)))
        return self.as_it_stands()


def _plain(text: str) -> str:
    """`text` without brackets and what they mean; a closing one that none opens stays."""
    open_ones = [_Bracket('')]
    count = {'(': 0, '[': 0}
    for token in _TOKEN.findall(text):
        if token in count:
            if len(open_ones) <= _DEEPEST:
                count[token] += 1
                open_ones.append(_Bracket(token))
        elif token in _BRACKETS and count[_BRACKETS[token]]:
            _close(open_ones, count, _BRACKETS[token])
        elif token in (':', '|') and open_ones[-1].mark:
            open_ones[-1].part(token)
        else:
            open_ones[-1].add(token[1:] if token[0] == '\\' else token)
    return ''.join(one.as_it_stands() for one in open_ones)


def _close(open_ones: list[_Bracket], count: dict[str, int], mark: str) -> None:
    """Close the last bracket of `mark`, and with it those in it that are not closed."""
    while True:
        closed = open_ones.pop()
        count[closed.mark] -= 1
        is_it = closed.mark == mark
        open_ones[-1].add(closed.meant() if is_it else closed.as_it_stands())
        if is_it:
            return
