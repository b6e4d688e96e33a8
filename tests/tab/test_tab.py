"""What happens in the tab, without a browser."""

from __future__ import annotations

import gc
import html
import os
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
import requests

from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import load_catalog
from scripts.civitai_manager_libs import (
    civitai_gallery_action as action,
    host,
    setting,
    widgets,
)
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage, ImagePage
from scripts.civitai_manager_libs.errors import (
    CivitaiError,
    NotFoundError,
    SourceError,
    WrongContentError,
)
from scripts.civitai_manager_libs.tab import (
    components,
    downloading,
    events,
    markup,
    paging,
    picture_markup,
    thumbnails,
)
from scripts.civitai_manager_libs.tab.larger import Key, Size
from scripts.civitai_manager_libs.tab.loading import State
from tests.support.grids import filled, large_file, loaded, loading_of
from tests.support.kept import download_page, kept_page

pytestmark = pytest.mark.usefixtures('downloads')

MODEL = '/models/4201?modelVersionId=420102'


@pytest.fixture
def view(demo: DemoServer) -> events.View:
    opened = events.View()
    events.open_source(opened, demo.url + MODEL)
    return opened


def ids(view: events.View) -> list[int]:
    return [image.id for image in view.page.images]


def test_opening_a_model_shows_a_full_page_of_its_version(view: events.View) -> None:
    assert view.gallery is not None and view.gallery.version is not None
    assert view.gallery.version.id == 420102
    assert len(ids(view)) == setting.page_size() and events.has_next(view)
    assert all(image.level == 1 for image in view.page.images)


def test_there_and_back_again(view: events.View) -> None:
    first = ids(view)
    events.go_next(view)
    second = ids(view)
    events.go_next(view)
    assert view.trail.page_number == 3
    assert len({*first, *second, *ids(view)}) == len(first) + len(second) + len(ids(view))
    events.go_previous(view)
    assert ids(view) == second
    events.go_first(view)
    assert ids(view) == first and view.trail.page_number == 1
    events.go_previous(view)
    assert ids(view) == first


def test_the_last_page_says_so(view: events.View) -> None:
    while events.has_next(view):
        events.go_next(view)
    assert 'last' in markup.page_info(view)
    number = view.trail.page_number
    events.go_next(view)
    assert view.trail.page_number == number


@pytest.mark.parametrize(
    'scenario', ['feed-cursors', 'offset-cursors', 'empty-page', 'repeated-cursor', 'null-fields']
)
def test_every_way_civitai_pages_leads_through_the_whole_gallery(
    demo: DemoServer, view: events.View, scenario: str
) -> None:
    def walk() -> list[int]:
        events.open_source(view, demo.url + MODEL)
        found = ids(view)
        while events.has_next(view):
            events.go_next(view)
            found += ids(view)
        return found

    usual = walk()
    demo.scenario = scenario
    assert walk() == usual and len(set(usual)) == len(usual)


def test_another_version_is_another_gallery(view: events.View) -> None:
    assert view.gallery is not None and view.gallery.model is not None
    before, other = ids(view), view.gallery.model.versions[-1]
    events.choose_version(view, other.label)
    assert view.gallery.version == other
    assert view.trail.page_number == 1 and not set(before) & set(ids(view))


@pytest.mark.parametrize('label', ['', 'no such version', None, 7, ['v']], ids=repr)
def test_a_version_that_is_not_in_the_list_changes_nothing(view: events.View, label: Any) -> None:
    before = ids(view)
    with pytest.raises(SourceError):
        events.choose_version(view, label)
    assert ids(view) == before


@pytest.mark.parametrize(
    ('pasted', 'error'),
    [
        ('', SourceError),
        (None, SourceError),
        ('garbage', SourceError),
        ('https://example.com/models/1', SourceError),
        ('999999', NotFoundError),
    ],
    ids=['empty', 'none', 'garbage', 'other-site', 'unknown-model'],
)
def test_bad_input_leaves_the_gallery_as_it_was(
    view: events.View, pasted: Any, error: type[CivitaiError]
) -> None:
    before = ids(view)
    with pytest.raises(error) as caught:
        events.open_source(view, pasted)
    assert caught.value.user_message and ids(view) == before and view.gallery is not None


