"""Where extensions leave their callbacks."""

from __future__ import annotations

from typing import Any, Callable

tabs: list[Callable[[], Any]] = []
settings: list[Callable[[], Any]] = []
started: list[Callable[[Any, Any], Any]] = []


def on_ui_tabs(callback: Callable[[], Any]) -> None:
    tabs.append(callback)


def on_ui_settings(callback: Callable[[], Any]) -> None:
    settings.append(callback)


def on_app_started(callback: Callable[[Any, Any], Any]) -> None:
    started.append(callback)


def clear_callbacks() -> None:
    tabs.clear()
    settings.clear()
    started.clear()
