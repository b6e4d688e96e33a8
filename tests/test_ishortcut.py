"""What is known of a model, kept so that its name is known without asking again."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import responses

from scripts.civitai_manager_libs import ishortcut, notices, setting
from tests.support.pictures import drawn

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


def dated(number: int, **told: object) -> dict[str, object]:
    return {'id': number, 'name': f'v{number}', **told}


WITH_VERSIONS = {
    **MODEL,
    'modelVersions': [
        dated(1, publishedAt='2025-03-01T00:00:00Z', images=[{'url': 'https://x/1.jpeg'}, 'odd']),
        dated(2, publishedAt='2025-01-01T00:00:00.000Z'),
        'odd',
        {'id': 'x'},
    ],
}


def grown_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let more than a day go by."""
    now = time.time()
    monkeypatch.setattr(time, 'time', lambda: now + 25 * 3600)


def test_what_is_a_day_old_is_asked_for_again(
    wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = wire.get(ADDRESS, json=MODEL)
    ishortcut.get_model_info(42)
    grown_old(monkeypatch)
    wire.remove(first)
    wire.get(ADDRESS, json={**MODEL, 'name': 'Renamed'})
    for _ in range(2):
        assert ishortcut.get_model_info(42) == {**MODEL, 'name': 'Renamed'}
    assert len(wire.calls) == 2


@pytest.mark.parametrize('status', [404, 503])
def test_what_is_old_is_still_known_where_the_site_does_not_tell(
    wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    first = wire.get(ADDRESS, json=MODEL)
    ishortcut.get_model_info(42)
    grown_old(monkeypatch)
    wire.remove(first)
    wire.get(ADDRESS, status=status, json={'error': 'no'})
    assert ishortcut.get_model_info(42) == MODEL
    asked = len(wire.calls)
    assert ishortcut.get_model_info(42) == MODEL
    assert len(wire.calls) == asked, 'a look does not wait for the site each time'


@pytest.mark.parametrize('version_id', [1, '1', ' 1'], ids=repr)
def test_a_version_and_its_pictures_are_known_by_their_id(
    wire: responses.RequestsMock, version_id: int | str
) -> None:
    wire.get(ADDRESS, json=WITH_VERSIONS)
    found = ishortcut.get_version_info(42, version_id)
    assert found is not None and found['name'] == 'v1'
    assert ishortcut.get_version_images('42', version_id) == [{'url': 'https://x/1.jpeg'}]


@pytest.mark.parametrize('version_id', [3, 'x', '', None, True], ids=repr)
def test_what_is_no_version_of_a_model_is_nothing(
    wire: responses.RequestsMock, version_id: int | str
) -> None:
    wire.get(ADDRESS, json=WITH_VERSIONS)
    assert ishortcut.get_version_info(42, version_id) is None
    assert ishortcut.get_version_images(42, version_id) == []
    assert ishortcut.get_version_images(42, 2) == []


@pytest.mark.parametrize(
    ('versions', 'latest'),
    [
        ([dated(1, publishedAt='2025-03-01T00:00:00Z'), dated(2, publishedAt='2025-01-01')], 1),
        ([dated(1, publishedAt='2025-01-01'), dated(2, createdAt='2025-03-01')], 2),
        ([dated(1), dated(3), dated(2)], 3),
        ([dated(1, publishedAt='2025-03-01'), dated(2, publishedAt='2025-03-01')], 2),
        (
            [
                dated(1, publishedAt='2025-01-01'),
                dated(2, publishedAt='2025-02-01', paidAccess={'endsAt': '2999-01-01T00:00:00Z'}),
            ],
            2,
        ),
        ([dated(1, publishedAt={'x': 1}), 'odd', {'name': 'no id'}], 1),
        ([], None),
        ('odd', None),
    ],
)
def test_the_latest_version_is_the_one_published_last(
    wire: responses.RequestsMock, versions: object, latest: int | None
) -> None:
    wire.get(ADDRESS, json={**MODEL, 'modelVersions': versions})
    found = ishortcut.get_latest_version_info_by_model_id('42')
    assert (found and found['id']) == latest


@pytest.mark.parametrize(
    ('info', 'url'),
    [
        (WITH_VERSIONS, 'https://x/1.jpeg'),
        ({'modelVersions': [{'images': []}, {'images': [{}, {'url': 'b'}]}]}, 'b'),
        ({'modelVersions': [{}], 'images': [{'url': 'own'}]}, 'own'),
        ({'modelVersions': [{'images': [{'url': 7}, 'x']}]}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_preview_is_the_first_picture_of_the_versions(
    info: dict[str, object] | None, url: str | None
) -> None:
    assert ishortcut._get_preview_image_url(info) == url


def preview() -> Path:
    return Path(setting.shortcut_thumbnail_folder) / 'model_42_preview.jpg'


PICTURE = 'https://image.civitai.com/x/1.jpeg'
SHOWN = {'id': 42, 'images': [{'url': PICTURE}]}


def test_a_preview_is_fetched_once(wire: responses.RequestsMock) -> None:
    wire.get(PICTURE, body=drawn('JPEG'))
    for _ in range(2):
        found = ishortcut.download_model_preview_image_by_model_info(SHOWN)
        assert found == ishortcut.get_preview_image_by_model_info(SHOWN) == str(preview())
    assert len(wire.calls) == 1 and preview().read_bytes() == drawn('JPEG')


@pytest.mark.parametrize('info', [None, {}, {'id': 42}, {'images': SHOWN['images']}], ids=repr)
def test_without_a_preview_there_is_the_picture_that_stands_for_none(
    wire: responses.RequestsMock, info: dict[str, object] | None
) -> None:
    assert ishortcut.download_model_preview_image_by_model_info(info) is None
    assert ishortcut.get_preview_image_by_model_info(info) == setting.no_card_preview_image
    assert len(wire.calls) == 0


def test_a_preview_that_cannot_be_had_is_told_to_nobody(
    wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    monkeypatch.setattr(notices, 'sink', lambda key, values: notes.append(key))
    wire.get(PICTURE, status=404)
    assert ishortcut.get_preview_image_by_model_info(SHOWN) == setting.no_card_preview_image
    assert not preview().exists() and notes == []


@pytest.mark.parametrize('number', ['../../etc/x', '42/../43', None, True, -1, 1.5, [1]], ids=repr)
def test_an_id_that_is_none_leads_nowhere(number: object) -> None:
    assert ishortcut._get_preview_image_path({'id': number}) is None


def test_a_folder_that_cannot_be_made_is_no_preview(
    wire: responses.RequestsMock, tmp_path: Path
) -> None:
    (tmp_path / 'file').touch()
    setting.shortcut_thumbnail_folder = str(tmp_path / 'file' / 'below')
    assert ishortcut.get_preview_image_by_model_info(SHOWN) == setting.no_card_preview_image


def test_a_client_that_was_put_in_place_of_ours_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Swapped:
        def get_json(self, url: str, params: object = None) -> object:
            return MODEL

        def download_file(self, url: str, path: str) -> bool:
            return True

    monkeypatch.setattr(ishortcut, 'get_shortcut_client', Swapped)
    assert ishortcut.get_model_info(42) == MODEL
    assert ishortcut.download_model_preview_image_by_model_info(SHOWN) == str(preview())


@pytest.mark.parametrize(
    'odd',
    [
        pytest.param({1, 2}, id='set'),
        pytest.param(object(), id='object'),
        pytest.param(b'bytes', id='bytes'),
        pytest.param('\ud800', id='half-a-character'),
        pytest.param({(1, 2): 3}, id='key-that-is-no-text'),
        pytest.param(float('nan'), id='no-number'),
    ],
)
def test_what_a_swapped_client_says_need_not_be_json(
    monkeypatch: pytest.MonkeyPatch, odd: object
) -> None:
    said: dict[str, Any] = {'id': 42, 'name': 'Tidewater', 'odd': odd}

    class Swapped:
        def get_json(self, url: str, params: object = None) -> object:
            return said

    monkeypatch.setattr(ishortcut, 'get_shortcut_client', Swapped)
    assert ishortcut.get_model_info(42) is said
    assert ishortcut.get_version_info(42, 7) is None


def test_what_contains_itself_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    said: dict[str, Any] = {'id': 42, 'name': 'Tidewater'}
    said['again'] = said

    class Swapped:
        def get_json(self, url: str, params: object = None) -> object:
            return said

    monkeypatch.setattr(ishortcut, 'get_shortcut_client', Swapped)
    assert ishortcut.get_model_info(42) is said
