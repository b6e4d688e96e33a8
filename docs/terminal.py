"""Draw docs/terminal.svg: what `download` shows on a terminal, beside the stand-in.

    pip install pyte        # a terminal without a screen; nothing else needs it
    python docs/terminal.py

Run from the project's folder, on Linux or macOS. Each part is the screen of one and the same run:
while the stand-in asks to wait, in the middle of it, and at the end.
"""

from __future__ import annotations

import fcntl
import html
import os
import pty
import select
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from civitai_demo.server import DemoServer  # noqa: E402  (found beside this folder only now)

COLUMNS, ROWS = 100, 8
COMMAND = ['civitai_gallery.py', 'download', '4201', '--to', 'pictures']
WAITS, MIDDLE = 4.6, 10.5  # seconds after the start
LINE, CHARACTER, EDGE = 20, 8.4, 16
COLOURS = {'default': '#d4d4d4', 'green': '#6a9955'}


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, site: str, home: str) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        environment = dict(os.environ, CIVITAI_GALLERY_HOME=f'{home}/data', CIVITAI_BASE_URL=site)
        environment.update(TERM='xterm-256color', COLORTERM='truecolor')
        self.process, self._end = pty.fork()
        if self.process == 0:
            os.chdir(home)
            launcher = str(ROOT / COMMAND[0])
            os.execve(sys.executable, [sys.executable, launcher, *COMMAND[1:]], environment)
        size = struct.pack('HHHH', ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, size)

    def watch(self, seconds: float) -> list[str]:
        """Let it run for so long, or to its end; the screen's lines as SVG text."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self._end], [], [], left)[0]:
                try:
                    self._stream.feed(os.read(self._end, 65536))
                except OSError:  # Linux' way to tell that the program has ended
                    break
        return [self._line(row) for row in range(ROWS) if self.screen.display[row].strip()]

    def _line(self, row: int) -> str:
        """One line, each stretch of one colour in a span."""
        spans: list[tuple[str, str]] = []
        for column in range(len(self.screen.display[row].rstrip())):
            cell = self.screen.buffer[row][column]
            colour = COLOURS.get(cell.fg, f'#{cell.fg}')
            if spans and spans[-1][0] == colour:
                spans[-1] = (colour, spans[-1][1] + cell.data)
            else:
                spans.append((colour, cell.data))
        return ''.join(
            f'<tspan fill="{colour}">{html.escape(text)}</tspan>' for colour, text in spans
        )


def picture(lines: list[str]) -> str:
    """The lines on a dark ground of their own, legible on a light page and on a dark one."""
    width, height = round(COLUMNS * CHARACTER + 2 * EDGE), len(lines) * LINE + 2 * EDGE
    texts = '\n'.join(
        f'<text x="{EDGE}" y="{EDGE + LINE * number + 15}">{line}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#1e1e1e" stroke="#555"/>\n'
        '<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" '
        f'xml:space="preserve" style="white-space:pre" fill="#d4d4d4">\n{texts}\n</g>\n</svg>\n'
    )


def told(text: str) -> str:
    """A line that is not of the program."""
    return f'<tspan fill="#8fbcdb">{html.escape(text)}</tspan>'


def main() -> None:
    """One run, three looks at it."""
    with tempfile.TemporaryDirectory() as home, DemoServer(latency=0.4, scenario='429:3') as demo:
        terminal = Terminal(demo.url, home)
        lines = [told(f'$ python {" ".join(COMMAND)}'), *terminal.watch(WAITS), '']
        lines += [told('# moments later'), *terminal.watch(MIDDLE - WAITS), '']
        demo.latency = 0.02
        lines += [told('# the end'), *terminal.watch(300)]
        os.waitpid(terminal.process, 0)
    (ROOT / 'docs' / 'terminal.svg').write_text(picture(lines), encoding='utf-8')


if __name__ == '__main__':
    main()
