"""Where we run: the only place that will know a WebUI. Today that is on our own."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import platformdirs


class Host(Protocol):
    """What the rest of the house needs from the program it lives in."""

    def downloads_folder(self) -> Path:
        """The folder a person expects downloaded pictures in; it may not exist yet."""


class StandaloneHost:
    """No WebUI around us."""

    def downloads_folder(self) -> Path:
        """A folder in the user's own pictures folder."""
        return platformdirs.user_pictures_path() / 'Civitai Gallery'


def detect() -> Host:
    """Return the host we run in."""
    return StandaloneHost()
