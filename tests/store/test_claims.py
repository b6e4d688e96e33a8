"""A name belongs to who takes it first."""

from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from scripts.civitai_manager_libs.errors import StorageError
from scripts.civitai_manager_libs.store import claims
from tests.support.network import files_in


@pytest.fixture(params=['links', 'no links'], autouse=True)
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One with links, and one without as memory cards have it."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if request.param == 'no links':
        monkeypatch.setattr(os, 'link', refused)


def part_in(folder: Path, content: bytes = b'new') -> Path:
    part = folder / f'.{content.decode()}.part'
    part.write_bytes(content)
    return part


def test_a_free_name_is_taken(tmp_path: Path) -> None:
    assert claims.claim(part_in(tmp_path), tmp_path / 'a.png')
    assert files_in(tmp_path) == ['a.png']
    assert (tmp_path / 'a.png').read_bytes() == b'new'


def test_the_file_of_who_was_first_stays(tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_bytes(b'first')
    part = part_in(tmp_path)
    assert not claims.claim(part, tmp_path / 'a.png')
    assert (b'first', b'new') == ((tmp_path / 'a.png').read_bytes(), part.read_bytes())


@pytest.mark.skipif(sys.platform == 'win32', reason='links need a right there')
def test_a_link_to_nothing_stays(tmp_path: Path) -> None:
    (tmp_path / 'a.png').symlink_to(tmp_path / 'nothing')
    assert not claims.claim(part_in(tmp_path), tmp_path / 'a.png')
    assert (tmp_path / 'a.png').is_symlink()


def test_a_folder_of_that_name_is_told(tmp_path: Path) -> None:
    (tmp_path / 'a.png').mkdir()
    with pytest.raises(StorageError):
        claims.claim(part_in(tmp_path), tmp_path / 'a.png')


def test_of_many_at_once_one_gets_it_and_the_others_keep_what_they_have(tmp_path: Path) -> None:
    parts = [part_in(tmp_path, b'%d' % number) for number in range(8)]
    together, won = threading.Barrier(len(parts)), []

    def take(part: Path) -> None:
        together.wait(30)
        if claims.claim(part, tmp_path / 'a.png'):
            won.append(part)

    threads = [threading.Thread(target=take, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert [part for part in parts if not part.exists()] == won
