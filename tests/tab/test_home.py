"""Where one begins, and the links of a title, without a browser."""

from __future__ import annotations

import html
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from civitai_demo.server import OPENING_PATH, DemoServer
from civitai_demo.world.catalog import load_catalog
from civitai_demo.world.models import load_gallery_models
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.archive.place import archive
from scripts.civitai_manager_libs.civitai.source import parse_source
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient
from scripts.civitai_manager_libs.library import inventory, updates
from scripts.civitai_manager_libs.tab import events, home, start_markup
from scripts.civitai_manager_libs.tab.view import View
from tests.support.models import put

pytestmark = pytest.mark.usefixtures('downloads')

CHECKPOINT, LORA = load_gallery_models()[:2]
OLDER = f'/models/4201?modelVersionId={CHECKPOINT.versions[1].id}'
EVIL = '<img src=x onerror=alert(1)>'


def links(markup: str) -> dict[str, str]:
    """What opens a gallery here, by its words."""
    found = re.findall(r'data-cg-source="([^"]*)"[^>]*>([^<]*)<', markup)
    return {html.unescape(name): html.unescape(link) for link, name in found}


@pytest.fixture
def scanned(demo: DemoServer, client: CivitaiHttpClient, tmp_path: Path) -> Path:
    """A folder of models with two of one model and one that nobody knows, scanned."""
    folder = tmp_path / 'webui' / 'models'
    (folder / 'Stable-diffusion').mkdir(parents=True)
    for name, version in (('new', 0), ('old', 1)):
        put(folder / 'Lora' / f'{name}.safetensors', LORA.versions[version].files[0].content)
    put(folder / 'Lora' / f'{EVIL}.safetensors')
    setting.models_folder = str(folder)
    scanning = inventory.Scanning()
    scanning.begin(updating=True)
    assert scanning._thread is not None
    scanning._thread.join(60)
    return folder


def test_the_examples_are_galleries_of_the_site_that_is_asked(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    for name, link in links(start_markup.home()).items():
        view = View()
        events.open_source(view, link)
        assert view.gallery and view.gallery.model and view.gallery.model.name == name
        assert view.page.images


def test_of_civitai_itself_the_examples_are_well_known_models() -> None:
    setting.civitai_base_url = 'https://civitai.com'
    offered = links(start_markup.home())
    assert len(offered) == 3 and 'DreamShaper' in offered
    assert all(parse_source(link, setting.civitai_base_url).number for link in offered.values())


def test_models_on_this_machine_are_offered_once_each(scanned: Path) -> None:
    found = updates.latest(archive(), 5)
    assert len(found) == 1 and 'Gouache Weather' in found[0].title
    drawn = start_markup.home(found)
    (link,) = {one for name, one in links(drawn).items() if ' · ' in name}
    assert f'/models/{LORA.id}?modelVersionId=' in link


def test_no_more_models_are_offered_than_there_is_room_for(scanned: Path) -> None:
    assert updates.latest(archive(), 0) == []


def test_models_and_favourite_pictures_are_offered_to_their_owner_alone(
    scanned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(home.widgets, 'on', lambda event, handler, **more: opened.append(handler))
    again = SimpleNamespace(reopen=SimpleNamespace(click=None))
    parts = SimpleNamespace(start=SimpleNamespace(home=None), waits=again)
    home.wire_page(parts, SimpleNamespace(load=None))  # type: ignore[arg-type]
    client = SimpleNamespace(host='127.0.0.1', port=1)
    here = SimpleNamespace(headers={'host': '127.0.0.1:7860'}, client=client)
    afar = {**here.headers, 'x-forwarded-for': '203.0.113.7'}
    for word in ('Models on this machine', 'Favourite pictures'):
        assert word in opened[0](here)
        assert word not in opened[0](SimpleNamespace(headers=afar, client=client))


def test_the_name_of_a_site_is_nothing_but_text() -> None:
    setting.civitai_base_url = f'http://{EVIL}'
    assert '<img' not in start_markup.home()


# -- the title -------------------------------------------------------------------------------------


def test_a_model_and_its_creator_lead_to_their_galleries_and_to_their_pages(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    view = View()
    events.open_source(view, demo.url + OPENING_PATH)
    title = start_markup.title(view)
    inside = links(title)
    assert inside['Paper Horizons XL'] == f'{demo.url}/models/4201'
    assert inside['@MapleLantern'] == f'{demo.url}/user/MapleLantern'
    for link in inside.values():
        assert f'href="{link}" target="_blank" rel="noopener noreferrer"' in title


def test_a_picture_leads_to_its_post_and_its_user(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    picture = next(one for one in load_catalog().pictures if one.level == 1)
    view = View()
    events.open_source(view, f'{demo.url}/images/{picture.id}')
    inside = links(start_markup.title(view))
    assert inside[f'Post {picture.post_id}'] == f'{demo.url}/posts/{picture.post_id}'
    assert inside[f'@{picture.user.name}'] == f'{demo.url}/user/{picture.user.name}'


FAVOURITES = {
    'a model': ('/models/4201', '/models/4201', 'Paper Horizons XL'),
    'a version': (OLDER, OLDER, 'Paper Horizons XL · v1.0'),
    'a user': ('/user/MapleLantern', '/user/MapleLantern', 'MapleLantern'),
    'a list': ('/images?sort=Newest', '/images?sort=Newest&types=image', 'Pictures on Civitai'),
}


@pytest.mark.parametrize(('given', 'link', 'name'), FAVOURITES.values(), ids=list(FAVOURITES))
def test_what_is_kept_of_a_gallery_opens_it_again(
    demo: DemoServer, client: CivitaiHttpClient, given: str, link: str, name: str
) -> None:
    view = View()
    events.open_source(view, demo.url + given)
    title = html.unescape(start_markup.title(view))
    assert f'data-cg-star="{demo.url}{link}"' in title and f'data-name="{name}"' in title
    again = View()
    events.open_source(again, start_markup.shown_link(view))
    assert again.page.images == view.page.images


def test_without_a_gallery_there_is_no_title() -> None:
    assert start_markup.title(View()) == ''
