"""Which file of a version is meant, and what is known to stand in its way."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, strategies as some

from scripts.civitai_manager_libs.civitai import modelfiles
from scripts.civitai_manager_libs.civitai.modelfiles import Choice
from scripts.civitai_manager_libs.errors import (
    CivitaiError,
    SourceError,
    StorageError,
    WrongContentError,
    error_for_status,
)

SHA256 = '0123456789ABCDEF' * 4
NOW = 1_750_000_000.0  # 2025-06-15


def file(number: int, kind: str = 'Model', **facts: Any) -> dict[str, Any]:
    """A file as the API writes it."""
    metadata = {name: facts.pop(name) for name in ('format', 'size', 'fp') if name in facts}
    return {'id': number, 'name': f'{number}.bin', 'type': kind, 'metadata': metadata, **facts}


def version(*files: dict[str, Any], **facts: Any) -> modelfiles.OfferedVersion:
    model = {'name': 'Paper', 'type': 'Checkpoint', **facts.pop('model', {})}
    return modelfiles.parse_offered({'id': 7, 'model': model, 'files': list(files), **facts})


SAFE, PICKLE = {'format': 'SafeTensor'}, {'format': 'PickleTensor'}


@pytest.mark.parametrize(
    ('files', 'choice', 'preferred', 'chosen'),
    [
        pytest.param(
            [file(1, 'VAE'), file(2)],
            Choice(),
            Choice(),
            2,
            id='weights-before-what-goes-with-them',
        ),
        pytest.param(
            [file(1, 'Training Data', primary=True), file(2, 'Diffusion Model')],
            Choice(),
            Choice(),
            2,
            id='weights-before-the-primary-file',
        ),
        pytest.param(
            [file(1, **PICKLE, primary=True), file(2, **SAFE)],
            Choice(),
            Choice(format='SafeTensor'),
            2,
            id='a-preferred-format-before-the-primary-file',
        ),
        pytest.param(
            [file(1, **SAFE, size='full'), file(2, **SAFE, size='pruned', primary=True)],
            Choice(),
            Choice(format='SafeTensor'),
            2,
            id='else-the-primary-file',
        ),
        pytest.param(
            [file(1, **SAFE, size='full', fp='fp32'), file(2, **SAFE, size='pruned', primary=True)],
            Choice(),
            Choice(portion='full'),
            1,
            id='a-preferred-portion',
        ),
        pytest.param(
            [file(1, **PICKLE)], Choice(), Choice(format='SafeTensor'), 1, id='all-there-is'
        ),
        pytest.param([file(1), file(2)], Choice(), Choice(), 1, id='the-first-of-equals'),
        pytest.param(
            [file(1), file(2, 'Config')], Choice(2), Choice(), 2, id='what-somebody-names-by-its-id'
        ),
        pytest.param(
            [file(1, **SAFE, primary=True), file(2, **PICKLE)],
            Choice(format='pickletensor'),
            Choice(format='SafeTensor'),
            2,
            id='what-somebody-asks-for-before-what-is-preferred',
        ),
        pytest.param(
            [file(1, 'Workflow'), file(2, 'Archive', primary=True)],
            Choice(),
            Choice(),
            2,
            id='no-weights-at-all',
        ),
    ],
)
def test_the_file_that_is_meant(
    files: list[dict[str, Any]], choice: Choice, preferred: Choice, chosen: int
) -> None:
    assert modelfiles.choose(version(*files), choice, preferred).id == chosen


@pytest.mark.parametrize('choice', [Choice(3), Choice(format='GGUF'), Choice(precision='fp8')])
def test_a_file_that_is_not_there_is_told_with_those_that_are(choice: Choice) -> None:
    with pytest.raises(SourceError) as caught:
        modelfiles.choose(version(file(1, **SAFE, size='full'), file(2, 'VAE')), choice)
    assert '1: 1.bin (Model, SafeTensor, full)' in str(caught.value)
    assert '2: 2.bin (VAE)' in str(caught.value)


@pytest.mark.parametrize(
    ('facts', 'key', 'is_open_with_a_key'),
    [
        pytest.param({'model': {'mode': 'Archived'}}, 'model_archived', False, id='archived'),
        pytest.param(
            {'mode': 'Archived'}, 'model_archived', False, id='archived-as-told-elsewhere'
        ),
        pytest.param({'model': {'mode': 'TakenDown'}}, 'model_taken_down', False, id='taken-down'),
        pytest.param(
            {'usageControl': 'InternalGeneration'}, 'model_not_for_download', False, id='disabled'
        ),
        pytest.param(
            {'paidAccess': {'permanent': True, 'endsAt': None}},
            'model_paid',
            True,
            id='paid-for-good',
        ),
        pytest.param(
            {'paidAccess': {'permanent': False, 'endsAt': '2045-03-01T12:30:00.000Z'}},
            'model_early_access',
            True,
            id='early-access',
        ),
        pytest.param(
            {'earlyAccessDeadline': '2045-03-01T12:30:00Z'},
            'model_early_access',
            True,
            id='formerly',
        ),
        pytest.param({'availability': 'EarlyAccess'}, 'model_paid', True, id='without-an-end'),
        pytest.param({'paidAccess': {'endsAt': 'soon'}}, 'model_paid', True, id='unreadable-end'),
        pytest.param({'files': []}, 'model_without_files', False, id='no-file'),
    ],
)
def test_what_cannot_be_had_is_known_beforehand(
    facts: dict[str, Any], key: str, is_open_with_a_key: bool
) -> None:
    offered = version(file(1), **facts)
    with pytest.raises(CivitaiError) as caught:
        modelfiles.check_offered(offered, NOW, has_key=False)
    assert caught.value.key == key
    if is_open_with_a_key:
        modelfiles.check_offered(offered, NOW, has_key=True)
    else:
        with pytest.raises(CivitaiError):
            modelfiles.check_offered(offered, NOW, has_key=True)


@pytest.mark.parametrize(
    'facts',
    [
        {},
        {'usageControl': 'Download', 'availability': 'Public', 'paidAccess': None},
        {'paidAccess': {'permanent': False, 'endsAt': '2025-01-01T00:00:00.000Z'}},
        {'earlyAccessEndsAt': '2025-01-01T00:00:00+01:00'},
        {'model': {'mode': None}},
    ],
)
def test_everything_else_is_open_to_all(facts: dict[str, Any]) -> None:
    modelfiles.check_offered(version(file(1), **facts), NOW, has_key=False)


@given(some.floats() | some.integers() | some.text())
def test_any_size_is_one_that_can_be_noted(told: object) -> None:
    [found] = version(file(1, sizeKB=told)).files
    assert 0 <= found.size < 2**63


ENDS = [
    ('9999-12-31T23:59:59-12:00', 'model_early_access'),
    ('9999-12-31T23:59:59Z', 'model_early_access'),
    ('9999-12-30T23:59:59Z', 'model_early_access'),
    ('3001-01-01T00:00:00Z', 'model_early_access'),
    ('1969-01-01T00:00:00Z', 'model_early_access'),
    ('0001-01-01T00:00:00+14:00', 'model_early_access'),
    ('0001-01-01', 'model_early_access'),
    ('10000-01-01', 'model_paid'),
    ('0000-01-01', 'model_paid'),
]


@pytest.mark.parametrize(('end', 'key'), ENDS)
@pytest.mark.parametrize('name', ['paidAccess', 'earlyAccessEndsAt', 'earlyAccessDeadline'])
def test_any_end_of_early_access_can_be_told(name: str, end: str, key: str) -> None:
    offered = version(file(1), **{name: {'endsAt': end} if name == 'paidAccess' else end})
    error = modelfiles.early_access(offered)
    assert (error.key, 'UTC' in error.message_in('en')) == (key, key == 'model_early_access')


ZONES = some.builds(timezone, some.timedeltas(timedelta(hours=-23), timedelta(hours=23)))


@given(some.datetimes(timezones=ZONES | some.none()))
def test_any_time_can_be_told(time: datetime) -> None:
    found = modelfiles.moment(time.isoformat())
    assert math.isinf(found) or modelfiles.told_moment(found).endswith(' UTC')


def test_early_access_is_told_with_its_end() -> None:
    offered = version(file(1), paidAccess={'endsAt': '2045-03-01T12:30:00.000Z'})
    assert '2045-03-01 12:30 UTC' in modelfiles.early_access(offered).message_in('zh_TW')


@pytest.mark.parametrize(
    ('scans', 'is_suspect'),
    [
        (('Success', 'Success'), False),
        (('Pending', 'Pending'), False),
        ((None, None), False),
        (('Danger', 'Success'), True),
        (('Success', 'Danger'), True),
        (('Success', 'Error'), True),
    ],
)
def test_a_failed_scan_is_no_matter_of_course(scans: tuple[Any, Any], is_suspect: bool) -> None:
    virus, pickle = scans
    offered = version(file(1, virusScanResult=virus, pickleScanResult=pickle))
    if not is_suspect:
        modelfiles.check_scans(offered.files[0])
        return
    with pytest.raises(CivitaiError) as caught:
        modelfiles.check_scans(offered.files[0])
    assert virus in str(caught.value) and pickle in str(caught.value)


@pytest.mark.parametrize(
    ('told', 'known'),
    [
        (SHA256, SHA256.lower()),
        ('0' * 64, ''),  # the scanner could not read the file
        (SHA256[:10], ''),
        (None, ''),
        (17, ''),
        ([SHA256], ''),
    ],
)
def test_only_a_whole_hash_of_something_is_one(told: object, known: str) -> None:
    assert version(file(1, hashes={'SHA256': told})).files[0].sha256 == known


@pytest.mark.parametrize(
    'data', [None, [], 'x', {}, {'id': 0}, {'id': True}, {'id': -3}, {'id': '../7'}, {'id': 7.5}]
)
def test_what_is_no_version_is_told(data: object) -> None:
    with pytest.raises(WrongContentError):
        modelfiles.parse_offered(data)


@pytest.mark.parametrize(
    'odd',
    [
        {'files': None},
        {'files': {'id': 1}},
        {'files': [None, 3, [], {'id': 'x'}, {'name': 'y'}]},
        {'files': [{'id': 1, 'metadata': [], 'hashes': 'x', 'sizeKB': 'many', 'name': None}]},
        {'files': [{'id': 1, 'sizeKB': -5}]},
        {'files': [{'id': 1, 'sizeKB': 1e300}]},
        {'model': 'x', 'paidAccess': 'y', 'usageControl': None},
    ],
)
def test_odd_answers_are_read_as_far_as_they_go(odd: dict[str, Any]) -> None:
    offered = modelfiles.parse_offered({'id': 7, **odd})
    assert [one.size for one in offered.files] in ([], [0])


def test_a_file_is_asked_for_by_its_id_first_and_then_where_the_site_says_or_again() -> None:
    listed = 'https://civitai.com/api/download/models/7?type=VAE&format=SafeTensor'
    linked = version(file(1, downloadUrl=listed)).files[0]
    by_id = 'https://civitai.com/api/download/models/7?fileId=1'
    assert list(modelfiles.addresses('https://civitai.com/', 7, linked)) == [by_id, listed]
    own = version(file(1, downloadUrl=by_id)).files[0]
    assert list(modelfiles.addresses('https://civitai.com', 7, own)) == [by_id, by_id]


@pytest.mark.parametrize(
    ('told', 'came', 'fits'),
    [(100.0, 102_400, True), (100.004, 102_400, True), (100.0, 104_000, False), (0, 5, True)],
)
def test_a_size_is_told_with_decimals(told: float, came: int, fits: bool) -> None:
    assert version(file(1, sizeKB=told)).files[0].is_as_long_as(came) is fits


@pytest.mark.parametrize(
    ('hashes', 'listed'),
    [
        pytest.param(
            {'SHA256': SHA256, 'AutoV2': '0X01234567AB'},
            {'SHA256': SHA256.lower(), 'AutoV2': '01234567ab'},
            id='in-lower-case',
        ),
        pytest.param(
            {'SHA256': SHA256[:10], 'AutoV3': 'ab' * 6},
            {'AutoV3': 'ab' * 6},
            id='part-of-a-sha256-is-none',
        ),
        pytest.param(
            {'SHA256': '0' * 64, 'CRC32': None, 'AutoV1': 7, 'BLAKE3': 'none'},
            {},
            id='what-is-no-hash',
        ),
        pytest.param([SHA256], {}, id='no-table'),
        pytest.param(None, {}, id='nothing'),
    ],
)
def test_hashes_of_a_file_are_those_that_are_hashes(hashes: Any, listed: dict[str, str]) -> None:
    told = {'files': [file(1, hashes=hashes), None, file(2)]}
    assert modelfiles.listed_hashes(told) == [listed, {}]


@pytest.mark.parametrize(
    ('cause', 'lasts'),
    [
        pytest.param(CivitaiError('model_taken_down'), True, id='taken-down'),
        pytest.param(
            WrongContentError('model_hash_differs', name='a', told='b', came='c'),
            True,
            id='another-hash',
        ),
        pytest.param(error_for_status(404), True, id='unknown'),
        pytest.param(error_for_status(410), True, id='archived'),
        pytest.param(error_for_status(401), False, id='a-key-can-be-given'),
        pytest.param(error_for_status(503), False, id='busy'),
        pytest.param(
            StorageError('model_no_room', folder='a', needed=2, free=1),
            False,
            id='room-can-be-made',
        ),
        pytest.param(
            CivitaiError('model_early_access', end='2025-06-15 15:07 UTC'), True, id='early-access'
        ),
        pytest.param(
            CivitaiError('model_early_access', end='2025-06-15 15:06 UTC'), False, id='its-end-came'
        ),
        pytest.param(CivitaiError('model_paid'), True, id='for-who-pays'),
    ],
)
def test_what_would_be_told_again_another_time_lasts(cause: CivitaiError, lasts: bool) -> None:
    assert modelfiles.is_lasting(cause, NOW) is lasts  # at 15:06:40
