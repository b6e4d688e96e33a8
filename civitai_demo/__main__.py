"""`python -m civitai_demo`: run the stand-in until Ctrl-C."""

from __future__ import annotations

import argparse
import errno
import signal
import sys
from typing import Sequence

from .api import scenarios

DEFAULT_PORT = 8765

# The same as in the table of all exit codes.
CANNOT_START = 3
TERMINATED = 143


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C (0) or SIGTERM (143); returns the exit code, 3 if it cannot start."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        _serve(options)
    except KeyboardInterrupt:
        return 0
    except ImportError as error:
        how = 'With all it needs: python civitai_gallery.py demo'
        print(f'The stand-in cannot start: {error}. {how}', file=sys.stderr)
        return CANNOT_START
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = 'is taken' if taken else f'cannot be used ({error.strerror})'
        print(
            f'Port {options.port} {reason}. Choose another with --port; 0 means any free one.',
            file=sys.stderr,
        )
        return CANNOT_START
    return 0


def _serve(options: argparse.Namespace) -> None:
    from .server import OPENING_PATH, DemoServer  # which needs packages that may not be there

    with DemoServer(options.port, options.latency, options.scenario) as demo:
        opening = f'{demo.url}{OPENING_PATH}'
        print(f'Stand-in Civitai: {demo.url} (gallery: {opening}; Ctrl-C ends)', flush=True)
        demo.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m civitai_demo',
        description='A stand-in Civitai on this computer.',
        epilog=scenarios.listed(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
        help='what goes wrong (for the first N requests), see below',
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
        scenarios.parse_scenario(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


if __name__ == '__main__':
    sys.exit(main())
