"""What a WebUI is sent of the chosen picture, without a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from civitai_demo.api.image_bodies import media_url
from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import Picture, load_catalog
from scripts.civitai_manager_libs import host
from scripts.civitai_manager_libs.archive import answers, holdings
from scripts.civitai_manager_libs.archive.holdings import Holding
from scripts.civitai_manager_libs.archive.place import archive
from scripts.civitai_manager_libs.civitai.gallery import GalleryImage
from scripts.civitai_manager_libs.errors import CivitaiError, SourceError
from scripts.civitai_manager_libs.tab import events, sending
from scripts.civitai_manager_libs.tab.view import View
from tests.support.grids import large_file

pytestmark = pytest.mark.usefixtures('downloads')


def picture(source: str, container: str) -> Picture:
    return next(
        one
        for one in load_catalog().pictures
        if (one.generation.source, one.container) == (source, container)
    )


def looking_at(demo: DemoServer, one: Picture, transform: str = 'original=true') -> View:
    image = GalleryImage(one.id, media_url(demo.url, one, transform), width=one.width)
    return View(selected=image)


@pytest.mark.parametrize('container', ['png', 'jpeg', 'webp'])
@pytest.mark.parametrize('transform', ['original=true', 'width=450', 'width=1200,optimized=true'])
def test_the_original_goes_in_its_own_size_whatever_was_listed_or_seen(
    demo: DemoServer, container: str, transform: str
) -> None:
    one = picture('webui' if container != 'webp' else 'onsite', container)
    view = looking_at(demo, one, transform)
    assert view.selected is not None
    large_file(view.selected)
    path, text = sending.parcel(view)
    with Image.open(path) as sent:
        assert (sent.size, sent.format) == ((one.width, one.height), container.upper())
    assert one.generation.prompt[:20] in text, 'what its own file tells'


def test_a_picture_of_which_nothing_is_told_goes_without_a_text(demo: DemoServer) -> None:
    _, text = sending.parcel(looking_at(demo, picture('hidden', 'png')))
    assert text == ''


@pytest.mark.parametrize('scenario', ['html', '451', 'cdn-404'])
def test_nothing_goes_in_place_of_an_original_that_does_not_come(
    demo: DemoServer, scenario: str
) -> None:
    view = looking_at(demo, picture('webui', 'png'))
    assert view.selected is not None
    gone = replace(view.selected, url=view.selected.url.replace('-', '0'))
    view.selected = gone if scenario != 'html' else view.selected
    large_file(view.selected)
    demo.scenario = scenario
    with pytest.raises(CivitaiError):
        sending.parcel(view)


def test_where_nothing_is_chosen_nothing_goes() -> None:
    with pytest.raises(SourceError):
        sending.parcel(View())


@pytest.mark.parametrize('kind', ['image', 'video', 'audio'])
@pytest.mark.parametrize('meta', [{}, {'prompt': 'p', 'steps': 1}], ids=['no infotext', 'infotext'])
def test_a_picture_needs_no_infotext_and_an_infotext_no_picture(
    monkeypatch: pytest.MonkeyPatch, kind: str, meta: Any
) -> None:
    monkeypatch.setattr(host.StandaloneHost, 'send_targets', lambda self: host.SEND_TARGETS)
    able = events.sendable(GalleryImage(id=1, url='u', kind=kind, meta=meta), True)
    expected = {'txt2img': bool(meta)}
    assert able == [expected.get(target, kind == 'image') for target in host.SEND_TARGETS]


def test_an_original_that_was_sent_stays_in_a_picture_cache_that_is_too_small(
    demo: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('scripts.civitai_manager_libs.setting.shortcut_gallery_max_mib', 0)
    path, _ = sending.parcel(looking_at(demo, picture('webui', 'png')))
    assert Path(path).is_file()


# -- what a host lacks for it ----------------------------------------------------------------------

USED = [
    {'type': 'checkpoint', 'name': 'paper.safetensors', 'modelVersionId': 1},
    {'type': 'lora', 'name': 'mist', 'modelVersionId': 2},
    {'type': 'lora', 'name': 'fog', 'modelVersionId': 3},
]
EVERY_FILE = ('paper', 1, 'Checkpoint'), ('mist', 2, 'LORA'), ('fog', 3, 'LORA')


def sender(folder: Path, here: Any, may_have: bool = True) -> View:
    """A tab in which a picture made with USED is chosen, where a scan has found what is `here`."""
    found = []
    for name, version, kind in here:
        path = folder / f'{name}.safetensors'
        path.write_bytes(b'model')
        seen = path.stat()
        found.append(
            Holding(
                path,
                kind,
                seen.st_size,
                seen.st_mtime_ns,
                sha256=f'{version:064x}',
                version_id=version,
            )
        )
    holdings.note(archive(), found, 1.0)
    answers.keep(archive(), answers.LOOKED, {0: True})
    view = View(selected=GalleryImage(id=1, url='u', meta={'resources': USED}))
    view.models.may_have = may_have
    return view


@pytest.mark.parametrize(
    ('here', 'said'),
    [
        (EVERY_FILE, ''),
        (EVERY_FILE[:2], '1 of 2 LoRAs are not here: fog.'),
        (EVERY_FILE[1:], 'The checkpoint is not here: paper.'),
        ((), 'The checkpoint is not here: paper. 2 of 2 LoRAs are not here: mist, fog.'),
    ],
    ids=['all here', 'a LoRA lacks', 'the checkpoint lacks', 'nothing here'],
)
def test_what_lacks_is_said(tmp_path: Path, here: Any, said: str) -> None:
    assert sending.lacks(sender(tmp_path, here), 'txt2img') == said


def test_extras_makes_no_picture_so_no_model_lacks(tmp_path: Path) -> None:
    assert sending.lacks(sender(tmp_path, ()), 'extras') == ''


def test_before_a_scan_it_is_said_that_nobody_knows() -> None:
    view = View(selected=GalleryImage(id=1, url='u', meta={'resources': USED}))
    view.models.may_have = True
    assert 'Scan' in sending.lacks(view, 'txt2img')


def test_strangers_are_not_told_what_lacks(tmp_path: Path) -> None:
    assert sending.lacks(sender(tmp_path, (), may_have=False), 'txt2img') == ''
