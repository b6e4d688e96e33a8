"""A small picture of a file, whatever kind it is and however it was turned."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from scripts.civitai_manager_libs.store import opening
from tests.support.pictures import MOVIE


@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'WEBP', 'GIF', 'BMP'])
@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'P', 'L'])
def test_a_small_picture_has_the_width_that_was_asked_for(
    tmp_path: Path, kind: str, mode: str
) -> None:
    path, target = tmp_path / 'large', tmp_path / 'small'
    picture = Image.new('RGB', (900, 1200), 'teal').convert(mode)
    (picture.convert('RGB') if (kind, mode) in (('JPEG', 'RGBA'), ('JPEG', 'P')) else picture).save(
        path, kind
    )
    assert opening.shrink(path, target, 450)
    with Image.open(target) as small:
        assert (small.format, small.size) == ('JPEG', (450, 600))


def test_a_picture_that_is_small_stays_as_large_as_it_is(tmp_path: Path) -> None:
    Image.new('RGB', (40, 900)).save(tmp_path / 'a.png')
    assert opening.shrink(tmp_path / 'a.png', tmp_path / 'small', 450)
    with Image.open(tmp_path / 'small') as small:
        assert small.size == (40, 900)


def test_a_picture_that_was_turned_stands_upright(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new('RGB', (800, 400)).save(tmp_path / 'a.jpg', exif=turned)
    assert opening.shrink(tmp_path / 'a.jpg', tmp_path / 'small', 200)
    with Image.open(tmp_path / 'small') as small:
        assert small.size == (200, 400)


@pytest.mark.parametrize('content', [b'', b'<html>', MOVIE, b'\x89PNG\r\n\x1a\n' + bytes(40)])
def test_of_what_is_no_picture_none_is_made(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'a.png').write_bytes(content)
    assert not opening.shrink(tmp_path / 'a.png', tmp_path / 'small', 450)
    assert not (tmp_path / 'small').exists()


def test_a_picture_of_absurd_size_is_not_decoded(tmp_path: Path) -> None:
    Image.new('1', (10_000, 10_000)).save(tmp_path / 'a.png')
    assert not opening.shrink(tmp_path / 'a.png', tmp_path / 'small', 450)
