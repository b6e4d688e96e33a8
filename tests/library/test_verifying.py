"""Files that went bad on the disk are told from those that are as the site offers them."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.errors import CancelledError
from scripts.civitai_manager_libs.library import scan, told, verifying
from scripts.civitai_manager_libs.library.verifying import Verdict
from tests.support.models import put, safetensors

never = threading.Event()


def found(db: Database) -> dict[str, Verdict]:
    return {one.holding.path.name: one.verdict for one in verifying.verify(db, never)}


@pytest.fixture
def folder(db: Database, tmp_path: Path) -> Path:
    good = put(tmp_path / 'good.safetensors', json={'modelVersionId': 20})
    put(tmp_path / 'other.safetensors', json={'modelVersionId': 20})
    put(tmp_path / 'own.safetensors')
    put(tmp_path / 'page.safetensors', b'<html>log in</html>')
    put(tmp_path / 'rotten.safetensors')
    told.keep(told.VERSION, {20: {'files': [None, {'hashes': {'SHA256': good.upper()}}]}})
    scan.look(db, {tmp_path: 'LORA'}, never)
    return tmp_path


def test_each_file_is_told_for_what_it_is(db: Database, folder: Path) -> None:
    rotten = folder / 'rotten.safetensors'
    scan.hash_files(db, never)
    then = rotten.stat()
    rotten.write_bytes(safetensors(b'rotten.SAFETENSORS'))
    os.utime(rotten, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert rotten.stat().st_size == then.st_size
    assert found(db) == {
        'good.safetensors': Verdict.GOOD,
        'other.safetensors': Verdict.OTHER,
        'own.safetensors': Verdict.WHOLE,
        'page.safetensors': Verdict.BROKEN,
        'rotten.safetensors': Verdict.SPOILED,
    }


def test_what_was_read_need_not_be_read_again(db: Database, folder: Path) -> None:
    (folder / 'own.safetensors').unlink()
    told_of: list[scan.Progress] = []
    assert 'own.safetensors' not in {
        one.holding.path.name for one in verifying.verify(db, never, told_of.append)
    }
    assert (told_of[-1].done, told_of[-1].total) == (5, 5)
    (folder / 'page.safetensors').unlink()
    assert scan.hash_files(db, never) == 0


def test_it_can_be_stopped(db: Database, folder: Path) -> None:
    stop = threading.Event()
    files = verifying.verify(db, stop)
    next(files)
    stop.set()
    with pytest.raises(CancelledError):
        next(files)
