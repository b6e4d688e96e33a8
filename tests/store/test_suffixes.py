"""Picture files whatever their extension, and the one that their bytes call for."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.civitai_manager_libs.errors import StorageError
from scripts.civitai_manager_libs.store import suffixes
from tests.support.network import files_in, png

JPEG = b'\xff\xd8\xff\xe0' + bytes(40)


@pytest.mark.parametrize('name', ['a.png', 'a.jpeg', 'a.mp4', 'a.webp', 'a.PNG', 'a.JPG'])
def test_a_picture_is_found_whatever_its_extension(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b'x')
    (tmp_path / 'a.txt').write_bytes(b'x')
    found = suffixes.existing_picture(tmp_path, 'a')
    assert found is not None and found.samefile(tmp_path / name)
    assert len(suffixes.pictures_called(tmp_path, 'a')) == 1
    assert suffixes.existing_picture(tmp_path, 'b') is None
    assert suffixes.existing_picture(tmp_path / 'missing', 'a') is None


NAMED = [
    ('a.jpeg', png(), 'a.png'),
    ('a.mp4', JPEG, 'a.jpg'),
    ('a.PNG', png(), 'a.PNG'),
    ('a.v2.jpeg', png(), 'a.v2.png'),
    ('a.bin', b'neither', 'a.bin'),
]


@pytest.mark.parametrize(('name', 'content', 'right'), NAMED)
def test_a_file_gets_the_extension_of_its_bytes(
    tmp_path: Path, name: str, content: bytes, right: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert suffixes.named_by_bytes(tmp_path / name) == tmp_path / right
    assert files_in(tmp_path) == [right] and (tmp_path / right).read_bytes() == content


def test_no_other_file_loses_its_name_to_it(tmp_path: Path) -> None:
    (tmp_path / 'a.jpeg').write_bytes(png())
    (tmp_path / 'a.png').write_bytes(b'mine')
    with pytest.raises(StorageError):
        suffixes.named_by_bytes(tmp_path / 'a.jpeg')
    assert (tmp_path / 'a.png').read_bytes() == b'mine' and (tmp_path / 'a.jpeg').exists()


def test_a_missing_file_keeps_its_name(tmp_path: Path) -> None:
    assert suffixes.named_by_bytes(tmp_path / 'a.jpeg') == tmp_path / 'a.jpeg'
