"""A model file is called as on the site, and takes nothing of another model's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies

from scripts.civitai_manager_libs.archive.place import archive
from scripts.civitai_manager_libs.library import arrival, naming
from scripts.civitai_manager_libs.store import partial


def called(name: str, form: str = 'SafeTensor', **version: Any) -> str:
    file = {'id': 7, 'name': name, 'metadata': {'format': form}}
    return naming.file_name(file, {'files': [file], **version})


@pytest.mark.parametrize(
    ('told', 'name'),
    [
        ('Gouache_v3.safetensors', 'Gouache_v3.safetensors'),
        ('add  detail-v1.0 (XL).safetensors', 'add detail-v1.0 (XL).safetensors'),
        ('水彩.safetensors', '水彩.safetensors'),
        ('easynegative.PT', 'easynegative.pt'),
        ('model.fp16.gguf', 'model.fp16.gguf'),
        ('../../etc/passwd', 'passwd.safetensors'),
        ('C:\\Windows\\evil.exe', 'evil.exe.safetensors'),
        ('page.html', 'page.html.safetensors'),
        ('nul.safetensors', 'nul_.safetensors'),
        ('.safetensors', 'safetensors.safetensors'),
        ('a\0b\u202e.safetensors', 'ab.safetensors'),
        ('', 'model.safetensors'),
    ],
)
def test_a_name_stays_what_it_is_where_it_is_legal(told: str, name: str) -> None:
    assert called(told) == name


@pytest.mark.parametrize(
    ('told', 'name'),
    [
        ('y.safetensors.civitai-part.json', 'y.safetensors_civitai-part.json'),
        ('y.ckpt.Civitai-PART.JSON', 'y.ckpt_Civitai-PART.json'),
        ('.civitai-part.json', 'civitai-part.json'),
        ('y.civitai-part', 'y.civitai-part.safetensors'),
        ('y.safetensors.civitai-part.lock', 'y.safetensors.civitai-part.lock.safetensors'),
        ('y.civitai-part.yaml', 'y.civitai-part.yaml'),
        ('y.civitai-part.json.json', 'y.civitai-part.json.json'),
        ('y.json', 'y.json'),
    ],
)
def test_no_file_is_called_as_what_is_kept_of_an_unfinished_one(told: str, name: str) -> None:
    """It would be taken away with that."""
    assert called(told) == name


def test_a_file_that_is_called_so_outlives_the_next_one(tmp_path: Path) -> None:
    path = next(naming.free_paths(tmp_path, called('y.safetensors.civitai-part.json')))
    path.write_bytes(b'{}')
    with partial.held(tmp_path / 'y.safetensors') as part:
        assert part.known() == {}
        part.note({'mark': '1/2'})
        part.remove()
    assert path.read_bytes() == b'{}'


@pytest.mark.parametrize(
    ('form', 'ending'),
    [('SafeTensor', '.safetensors'), ('PickleTensor', '.ckpt'), ('GGUF', '.gguf')],
)
def test_an_ending_that_no_model_has_gives_way_to_that_of_the_format(
    form: str, ending: str
) -> None:
    assert called('setup.bat', form) == f'setup.bat{ending}'


def test_what_nobody_knows_is_no_program_either() -> None:
    assert called('setup.exe', 'Other') == 'setup.exe.download'


@pytest.mark.parametrize(
    ('told', 'name'),
    [
        ('victim.metadata.json', 'victim_metadata.json'),
        ('victim.cm-info.json', 'victim_cm-info.json'),
        ('victim.preview.png', 'victim_preview.png'),
        ('victim.PREVIEW.jpeg', 'victim_PREVIEW.jpeg'),
        ('victim.description.txt', 'victim_description.txt'),
        ('victim.api_info.json', 'victim_api_info.json'),
        ('victim.triger.txt', 'victim_triger.txt'),
        ('victim.example.0.jpeg', 'victim_example.0.jpeg'),
        ('victim.preview .png', 'victim_preview.png'),
        ('victim.metadata.json.exe', 'victim.metadata.json.exe.safetensors'),
        # beside which its own card would lie
        ('victim.metadata.safetensors', 'victim_metadata.safetensors'),
        ('victim.civitai.info', 'victim.civitai.info.safetensors'),
        ('metadata.json', 'metadata.json'),
        ('my.previews.png', 'my.previews.png'),
    ],
)
def test_no_file_is_called_like_what_lies_beside_another(told: str, name: str) -> None:
    assert called(told) == name


def test_a_name_that_was_cut_is_not_called_like_what_lies_beside_another() -> None:
    for length in range(160, 200):
        name = called(f'{"v" * length}.preview.preview.png')
        assert not name.removesuffix('.png').endswith('.preview')


@given(strategies.text(max_size=400))
def test_any_name_leaves_room_for_what_lies_beside_it(told: str) -> None:
    name = called(f'{told}.safetensors')
    base = name.removesuffix('.safetensors')
    assert base and name != base and os.path.basename(name) == name
    assert len(f'{base}.metadata.json'.encode()) <= 200
    assert len(f'{base}.preview.jpeg'.encode()) <= 200


def test_files_of_one_version_and_one_name_are_told_apart() -> None:
    files: list[dict[str, Any]] = [
        {'id': 1, 'name': 'a.safetensors', 'metadata': {'size': 'full', 'fp': 'fp32'}},
        {'id': 2, 'name': 'a.safetensors', 'metadata': {'size': 'pruned', 'fp': 'fp16'}},
        {'id': 3, 'name': 'b.safetensors', 'metadata': None},
        {'id': 4, 'name': 'b.safetensors'},
        {'id': 5, 'name': 'c.safetensors', 'metadata': {'size': 'full'}},
    ]
    assert [naming.file_name(file, {'files': files}) for file in files] == [
        'a full fp32.safetensors',
        'a pruned fp16.safetensors',
        'b-3.safetensors',
        'b-4.safetensors',
        'c.safetensors',
    ]


def first(folder: Path, name: str = 'a.safetensors', version: int = 5) -> str:
    return next(naming.free_paths(folder, name, version)).name


def test_a_free_name_is_taken_as_it_is(tmp_path: Path) -> None:
    assert first(tmp_path) == 'a.safetensors'
    assert first(tmp_path / 'not there') == 'a.safetensors'


@pytest.mark.parametrize(
    ('there', 'expected'),
    [
        (['a.safetensors'], 'a-2.safetensors'),
        (['a.safetensors', 'a-2.safetensors'], 'a-3.safetensors'),
        (['a.ckpt'], 'a-2.safetensors'),
        (['a-2.safetensors'], 'a.safetensors'),
        (['a.yaml'], 'a.safetensors'),
        (['b.safetensors'], 'a.safetensors'),
    ],
)
def test_no_two_models_of_a_folder_have_one_name_without_its_ending(
    tmp_path: Path, there: list[str], expected: str
) -> None:
    for name in there:
        (tmp_path / name).touch()
    assert first(tmp_path) == expected


CHECKPOINTS = [
    pytest.param({'a.safetensors': 5}, 'a.yaml', id='its own'),
    pytest.param({'a.ckpt': 5}, 'a.yaml', id='its own, a pickle'),
    pytest.param({'b.safetensors': 6}, 'a.yaml', id='none'),
    pytest.param({'a.safetensors': 6}, 'a-2.yaml', id='of another version'),
    pytest.param({'a.safetensors': 5, 'a.ckpt': 6}, 'a-2.yaml', id='one of another version'),
    pytest.param({'a.gguf': 0}, 'a-2.yaml', id='that nobody knows'),
    pytest.param({'a.yml': 6}, 'a-2.yaml', id='none, but a config of another version'),
]


@pytest.mark.parametrize(('there', 'expected'), CHECKPOINTS)
def test_a_config_is_called_as_a_checkpoint_of_its_version(
    tmp_path: Path, there: dict[str, int], expected: str
) -> None:
    """Though nothing lies beside them: companions are there or not, as a person likes."""
    for name, version in there.items():
        (tmp_path / name).touch()
        arrival.note(archive(), tmp_path / name, {'id': version}, kind='Checkpoint')
    assert first(tmp_path, 'a.yaml') == expected


@pytest.mark.parametrize('ending', ['.yaml', '.yml'])
@pytest.mark.parametrize(('version', 'is_taken'), [(5, True), (6, False), (0, False)])
def test_what_lies_beside_a_checkpoint_tells_whether_a_config_is_its_own(
    tmp_path: Path, ending: str, version: int, is_taken: bool
) -> None:
    (tmp_path / 'a.safetensors').touch()
    (tmp_path / 'a.civitai.info').write_text(json.dumps({'id': version}))
    assert (first(tmp_path, f'a{ending}') == f'a{ending}') is is_taken


@pytest.mark.parametrize('there', ['a.yaml', 'a.yml', 'a.json', 'a.txt', 'a.png', 'a.jpeg'])
@pytest.mark.parametrize(
    ('version', 'expected'), [(5, 'a.safetensors'), (6, 'a-2.safetensors')], ids=repr
)
def test_no_model_comes_to_lie_beside_a_file_of_another_one(
    tmp_path: Path, there: str, version: int, expected: str
) -> None:
    (tmp_path / there).touch()
    arrival.note(archive(), tmp_path / there, {'id': version}, kind='Checkpoint')
    assert first(tmp_path) == expected


def test_a_link_to_nothing_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / 'a.safetensors').symlink_to(tmp_path / 'elsewhere')
    assert first(tmp_path) == 'a-2.safetensors'


@pytest.mark.parametrize(
    ('ending', 'content'),
    [
        ('.civitai.info', {'id': 6}),
        ('.json', {'modelVersionId': 6}),
        ('.metadata.json', {'civitai': {'id': 6}}),
        ('.cm-info.json', {'VersionId': 6}),
    ],
)
def test_what_was_left_behind_of_another_version_is_not_taken_for_ours(
    tmp_path: Path, ending: str, content: dict[str, Any]
) -> None:
    (tmp_path / f'a{ending}').write_text(json.dumps(content))
    assert first(tmp_path) == 'a-2.safetensors'
    assert first(tmp_path, version=6) == 'a.safetensors'
