"""The list of models: filters, orders, and the words it understands."""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest

from civitai_demo.server import DemoServer
from tests.support.demo import KEY, MODELS, get, items, walk

Model = dict[str, Any]
EVERYBODY = {4201, 4317, 4452, 4588, 4703, 4810, 4826, 4839, 4851, 4864, 4890, 4903}
ARCHIVED = 4877


def ids(demo: DemoServer, query: str) -> list[int]:
    return [model['id'] for model in items(demo, f'{MODELS}?{query}')]


@pytest.mark.parametrize(
    ('query', 'expected'),
    [
        pytest.param('', EVERYBODY, id='all-but-what-is-archived'),
        pytest.param('archived=true', EVERYBODY | {ARCHIVED}, id='archived-too'),
        pytest.param('baseModels=Pony', {4703, 4810}, id='base-model'),
        pytest.param('baseModels=Pony&baseModels=Flux.1 D', {4703, 4810, 4839}, id='base-models'),
        pytest.param('baseModels=Pony,Flux.1 D', set(), id='no-comma-list'),
        pytest.param('baseModels=Nobody 1.0', set(), id='any-base-model'),
        pytest.param('checkpointType=Merge&types=Checkpoint', {4810}, id='merge'),
        pytest.param(
            'checkpointType=Merge', EVERYBODY - {4201, 4588, 4839}, id='merge-and-other-types'
        ),
        pytest.param('checkpointType=Merge&types=VAE', {4826}, id='merge-says-nothing-of-vaes'),
        pytest.param('checkpointType=Trained&types=Checkpoint', {4201, 4588, 4839}, id='trained'),
        pytest.param('earlyAccess=true', {4851}, id='early-access'),
        pytest.param('fromPlatform=yes', {4851}, id='from-platform'),
        pytest.param('supportsGeneration=1', {4201, 4588, 4810, 4864}, id='generation'),
        pytest.param('supportsGeneration=false', EVERYBODY, id='false-is-nothing'),
        pytest.param('modelVersionIds=420102,431701', {4201, 4317}, id='versions'),
        pytest.param('ids=4201.5,-Infinity', set(), id='no-id-is-a-fraction'),
        pytest.param('ids=4201,4877&archived=true', {4201, 4877}, id='ids'),
        pytest.param('period=Day', {4890}, id='day'),
        pytest.param('period=Week', {4851, 4890}, id='week'),
        pytest.param('period=Week&periodMode=stats', EVERYBODY, id='period-of-counts'),
        pytest.param('fileFormats=GGUF&fileFormats=ONNX', {4839}, id='formats'),
        pytest.param('tag=landscapes', {4201, 4703, 4810, 4890}, id='tag'),
        pytest.param('tag=nobody knows it', EVERYBODY, id='an-unknown-tag-is-left-out'),
        pytest.param('username=HANAMORI', {4317}, id='user'),
        pytest.param('username=---', EVERYBODY, id='a-user-of-no-letters-is-left-out'),
        pytest.param('allowCommercialUse=Sell', set(), id='sale'),
        pytest.param('allowCommercialUse=Image', EVERYBODY, id='pictures-may-be-sold'),
        pytest.param('onSale=true', set(), id='on-sale'),
        pytest.param('followed=true', EVERYBODY, id='nobody-follows-anonymously'),
        pytest.param('query=tide', {4810}, id='words'),
        pytest.param('unknown=1&also[]=2', EVERYBODY, id='unknown-keys'),
    ],
)
def test_filters(demo: DemoServer, query: str, expected: set[int]) -> None:
    assert set(ids(demo, query)) == expected


@pytest.mark.parametrize(
    ('query', 'versions'),
    [
        pytest.param('baseModels=Pony&ids=4703', [470301], id='base-model'),
        pytest.param('modelVersionIds=431702&ids=4317', [431702], id='versions'),
        pytest.param('supportsGeneration=true&ids=4810', [481002], id='generation'),
    ],
)
def test_versions_that_were_not_asked_for_are_left_out(
    demo: DemoServer, query: str, versions: list[int]
) -> None:
    (model,) = items(demo, f'{MODELS}?{query}')
    assert [version['id'] for version in model['modelVersions']] == versions
    assert len(model['baseModels']) == len(set(model['baseModels'])) >= 1
    if 'Pony' in query:
        assert model['baseModels'] == ['Illustrious', 'Pony']


