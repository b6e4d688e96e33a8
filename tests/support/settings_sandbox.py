"""Settings a test may change freely, and a client whose waits take no time."""

from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest

from scripts.civitai_manager_libs import notices, setting, texts
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient, client
from scripts.civitai_manager_libs.http_client.pacing import budget

NAMES = (
    *(item.name for item in setting.SETTINGS),
    'civitai_api_key',
    'data_folder',
    'shortcut_thumbnail_folder',
)


@contextmanager
def sandbox(home: Path) -> Iterator[None]:
    """Keep data below `home`; afterwards every setting is what it was."""
    kept, sink = {name: getattr(setting, name) for name in NAMES}, notices.sink
    around = texts.around
    setting.data_folder = str(home)
    setting.shortcut_gallery_folder = str(home / 'picture_cache')
    setting.shortcut_thumbnail_folder = str(home / 'thumbnails')
    try:
        yield
    finally:
        notices.sink, texts.around = sink, around
        for name, value in kept.items():
            setattr(setting, name, value)


def fresh_client(monkeypatch: pytest.MonkeyPatch) -> CivitaiHttpClient:
    """A new client of this process; it retries and asks the API without waiting."""
    monkeypatch.setattr(budget, 'API_RATE', 1e6)
    monkeypatch.setattr(budget, 'API_BURST', 1e6)
    made = CivitaiHttpClient(sleep=lambda seconds: None)
    set_process_client(monkeypatch, made)
    return made


def set_process_client(monkeypatch: pytest.MonkeyPatch, wanted: CivitaiHttpClient | None) -> None:
    """Make `wanted` the client of this process; None: it is made at the next call."""
    monkeypatch.setattr(client, '_clients', [wanted] if wanted else [])
