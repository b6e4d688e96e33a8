"""One model file, whole and right, or a sentence that says why not."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest

from civitai_demo.api.scenarios import DEMO_KEY
from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import load_catalog
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.downloads import models
from scripts.civitai_manager_libs.downloads.models import KeptModel, ModelOrder
from scripts.civitai_manager_libs.errors import (
    CancelledError,
    CivitaiError,
    KeyNeededError,
    ServerBusyError,
)
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from tests.support.faults import Work
from tests.support.model_site import FILE, VERSION, ModelSite, asked_range, tensors
from tests.support.network import files_in
from tests.support.scripted_server import STALL, Answer, Request, ok

OPENING, MAIN_FILE, LARGE_FILE = 420102, 4201021, 4201022


def content_of(file_id: int) -> bytes:
    every = (f for m in load_catalog().models for v in m.versions for f in v.files)
    return next(file.content for file in every if file.id == file_id)


def bring(
    client: CivitaiHttpClient,
    target: Path,
    version: int = VERSION,
    file: int = FILE,
    **options: Any,
) -> KeptModel:
    order = ModelOrder(version, file, target, options.pop('takes_suspect', False))
    return models.bring(client, order, options.pop('stop', threading.Event()), **options)


# -- beside the stand-in --------------------------------------------------------------------------


@pytest.fixture
def with_key() -> None:
    setting.civitai_api_key = DEMO_KEY


@pytest.mark.usefixtures('with_key')
@pytest.mark.parametrize(
    ('version', 'file'),
    [
        pytest.param(OPENING, MAIN_FILE, id='pruned'),
        pytest.param(OPENING, LARGE_FILE, id='full'),
        pytest.param(481001, 4810011, id='pickle-without-a-hash'),
        pytest.param(481002, 4826021, id='a-vae-of-another-version'),
        pytest.param(481002, 4810023, id='configuration'),
        pytest.param(483902, 4839022, id='gguf'),
        pytest.param(489004, 4890041, id='not-scanned-yet'),
        pytest.param(490302, 4903021, id='archive'),
    ],
)
def test_the_very_file_that_was_asked_for_comes(
    demo: DemoServer, client: CivitaiHttpClient, tmp_path: Path, version: int, file: int
) -> None:
    every = (f for m in load_catalog().models for v in m.versions for f in v.files)
    name = next(one.name for one in every if one.id == file)
    kept = bring(client, tmp_path / 'm' / name, version, file)
    content = content_of(file)
    assert kept.path.read_bytes() == content
    assert kept.sha256 == hashlib.sha256(content).hexdigest()
    assert files_in(tmp_path / 'm') == [name]
    assert kept.is_verified == (file not in (4810011, 4890041))
    told = ' '.join(kept.notes('en'))
    assert ('no SHA256' in told) != kept.is_verified
    assert ('pickle' in told) == name.endswith('.ckpt')


@pytest.mark.parametrize(
    ('version', 'file', 'has_key', 'key'),
    [
        pytest.param(487701, 4877011, True, 'model_archived', id='archived'),
        pytest.param(486402, 4864021, True, 'model_not_for_download', id='switched-off'),
        pytest.param(485102, 4851021, False, 'model_early_access', id='early-access'),
        pytest.param(485102, 4851021, True, 'model_early_access', id='early-access-not-bought'),
        pytest.param(OPENING, MAIN_FILE, False, 'error_key_needed', id='key-needed'),
        pytest.param(OPENING, 7, True, 'model_no_such_file', id='no-such-file'),
        pytest.param(7, 7, True, 'error_not_found', id='no-such-version'),
    ],
)
def test_what_cannot_be_had_is_told_and_leaves_nothing(
    demo: DemoServer,
    client: CivitaiHttpClient,
    tmp_path: Path,
    version: int,
    file: int,
    has_key: bool,
    key: str,
) -> None:
    setting.civitai_api_key = DEMO_KEY if has_key else ''
    with pytest.raises(CivitaiError) as caught:
        bring(client, tmp_path / 'm' / 'x.safetensors', version, file)
    assert caught.value.key == key
    assert files_in(tmp_path / 'm') == []


@pytest.mark.usefixtures('with_key')
@pytest.mark.parametrize(
    ('scenario', 'key'),
    [
        ('401-disabled', 'model_not_for_download'),
        ('403-early-access', 'model_paid'),
        ('403-no-access', 'error_forbidden'),
        ('410', 'model_archived'),
        ('wrong-hash', 'model_hash_differs'),
        ('expired-signature', 'model_storage_refused'),
    ],
)
def test_a_refusal_of_the_route_has_a_sentence_of_its_own(
    demo: DemoServer, client: CivitaiHttpClient, tmp_path: Path, scenario: str, key: str
) -> None:
    demo.scenario = scenario
    with pytest.raises(CivitaiError) as caught:
        bring(client, tmp_path / 'm' / 'x.safetensors', OPENING, MAIN_FILE)
    assert caught.value.key == key
    assert DEMO_KEY not in str(caught.value)
    assert files_in(tmp_path / 'm') == []


@pytest.mark.usefixtures('with_key')
@pytest.mark.parametrize(
    'scenario',
    ['expired-signature:1', 'cut-file:2', 'no-range', 'changed-etag', '503:2', 'keyless-downloads'],
)
def test_what_passes_is_sat_out(
    demo: DemoServer, client: CivitaiHttpClient, tmp_path: Path, scenario: str
) -> None:
    demo.scenario = scenario
    kept = bring(client, tmp_path / 'x.safetensors', OPENING, MAIN_FILE)
    assert kept.path.read_bytes() == content_of(MAIN_FILE) and kept.is_verified


def test_a_hash_that_differs_is_told_with_both(
    demo: DemoServer, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    setting.civitai_api_key, demo.scenario = DEMO_KEY, 'wrong-hash'
    with pytest.raises(CivitaiError) as caught:
        bring(client, tmp_path / 'x.safetensors', OPENING, MAIN_FILE)
    right = content_of(MAIN_FILE)
    wrong = right[:-1] + bytes((right[-1] ^ 1,))
    for content in (right, wrong):
        assert hashlib.sha256(content).hexdigest() in str(caught.value)
    asked = [one for one in demo.requests if one.path == f'/api/v1/model-versions/{OPENING}']
    assert len(asked) == 2, 'the version is read once more'
    fetched = [one for one in demo.requests if one.path.startswith('/signed/')]
    assert len(fetched) == 1


# -- beside a site that may say anything ----------------------------------------------------------


CONTENT = tensors(200_000)


@pytest.fixture
def site(client: CivitaiHttpClient) -> Iterator[ModelSite]:
    with ModelSite(CONTENT) as running:
        setting.civitai_base_url = running.url
        yield running


def failing(client: CivitaiHttpClient, target: Path, **options: Any) -> CivitaiError:
    with pytest.raises(CivitaiError) as caught:
        bring(client, target, **options)
    return caught.value


def test_a_file_that_failed_a_scan_comes_only_if_somebody_says_so(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    told = site.version()
    told['files'][0]['pickleScanResult'] = 'Danger'
    site.facts = {'files': told['files']}
    target = tmp_path / 'x.safetensors'
    assert failing(client, target).key == 'model_suspect'
    assert site.asked_for_file == 0
    assert bring(client, target, takes_suspect=True).is_verified


def test_what_is_known_beforehand_is_not_asked_of_the_route(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    site.facts = {'usageControl': 'Generation'}
    failing(client, tmp_path / 'x.safetensors')
    site.facts = {}
    site.listed_size = 2.0**50  # in KiB
    error = failing(client, tmp_path / 'x.safetensors')
    assert error.key == 'model_no_room'
    assert site.asked_for_file == 0
    assert files_in(tmp_path) == []


def test_a_file_that_is_there_is_not_fetched_again(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    target = tmp_path / 'x.safetensors'
    target.write_bytes(CONTENT)
    kept = bring(client, target)
    assert kept.was_there and kept.is_verified and kept.path == target
    assert site.asked_for_file == 0


@pytest.mark.parametrize('make', ['file', 'folder', 'link to nothing', 'same length'])
def test_another_file_of_that_name_stays(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, make: str
) -> None:
    target = tmp_path / 'x.safetensors'
    if make == 'folder':
        target.mkdir()
    elif make == 'link to nothing':
        target.symlink_to(tmp_path / 'nothing')
    else:
        target.write_bytes(b'mine' if make == 'file' else bytes(len(CONTENT)))
    before = target.read_bytes() if target.is_file() else None
    kept = bring(client, target)
    assert kept.path == tmp_path / 'x-2.safetensors'
    assert kept.path.read_bytes() == CONTENT
    assert (target.read_bytes() if target.is_file() else None) == before
    assert bring(client, target).path == kept.path, 'the next time it is found there'


@pytest.mark.parametrize(('told', 'is_there'), [(VERSION, True), (7, False), (None, False)])
def test_without_a_hash_only_what_lies_beside_a_file_says_that_it_is_there(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, told: int | None, is_there: bool
) -> None:
    site.listed_hash = None
    target = tmp_path / 'x.safetensors'
    target.write_bytes(bytes(len(CONTENT)))  # two LoRAs of one size are nothing special
    if told:
        (tmp_path / 'x.civitai.info').write_text(json.dumps({'id': told}))
    kept = bring(client, target)
    assert (kept.was_there, kept.is_verified) == (is_there, False)
    assert kept.path.name == ('x.safetensors' if is_there else 'x-2.safetensors')


def test_a_name_that_is_taken_meanwhile_is_not_replaced(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    target = tmp_path / 'x.safetensors'

    def hook(request: Request) -> Answer | None:
        target.write_bytes(b'somebody else')
        return None

    site.hook = hook
    assert bring(client, target).path == tmp_path / 'x-2.safetensors'
    assert target.read_bytes() == b'somebody else'
    assert files_in(tmp_path) == ['x-2.safetensors', 'x.safetensors']


def test_a_file_that_the_site_rewrote_meanwhile_is_right_after_all(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    right, site.listed_hash = site.listed_hash, '1' * 64

    def hook(request: Request) -> Answer | None:
        site.listed_hash = right
        return None

    site.hook = hook
    assert bring(client, tmp_path / 'x.safetensors').is_verified
    assert len(site.storage.requests) == 1


def test_what_the_site_listed_anew_is_fetched_anew_once(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    newer = tensors(200_000, seed=2)

    def hook(request: Request) -> Answer | None:
        if site.content is CONTENT:
            before = site.honest(request)
            site.content, site.tag = newer, '"two"'
            site.listed_hash = hashlib.sha256(newer).hexdigest()
            return before.replace(CONTENT[-9:], b'123456789')
        return None

    site.hook = hook
    kept = bring(client, tmp_path / 'x.safetensors')
    assert kept.path.read_bytes() == newer and kept.is_verified


@pytest.mark.parametrize('listed', [100.0, 300.0])
def test_a_file_of_another_length_is_told_before_it_has_come(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, listed: float
) -> None:
    site.listed_size = listed
    assert failing(client, tmp_path / 'x.safetensors').key == 'model_size_differs'
    assert site.asked_for_version == 2
    assert files_in(tmp_path) == []


def test_a_broken_header_is_no_model_though_the_hash_is_right(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    site.content = tensors(1000)[:-1]
    site.listed_size = len(site.content) / 1024
    site.listed_hash = hashlib.sha256(site.content).hexdigest()
    assert failing(client, tmp_path / 'x.safetensors').key == 'model_header'
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    'page',
    [
        pytest.param(b'<!doctype html><title>Log in</title>', id='page'),
        pytest.param(b'<?xml version="1.0"?><Error/>', id='xml'),
        pytest.param(b'{"error":"Unauthorized"}', id='json'),
        pytest.param(b'Please log in', id='text'),
    ],
)
def test_a_page_in_place_of_the_file_is_told_and_nothing_kept(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path, page: bytes
) -> None:
    site.listed_size = len(page) / 1024
    site.route = lambda request: ok(page)
    assert failing(client, tmp_path / 'x.safetensors').key == 'model_page'
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    ('wanted', 'renamed'),
    [
        ('x.ckpt', 'new.json'),
        ('x.pt', 'new.txt'),
        ('x.zip', 'new.yaml'),
        ('x.png', 'new.yml'),
    ],
)
@pytest.mark.parametrize('page', [b'Please log in', b'{"status": 7}'])
def test_what_may_come_is_decided_by_the_name_it_gets(
    site: ModelSite,
    client: CivitaiHttpClient,
    tmp_path: Path,
    wanted: str,
    renamed: str,
    page: bytes,
) -> None:
    """The site may rename a file while its job rests."""
    site.file_name, site.content, site.listed_size, site.listed_hash = renamed, page, 0, None
    assert failing(client, tmp_path / wanted).key == 'model_page'
    assert files_in(tmp_path) == []
    assert bring(client, tmp_path / renamed).path.read_bytes() == page


def test_where_its_id_is_not_known_the_listed_address_is_asked(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    told = site.version()
    told['files'][0]['downloadUrl'] = f'{site.url}/api/download/models/{VERSION}?type=VAE'
    site.facts = {'files': told['files']}
    site.route = lambda r: (
        ok(b'{"error":"File not found"}', status=404) if 'Id' in r.target else None
    )
    assert bring(client, tmp_path / 'x.safetensors').is_verified


def test_that_a_file_is_not_known_may_pass(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    absent = ok(b'{"error":"File not found"}', status=404)
    site.route = lambda request: absent if site.asked_for_file == 1 else None
    assert bring(client, tmp_path / 'x.safetensors').is_verified
    site.route = lambda request: absent
    assert failing(client, tmp_path / 'y.safetensors').key == 'error_not_found'


def test_a_key_that_is_not_good_is_told_with_where_one_is_put(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    site.route = lambda request: ok(b'{"error":"Unauthorized"}', status=401)
    error = failing(client, tmp_path / 'x.safetensors')
    assert isinstance(error, KeyNeededError) and 'CIVITAI_TOKEN' in str(error)


def test_two_who_want_one_file_fetch_it_once(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    target = tmp_path / 'x.safetensors'
    site.hook = lambda request: (site.honest(request)[:5000], STALL, site.honest(request)[5000:])
    with Work(lambda: bring(client, target)) as one:
        assert site.storage.stalled.wait(10)
        with Work(lambda: bring(client, target)) as other:
            assert other.goes_on()
            site.storage.release.set()
    assert one.error is None and other.error is None
    kept = [one.result, other.result]
    assert all(isinstance(k, KeptModel) and k.path == target for k in kept)
    assert [k.was_there for k in kept if isinstance(k, KeptModel)] == [False, True]
    assert len(site.storage.requests) == 1
    assert files_in(tmp_path) == ['x.safetensors']


def test_who_waits_for_another_can_be_stopped(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    target, stop = tmp_path / 'x.safetensors', threading.Event()
    site.hook = lambda request: (site.honest(request)[:5000], STALL, site.honest(request)[5000:])
    with Work(lambda: bring(client, target)) as one:
        assert site.storage.stalled.wait(10)
        with Work(lambda: bring(client, target, stop=stop)) as other:
            assert other.goes_on()
            stop.set()
        assert isinstance(other.error, CancelledError)
        site.storage.release.set()
    assert one.error is None


def test_a_stopped_one_is_gone_on_with_until_it_is_forgotten(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    target, stop = tmp_path / 'x.safetensors', threading.Event()
    site.hook = lambda request: (site.honest(request)[:90_000], STALL)
    with Work(lambda: bring(client, target, stop=stop)) as one:
        assert site.storage.stalled.wait(10)
        assert one.goes_on()
        stop.set()
        assert one.seconds_to_end() < 1
    assert isinstance(one.error, CancelledError)
    left = ['x.safetensors.civitai-part', 'x.safetensors.civitai-part.json']
    assert files_in(tmp_path) == left
    site.hook = lambda request: None
    site.storage.requests.clear()
    assert bring(client, target).is_verified
    (asked,) = site.ranges
    assert asked is not None and asked[0] > 80_000
    (tmp_path / left[0]).write_bytes(b'half')
    models.forget(target, f'{VERSION}/{FILE}')
    assert files_in(tmp_path) == ['x.safetensors']


def left_halfway(site: ModelSite, client: CivitaiHttpClient, target: Path) -> dict[str, bytes]:
    """Have the file of `site` break off on its way to `target`; return what lies there then."""
    site.hook = lambda r: ok(b'', status=503) if asked_range(r) else site.cut(r, 100_000)
    with pytest.raises(ServerBusyError):
        bring(client, target)
    site.hook = lambda request: None
    site.storage.requests.clear()
    left = {path.name: path.read_bytes() for path in target.parent.iterdir()}
    assert list(left) and all('.civitai-part' in name for name in left)
    return left


@pytest.fixture
def other() -> Iterator[ModelSite]:
    """A site with a file that has nothing to do with that of `site`."""
    with ModelSite(tensors(200_000, seed=7), id=VERSION + 1) as running:
        files = running.version()['files']
        running.facts = {**running.facts, 'files': [{**files[0], 'id': FILE + 1}]}
        yield running


@pytest.mark.parametrize(
    ('name', 'becomes'),
    [
        pytest.param('x.safetensors', 'x-2.safetensors', id='same-name'),
        pytest.param('x.ckpt', 'x-2.ckpt', id='same-but-for-the-ending'),
        pytest.param('y.safetensors', 'y.safetensors', id='name-of-its-own'),
    ],
)
def test_what_is_left_of_another_file_is_not_touched(
    site: ModelSite,
    other: ModelSite,
    client: CivitaiHttpClient,
    tmp_path: Path,
    name: str,
    becomes: str,
) -> None:
    left = left_halfway(site, client, tmp_path / 'x.safetensors')
    setting.civitai_base_url = other.url
    kept = bring(client, tmp_path / name, VERSION + 1, FILE + 1)
    assert kept.path == tmp_path / becomes
    assert kept.path.read_bytes() == other.content
    assert {
        path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name in left
    } == left
    setting.civitai_base_url = site.url
    assert bring(client, tmp_path / 'x.safetensors').path == tmp_path / 'x.safetensors'
    (asked,) = site.ranges
    assert asked is not None and asked[0] > 80_000, 'it goes on where it was'
    assert files_in(tmp_path) == sorted([becomes, 'x.safetensors'])


def test_who_waited_for_another_file_leaves_alone_what_that_one_left(
    site: ModelSite, other: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    target = tmp_path / 'x.safetensors'

    def hook(request: Request) -> Answer:
        if asked_range(request):
            return ok(b'', status=503)
        whole = site.cut(request, 100_000)[0]
        assert isinstance(whole, bytes)
        return (whole[:50_000], STALL, whole[50_000:])

    site.hook = hook
    with Work(lambda: bring(client, target)) as one:
        assert site.storage.stalled.wait(10)
        setting.civitai_base_url = other.url
        with Work(lambda: bring(client, target, VERSION + 1, FILE + 1)) as second:
            assert second.goes_on()
            site.storage.release.set()
    assert isinstance(one.error, ServerBusyError) and second.error is None
    assert (tmp_path / 'x-2.safetensors').read_bytes() == other.content
    left = ['x.safetensors.civitai-part', 'x.safetensors.civitai-part.json']
    assert files_in(tmp_path) == ['x-2.safetensors', *left]


def test_what_was_left_and_is_wrong_is_fetched_anew(
    site: ModelSite, client: CivitaiHttpClient, tmp_path: Path
) -> None:
    """A power cut, for example, may take bytes that were noted as written."""
    target = tmp_path / 'x.safetensors'

    def cut(request: Request) -> Answer:
        return site.cut(request, 100_000)

    site.hook = lambda request: ok(b'', status=503) if asked_range(request) else cut(request)
    with pytest.raises(ServerBusyError):
        bring(client, target)
    part = tmp_path / 'x.safetensors.civitai-part'
    part.write_bytes(bytes(part.stat().st_size))
    site.hook = lambda request: None
    kept = bring(client, target)
    assert kept.path.read_bytes() == CONTENT and kept.is_verified
