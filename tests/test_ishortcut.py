"""What is known of a model, kept so that its name is known without asking again."""

import json
from pathlib import Path

import pytest
import responses

from scripts.civitai_manager_libs import ishortcut, setting

pytestmark = pytest.mark.usefixtures('client')

ADDRESS = 'https://civitai.com/api/v1/models/42'
MODEL = {'id': 42, 'name': 'Paper Horizons', 'type': 'Checkpoint'}


def kept() -> Path:
    """Where earlier versions kept it."""
    return Path(setting.data_folder) / 'models' / '42.json'


@pytest.mark.parametrize('model_id', [42, '42', ' 42 ', '0042'], ids=repr)
def test_a_model_is_asked_for_once_and_known_from_then_on(
    wire: responses.RequestsMock, model_id: int | str
) -> None:
    wire.get(ADDRESS, json=MODEL)
    for _ in range(2):
        info = ishortcut.get_model_info(model_id)
        assert info is not None and info['name'] == 'Paper Horizons'
    assert len(wire.calls) == 1


def test_what_is_kept_is_known_without_a_network(wire: responses.RequestsMock) -> None:
    kept().parent.mkdir()
    kept().write_text(json.dumps(MODEL))
    assert ishortcut.get_model_info(42) == MODEL
    kept().unlink()  # it has moved into the archive
    assert ishortcut.get_model_info(42) == MODEL
    assert len(wire.calls) == 0


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'{"id": 42',
        b'[]',
        b'null',
        b'{"id": 42}',
        b'{"name": ""}',
        b'{"name": 7}',
        b'\xff\xfe',
    ],
    ids=repr,
)
def test_a_spoiled_file_is_asked_for_again_and_repaired(
    wire: responses.RequestsMock, content: bytes
) -> None:
    kept().parent.mkdir()
    kept().write_bytes(content)
    wire.get(ADDRESS, json=MODEL)
    for _ in range(2):
        assert ishortcut.get_model_info(42) == MODEL
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    'answer',
    [{}, [], 'text', {'id': 42}, {'name': ''}, {'name': None}, {'error': 'Server busy'}],
    ids=repr,
)
def test_an_answer_without_a_name_is_nothing_and_not_kept(
    wire: responses.RequestsMock, answer: object
) -> None:
    wire.get(ADDRESS, json=answer)
    assert ishortcut.get_model_info(42) is None
    assert not kept().exists()


@pytest.mark.parametrize('status', [401, 403, 451, 503])
def test_a_failure_is_nothing_and_the_next_time_it_is_asked_again(
    wire: responses.RequestsMock, status: int
) -> None:
    failing = wire.get(ADDRESS, status=status, json={'error': 'no'})
    assert ishortcut.get_model_info(42) is None
    wire.remove(failing)
    wire.get(ADDRESS, json=MODEL)
    assert ishortcut.get_model_info(42) == MODEL


@pytest.mark.parametrize(
    'model_id',
    ['', ' ', 'x', '-1', '1.5', '../../42', '42/../43', '４２', '42\n43', '9' * 11, None, True],
    ids=repr,
)
def test_what_is_no_id_is_never_asked_for(wire: responses.RequestsMock, model_id: str) -> None:
    assert ishortcut.get_model_info(model_id) is None
    assert len(wire.calls) == 0
    assert not list(Path(setting.data_folder).glob('archive*'))


def test_a_folder_that_cannot_be_written_loses_nothing(
    wire: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    (Path(setting.data_folder) / 'archive.sqlite').mkdir()
    wire.get(ADDRESS, json=MODEL)
    assert ishortcut.get_model_info(42) == MODEL
    assert 'could not be kept' in caplog.text


def test_letters_that_no_file_can_hold_lose_nothing(wire: responses.RequestsMock) -> None:
    wire.get(ADDRESS, body='{"name": "Paper", "description": "half \\ud83d"}')
    info = ishortcut.get_model_info(42)
    assert info is not None and info['name'] == 'Paper'


BASE = 'https://civitai.com/api/v1'


def version(number: int, name: str) -> dict[str, object]:
    return {'id': number, 'modelId': 5, 'name': 'v1', 'model': {'name': name, 'type': 'LORA'}}


def listed(*numbers: int) -> dict[str, object]:
    versions = [{'id': number, 'name': 'v1'} for number in numbers]
    return {'items': [{'id': 5, 'name': 'Listed', 'type': 'LORA', 'modelVersions': versions}]}


def titles(*numbers: int) -> list[str]:
    return [found.title for found in ishortcut.known_versions(numbers)]


def test_many_versions_are_asked_for_at_once_the_rest_singly_and_all_once(
    wire: responses.RequestsMock,
) -> None:
    wire.get(f'{BASE}/models', json=listed(1, 2, 99))
    wire.get(f'{BASE}/model-versions/3', json=version(3, 'Alone'))
    for _ in range(2):
        assert ['Listed · v1', 'Listed · v1', 'Alone · v1'] == titles(1, 2, 3)
    first, *others = [call.request.url or '' for call in wire.calls]
    assert 'modelVersionIds=1%2C2%2C3' in first and 'nsfw=true' in first
    assert [f'{BASE}/model-versions/3'] == others


def test_one_version_is_asked_for_directly(wire: responses.RequestsMock) -> None:
    wire.get(f'{BASE}/model-versions/3', json=version(3, 'Alone'))
    assert ['Alone · v1'] == titles(3)


@pytest.mark.parametrize('answer', [{'error': 'x'}, {'items': 5}, []], ids=repr)
def test_a_server_that_knows_no_list_of_versions_is_asked_singly(
    wire: responses.RequestsMock, answer: object
) -> None:
    wire.get(f'{BASE}/models', status=400 if isinstance(answer, dict) else 200, json=answer)
    for number in (1, 2):
        wire.get(f'{BASE}/model-versions/{number}', json=version(number, f'M{number}'))
    assert ['M1 · v1', 'M2 · v1'] == titles(1, 2)


def test_a_version_that_is_gone_leaves_the_others(wire: responses.RequestsMock) -> None:
    wire.get(f'{BASE}/models', json=listed(1))
    wire.get(f'{BASE}/model-versions/2', status=404, json={'error': 'Model not found'})
    wire.get(f'{BASE}/model-versions/3', json=version(7, 'Another one'))
    assert ['Listed · v1'] == titles(1, 2, 3)


def test_without_a_network_the_versions_on_disk_are_known(wire: responses.RequestsMock) -> None:
    folder = Path(setting.data_folder) / 'versions'
    folder.mkdir()
    (folder / '1.json').write_text(json.dumps(version(1, 'Kept')))
    (folder / '2.json').write_text('{"id": 2')
    assert ['Kept · v1'] == titles(1, 2)
