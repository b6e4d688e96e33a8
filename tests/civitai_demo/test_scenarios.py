"""Scenarios: a site that is busy, blocked, or sends what it should not."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from civitai_demo.api.scenarios import DEMO_KEY, SCENARIOS, picture_is_chosen
from civitai_demo.server import DemoServer
from civitai_demo.world.models import OPENING_VERSION_ID
from tests.support.demo import (
    BY_HASH,
    DOWNLOAD,
    IMAGES,
    KEY,
    MODELS,
    OPENING,
    WHOLE_VIDEO,
    cdn,
    get,
    items,
    of_container,
    opened,
    resized,
    sha256_of,
    urls_in,
)
from tests.support.paths import ROOT


def spoiled(demo: DemoServer, path: str, **options: Any) -> requests.Response:
    return get(demo, path, allow_redirects=False, **options)


@pytest.mark.parametrize(
    ('scenario', 'status', 'retry_after', 'body'),
    [
        ('503', 503, '2', {'error': 'Server busy, please retry shortly.'}),
        ('429', 429, '2', None),
        ('429-no-retry-after', 429, None, None),
    ],
)
def test_busy_scenarios_touch_api_downloads_and_pictures(
    demo: DemoServer, scenario: str, status: int, retry_after: str | None, body: object
) -> None:
    demo.scenario = scenario
    for path in (OPENING, DOWNLOAD, cdn(of_container('png')['uuid'])):
        answer = spoiled(demo, path)
        assert answer.status_code == status
        assert answer.headers.get('Retry-After') == retry_after
        assert body in (None, answer.json())
    assert get(demo, '/').status_code == 200


def test_a_counted_scenario_ends_and_may_begin_anew(demo: DemoServer) -> None:
    for _ in range(2):
        demo.scenario = '503:2'
        assert get(demo, '/').status_code == 200
        assert [get(demo, OPENING).status_code for _ in range(4)] == [503, 503, 200, 200]


def test_slow_keeps_one_waiting(demo: DemoServer) -> None:
    demo.scenario = 'slow:1'
    with pytest.raises(requests.ReadTimeout):
        requests.get(f'{demo.url}{OPENING}', timeout=0.5)
    assert get(demo, OPENING).status_code == 200


def test_silent_answers_for_no_picture(demo: DemoServer) -> None:
    picture = cdn(of_container('png')['uuid'])
    demo.scenario = 'silent:1'
    with pytest.raises(requests.ReadTimeout):
        requests.get(f'{demo.url}{picture}', timeout=0.5)
    assert get(demo, OPENING).status_code == get(demo, picture).status_code == 200


def test_html_is_a_page_with_a_good_status(demo: DemoServer) -> None:
    demo.scenario = 'html'
    for path in (OPENING, cdn(of_container('png')['uuid'])):
        answer = get(demo, path)
        assert answer.status_code == 200
        assert answer.headers['Content-Type'].startswith('text/html')
        assert answer.text.startswith('<!DOCTYPE html>')


def test_a_blocked_region(demo: DemoServer) -> None:
    demo.scenario = '451'
    answer = get(demo, OPENING)
    assert (answer.status_code, answer.json()['code']) == (451, 'REGION_BLOCKED')
    assert get(demo, cdn(of_container('png')['uuid'])).status_code == 200


def test_without_the_key_nothing_is_told(demo: DemoServer) -> None:
    demo.scenario = 'key-needed'
    answer = get(demo, OPENING)
    assert (answer.status_code, answer.json()) == (401, {'error': 'Unauthorized'})
    refused = spoiled(demo, DOWNLOAD)
    assert refused.status_code == 401
    assert 'logged in to download' in refused.json()['message']
    assert get(demo, OPENING, headers=KEY).status_code == 200
    assert spoiled(demo, DOWNLOAD, headers=KEY).status_code == 307
    assert spoiled(demo, f'{DOWNLOAD}?token={DEMO_KEY}').status_code == 307
    assert get(demo, cdn(of_container('png')['uuid'])).status_code == 200


def test_some_pictures_are_gone(demo: DemoServer) -> None:
    demo.scenario = 'cdn-404'
    urls = [item['url'] for item in items(demo, f'{OPENING}&limit=20')]
    found = [get(demo, resized(url, 'width=96')).status_code for url in urls]
    assert found == [404 if picture_is_chosen(urlsplit(url).path) else 200 for url in urls]
    assert 1 <= found.count(404) <= 12


def test_some_pictures_break_off(demo: DemoServer, caplog: pytest.LogCaptureFixture) -> None:
    demo.scenario = 'truncated'
    torn = 0
    for item in items(demo, f'{OPENING}&limit=20'):
        with socket.create_connection(('127.0.0.1', demo.port), timeout=20) as line:
            path = urlsplit(resized(item['url'], 'width=96')).path
            line.sendall(f'GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'.encode())
            with line.makefile('rb') as stream:
                head, _, body = stream.read().partition(b'\r\n\r\n')
        found = re.search(rb'content-length: (\d+)', head.lower())
        assert found is not None
        announced = int(found[1])
        torn += len(body) == announced // 2
        assert len(body) in (announced, announced // 2)
    assert 1 <= torn <= 12
    assert caplog.records == []


# -- answers that are not what was asked for


def test_a_bad_question_on_order(demo: DemoServer) -> None:
    demo.scenario = '400'
    answer = get(demo, OPENING)
    assert answer.status_code == 400
    error = answer.json()['error']
    assert error['name'] == 'ZodError'
    assert json.loads(error['message'])[0]['message'].startswith('Invalid option')
    assert get(demo, MODELS).status_code == 200


def test_a_video_may_come_as_a_still(demo: DemoServer) -> None:
    videos = items(demo, f'{IMAGES}?type=video&browsingLevel=31')
    picture = get(demo, cdn(of_container('png')['uuid'])).content
    demo.scenario = 'video-as-webp'
    for video in (videos[0], videos[-1]):
        still = opened(get(demo, video['url']))
        assert (still.format, still.size) == ('WEBP', (video['width'], video['height']))
        assert getattr(still, 'n_frames', 1) == 1
        whole = get(demo, resized(video['url'], WHOLE_VIDEO))
        raw = get(demo, f'/file/civitai-media-cache/{video["url"].split("/")[4]}/original')
        for answer in (whole, raw):
            assert answer.headers['Content-Type'] == 'video/mp4'
            assert answer.content[4:8] == b'ftyp'
    assert get(demo, cdn(of_container('png')['uuid'])).content == picture


@pytest.mark.parametrize(
    ('scenario', 'status', 'body'),
    [
        (
            '401-disabled',
            401,
            {
                'error': 'Unauthorized',
                'message': 'The creator of this asset has disabled downloads on this file',
            },
        ),
        (
            '403-early-access',
            403,
            {
                'error': 'Early Access',
                'deadline': '2025-12-04T12:00:00.000Z',
                'message': 'This asset is in Early Access. You can use Buzz access it now!',
            },
        ),
        ('403-no-access', 403, {'error': 'You do not have access to download this file'}),
        ('410', 410, {'error': 'Model archived, not available for download'}),
    ],
)
def test_a_model_file_may_not_be_had(
    demo: DemoServer, scenario: str, status: int, body: object
) -> None:
    demo.scenario = scenario
    for headers in ({}, KEY):
        answer = spoiled(demo, DOWNLOAD, headers=headers)
        assert (answer.status_code, answer.json()) == (status, body)
        assert answer.headers['Cache-Control'] == 'no-store, max-age=0'
    assert get(demo, OPENING).status_code == 200


def test_a_file_may_differ_from_its_hashes(demo: DemoServer) -> None:
    fair, listed = get(demo, DOWNLOAD, headers=KEY).content, sha256_of(demo, OPENING_VERSION_ID)
    demo.scenario = 'wrong-hash:2'
    wrong = get(demo, DOWNLOAD, headers=KEY)
    assert wrong.status_code == 200
    assert len(wrong.content) == len(fair)
    assert hashlib.sha256(wrong.content).hexdigest().upper() != listed
    part = get(demo, DOWNLOAD, headers={**KEY, 'Range': 'bytes=-8'})
    assert (part.status_code, part.content) == (206, wrong.content[-8:])
    assert hashlib.sha256(get(demo, DOWNLOAD, headers=KEY).content).hexdigest().upper() == listed


def test_a_version_may_be_taken_down(demo: DemoServer) -> None:
    demo.scenario = 'taken-down'
    told = get(demo, f'/api/v1/model-versions/{OPENING_VERSION_ID}').json()
    assert told['model']['mode'] == 'TakenDown' and told['files'] == [] == told['images']
    assert 'downloadUrl' not in told
    assert spoiled(demo, DOWNLOAD, headers=KEY).status_code == 404


def test_a_scan_may_have_found_something(demo: DemoServer) -> None:
    demo.scenario = 'failed-scan'
    told = get(demo, f'/api/v1/model-versions/{OPENING_VERSION_ID}').json()
    assert {file['virusScanResult'] for file in told['files']} == {'Danger'}
    assert spoiled(demo, DOWNLOAD, headers=KEY).status_code == 307, 'it is to be had all the same'


def test_a_key_may_be_refused(demo: DemoServer) -> None:
    demo.scenario = 'key-refused:1'
    answers = [spoiled(demo, DOWNLOAD, headers=KEY).status_code for _ in range(2)]
    assert answers == [401, 307]


def test_addresses_may_name_no_host(demo: DemoServer) -> None:
    demo.scenario = 'undefined-urls:1'
    wanted = [sha256_of(demo, OPENING_VERSION_ID)]
    found, fair = (
        requests.post(f'{demo.url}{BY_HASH}', json=wanted, timeout=20).json() for _ in range(2)
    )
    urls = list(urls_in(found))
    assert urls and all(url.startswith('https://undefined/') for url in urls)
    assert [url.replace('https://undefined', demo.url) for url in urls] == list(urls_in(fair))


# -- scenarios in general


def test_only_requests_it_applies_to_use_a_counted_scenario_up(demo: DemoServer) -> None:
    demo.scenario = '400:1'
    assert [get(demo, path).status_code for path in ('/', MODELS, OPENING, OPENING)] == [
        200,
        200,
        400,
        200,
    ]


def test_the_readme_tells_every_scenario() -> None:
    text = (ROOT / 'civitai_demo' / 'README.md').read_text(encoding='utf-8')
    first_cells = [line.split('|')[1] for line in text.splitlines() if line.startswith('| `')]
    assert re.findall(r'`([^`]+)`', ' '.join(first_cells)) == list(SCENARIOS)


@pytest.mark.parametrize('name', ['weather', '503:', '503:two', ':2'])
def test_an_unknown_scenario_lists_the_known(name: str) -> None:
    with pytest.raises(ValueError) as problem:
        DemoServer(scenario=name)
    if not name.startswith('503'):
        assert all(known in str(problem.value) for known in SCENARIOS)
