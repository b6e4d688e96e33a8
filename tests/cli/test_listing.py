"""What the command line says of a listing: nothing there or nothing up to the ceiling, and ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest

from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import Picture, load_catalog
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.cli import main
from scripts.civitai_manager_libs.downloads import listing
from tests.support.network import at_home, files_in, png
from tests.support.scripted_server import Answer, Request, ScriptedServer, kept, ok

MORE = '(up to PG; --level R asks for more)'


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that failed is asked for again at once."""
    monkeypatch.setattr(listing, 'PAUSE_SECONDS', 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / 'pictures'


Download = Callable[..., tuple[int, dict[str, Any]]]
Talk = Callable[..., tuple[int, str, str]]


@pytest.fixture
def talk(client: object, folder: Path, capsys: pytest.CaptureFixture[str]) -> Talk:
    """Run the command line; return its exit code and what it says."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main.main([*words, '--to', str(folder)])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def download(talk: Talk) -> Download:
    """Run the command line; return its exit code and its report."""

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        code, out, _ = talk(*words, '--json')
        return code, json.loads(out)

    return run


def only(wanted: Callable[[Picture], bool]) -> Picture:
    return next(filter(wanted, load_catalog().pictures))


# --- not there, or nothing up to the ceiling ---------------------------------------------------


@pytest.mark.parametrize(
    ('path', 'words'),
    [
        ('/user/nobody_here', 'no user called nobody_here'),
        ('/user/nobody_here/images', 'no user called nobody_here'),
        ('/user/nobody_here/videos', 'no user called nobody_here'),
        ('/videos?username=nobody_here', 'no user called nobody_here'),
        ('/user/no-body', 'no user called no-body'),
        ('/images?userId=1', 'no user called 1'),
        ('/posts/2147483647', 'no post 2147483647'),
        ('/images/2147483647', 'no image 2147483647, or hides it'),
        ('/models/2147483647', 'does not know this (404)'),
        ('/models/2147483647?modelVersionId=5', 'does not know this (404)'),
        ('/models/4201?modelVersionId=2147483647', 'does not know this (404)'),
        ('/model-versions/2147483647', 'does not know this (404)'),
        ('/api/v1/images?ids=2147483646,2147483647', '2 of 2 pictures did not come'),
    ],
)
def test_what_is_not_there_is_not_found(
    demo: DemoServer, download: Download, talk: Talk, folder: Path, path: str, words: str
) -> None:
    code, report = download(demo.url + path)
    assert (code, report['reason']) == (1, 'not_found')
    code, out, err = talk(demo.url + path)
    assert code == 1 and words in err
    assert files_in(folder) == []


@pytest.mark.parametrize(
    ('path', 'fits'),
    [
        (
            '/user/{name}/images?modelVersionId={version}',
            lambda p, one: one.version.id in p.version_ids,
        ),
        (
            '/user/{name}?modelId={model}&modelVersionId={version}',
            lambda p, one: one.version.id in p.version_ids,
        ),
        ('/user/{name}/images?postId={post}', lambda p, one: p.post_id == one.post_id),
    ],
    ids=['a version', 'a model', 'a post'],
)
def test_what_the_page_of_a_user_is_narrowed_down_to_is_all_that_comes(
    demo: DemoServer, download: Download, path: str, fits: Callable[[Picture, Picture], bool]
) -> None:
    one = only(lambda p: p.level == 1 and p.container == 'jpeg')
    link = path.format(
        name=one.user.name,
        version=one.version.id,
        model=one.version.model_id,
        post=one.post_id,
    )
    code, report = download(demo.url + link)
    by_id = {picture.id: picture for picture in load_catalog().pictures}
    listed = [by_id[int(Path(file).stem)] for file in report['files']]
    assert code == 0 and one in listed
    assert all(p.user == one.user and fits(p, one) for p in listed)


def adult_links(url: str) -> Iterator[tuple[str, str]]:
    picture = only(lambda p: p.level == 8)
    yield 'image', f'{url}/images/{picture.id}'
    catalog = load_catalog()
    adult = only(lambda p: p.level > 1 and all(q.level > 1 for q in catalog.in_post(p.post_id)))
    yield 'post', f'{url}/posts/{adult.post_id}'
    yield 'ids', f'{url}/api/v1/images?ids={picture.id}'
    mature = sorted({p.user.name for p in catalog.pictures}, key=lambda n: n)
    yield 'a time', f'{url}/user/{mature[0]}?period=Day&types=audio'


@pytest.mark.parametrize('kind', ['image', 'post', 'ids', 'a time'])
def test_what_is_there_but_not_up_to_the_ceiling_is_complete(
    demo: DemoServer, talk: Talk, folder: Path, kind: str
) -> None:
    code, out, err = talk(dict(adult_links(demo.url))[kind])
    assert (code, err) == (0, '')
    nothing = 'No pictures found up to your maturity ceiling (PG).'
    assert out.strip() == f'{nothing} (--level R asks for more)', 'the ceiling is told once'
    assert files_in(folder) == []


FILTERS = {
    'a date': ('--since', '2999-01-01'),
    'a tag': ('--tag', 'no such tag'),
    'a prompt': ('--with-prompt',),
}


@pytest.mark.parametrize('mature', [0, 2], ids=['none hidden', 'some hidden'])
@pytest.mark.parametrize('words', FILTERS.values(), ids=FILTERS)
def test_filters_that_leave_nothing_are_blamed_and_the_ceiling_only_if_it_hides_some(
    talk: Talk, download: Download, monkeypatch: pytest.MonkeyPatch, mature: int, words: tuple[str]
) -> None:
    levels = [1, 1, 1, *[16] * mature]

    def page(asked: dict[str, str]) -> Any:
        shown = [fake.item(n, browsingLevel=one, meta=None) for n, one in enumerate(levels, 1)]
        return {'items': shown, 'metadata': {}}

    fake = Fake(page)
    with fake.server as server:
        at_home(monkeypatch, server)
        code, out, err = talk(f'{server.url}/posts/7', *words)
        again, report = download(f'{server.url}/posts/7', *words)
    told = 'Nothing on the listing fits: 3 pictures were looked at and left out by the filters'
    assert (code, again, report['found'], report['complete']) == (0, 0, 0, True)
    assert out.startswith(told) and [one for one in report['notes'] if one.startswith(told)]
    assert ('ceiling' in out, '--level' in out, f'{mature} are hidden' in out) == (
        bool(mature),
    ) * 3


@pytest.mark.parametrize(
    ('level', 'allowed'), [('PG', {1}), ('pg-13', {1, 2}), ('R', {1, 2, 4}), ('XXX', {0, 4, 8, 16})]
)
def test_a_level_counts_for_one_run(
    demo: DemoServer, download: Download, level: str, allowed: set[int]
) -> None:
    wanted = [p for p in load_catalog().pictures if p.level in allowed and p.kind == 'image'][:24]
    ids = ','.join(str(p.id) for p in wanted)
    code, report = download(f'{demo.url}/api/v1/images?ids={ids}', '--level', level)
    assert (code, report['saved'], report['level']) == (0, len(wanted), level.upper())
    assert setting.gallery_maturity_ceiling == 'PG'


def test_a_level_that_is_none_is_wrong_usage(talk: Talk) -> None:
    with pytest.raises(SystemExit) as end:
        talk('4201', '--level', 'NSFW')
    assert end.value.code == 2


@pytest.mark.parametrize(
    ('link', 'options', 'is_told'),
    [
        ('post', (), True),
        ('post', ('--limit', '2'), True),
        ('post', ('--level', 'XXX'), False),
        ('image', (), False),
    ],
    ids=['a gallery', 'a part of it', 'with everything', 'a picture that came'],
)
def test_up_to_which_level_was_asked_is_told_where_there_may_be_more(
    demo: DemoServer, talk: Talk, link: str, options: tuple[str, ...], is_told: bool
) -> None:
    picture = only(lambda p: p.level == 1)
    path = f'/posts/{picture.post_id}' if link == 'post' else f'/images/{picture.id}'
    code, out, err = talk(demo.url + path, *options)
    assert (code, err) == (0, '') and (MORE in out) is is_told


# --- against a server that lies ----------------------------------------------------------------


class Fake:
    """A Civitai whose answers of /api/v1/images a function makes out of the question."""

    def __init__(self, pages: Callable[[dict[str, str]], Any], **routes: Any) -> None:
        self._pages, self._routes = pages, routes
        self.server = ScriptedServer(handler=self._answer)

    def _answer(self, request: Request) -> Answer:
        parts = urlsplit(request.target)
        if parts.path == '/api/v1/images':
            found = self._pages(dict(parse_qsl(parts.query)))
            if isinstance(found, int):
                return kept(ok(b'{"error": "no"}', status=found))
            return kept(ok(json.dumps(found).encode()))
        for route, body in self._routes.items():
            if parts.path.startswith(f'/api/v1/{route}'):
                return kept(ok(json.dumps(body).encode()))
        if '/api/' in parts.path:
            return kept(ok(b'{"error": "No such thing"}', status=404))
        return kept(ok(png(), Content_Type='image/png'))

    def item(self, number: int, **told: Any) -> dict[str, Any]:
        url = f'{self.server.url}/k/{number}/original=true/{number}.jpeg'
        usual = {'type': 'image', 'browsingLevel': 1, 'postId': 7, 'username': 'fox'}
        return {'id': number, 'url': url, **usual, 'modelVersionIds': [], **told}


def paged(fake: Callable[[], Fake], last: Any) -> Callable[[dict[str, str]], Any]:
    """Two answers of a picture each; `last` is what comes after them."""

    def page(asked: dict[str, str]) -> Any:
        number = int(asked.get('cursor', '1'))
        if number > 2:
            return last
        return {'items': [fake().item(number)], 'metadata': {'nextCursor': str(number + 1)}}

    return page


@pytest.mark.parametrize(
    ('last', 'words'),
    [
        pytest.param(503, 'Civitai is busy (503)', id='a failing page'),
        pytest.param(401, 'asks for a valid API key (401)', id='a refused page'),
        pytest.param({'items': [], 'metadata': {'nextCursor': '2'}}, 'in a circle', id='a loop'),
        pytest.param(
            {'items': [], 'metadata': {'nextCursor': {'x': 1}}}, 'not understood', id='a cursor'
        ),
        pytest.param(
            {'items': [], 'metadata': {'nextPage': 'https://civitai.com/x?page=3'}},
            'not how to ask for it',
            id='only a next page',
        ),
        pytest.param({'items': 'none'}, 'not a gallery', id='no gallery'),
    ],
)
@pytest.mark.parametrize('link', ['/posts/7', '/user/fox', '/images'])
def test_a_listing_that_ends_too_early_says_so_and_keeps_what_came(
    download: Download,
    talk: Talk,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    last: Any,
    words: str,
    link: str,
) -> None:
    fake = Fake(paged(lambda: fake, last))
    with fake.server as server:
        at_home(monkeypatch, server)
        code, report = download(server.url + link, '--limit', '50')
        assert (code, report['reason'], report['saved']) == (1, 'incomplete', 2)
        assert any(words in note for note in report['notes'])
        code, _, err = talk(server.url + link, '--limit', '50')
    assert code == 1 and 'Not everything could be listed: ' in err and words in err
    assert len(files_in(folder)) == 2


@pytest.mark.parametrize('knows_user', [True, False])
def test_everybodys_pictures_in_place_of_a_users_are_not_kept(
    download: Download, folder: Path, monkeypatch: pytest.MonkeyPatch, knows_user: bool
) -> None:
    def page(asked: dict[str, str]) -> Any:
        items = [fake.item(n, username=f'user{n}') for n in range(1, 9)]
        return {'items': items, 'metadata': {'nextCursor': 'x'}}

    users = [{'id': 3, 'username': 'Gone_Fox'}] if knows_user else []
    fake = Fake(page, users={'items': users})
    with fake.server as server:
        at_home(monkeypatch, server)
        code, report = download(f'{server.url}/user/gone_fox')
    assert (code, report['reason']) == (1, 'failed' if knows_user else 'not_found')
    assert files_in(folder) == []


def test_what_is_foreign_is_told_and_what_comes_unasked_is_kept(
    talk: Talk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page(asked: dict[str, str]) -> Any:
        items = [fake.item(1), fake.item(2, postId=8), *(fake.item(n) for n in range(3, 260))]
        return {'items': items, 'metadata': {}}

    fake = Fake(page)
    with fake.server as server:
        at_home(monkeypatch, server)
        code, _, err = talk(f'{server.url}/posts/7', '--limit', '500')
    assert code == 0 and len(files_in(folder)) == 258
    assert 'not what was asked for: 1.' in err and 'more than was asked for' not in err


def test_what_cannot_be_read_is_told(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(lambda asked: {'items': [fake.item(1), None, {'id': 2, 'postId': 7}]})
    with fake.server as server:
        at_home(monkeypatch, server)
        code, _, err = talk(f'{server.url}/posts/7')
    assert code == 1 and 'could not be read: 2.' in err


@pytest.mark.parametrize('limit', [(), ('--limit', '1')], ids=['all', 'with a limit'])
def test_a_listing_with_entries_that_cannot_be_read_is_not_complete(
    download: Download, folder: Path, monkeypatch: pytest.MonkeyPatch, limit: tuple[str, ...]
) -> None:
    items: list[Any] = [None, None, {'id': 2, 'postId': 7}, 'three', {'url': 'x'}]
    fake = Fake(lambda asked: {'items': items})
    with fake.server as server:
        items[0] = fake.item(1)
        at_home(monkeypatch, server)
        code, report = download(f'{server.url}/posts/7', *limit)
    assert (code, report['reason'], report['saved']) == (1, 'incomplete', 1)
    assert ['Entries of the listing that could not be read: 4.'] == report['gaps']
    assert '`retry 1`' in report['notes'][-1]


def test_a_sound_is_kept(download: Download, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uuid = 'aaaaaaaa-0000-4000-8000-000000000001'
    sound = b'ID3\x04' + bytes(7) + b'\xff\xfb\x90\x64' * 300

    def answer(request: Request) -> Answer:
        if '/api/' not in request.target:
            return kept(ok(sound, Content_Type='audio/mpeg'))
        url = f'{server.url}/key/{uuid}/original=true/{uuid}.mp3'
        unknown = {'hash': None, 'width': None, 'height': None, 'meta': None, 'stats': {}}
        item = {'id': 2, 'url': url, 'type': 'audio', 'browsingLevel': 1, 'postId': 7, **unknown}
        return kept(ok(json.dumps({'items': [item], 'metadata': {}}).encode()))

    with ScriptedServer(handler=answer) as server:
        at_home(monkeypatch, server)
        code, report = download(f'{server.url}/posts/7', '--sidecar', 'none')
    assert (code, report['saved']) == (0, 1) and files_in(folder) == ['2.mp3']


MODEL = {'id': 42, 'name': 'N', 'modelVersions': [{'id': 9, 'name': 'v2'}, {'id': 8, 'name': 'v1'}]}


def test_a_version_without_pictures_names_the_others(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = Fake(lambda asked: {'items': [], 'metadata': {}}, models=MODEL)
    with fake.server as server:
        at_home(monkeypatch, server)
        code, out, err = talk(f'{server.url}/models/42?modelVersionId=9')
    assert code == 0 and out.startswith('No pictures found up to')
    assert 'v2 (#9) has no pictures' in err and '/models/42?modelVersionId=8' in err


@pytest.mark.parametrize(
    ('level', 'words'),
    [
        ('PG', 'has no pictures up to PG (--level R asks for more)'),
        ('R', 'has no pictures up to R (--level XXX asks for more)'),
        ('XXX', 'has no pictures; others may'),
    ],
)
def test_a_version_is_said_to_have_none_up_to_the_ceiling_only(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, level: str, words: str
) -> None:
    """What the site leaves out by itself it does not count."""
    fake = Fake(lambda asked: {'items': [], 'metadata': {}}, models=MODEL)
    with fake.server as server:
        at_home(monkeypatch, server)
        _, _, err = talk(f'{server.url}/models/42?modelVersionId=9', '--level', level)
    assert f'The version v2 (#9) {words}' in err


def test_no_picture_is_lost_where_the_pages_of_civitais_database_meet(
    download: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cursor names the first picture that is left, but the newest first go on below that."""

    def page(asked: dict[str, str]) -> Any:
        numbers = range(1, 10) if 'modelId' in asked else range(11, 20)
        cursor = int(asked.get('cursor', 0))
        if asked['sort'] == 'Oldest':
            left = [n for n in numbers if n >= cursor]
        else:
            left = [n for n in reversed(numbers) if n < (cursor or 100)]
        more = {'nextCursor': str(left[3])} if len(left) > 3 else {}
        return {'items': [fake.item(n) for n in left[:3]], 'metadata': more}

    fake = Fake(page)
    with fake.server as server:
        at_home(monkeypatch, server)
        code, report = download('42')
    assert (code, report['complete'], report['found']) == (0, True, 9)


def test_pictures_of_a_model_that_is_gone_are_kept_and_it_is_told(
    download: Download, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page(asked: dict[str, str]) -> Any:
        number = 1 if 'modelId' in asked else 2
        return {'items': [fake.item(number)], 'metadata': {}}

    fake = Fake(page)
    with fake.server as server:
        at_home(monkeypatch, server)
        code, report = download('42')
    assert (code, report['reason'], report['saved']) == (0, 'complete', 1)
    assert any('no longer knows this model' in note for note in report['notes'])