@pytest.mark.parametrize(
    ('path', 'words', 'link'),
    [
        ('/images?tags=492952', ('Pictures on Civitai', '#492952'), '/images?types=image'),
        ('/videos?period=Year', ('Videos on Civitai', 'Year'), '/videos?period=Year'),
        ('/user/lumen_fox/videos', ('lumen_fox', 'video'), '/user/lumen_fox/videos'),
        ('/images?userId=30010', ('User 30010',), '/images?userId=30010'),
        (f'{MODEL}&sort=Oldest', ('Oldest',), '/models/4201'),
        (f'{MODEL}&sort=Most+Reactions', ('Most reactions',), '/models/4201'),
        ('/images?types=image&period=AllTime', ('All time · Pictures',), '/images?'),
    ],
)
def test_the_title_says_what_the_link_asked_for_and_leads_there(
    demo: DemoServer, path: str, words: tuple[str, ...], link: str
) -> None:
    view = events.View()
    events.open_source(view, demo.url + path)
    title = markup.title(view.gallery)
    assert ids(view) and all(word in title for word in words)
    address = html.unescape(title.split('href="')[1].split('"')[0])
    assert address.startswith(demo.url + link)
    assert requests.get(address, timeout=20).status_code == 200


def test_a_list_of_models_leaves_the_gallery_as_it_was(demo: DemoServer, view: events.View) -> None:
    before = ids(view)
    with pytest.raises(SourceError, match='open one of the models'):
        events.open_source(view, f'{demo.url}/user/lumen_fox/models')
    assert ids(view) == before


def test_a_post_is_turned_page_by_page_as_it_was_posted(demo: DemoServer) -> None:
    setting.gallery_columns, setting.gallery_rows = 2, 1
    catalog = load_catalog()
    post = max(
        catalog.pictures, key=lambda p: sum(q.level == 1 for q in catalog.in_post(p.post_id))
    )
    expected = [p.id for p in catalog.in_post(post.post_id) if p.level == 1]
    view, shown = events.View(), []
    events.open_source(view, f'{demo.url}/posts/{post.post_id}')
    while True:
        shown += ids(view)
        events.load_ahead(view)
        if not events.has_next(view):
            break
        events.go_next(view)
    assert shown == expected and view.trail.page_number > 1
    for thread in threading.enumerate():
        if thread.name == 'civitai-gallery-pre_load':
            thread.join(timeout=30)
    assert not [record for record in demo.requests if 'cursor' in record.query]


