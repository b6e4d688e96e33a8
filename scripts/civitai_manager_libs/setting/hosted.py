"""What a WebUI's settings page holds for us and cannot be used: told once for each such value."""

from __future__ import annotations

import logging
import reprlib

log = logging.getLogger(__name__)

# Name of the setting: the value that was told last. It is looked at in every event of a page.
_told: dict[str, str] = {}


def note(name: str, value: object, usable: bool, used: object) -> None:
    """Log that the WebUI's `value` for the setting `name` is not usable and `used` counts."""
    unusable = '' if usable else reprlib.repr(value)
    if unusable and unusable != _told.get(name):
        log.warning('The WebUI has %s for %s, which is not usable; using %r', unusable, name, used)
    _told[name] = unusable
