"""`python -m civitai_demo`: run the stand-in until Ctrl-C."""

from __future__ import annotations

import argparse
import errno
import sys
from typing import Sequence

from .api.scenarios import SCENARIOS, parse_scenario
from .server import OPENING_PATH, DemoServer

DEFAULT_PORT = 8765


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; returns the exit code: 0, or 1 when the port cannot be had."""
    options = _parser().parse_args(arguments)
    try:
        with DemoServer(options.port, options.latency, options.scenario) as demo:
            opening = f'{demo.url}{OPENING_PATH}'
            print(f'Stand-in Civitai: {demo.url} (gallery: {opening}; Ctrl-C ends)', flush=True)
            demo.wait()
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = 'is taken' if taken else f'cannot be used ({error.strerror})'
        print(
            f'Port {options.port} {reason}. Choose another with --port; 0 means any free one.',
            file=sys.stderr,
        )
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m civitai_demo', description='A stand-in Civitai on this computer.'
    )
    parser.add_argument(
        '--port', type=_port, default=DEFAULT_PORT, help='default %(default)s; 0: any free one'
    )
    parser.add_argument(
        '--latency', type=_seconds, default=0.0, metavar='SECONDS', help='wait before every answer'
    )
    parser.add_argument(
        '--scenario',
        type=_scenario,
        default='',
        metavar='NAME[:N]',
        help=f'what goes wrong (for the first N requests): {", ".join(SCENARIOS)}',
    )
    return parser


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f'{text!r} is not a port (0 to 65535)')


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if 0 <= seconds <= 3600:
        return seconds
    raise argparse.ArgumentTypeError(f'{text!r} is not a number of seconds (0 to 3600)')


def _scenario(text: str) -> str:
    try:
        parse_scenario(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


if __name__ == '__main__':
    sys.exit(main())
