"""The help of a word: all of it at any width, in one language, without the types of a program.

rich is loaded where help is asked for, and only then.
"""

from __future__ import annotations

import re
from typing import Any, Iterator

from .. import setting, texts

# A line may end before each of these: a run without blanks or, in Chinese, each character, with
# the brackets that open before it and what closes after it.
_OPENING, _CLOSING = '（「『【《', '，。、；：！？）」』】》'
_WIDE = '\u2e80-\uffef'
_PIECE = rf'\s+|[{_OPENING}]*(?:[^\s{_WIDE}]+|[{_WIDE}])[{_CLOSING}]*'  # made when it is needed


class _Prose:
    """Text that is wrapped where its language may be; rich only does at blanks."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from rich.text import Text

        lines = [
            one for line in self._text.split('\n') for one in _wrapped(line, options.max_width)
        ]
        yield Text('\n'.join(lines), overflow='fold')


def _wrapped(line: str, width: int) -> list[str]:
    """Part a line into such of at most `width` cells; only what has no break is longer."""
    from rich.cells import cell_len

    lines = ['']
    for piece in re.findall(_PIECE, line):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines[-1] = lines[-1].rstrip()
            lines.append('')
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return lines


def show(word: str, program: str, takes: str, params: Any) -> None:
    """Print the help of `word`, which the command line calls `program` and which `takes` this."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    usage = _text('help_usage', usage=f'{program} {takes}'.rstrip())
    for prose in (usage, _text(f'help_{word}')):
        console.print(_Prose(prose))
        console.print()
    panels: dict[str, list[tuple[str, str]]] = {}
    for one in params:
        about = 'help_help' if one.name == 'help' else f'help_{word}_{one.name}'
        panels.setdefault(_panel_of(one), []).append((_named(one), _text(about)))
    width = max(len(name) for rows in panels.values() for name, _ in rows)
    for title, rows in panels.items():
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(width=width, style='bold cyan', overflow='fold')
        table.add_column(ratio=1)
        for name, told in rows:
            table.add_row(Text(name), _Prose(told))
        console.print(Panel(table, title=Text(title), title_align='left', border_style='dim'))
    console.print()
    console.print(_Prose(_text(f'help_{word}_examples')))


def _panel_of(param: Any) -> str:
    kind = 'given' if param.param_type_name == 'argument' else 'how'
    return _text(f'help_panel_{getattr(param, "rich_help_panel", None) or kind}')


def _named(param: Any) -> str:
    """How a person writes it, with a word for its value where it takes one."""
    if param.param_type_name == 'argument':
        return str(param.metavar)
    names = [*sorted(param.opts, key=len), *param.secondary_opts]
    return ', '.join(names) + ('' if param.is_flag else f' {param.metavar}')


def _text(key: str, **values: object) -> str:
    return texts.text(key, setting.language, **values)
