"""What people paste to have a model file."""

from __future__ import annotations

import pytest

from scripts.civitai_manager_libs.civitai.modelfiles import Choice
from scripts.civitai_manager_libs.civitai.modellinks import ModelSource, parse_model_source
from scripts.civitai_manager_libs.errors import SourceError

BASE = 'https://civitai.com'
SHA256 = 'AB' * 32


@pytest.mark.parametrize(
    'text, expected',
    [
        pytest.param('4201', ModelSource(4201), id='an id'),
        pytest.param(f'{BASE}/models/4201/paper-horizons', ModelSource(4201), id='a page'),
        pytest.param(
            'civitai.com/models/4201?modelVersionId=7', ModelSource(4201, 7), id='no scheme'
        ),
        pytest.param(f'{BASE}/api/v1/model-versions/7', ModelSource(0, 7), id='of the API'),
        pytest.param('urn:air:sdxl:lora:civitai:4201@7', ModelSource(4201, 7), id='an AIR'),
        pytest.param(
            'urn:air:sdxl:lora:civitai:4201@7+9',
            ModelSource(4201, 7, choice=Choice(9)),
            id='a file',
        ),
        pytest.param(
            f'{BASE}/api/download/models/7?type=Model&format=SafeTensor&size=full&fp=fp16',
            ModelSource(0, 7, choice=Choice(0, 'SafeTensor', 'full', 'fp16')),
            id='a download',
        ),
        pytest.param(
            f'{BASE}/api/download/models/7?fileId=9',
            ModelSource(0, 7, choice=Choice(9)),
            id='of a file',
        ),
        pytest.param(f'"{SHA256}"', ModelSource(hash=SHA256.lower()), id='SHA256'),
        pytest.param(f'sha256:{SHA256}', ModelSource(hash=SHA256.lower()), id='SHA256, named'),
        pytest.param('0xABCDEF01', ModelSource(hash='abcdef01'), id='AutoV1'),
        pytest.param('9876543210', ModelSource(hash='9876543210'), id='AutoV2 in digits no id has'),
        pytest.param('12345678', ModelSource(12345678), id='what can be an id is one'),
        pytest.param('123456789012', ModelSource(hash='123456789012'), id='AutoV3 in digits'),
        pytest.param(
            f'{BASE}/api/v1/model-versions/by-hash/{SHA256}',
            ModelSource(hash=SHA256.lower()),
            id='by hash',
        ),
    ],
)
def test_what_is_meant(text: str, expected: ModelSource) -> None:
    assert parse_model_source(text, BASE) == expected


@pytest.mark.parametrize(
    'text, key',
    [
        pytest.param('', 'source_empty', id='nothing'),
        pytest.param('flowers', 'model_source', id='a word'),
        pytest.param('abcdef', 'model_source', id='too short for a hash'),
        pytest.param('ab' * 40, 'model_source', id='too long for one'),
        pytest.param(f'{BASE}/images/1', 'model_source', id='a picture'),
        pytest.param(f'{BASE}/user/mira', 'model_source', id='a user'),
        pytest.param(f'{BASE}/models', 'model_source', id='a list of models'),
        pytest.param('https://example.com/models/4201', 'source_other_site', id='another site'),
        pytest.param('4201 4202', 'source_several', id='several'),
        pytest.param('4201@x?token=secret', 'model_source', id='a broken one'),
    ],
)
def test_what_is_no_model_is_told(text: str, key: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_model_source(text, BASE)
    assert caught.value.key == key and 'secret' not in str(caught.value)