def test_what_was_fetched_ahead_and_failed_is_told_when_it_is_wanted(
    demo: DemoServer, view: events.View, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(action.gr, 'Warning', lambda message, **_: told.append(message))
    demo.scenario = 'cdn-404'
    events.load_ahead(view)
    for thread in threading.enumerate():
        if thread.name == 'civitai-gallery-pre_load':
            thread.join(timeout=30)
    assert demo.requests
    action.download_images([])
    assert not told
    events.go_next(view)
    filled(view)
    (message,) = told
    assert '404' in message


@pytest.mark.parametrize('index', [-1, 24, 10**9, None, '0', [0, 1], 1.0], ids=repr)
def test_a_place_from_the_browser_is_checked(view: events.View, index: Any) -> None:
    with pytest.raises(SourceError):
        events.select(view, index)


def test_a_picture_shows_its_infotext_and_a_large_preview(view: events.View) -> None:
    image = events.select(view, 0)
    text = events.generation_text(image)
    assert text.startswith(str(image.meta['prompt'])[:20]) and '\nSteps: ' in text
    large = large_file(image)
    assert Path(large).is_file()
    assert f'@{image.username}' in picture_markup.details(image)


def test_thumbnails_come_from_the_width_ladder_and_downloads_are_originals(
    demo: DemoServer, view: events.View
) -> None:
    filled(view)
    sizes = {record.path.split('/')[3] for record in demo.requests if '/xG1' in record.path}
    assert all('width=450' in size for size in sizes)
    seen = len(demo.requests)
    *_, last = download_page(view)
    asked = [record.path for record in demo.requests[seen:] if '/xG1' in record.path]
    originals = [path.split('/')[3] for path in asked]
    assert originals == ['original=true'] * setting.page_size()
    assert last.mood == 'good' and f'{setting.page_size()} saved' in last.message


def test_a_download_counts_up_and_sums_up(demo: DemoServer, view: events.View) -> None:
    demo.scenario = 'cdn-404'
    steps = list(download_page(view))
    total = setting.page_size()
    assert [step.done for step in steps] == [*range(total + 1), total]
    assert steps[-1].mood == 'problem' and '404' in steps[-1].message
    assert '<progress' in markup.step(steps[3]) and '<progress' not in markup.step(steps[-1])


def test_a_picture_at_the_address_of_a_video_is_kept(demo: DemoServer, view: events.View) -> None:
    """What Civitai says it is counts, not how the address ends."""
    first = view.page.images[0]
    renamed = replace(first, url=first.url.rpartition('.')[0] + '.mp4')
    view.page = replace(view.page, images=(renamed,))
    *_, last = download_page(view)
    assert last.mood == 'good' and '1 saved' in last.message


def test_a_download_says_what_it_kept_aside(demo: DemoServer, view: events.View) -> None:
    *_, last = download_page(view)
    assert 'aside' not in last.message
    kept = sorted(Path(view.kept_in).iterdir())
    kept[0].write_bytes(b'')
    *_, last = download_page(view)
    assert f'aside: 1, such as {kept[0].stem}.odd-1' in last.message and last.mood == 'good'


def test_an_odd_file_is_no_preview(demo: DemoServer, view: events.View) -> None:
    image = view.page.images[0]
    path = large_file(image)
    assert path is not None
    Path(path).write_bytes(b'')
    demo.scenario = '503'
    assert large_file(image) is None


def test_nothing_to_download_is_said() -> None:
    with pytest.raises(SourceError):
        list(download_page(events.View()))


def test_a_slow_page_never_replaces_a_newer_one(demo: DemoServer, view: events.View) -> None:
    """Thumbnails of a page that the person has left are dropped."""
    demo.scenario = 'slow'
    thumbnails.show(view)
    before, late = loading_of(view), ['untouched']
    waiting = threading.Thread(target=lambda: late.__setitem__(0, str(thumbnails.load(view))))
    waiting.start()
    events.go_next(view)
    demo.scenario = ''
    assert len(loaded(view)) == setting.page_size()
    waiting.join(timeout=30)
    assert late == ['False'] and before.is_over and before.places(State.COMING)


def test_a_slow_link_never_replaces_one_pasted_later(
    demo: DemoServer, view: events.View, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = action.get_http_client()
    entered, go_on = threading.Event(), threading.Event()

    class Slow:
        def fetch_json(self, *args: Any) -> Any:
            entered.set()
            assert go_on.wait(timeout=30)
            return client.fetch_json(*args)

    monkeypatch.setattr(action, 'get_http_client', lambda: Slow())
    slow = threading.Thread(target=lambda: events.open_source(view, demo.url + MODEL))
    slow.start()
    assert entered.wait(timeout=30)
    monkeypatch.setattr(action, 'get_http_client', lambda: client)
    events.open_source(view, '4317')
    go_on.set()
    slow.join()
    assert view.gallery is not None and view.gallery.query.model_id == 4317


def test_a_lower_ceiling_counts_from_the_next_page_on(
    demo: DemoServer, view: events.View, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting, 'gallery_maturity_ceiling', 'XXX')
    events.open_source(view, demo.url + MODEL)
    events.go_next(view)
    monkeypatch.setattr(setting, 'gallery_maturity_ceiling', 'PG')
    events.go_next(view)
    assert {image.level for image in view.page.images} == {1} and view.trail.page_number == 1


@pytest.mark.parametrize(
    ('meta', 'kind', 'has_still', 'able'),
    [
        ({'prompt': 'p', 'steps': 1}, 'image', True, [True, True, True, True]),
        ({}, 'image', True, [False, True, True, True]),
        ({'prompt': 'p', 'steps': 1}, 'video', True, [True, False, False, False]),
        ({'prompt': 'p', 'steps': 1}, 'image', False, [True, False, False, False]),
    ],
    ids=['all', 'no-infotext', 'video', 'no-picture'],
)
def test_only_what_is_there_can_be_sent(
    monkeypatch: pytest.MonkeyPatch, meta: Any, kind: str, has_still: bool, able: list[bool]
) -> None:
    monkeypatch.setattr(host.StandaloneHost, 'send_targets', lambda self: host.SEND_TARGETS)
    image = GalleryImage(id=1, url='u', kind=kind, meta=meta)
    assert events.sendable(image, has_still) == able


def test_two_views_share_nothing(demo: DemoServer, view: events.View) -> None:
    other = events.View()
    events.open_source(other, demo.url + MODEL)
    events.go_next(other)
    assert view.trail.page_number == 1 and other.trail.page_number == 2
    assert not set(ids(view)) & set(ids(other))


def test_hidden_pictures_are_counted_and_named() -> None:
    page = ImagePage((), '', hidden=3)
    gallery = SimpleNamespace(source=None, model=None)
    shown = markup.page_status(events.View(gallery=gallery, page=page))  # type: ignore[arg-type]
    assert 'ceiling (PG): 3' in shown


def test_pictures_nobody_asked_for_are_counted_and_named() -> None:
    image = GalleryImage(id=1, url='u')
    gallery = SimpleNamespace(source=None, model=None)
    for page in (ImagePage((image,), '', surplus=29_976), ImagePage((), '', 3, 29_976)):
        view = events.View(gallery=gallery, page=page)  # type: ignore[arg-type]
        assert 'more than was asked for: 29976' in markup.page_status(view)


def test_a_page_with_a_sound_shows_a_card_for_it(
    view: events.View, demo: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = view.page.images[:2]
    url = f'{demo.url}/k/aaaaaaaa-0000-4000-8000-000000000001/original=true/a.mp3'
    sound = GalleryImage(id=1, url=url, kind='audio', level=1, meta={'prompt': 'rain', 'seed': 1})
    view.page = ImagePage((first, sound, second))
    demo.requests.clear()
    paths = events.showable(loaded(view))
    assert paths[1] == setting.audio_card_image
    assert not {setting.audio_card_image, setting.no_card_preview_image} & {paths[0], paths[2]}
    chosen = events.select(view, 1)
    assert events.showable([events.small_file(chosen)]) == [setting.audio_card_image]
    assert (
        view.picture.larger
        and view.picture.larger.bring(Key(view.picture.grid, 1, Size.LARGE)) is None
    )
    targets = ['txt2img', 'img2img', 'inpaint', 'extras']
    monkeypatch.setattr(host, 'detect', lambda: SimpleNamespace(send_targets=lambda: targets))
    assert events.sendable(chosen, True) == [True, False, False, False]
    assert '>audio<' in picture_markup.details(chosen)
    assert not [record.path for record in demo.requests if 'aaaaaaaa' in record.path]


def test_a_page_of_sounds_alone_shows_cards(view: events.View) -> None:
    sounds = tuple(GalleryImage(id=n, url=f'https://x/{n}.mp3', kind='audio') for n in (1, 2))
    view.page = ImagePage(sounds)
    assert loaded(view) == [setting.audio_card_image] * 2


def test_kinds_of_models_are_named_in_the_language_of_the_settings() -> None:
    setting.language = 'zh_TW'
    meta = {'resources': [{'name': 'Paper', 'type': 'embedding'}]}
    image = GalleryImage(id=1, url='u', meta=meta)
    shown = picture_markup.details(image)
    assert 'Paper' in shown and 'Embedding 模型' in shown


def test_why_a_listing_ends_and_what_was_foreign_is_told() -> None:
    image = GalleryImage(id=1, url='u')
    gallery = SimpleNamespace(source=None, model=None)
    page = ImagePage((image,), '', foreign=2, stopped=WrongContentError('listing_circle'))
    shown = markup.page_status(events.View(gallery=gallery, page=page))  # type: ignore[arg-type]
    assert '1 picture.' in shown and 'not what was asked for: 2' in shown
    assert 'Not everything could be listed' in shown and 'cg-problem' in shown


@pytest.mark.parametrize(
    ('path', 'words'),
    [
        ('/user/nobody_here', 'no user called nobody_here'),
        ('/user/nobody_here/videos', 'no user called nobody_here'),
        ('/posts/2147483647', 'no post 2147483647'),
        ('/images/2147483647', 'or hides it'),
        ('/models/4201?modelVersionId=2147483647', '404'),
    ],
)
def test_what_is_not_there_leaves_the_gallery_as_it_was(
    demo: DemoServer, view: events.View, path: str, words: str
) -> None:
    before = ids(view)
    with pytest.raises(NotFoundError, match=words):
        events.open_source(view, demo.url + path)
    assert ids(view) == before


def test_a_gallery_with_nothing_up_to_the_ceiling_says_up_to_which(demo: DemoServer) -> None:
    adult = next(picture for picture in load_catalog().pictures if picture.level == 8)
    view = events.View()
    events.open_source(view, f'{demo.url}/images/{adult.id}')
    assert ids(view) == [] and 'up to your maturity ceiling (PG)' in markup.page_status(view)


EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def test_words_from_outside_are_only_words() -> None:
    image = GalleryImage(
        id=1,
        url='u',
        username=EVIL,
        base_model=EVIL,
        meta={'Model': EVIL, 'resources': [{'name': EVIL, 'type': 'lora', 'weight': EVIL}]},
    )
    shown = (
        picture_markup.details(image)
        + markup.notice(EVIL)
        + markup.step(downloading.Step(EVIL, 1, 2))
    )
    assert '<script' not in shown and '<img' not in shown and '&lt;script' in shown


@pytest.mark.parametrize(
    ('client', 'host', 'extra', 'same'),
    [
        ('127.0.0.1', '127.0.0.1:7860', {}, True),
        ('127.0.0.1', 'localhost:7860', {}, True),
        ('::1', '[::1]:7860', {}, True),
        ('192.168.1.5', '127.0.0.1:7860', {}, False),
        ('127.0.0.1', 'gallery.example.com', {}, False),
        ('127.0.0.1', 'localhost.example.com', {}, False),
        ('127.0.0.1', '127.0.0.1', {'X-Forwarded-For': '1.2.3.4'}, False),
        ('127.0.0.1', '127.0.0.1', {'Forwarded': 'for=1.2.3.4'}, False),
        ('127.0.0.1', '127.0.0.1', {'x-forwarded-host': 'x'}, False),
        ('', '127.0.0.1', {}, False),
        ('127.0.0.1', '', {}, False),
        ('127.0.0.1', '[::1', {}, False),
        ('127.0.0.1', '127.0.0.1:7860', {'Origin': 'http://127.0.0.1:7860'}, True),
        ('127.0.0.1', '127.0.0.1:7860', {'Sec-Fetch-Site': 'same-origin'}, True),
        ('127.0.0.1', '127.0.0.1:7860', {'Sec-Fetch-Site': 'none'}, True),
        ('127.0.0.1', '127.0.0.1:7860', {'Origin': 'https://evil.example'}, False),
        ('127.0.0.1', '127.0.0.1:7860', {'Origin': 'http://127.0.0.1:8000'}, False),
        ('127.0.0.1', '127.0.0.1:7860', {'Origin': 'null'}, False),
        ('127.0.0.1', '127.0.0.1:7860', {'Sec-Fetch-Site': 'cross-site'}, False),
        ('127.0.0.1', '127.0.0.1:7860', {'Sec-Fetch-Site': 'same-site'}, False),
    ],
    ids=lambda value: str(value)[:50],
)
def test_folders_open_only_where_browser_and_server_are_one_machine(
    client: str, host: str, extra: dict[str, str], same: bool
) -> None:
    request = SimpleNamespace(client=SimpleNamespace(host=client), headers={'host': host, **extra})
    assert widgets.is_same_machine(request) is same


@pytest.mark.parametrize('site', ['cross-site', 'same-site'])
def test_no_download_starts_for_a_page_of_another_site(
    demo: DemoServer, view: events.View, site: str
) -> None:
    seen = len(demo.requests)
    client = SimpleNamespace(host='10.0.0.9')
    headers = {'Sec-Fetch-Site': site, 'host': 'webui.example'}
    request: Any = SimpleNamespace(headers=headers, client=client)
    with gr.Blocks():
        parts = components.build()
    told = kept_page(parts, request, view)[parts.kept_here]
    assert 'another site' in told and len(demo.requests) == seen and not view.kept_in


@pytest.mark.parametrize('site', ['cross-site', 'same-site'])
def test_no_gallery_is_listed_for_a_page_of_another_site(
    demo: DemoServer, view: events.View, site: str
) -> None:
    before, seen = ids(view), len(demo.requests)
    request: Any = SimpleNamespace(headers={'Sec-Fetch-Site': site, 'host': 'webui.example'})
    with gr.Blocks():
        parts = components.build()
    told = paging._on_turn(parts, events.open_source)(request, '4202', view)
    assert 'another site' in told[parts.status]
    assert len(demo.requests) == seen and ids(view) == before


def test_what_any_tab_shows_stays_in_a_picture_cache_that_is_too_small(
    demo: DemoServer, view: events.View, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting, 'shortcut_gallery_max_mib', 0)
    other = events.View()
    events.open_source(other, demo.url + MODEL)
    events.go_next(other)
    first, second = loaded(view), loaded(other)
    large = large_file(events.select(view, 0))
    events.go_next(other)
    third = loaded(other)
    assert all(map(os.path.isfile, [*first, large, *third]))
    assert not any(map(os.path.isfile, set(second) - {*first, *third}))
    assert events.showable(first) == first


def test_a_tab_that_was_closed_holds_nothing_in_the_picture_cache(
    demo: DemoServer, view: events.View, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting, 'shortcut_gallery_max_mib', 0)
    other = events.View()
    events.open_source(other, demo.url + MODEL)
    events.go_next(other)
    second = loaded(other)
    del other
    gc.collect()
    first = loaded(view)
    assert all(map(os.path.isfile, first))
    assert not any(map(os.path.isfile, set(second) - set(first)))


def test_a_folder_of_somebody_else_never_becomes_the_picture_cache(
    view: events.View, tmp_path: Path
) -> None:
    setting.shortcut_gallery_folder = str(tmp_path / 'mine')
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'diary.txt').touch()
    assert not thumbnails.show(view)
    assert view.problem is not None and 'folder of its own' in str(view.problem)
    assert os.listdir(tmp_path / 'mine') == ['diary.txt']


def test_only_files_that_are_there_and_ours_are_shown(tmp_path: Path) -> None:
    mine, other = tmp_path / 'mine', tmp_path / 'other'
    mine.mkdir()
    other.mkdir()
    (mine / 'a.png').write_bytes(b'x')
    (other / 'b.png').write_bytes(b'x')
    given = [str(mine / 'a.png'), str(mine / 'gone.png'), str(other / 'b.png'), None, 'http://x/a']
    assert widgets.showable(given, [str(mine)], 'no.png') == [str(mine / 'a.png')] + ['no.png'] * 4


def test_an_unforeseen_error_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise KeyError('secret detail')

    with pytest.raises(widgets.gr.Error) as caught:
        widgets.guarded(broken)()
    assert 'log has the details' in str(caught.value) and 'secret detail' not in str(caught.value)
    assert 'broken failed' in caplog.text
