"""What the tests of the client share: a client whose waits are recorded, and bytes of each kind."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.scripted_server import ScriptedServer

API = 'https://civitai.com/api/v1/images'
PICTURE = 'https://image.civitai.com/bucket/5a5b/original=true/5a5b.jpeg'
KEY = 'sk-0123456789abcdef'


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, 'big') + name + data + zlib.crc32(name + data).to_bytes(4, 'big')


def png(padding: int = 0) -> bytes:
    """A whole PNG of one pixel, made longer by about `padding` bytes of text."""
    size = (1).to_bytes(4, 'big') * 2 + bytes((8, 0, 0, 0, 0))
    return b''.join(
        (
            b'\x89PNG\r\n\x1a\n',
            _png_chunk(b'IHDR', size),
            _png_chunk(b'tEXt', b'Comment\0' + b'x' * padding),
            _png_chunk(b'IDAT', zlib.compress(b'\0\0')),
            _png_chunk(b'IEND', b''),
        )
    )


class Waits(list[float]):
    """Stands for sleep: notes the seconds and goes on at once."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def patient(**options: Any) -> tuple[CivitaiHttpClient, Waits]:
    """A client with the usual patience and no jitter, and the list of the waits it makes."""
    waits = Waits()
    return CivitaiHttpClient(sleep=waits, chance=lambda: 0.5, **options), waits


def at_home(monkeypatch: pytest.MonkeyPatch, server: ScriptedServer) -> None:
    """Make `server` the configured Civitai."""
    monkeypatch.setattr(setting, 'civitai_base_url', server.url)


def files_in(folder: Path) -> list[str]:
    """Every file below `folder`, hidden ones too."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob('*') if not p.is_dir())