def latest(model: Model) -> str:
    return max(str(version['publishedAt']) for version in model['modelVersions'])


def stat(name: str) -> Callable[[Model], Any]:
    return lambda model: -model['stats'][name]


@pytest.mark.parametrize(
    ('sort', 'key'),
    [
        pytest.param('', stat('thumbsUpCount'), id='default'),
        pytest.param('Highest Rated', stat('thumbsUpCount'), id='rated'),
        pytest.param('Most Liked', stat('thumbsUpCount'), id='liked'),
        pytest.param('Most Discussed', stat('commentCount'), id='discussed'),
        pytest.param('Oldest', latest, id='oldest'),
    ],
)
def test_orders(demo: DemoServer, sort: str, key: Callable[[Model], Any]) -> None:
    query = f'?sort={sort}' if sort else ''
    found = items(demo, f'{MODELS}{query}')
    assert [key(model) for model in found] == sorted(key(model) for model in found)
    assert len({key(model) for model in found}) > 5
    joint = '&' if query else '?'
    assert walk(demo, f'{MODELS}{query}{joint}limit=5') == found


def test_orders_that_turn_another_round(demo: DemoServer) -> None:
    oldest, newest = ids(demo, 'sort=Oldest'), ids(demo, 'sort=Newest')
    assert newest == oldest[::-1] and newest[0] == 4890
    downloads = [
        model['stats']['downloadCount'] for model in items(demo, f'{MODELS}?sort=Most Downloaded')
    ]
    told = [count for count in downloads if count is not None]
    assert told == sorted(told, reverse=True)
    assert downloads.count(None) == 1, 'one creator hides the counts'
    assert ids(demo, 'sort=Most Images')[0] == 4201
    assert set(ids(demo, 'sort=Most Collected')[:5]) == {4201, 4317, 4452, 4588, 4703}


def test_one_file_of_each_version(demo: DemoServer) -> None:
    for model in items(demo, f'{MODELS}?primaryFileOnly=true'):
        for version in model['modelVersions']:
            (file,) = version['files']
            assert file['primary'] is True
    several = items(demo, f'{MODELS}?primaryFileOnly=false')
    assert any(len(v['files']) > 3 for model in several for v in model['modelVersions'])


def test_what_is_archived_has_neither_files_nor_addresses(demo: DemoServer) -> None:
    (model,) = items(demo, f'{MODELS}?archived=true&ids={ARCHIVED}')
    assert model['mode'] == 'Archived'
    assert [version['files'] for version in model['modelVersions']] == [[], []]
    alone = get(demo, f'{MODELS}/{ARCHIVED}').json()
    for version in (*model['modelVersions'], *alone['modelVersions']):
        assert 'downloadUrl' not in version
    assert 'files' not in alone['modelVersions'][0]
    version = get(demo, '/api/v1/model-versions/487702').json()
    assert version['model']['mode'] == 'Archived'
    assert version['files'] == [] and 'downloadUrl' not in version


def test_early_access_has_an_end(demo: DemoServer) -> None:
    (model,) = items(demo, f'{MODELS}?earlyAccess=true')
    newer, older = model['modelVersions']
    end = '2045-06-01T12:00:00.000Z'
    assert newer['paidAccess'] == {'permanent': False, 'endsAt': end}
    assert newer['earlyAccessDeadline'] == end
    assert older['paidAccess'] is None and 'earlyAccessDeadline' not in older


def test_a_creators_order_is_not_that_of_time(demo: DemoServer) -> None:
    versions = get(demo, f'{MODELS}/4890').json()['modelVersions']
    assert [version['index'] for version in versions] == [0, 1, 2, 3]
    days = [version['publishedAt'] for version in versions]
    assert days[0] == min(days) and days[1] == max(days)


