"""Model files: which one is meant, what is said of it, and a storage that has its moods."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
import requests

from civitai_demo.api.accounts import LARGE_FILES_KEY
from civitai_demo.server import DemoServer
from civitai_demo.world.blake3 import blake3
from tests.support.demo import BY_HASH, DOWNLOAD, KEY, MODELS, get, items

LARGE = {'Authorization': f'Bearer {LARGE_FILES_KEY}'}
VERSIONS = '/api/v1/model-versions'


def place(demo: DemoServer, path: str, headers: dict[str, str] = KEY) -> str:
    """The address in the storage that a download leads to."""
    answer = get(demo, path, headers=headers, allow_redirects=False)
    assert answer.status_code == 307, answer.text
    return str(answer.headers['Location'])


def delivered(demo: DemoServer, path: str, headers: dict[str, str] = KEY) -> int:
    """The id of the file that a download leads to."""
    found = re.search(r'/signed/model/(\d+)/', place(demo, path, headers))
    assert found is not None
    return int(found[1])


def files_of(demo: DemoServer, version: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(demo, f'{VERSIONS}/{version}').json()['files']
    return found


# -- which file


@pytest.mark.parametrize(
    ('version', 'query', 'file'),
    [
        pytest.param(420102, '', 4201021, id='pruned-before-full'),
        pytest.param(420102, 'size=full', 4201022, id='full-if-asked-for'),
        pytest.param(420102, 'size=full&fp=fp32', 4201022, id='full-and-precise'),
        pytest.param(481002, '', 4810021, id='not-the-first-of-the-list'),
        pytest.param(481002, 'type=Config', 4810023, id='a-configuration'),
        pytest.param(481002, 'type=Training Data', 4810024, id='training-data'),
        pytest.param(481002, 'type=VAE', 4826021, id='the-linked-vae'),
        pytest.param(481002, 'type=VAE&format=SafeTensor&size=pruned&fp=fp16', 4826021, id='fully'),
        pytest.param(481001, '', 4810011, id='a-pickle-if-there-is-nothing-else'),
        pytest.param(483902, '', 4839023, id='safetensors-before-gguf'),
        pytest.param(483902, 'type=Model', 4839022, id='the-usual-quantization'),
        pytest.param(483902, 'format=GGUF', 4839022, id='gguf'),
        pytest.param(483902, 'format=GGUF&quantType=Q8_0', 4839021, id='another-quantization'),
        pytest.param(483902, 'type=Text Encoder', 4839024, id='text-encoder'),
    ],
)
def test_the_site_chooses_by_score(demo: DemoServer, version: int, query: str, file: int) -> None:
    assert delivered(demo, f'/api/download/models/{version}?{query}') == file


@pytest.mark.parametrize(
    ('version', 'query'),
    [
        pytest.param(420102, 'fp=fp32', id='size-counts-more-than-precision'),
        pytest.param(481002, 'fileId=4826021', id='the-linked-vae-by-its-id'),
        pytest.param(481002, 'type=VAE&fp=fp32', id='the-linked-vae-as-it-is-not'),
        pytest.param(481002, 'type=CLIPVision', id='another-component'),
        pytest.param(483902, 'type=Model&quantType=Q2_K', id='quantization'),
        pytest.param(481001, 'format=SafeTensor', id='format'),
    ],
)
def test_what_contradicts_the_file_is_not_found(demo: DemoServer, version: int, query: str) -> None:
    answer = get(demo, f'/api/download/models/{version}?{query}', headers=KEY)
    assert (answer.status_code, answer.json()) == (404, {'error': 'File not found'})


def test_an_account_may_prefer_other_files(demo: DemoServer) -> None:
    assert delivered(demo, DOWNLOAD, LARGE) == 4201022
    assert delivered(demo, f'{DOWNLOAD}?size=pruned&fp=fp16', LARGE) == 4201021
    assert delivered(demo, f'{DOWNLOAD}?fileId=4201021', LARGE) == 4201021
    listed = get(demo, f'{MODELS}?ids=4201', headers=LARGE).json()['items'][0]
    files = listed['modelVersions'][0]['files']
    assert [file.get('primary') for file in files] == [None, True]
    assert files[1]['downloadUrl'] == f'{demo.url}{DOWNLOAD}'
    alone = get(demo, f'{MODELS}/4201', headers=LARGE).json()['modelVersions'][0]['files']
    assert [file.get('primary') for file in alone] == [True, None]


def test_every_listed_address_delivers_the_file_it_stands_with(demo: DemoServer) -> None:
    models = items(demo, f'{MODELS}?nsfw=true')
    models += [get(demo, f'{MODELS}/{model["id"]}').json() for model in models]
    count = 0
    for model in models:
        for version in model['modelVersions']:
            if version['id'] in (485102, 486401, 486402):
                continue  # not to be had
            for file in version['files']:
                assert delivered(demo, file['downloadUrl']) == file['id'], file
                count += 1
    assert count > 60


def test_a_linked_vae_is_listed_but_not_by_its_id(demo: DemoServer) -> None:
    (vae,) = (file for file in files_of(demo, 481002) if file['type'] == 'VAE')
    assert vae['id'] == 4826021
    assert vae['downloadUrl'].endswith(
        '/api/download/models/481002?type=VAE&format=SafeTensor&size=pruned&fp=fp16'
    )
    (own,) = files_of(demo, 482602)
    assert own['type'] == 'Model' and own['hashes'] == vae['hashes']


def test_two_files_of_a_version_may_have_one_name(demo: DemoServer) -> None:
    names = [file['name'] for file in files_of(demo, 481002) if file['type'] == 'Model']
    assert len(names) == 2 and len(set(names)) == 1


# -- hashes


def test_hashes_are_those_of_the_bytes(demo: DemoServer) -> None:
    seen: set[str] = set()
    for version in (420102, 481002, 483902, 489003):
        for file in files_of(demo, version):
            data = get(demo, file['downloadUrl'], headers=KEY).content
            sha256 = hashlib.sha256(data).hexdigest().upper()
            tensors = data[8 + int.from_bytes(data[:8], 'little') :]
            expected = {
                'SHA256': sha256,
                'AutoV2': sha256[:10],
                'SHA256_12': sha256[:12],
                'AutoV1': hashlib.sha256(data[1 << 20 : (1 << 20) + 65_536])
                .hexdigest()[:8]
                .upper(),
                'AutoV3': hashlib.sha256(tensors).hexdigest()[:12].upper(),
                'SSHS_12': hashlib.sha256(tensors).hexdigest()[:12].upper(),
                'BLAKE3': blake3(data).upper(),
            }
            for name, value in file['hashes'].items():
                seen.add(name)
                assert value == expected.get(name, value), (file['name'], name)
                found = get(demo, f'{BY_HASH}/{value.lower()}')
                assert found.status_code == 200
    assert seen == {
        *('AutoV1', 'AutoV2', 'AutoV3', 'SHA256', 'SHA256_12', 'SSHS_12', 'BLAKE3', 'CRC32')
    }


@pytest.mark.parametrize(
    ('length', 'digest'),
    [
        (0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'),
        (64, '4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98'),
        (1024, '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7'),
        (1025, 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444'),
        (5000, 'ee78d92070de3df1c57c37002abf0a6b1a6589acdeef4d8ffac7cf3d9e8f2836'),
    ],
)
def test_blake3_of_the_bytes_that_its_authors_use(length: int, digest: str) -> None:
    assert blake3(bytes(index % 251 for index in range(length))) == digest


def test_hashes_may_be_missing_or_say_nothing(demo: DemoServer) -> None:
    assert files_of(demo, 489004)[0]['hashes'] == {}
    assert files_of(demo, 489004)[0]['virusScanResult'] == 'Pending'
    assert 'AutoV3' not in files_of(demo, 489001)[0]['hashes']
    unread = files_of(demo, 481001)[0]['hashes']
    assert unread['SHA256'] == '0' * 64
    assert get(demo, f'{BY_HASH}/{unread["SHA256"]}').status_code == 404


def test_one_tensor_hash_of_two_files_leads_to_the_older(demo: DemoServer) -> None:
    newer, older = files_of(demo, 489003)[0]['hashes'], files_of(demo, 489002)[0]['hashes']
    assert newer['AutoV3'] == older['AutoV3'] and newer['SHA256'] != older['SHA256']
    assert get(demo, f'{BY_HASH}/{newer["AutoV3"]}').json()['id'] == 489002


# -- the storage


def test_a_signature_is_of_one_request_for_a_day(demo: DemoServer) -> None:
    target = place(demo, DOWNLOAD)
    other = re.sub(r'(X-Amz-Date=)\d+', r'\g<1>20200101', target)
    for spoilt in (other, target.replace('Expires=86400', 'Expires=99999999'), target[:-3]):
        answer = get(demo, spoilt)
        assert (answer.status_code, 'SignatureDoesNotMatch' in answer.text) == (403, True)
    pieces = [get(demo, target, headers={'Range': f'bytes={n}-{n}'}) for n in (0, 5)]
    assert [piece.status_code for piece in pieces] == [206, 206]


def test_a_signature_may_expire(demo: DemoServer) -> None:
    target = place(demo, DOWNLOAD)
    demo.scenario = 'expired-signature:1'
    answer = get(demo, target)
    assert answer.status_code == 403
    assert answer.headers['Content-Type'].startswith('application/xml')
    assert '<Code>AccessDenied</Code>' in answer.text and 'expired' in answer.text
    assert get(demo, place(demo, DOWNLOAD)).status_code == 200


def test_a_file_may_be_cut_off_and_gone_on_with(demo: DemoServer) -> None:
    target = place(demo, DOWNLOAD)
    whole = get(demo, target).content
    demo.scenario = 'cut-file:1'
    got = b''
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        with get(demo, target, stream=True) as answer:
            for piece in answer.iter_content(65_536):
                got += piece
    assert 0 < len(got) < len(whole)
    rest = get(demo, target, headers={'Range': f'bytes={len(got)}-'})
    assert (rest.status_code, got + rest.content) == (206, whole)


def test_a_storage_may_know_no_ranges(demo: DemoServer) -> None:
    target = place(demo, DOWNLOAD)
    whole = get(demo, target)
    demo.scenario = 'no-range'
    answer = get(demo, target, headers={'Range': 'bytes=5-'})
    assert (answer.status_code, answer.content) == (200, whole.content)
    assert 'Accept-Ranges' not in answer.headers and 'ETag' not in answer.headers


def test_a_storage_may_change_its_tags(demo: DemoServer) -> None:
    target = place(demo, DOWNLOAD)
    demo.scenario = 'changed-etag'
    first = get(demo, target, headers={'Range': 'bytes=0-9'})
    resumed = {'Range': 'bytes=10-', 'If-Range': first.headers['ETag']}
    again = get(demo, target, headers=resumed)
    assert (first.status_code, again.status_code) == (206, 200)
    assert again.headers['ETag'] != first.headers['ETag']


def test_downloads_may_need_no_key(demo: DemoServer) -> None:
    demo.scenario = 'keyless-downloads:1'
    answers = [get(demo, DOWNLOAD, allow_redirects=False) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [307, 401]
