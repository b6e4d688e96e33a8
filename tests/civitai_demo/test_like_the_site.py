"""Request by request what the site answers: status, headers, and the shape of the body."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

import pytest
import requests

from civitai_demo.api.scenarios import DEMO_KEY
from civitai_demo.server import DemoServer
from tests.support.demo import BY_HASH, DOWNLOAD, IMAGES, KEY, MODELS, get, items

BROWSER = {'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0'}
LOGIN_NEEDED = {
    'error': 'Unauthorized',
    'message': 'The creator of this asset requires you to be logged in to download it',
}
UNAUTHORIZED = {'error': 'Unauthorized'}
NOT_FOUND = {'error': 'File not found'}
VERSIONS = '/api/v1/model-versions'


@dataclass(frozen=True)
class Row:
    """A request and what comes back; `body` and `location` None: whatever."""

    path: str
    status: int
    body: object = None
    location: str | None = None
    method: str = 'GET'
    headers: Mapping[str, str] = field(default_factory=dict)
    json: object = None


def enum_problem(name: str, *values: str) -> dict[str, str]:
    listed = '|'.join(f'"{value}"' for value in values)
    return {'error': f'✖ Invalid option: expected one of {listed}\n  → at {name}'}


FORMATS = enum_problem(
    'format', 'SafeTensor', 'PickleTensor', 'GGUF', 'Diffusers', 'Core ML', 'ONNX', 'Other'
)
LOGIN = '/login?returnUrl=%2Fmodel-versions%2F420102&reason=download-auth'
GATED = {
    'error': 'Early Access',
    'deadline': '2045-06-01T12:00:00.000Z',
    'message': 'This asset is in Early Access. You can use Buzz access it now!',
}
DISABLED = {
    'error': 'Unauthorized',
    'message': 'The creator of this asset has disabled downloads on this file',
}
FILE = '/signed/model/{}/'

ROWS = {
    # -- lists of models
    'unknown user': Row(f'{MODELS}?username=nobody_here', 404, {'message': 'User not found'}),
    'unknown user by another name': Row(
        f'{MODELS}?user=nobody', 404, {'message': 'User not found'}
    ),
    'a user without models': Row(f'{MODELS}?username=lumen_fox&types=VAE', 200),
    'rarer types': Row(f'{MODELS}?types=Poses&types=MotionModule&types=Wildcards', 200),
    'another rare type': Row(f'{MODELS}?types=AestheticGradient', 200),
    'private ones': Row(f'{MODELS}?availability=Private', 401),
    'a cursor of another order': Row(
        f'{MODELS}?cursor=5',
        400,
        {'message': 'Invalid cursor: expected 3 value(s) for this sort, received 1'},
    ),
    'a cursor beats a deep page': Row(f'{MODELS}?page=99&limit=100&cursor=1%7C1%7C1', 200),
    'a deep page': Row(f'{MODELS}?page=11&limit=100', 429),
    # -- pictures
    'a base model of today': Row(f'{IMAGES}?baseModels=Qwen', 200),
    'several base models': Row(f'{IMAGES}?baseModels=Wan Video 2.2 TI2V-5B,Flux.2 D', 200),
    'a cursor beats the page': Row(f'{IMAGES}?page=6&limit=200&cursor=5%7C1', 200),
    'sounds': Row(f'{IMAGES}?type=audio', 200),
    # -- downloads: who
    'no key': Row(DOWNLOAD, 401, LOGIN_NEEDED),
    'a wrong key': Row(DOWNLOAD, 401, LOGIN_NEEDED, headers={'Authorization': 'Bearer x'}),
    'no key, by HEAD': Row(DOWNLOAD, 401, method='HEAD'),
    'no key in a browser': Row(DOWNLOAD, 307, LOGIN, LOGIN, headers=BROWSER),
    'the rare file for everybody': Row('/api/download/models/445201', 307, location=FILE),
    'a key': Row(DOWNLOAD, 307, location=FILE.format(4201021), headers=KEY),
    'a key, by HEAD': Row(DOWNLOAD, 307, location=FILE.format(4201021), headers=KEY, method='HEAD'),
    'a key behind a second question mark': Row(
        f'{DOWNLOAD}?fileId=4201021?token={DEMO_KEY}', 307, location=FILE.format(4201021)
    ),
    'all behind a second question mark': Row(
        f'{DOWNLOAD}?type=Model?fileId=4201022&token={DEMO_KEY}',
        307,
        location=FILE.format(4201022),
    ),
    'switched off': Row('/api/download/models/486402', 401, DISABLED, headers=KEY),
    'only for the site itself': Row('/api/download/models/486401', 401, DISABLED),
    'archived': Row(
        '/api/download/models/487702',
        410,
        {'error': 'Model archived, not available for download'},
    ),
    'archived, in a browser': Row(
        '/api/download/models/487702',
        410,
        'Model archived, not available for download',
        headers=BROWSER,
    ),
    'not yet bought': Row('/api/download/models/485102', 403, GATED, headers=KEY),
    'not yet bought, in a browser': Row(
        '/api/download/models/485102',
        307,
        '/model-versions/485102',
        '/model-versions/485102',
        headers={**KEY, **BROWSER},
    ),
    # -- downloads: which file
    'the id alone decides': Row(
        f'{DOWNLOAD}?fileId=4201022&size=pruned', 307, location=FILE.format(4201022), headers=KEY
    ),
    'by what it is': Row(
        f'{DOWNLOAD}?type=Model&format=SafeTensor&size=full&fp=fp32',
        307,
        location=FILE.format(4201022),
        headers=KEY,
    ),
    'a format it has not': Row(f'{DOWNLOAD}?format=PickleTensor', 404, NOT_FOUND, headers=KEY),
    'a precision it has not': Row(f'{DOWNLOAD}?fp=bf16', 404, NOT_FOUND, headers=KEY),
    'a type it has not': Row(f'{DOWNLOAD}?type=Config', 404, NOT_FOUND, headers=KEY),
    'a file of another version': Row(f'{DOWNLOAD}?fileId=4201011', 404, NOT_FOUND, headers=KEY),
    'nothing there': Row(f'{DOWNLOAD}x', 400, headers=KEY),
    'nothing there, in a browser': Row(
        '/api/download/models/9', 404, 'File not found', headers=BROWSER
    ),
    'format in small letters': Row(f'{DOWNLOAD}?format=safetensor', 400, FORMATS, headers=KEY),
    'a size of nobody': Row(
        f'{DOWNLOAD}?size=huge', 400, enum_problem('size', 'full', 'pruned'), headers=KEY
    ),
    'a type of nobody': Row(f'{DOWNLOAD}?type=Foo', 400, headers=KEY),
    'a type of nobody, in a browser': Row(
        f'{DOWNLOAD}?size=big', 400, enum_problem('size', 'full', 'pruned'), headers=BROWSER
    ),
    'id zero': Row('/api/download/models/0', 400, {'error': 'Missing modelVersionId'}),
    # -- other routes
    'no users by letters': Row(
        '/api/v1/users?ids=abc',
        400,
        {
            'name': 'ZodError',
            'message': '[\n  {\n    "expected": "number",\n    "code": "invalid_type",\n'
            '    "received": "NaN",\n    "path": [\n      "ids",\n      0\n    ],\n'
            '    "message": "Invalid input: expected number, received NaN"\n  }\n]',
        },
    ),
    'brief, unknown': Row(f'{VERSIONS}/mini/999', 404, {'error': 'Model not found'}),
    'brief, of another file': Row(
        f'{VERSIONS}/mini/420102?modelFileId=5',
        404,
        {'error': 'Model file 5 not found in version 420102'},
    ),
    'ids of hashes': Row(f'{BY_HASH}/ids', 200, [], method='POST', json=['f' * 64] * 200),
    'ids of what is no hash': Row(f'{BY_HASH}/ids', 400, method='POST', json=['f' * 64, 'short']),
    'ids of too many': Row(f'{BY_HASH}/ids', 400, method='POST', json=['f' * 64] * 10_001),
    'rights': Row(
        '/api/v1/permissions/check?entityIds=420102,485102,5',
        200,
        {'420102': True, '485102': False, '5': False},
    ),
    'rights of nothing': Row(
        '/api/v1/permissions/check',
        400,
        {'error': 'Could not parse provided model versions array.'},
    ),
    'articles': Row('/api/v1/articles?limit=1', 200),
    'an unknown article': Row('/api/v1/articles/7', 404, {'message': 'No article with id 7'}),
    'a bad cursor of articles': Row('/api/v1/articles?cursor=x', 400, {'error': 'Invalid cursor'}),
    'the vault': Row('/api/v1/vault/get', 401, UNAUTHORIZED),
    'the vault, with a key': Row('/api/v1/vault/get', 200, {'vault': None}, headers=KEY),
    'all of the vault': Row('/api/v1/vault/all', 200, {'vault': None}, headers=KEY),
    'in the vault?': Row(
        '/api/v1/vault/check-vault?modelVersionIds=420102',
        200,
        [{'modelVersionId': 420102, 'vaultItem': None}],
        headers=KEY,
    ),
    'into the vault': Row(
        '/api/v1/vault/toggle-version?modelVersionId=420102', 401, UNAUTHORIZED, method='POST'
    ),
    'into the vault, by GET': Row('/api/v1/vault/toggle-version', 405, headers=KEY),
    # -- verbs: routes that know no visitor do not look at them
    'pictures by POST': Row(f'{IMAGES}?limit=1', 200, method='POST'),
    'one model by PUT': Row(f'{MODELS}/4201', 200, method='PUT'),
    'models by POST': Row(MODELS, 405, {'error': 'Method not allowed'}, method='POST'),
}


@pytest.mark.parametrize('row', ROWS.values(), ids=ROWS)
def test_a_request_is_answered_as_on_the_site(demo: DemoServer, row: Row) -> None:
    answer = requests.request(
        row.method,
        f'{demo.url}{row.path}',
        headers=row.headers,
        json=row.json,
        allow_redirects=False,
        timeout=20,
    )
    assert answer.status_code == row.status, answer.text
    if row.location is not None:
        place = row.location.partition('{')[0]
        assert place in answer.headers['Location']
        assert answer.text == ('' if row.method == 'HEAD' else answer.headers['Location'])
    if row.path.startswith(('/api/download/',)):
        assert answer.headers['Cache-Control'] == 'no-store, max-age=0'
    if isinstance(row.body, str):
        assert answer.text == row.body
        assert 'json' not in answer.headers.get('Content-Type', '')
    elif row.body is not None:
        assert answer.json() == row.body


def version_of(model: Mapping[str, Any], number: int) -> dict[str, Any]:
    return next(version for version in model['modelVersions'] if version['id'] == number)


def test_the_list_addresses_files_by_what_they_are(demo: DemoServer) -> None:
    (model,) = items(demo, f'{MODELS}?ids=4201')
    version = version_of(model, 420102)
    bare = f'{demo.url}/api/download/models/420102'
    assert version['downloadUrl'] == bare
    assert [file['downloadUrl'] for file in version['files']] == [
        bare,
        f'{bare}?type=Model&format=SafeTensor&size=full&fp=fp32',
    ]
    assert [file.get('primary') for file in version['files']] == [True, None]
    assert not {'status', 'covered', 'createdAt'} & set(version)


def test_a_model_addresses_files_by_their_id(demo: DemoServer) -> None:
    version = version_of(get(demo, f'{MODELS}/4201').json(), 420102)
    bare = f'{demo.url}/api/download/models/420102'
    assert version['downloadUrl'] == bare
    assert [file['downloadUrl'] for file in version['files']] == [
        f'{bare}?fileId=4201021',
        f'{bare}?fileId=4201022',
    ]
    assert 'primary' not in version['files'][1]
    assert (version['status'], version['covered']) == ('Published', True)
    assert version['createdAt']


def test_a_version_says_of_every_file_whether_it_is_the_one(demo: DemoServer) -> None:
    version = get(demo, f'{VERSIONS}/420102').json()
    assert version['downloadUrl'] == f'{demo.url}/api/download/models/420102'
    assert [file['primary'] for file in version['files']] == [True, False]


def test_a_version_in_brief_tells_what_else_nobody_tells(demo: DemoServer) -> None:
    brief = get(demo, f'{VERSIONS}/mini/420102').json()
    assert brief['air'] == 'urn:air:sdxl:checkpoint:civitai:4201@420102'
    assert (brief['requireAuth'], brief['checkPermission']) == (True, False)
    assert brief['downloadUrls'] == [f'{demo.url}/api/download/models/420102?fileId=4201021']
    other = get(demo, f'{VERSIONS}/mini/420102?modelFileId=4201022').json()
    assert other['air'] == 'urn:air:sdxl:checkpoint:civitai:4201@420102+4201022'
    assert other['hashes'] != brief['hashes']
    gated = get(demo, f'{VERSIONS}/mini/485102').json()
    assert gated['checkPermission'] is True and gated['earlyAccessEndsAt'].startswith('2045')
    assert get(demo, f'{VERSIONS}/mini/445201').json()['requireAuth'] is False


def test_ids_are_found_by_many_hashes_at_once(demo: DemoServer) -> None:
    brief = get(demo, f'{VERSIONS}/mini/420102').json()
    wanted = [brief['hashes']['SHA256'].lower(), 'e' * 64]
    found = requests.post(f'{demo.url}{BY_HASH}/ids', json=wanted, timeout=20).json()
    assert found == [{'modelVersionId': 420102, 'modelId': 4201, 'hash': brief['hashes']['SHA256']}]


def test_articles_lead_from_page_to_page(demo: DemoServer) -> None:
    first = get(demo, '/api/v1/articles?limit=1').json()
    second = get(demo, first['metadata']['nextPage']).json()
    ids = [item['id'] for page in (first, second) for item in page['items']]
    assert len(set(ids)) == 2 and second['metadata'] == {}
    assert get(demo, f'/api/v1/articles/{ids[0]}').json()['content'].startswith('<p>')


def test_a_browser_is_led_to_pages(demo: DemoServer) -> None:
    login = get(demo, DOWNLOAD, headers=BROWSER)
    assert login.status_code == 200 and login.headers['Content-Type'].startswith('text/html')
    version = get(demo, '/api/download/models/485102', headers={**KEY, **BROWSER})
    assert version.url.endswith('/models/4851?modelVersionId=485102')


def test_a_signed_address_is_for_get_only(demo: DemoServer) -> None:
    target = get(demo, DOWNLOAD, headers=KEY, allow_redirects=False).headers['Location']
    refused = requests.head(target, timeout=20)
    assert refused.status_code == 403
    assert refused.headers['Content-Type'].startswith('application/xml')
    assert get(demo, target).status_code == 200