def complaint(demo: DemoServer, query: str) -> dict[str, Any]:
    answer = get(demo, f'{MODELS}?{query}')
    assert answer.status_code == 400, answer.text
    (issue,) = json.loads(answer.json()['error']['message'])
    assert answer.json()['error']['name'] == 'ZodError'
    found: dict[str, Any] = issue
    return found


@pytest.mark.parametrize(
    ('query', 'code', 'path', 'message'),
    [
        pytest.param('types=Foo', 'invalid_union', ['types'], 'Invalid input', id='type'),
        pytest.param(
            'types=LORA,LoCon', 'invalid_union', ['types'], 'Invalid input', id='comma-list'
        ),
        pytest.param('nsfw=maybe', 'invalid_union', ['nsfw'], 'Invalid input', id='flag'),
        pytest.param('archived=', 'invalid_union', ['archived'], 'Invalid input', id='empty-flag'),
        pytest.param(
            'sort=Best',
            'invalid_value',
            ['sort'],
            'Invalid option: expected one of "Highest Rated"|"Most Downloaded"|"Most Liked"|'
            '"Most Discussed"|"Most Collected"|"Most Images"|"Newest"|"Oldest"',
            id='sort',
        ),
        pytest.param(
            'checkpointType=merge',
            'invalid_value',
            ['checkpointType'],
            'Invalid option: expected one of "Trained"|"Merge"',
            id='checkpoint-type',
        ),
        pytest.param(
            'limit=ten',
            'invalid_type',
            ['limit'],
            'Invalid input: expected number, received NaN',
            id='limit',
        ),
        pytest.param(
            'limit=101', 'too_big', ['limit'], 'Too big: expected number to be <=100', id='too-many'
        ),
        pytest.param(
            'page=0', 'too_small', ['page'], 'Too small: expected number to be >=1', id='page-zero'
        ),
        pytest.param(
            'ids=1,x',
            'invalid_type',
            ['ids', 1],
            'Invalid input: expected number, received NaN',
            id='ids',
        ),
        pytest.param(
            'modelVersionIds=1,2,y',
            'invalid_type',
            ['modelVersionIds', 2],
            'Invalid input: expected number, received NaN',
            id='version-ids',
        ),
        pytest.param(
            'pending=true',
            'invalid_type',
            ['pending'],
            'Invalid input: expected boolean, received string',
            id='pending',
        ),
        pytest.param(
            'collectionId=5',
            'invalid_type',
            ['collectionId'],
            'Invalid input: expected number, received string',
            id='collection',
        ),
        pytest.param(
            'fileFormats=GGUF',
            'invalid_type',
            ['fileFormats'],
            'Invalid input: expected array, received string',
            id='one-format',
        ),
        pytest.param(
            'query=a&query=b',
            'invalid_type',
            ['query'],
            'Invalid input: expected string, received array',
            id='two-queries',
        ),
    ],
)
def test_complaints(
    demo: DemoServer, query: str, code: str, path: list[str | int], message: str
) -> None:
    issue = complaint(demo, query)
    assert (issue['code'], issue['path'], issue['message']) == (code, path, message)


@pytest.mark.parametrize('limit', ['5', ' 5 ', '0x5', '5e0', '5.0', '+5', '0b101'])
def test_numbers_are_read_as_javascript_reads_them(demo: DemoServer, limit: str) -> None:
    address = f'{demo.url}{MODELS}'
    found = get(demo, address, params={'limit': limit}).json()['items']
    assert len(found) == 5


@pytest.mark.parametrize(
    'limit', ['1_0', '٥', '0x', '5 5', 'nan', '--5', '0x-5', 'Infinity', '0x' + 'f' * 400]
)
def test_what_javascript_reads_as_no_number(demo: DemoServer, limit: str) -> None:
    assert get(demo, f'{demo.url}{MODELS}', params={'limit': limit}).status_code == 400


def test_nobody_has_hidden_or_followed_anything(demo: DemoServer) -> None:
    for flag in ('hidden=true', 'followed=true'):
        assert get(demo, f'{MODELS}?{flag}', headers=KEY).json()['items'] == []
