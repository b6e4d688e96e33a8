"""What became of several things that were asked for together, for programs."""

from __future__ import annotations

from typing import Any, Protocol, Sequence

from ..ending import ExitCode
from .telling import Reason

_TOTALS = 'found saved saved_now skipped already failed left gone hidden bytes'.split()


class Told(Protocol):
    """What became of anything that was asked for."""

    @property
    def source(self) -> str:
        """What was asked for."""

    @property
    def reason(self) -> Reason:
        """Why it ended as it did."""

    @property
    def code(self) -> ExitCode:
        """The exit code, if this is all that was asked for."""

    @property
    def is_complete(self) -> bool:
        """Whether all of it is there."""

    def as_json(self) -> dict[str, Any]:
        """Return what a program wants to know."""


def all_as_json(parts: Sequence[Told], was_stopped: bool, several: bool) -> dict[str, Any]:
    """Return what a program wants to know of all `parts`; one that was asked for alone is that."""
    if parts and not several:
        return parts[0].as_json()
    worst = max(parts, key=lambda part: part.code, default=None)
    reason = Reason.INTERRUPTED if was_stopped else worst.reason if worst else Reason.COMPLETE
    told = [{'source': part.source, **part.as_json()} for part in parts]
    return {
        'reason': reason.value,
        **{name: sum(one.get(name, 0) for one in told) for name in _TOTALS},
        'gaps': [gap for one in told for gap in one.get('gaps', ())],
        'complete': not was_stopped and all(part.is_complete for part in parts),
        'seconds': round(sum(one.get('seconds', 0) for one in told), 3),
        'sources': told,
    }
