"""Which model a file is of that the lists of a WebUI show."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive import holdings
from scripts.civitai_manager_libs.archive.database import Database
from scripts.civitai_manager_libs.archive.holdings import Holding
from scripts.civitai_manager_libs.errors import SourceError
from scripts.civitai_manager_libs.library import named
from tests.support.models import put

BASE = 'https://civitai.com'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of models that the setting names."""
    made = tmp_path / 'models'
    (made / 'Stable-diffusion').mkdir(parents=True)
    (made / 'Lora' / 'sub').mkdir(parents=True)
    setting.models_folder, setting.civitai_base_url = str(made), BASE
    return made


def noted(db: Database, path: Path, version: int = 0, model: int = 0, asked: float = 0) -> Path:
    """A file on the disk that a scan knows so."""
    put(path)
    there = os.stat(path)
    one = Holding(path, 'LORA', there.st_size, there.st_mtime_ns, 'ab' * 32)
    found = replace(one, version_id=version, model_id=model, asked_at=asked)
    holdings.note(db, [found], time.time())
    return path


def refused(db: Database, name: str, path: str = '') -> SourceError:
    with pytest.raises(SourceError) as caught:
        named.gallery_of(db, name, path)
    return caught.value


def test_a_scanned_file_is_known_by_its_path_in_any_case(db: Database, folder: Path) -> None:
    path = noted(db, folder / 'Lora' / 'Mine.v2.safetensors', 70, 7)
    for told in (str(path), str(path).lower()):
        assert named.gallery_of(db, 'x', told) == f'{BASE}/models/7?modelVersionId=70'


def test_where_the_list_tells_no_path_its_name_does(db: Database, folder: Path) -> None:
    noted(db, folder / 'Lora' / 'Mine.v2.safetensors', 70, 7)
    for name in ('Mine.v2', 'mine.v2', 'Mine.v2.safetensors'):
        assert named.gallery_of(db, name, '') == f'{BASE}/models/7?modelVersionId=70'


def test_a_file_is_not_taken_for_its_namesake(db: Database, folder: Path) -> None:
    noted(db, folder / 'Lora' / 'mine.safetensors', 70, 7)
    other = folder / 'Lora' / 'sub' / 'mine.safetensors'
    put(other)
    assert refused(db, 'mine', str(other)).key == 'card_unknown'
    noted(db, other, 80, 8)
    assert refused(db, 'mine').key == 'card_unknown'  # which of both?
    assert named.gallery_of(db, 'mine', str(other)) == f'{BASE}/models/8?modelVersionId=80'


def test_a_folder_that_a_link_leads_to_is_the_same(db: Database, folder: Path) -> None:
    elsewhere = folder.parent / 'disk'
    path = noted(db, elsewhere / 'mine.safetensors', 70, 7)
    (folder / 'Lora' / 'more').symlink_to(elsewhere)
    (folder / 'VAE').symlink_to(elsewhere)
    told = folder / 'VAE' / path.name
    assert named.gallery_of(db, 'mine', str(told)) == f'{BASE}/models/7?modelVersionId=70'


BESIDE = {
    'the version alone': ({'id': 70}, '/model-versions/70'),
    'with its model': ({'id': 70, 'modelId': 7}, '/models/7?modelVersionId=70'),
}


@pytest.mark.parametrize(('told', 'page'), BESIDE.values(), ids=list(BESIDE))
def test_what_lies_beside_a_file_that_was_not_scanned_counts(
    db: Database, folder: Path, told: dict[str, int], page: str
) -> None:
    path = folder / 'Lora' / 'mine.safetensors'
    put(path, civitai_info=told)
    assert named.gallery_of(db, 'mine', str(path)) == BASE + page


def test_nothing_is_read_outside_the_folders_of_models(db: Database, folder: Path) -> None:
    outside = folder.parent / 'secret' / 'mine.safetensors'
    put(outside, civitai_info={'id': 70})
    (folder / 'Lora' / 'away.safetensors').symlink_to(outside)
    (folder / 'Lora' / 'away.civitai.info').write_text('{"id": 70}')
    climbing = folder / 'Lora' / '..' / '..' / 'secret' / 'mine.safetensors'
    for path in (outside, climbing, folder / 'Lora' / 'away.safetensors'):
        assert refused(db, 'mine', str(path)).key == 'card_unknown'


@pytest.mark.parametrize('path', ['\\\\evil\\share\\x.pt', 'x' * 100_000, '\0', '/', '.', '~'])
def test_odd_paths_are_refused(db: Database, folder: Path, path: str) -> None:
    assert refused(db, '', path).key == 'card_unknown'


def test_what_civitai_was_asked_and_does_not_know_is_told_as_such(
    db: Database, folder: Path
) -> None:
    path = noted(db, folder / 'Lora' / 'mine.safetensors', asked=1.0)
    assert refused(db, 'mine', str(path)).key == 'card_not_known'


def test_a_hint_says_how_it_can_become_known(db: Database, folder: Path) -> None:
    error = refused(db, '<b>mine')
    assert 'press Scan' in error.user_message and '<' not in error.user_message
