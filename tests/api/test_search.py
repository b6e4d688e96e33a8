"""Models searched by words: what is asked, and how it goes on."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from civitai_demo.server import DemoServer
from scripts.civitai_manager_libs import api, setting
from scripts.civitai_manager_libs.api import models
from scripts.civitai_manager_libs.errors import ServerBusyError
from scripts.civitai_manager_libs.http_client import CivitaiHttpClient


def asked(demo: DemoServer) -> list[dict[str, list[str]]]:
    """What was asked of the list of models."""
    return [parse_qs(one.query) for one in demo.requests if one.path == '/api/v1/models']


def test_models_are_found_by_their_names(demo: DemoServer, client: CivitaiHttpClient) -> None:
    (found,) = api.search_models(client, 'PAPER horizons').models
    assert (found.model.id, found.model.name) == (4201, 'Paper Horizons XL')
    assert (found.model.kind, found.base_model) == ('Checkpoint', 'SDXL 1.0')
    assert found.model.creator and found.picture and found.picture.level == 1


def test_every_model_comes_once_by_the_sites_own_cursors(
    demo: DemoServer, client: CivitaiHttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = api.search_models(client, 'e')
    monkeypatch.setattr(models, 'FOUND_AT_ONCE', 2)
    page = api.search_models(client, 'e')
    while page.next_cursor:
        page = page.and_then(api.search_models(client, 'e', page.next_cursor))
    assert len(page.models) > 4
    assert [one.model.id for one in page.models] == [one.model.id for one in whole.models]
    assert not any('page' in question for question in asked(demo))  # with words that is an error


@pytest.mark.parametrize(('ceiling', 'nsfw'), [('PG', 'false'), ('PG-13', 'true'), ('XXX', 'true')])
def test_the_ceiling_says_whether_the_site_is_asked_for_all(
    demo: DemoServer, client: CivitaiHttpClient, ceiling: str, nsfw: str
) -> None:
    setting.gallery_maturity_ceiling = ceiling
    found = api.search_models(client, 'a')
    assert asked(demo)[-1]['nsfw'] == [nsfw]
    levels = setting.maturity_levels()
    assert all(one.picture.level & levels for one in found.models if one.picture)


def test_words_of_any_kind_are_sent_as_they_are(
    demo: DemoServer, client: CivitaiHttpClient
) -> None:
    words = 'a&b=c #1 %41 水彩'
    assert api.search_models(client, words).models == ()
    assert asked(demo)[-1]['query'] == [words]


def test_a_search_that_is_down_is_told(demo: DemoServer, client: CivitaiHttpClient) -> None:
    demo.scenario = '503'
    with pytest.raises(ServerBusyError):
        api.search_models(client, 'paper')
