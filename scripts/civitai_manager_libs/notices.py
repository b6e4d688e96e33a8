"""Telling a person something from anywhere: where it is shown, whoever has a screen decides.

A notice is the key of a text and what fills it, because who tells it knows no language.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Mapping

Sink = Callable[[str, Mapping[str, Any]], None]

log = logging.getLogger(__name__)


def _logged(key: str, values: Mapping[str, Any]) -> None:
    log.info('%s %s', key, dict(values))


# Where notices go: the tab and the command line put their own here.
sink: Sink = _logged


class _Here(threading.local):
    sink: Sink | None = None


_here = _Here()


def here() -> Sink:
    """Return where what this thread tells goes, for one that tells something in its place."""
    return _here.sink or sink


def tell(key: str, **values: Any) -> None:
    """Tell the sentence `key`, filled with `values`."""
    here()(key, values)


@contextmanager
def going_to(other: Sink) -> Iterator[None]:
    """What this thread tells inside goes to `other`."""
    before, _here.sink = _here.sink, other
    try:
        yield
    finally:
        _here.sink = before
