"""How fast all model files of this process together may come."""

from __future__ import annotations

import threading
import time

from .. import forks, setting

MIB = 1024 * 1024
# Who was slower than the limit may be as much faster afterwards.
BURST_SECONDS = 0.2


class Rate:
    """Bytes a second, shared by all threads; the limit is the setting's, at each moment."""

    def __init__(self) -> None:
        self._lock = forks.Lock()
        self._due = 0.0  # when what came so far may have come

    def spend(self, size: int, stop: threading.Event) -> None:
        """Wait until `size` bytes more may have come, or `stop` is set."""
        limit = setting.model_download_rate * MIB
        if not limit:
            return
        with self._lock:
            now = time.monotonic()
            self._due = max(self._due, now - BURST_SECONDS) + size / limit
            wait = self._due - now
        if wait > 0:
            stop.wait(wait)


_rate = Rate()


def shared_rate() -> Rate:
    """Return the rate of this process."""
    return _rate
