"""Other people's readers find what we wrote into a picture.

They run in an environment of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts.civitai_manager_libs.civitai import infotext
from scripts.civitai_manager_libs.store import embed
from tests.support.environments import with_foreign_readers
from tests.support.pictures import drawn

META: dict[str, Any] = {
    'prompt': 'a café on a hill, 海',
    'negativePrompt': 'blur',
    'steps': 28,
    'sampler': 'DPM++ 2M',
    'Schedule type': 'Karras',
    'cfgScale': 6.5,
    'seed': 4021337700,
    'Size': '640x960',
    'Model': 'harbour_v2',
    'hashes': {'model': 'abcdef0123', 'lora:fog': 'ffeeddccbbaa'},
}
TEXT = infotext.encode(META)
KINDS = {'PNG': '.png', 'JPEG': '.jpg', 'WEBP': '.webp'}

# As images.read_info_from_image of AUTOMATIC1111 goes about it, and as sd-parsers is called.
READERS = """
import json, sys
import piexif, piexif.helper
from PIL import Image
from sd_parsers import ParserManager

for path in sys.argv[1:]:
    with Image.open(path) as picture:
        items = dict(picture.info)
    text = items.get('parameters')
    if 'exif' in items:
        comment = piexif.load(items['exif'])['Exif'].get(piexif.ExifIFD.UserComment, b'')
        text = piexif.helper.UserComment.load(comment) or text
    told = ParserManager().parse(path)
    sampler = told.samplers[0]
    print(json.dumps({
        'text': text,
        'prompt': [one.value for one in sampler.prompts],
        'negative': [one.value for one in sampler.negative_prompts],
        'sampler': [sampler.name, sampler.parameters],
        'model': [sampler.model.name, sampler.model.hash],
        'generator': told.generator.value,
        'more': told.metadata,
    }))
"""


@pytest.fixture(scope='module')
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What they say of one picture of each kind."""
    folder, paths = tmp_path_factory.mktemp('read'), []
    for kind, suffix in KINDS.items():
        path = folder / f'a{suffix}'
        path.write_bytes(drawn(kind))
        assert embed.Embedded.WRITTEN is embed.with_infotext(path, TEXT)
        paths.append(path)
    return dict(zip(KINDS, _read(paths)))


def _read(paths: list[Path]) -> list[dict[str, Any]]:
    run = subprocess.run(
        [with_foreign_readers(), '-c', READERS, *map(str, paths)],
        env={**os.environ, 'PYTHONIOENCODING': 'utf-8'},
        capture_output=True,
        text=True,
        encoding='utf-8',
    )
    assert not run.returncode, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.mark.parametrize('kind', KINDS)
def test_the_reader_of_webuis_finds_the_text(told: dict[str, dict[str, Any]], kind: str) -> None:
    assert TEXT == told[kind]['text']


@pytest.mark.parametrize('kind', KINDS)
def test_sd_parsers_finds_all_settings(told: dict[str, dict[str, Any]], kind: str) -> None:
    found = told[kind]

    assert ([META['prompt']], [META['negativePrompt']]) == (found['prompt'], found['negative'])
    assert ['harbour_v2', 'abcdef0123'] == found['model']
    settings = {'steps': '28', 'cfg_scale': '6.5', 'seed': '4021337700', 'scheduler': 'Karras'}
    assert ['DPM++ 2M', settings] == found['sampler']
    assert ('640x960', 'AUTOMATIC1111') == (found['more']['Size'], found['generator'])
