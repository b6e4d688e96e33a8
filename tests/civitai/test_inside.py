"""The texts in a file become the same data as the API would give."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from scripts.civitai_manager_libs.civitai.comfy import workflow
from scripts.civitai_manager_libs.civitai.infotext import encode
from scripts.civitai_manager_libs.civitai.inside import meta_in

GRAPH = {
    '1': {'class_type': 'CLIPTextEncode', 'inputs': {'text': 'a mill'}},
    '2': {
        'class_type': 'KSampler',
        'inputs': {'steps': 9, 'seed': 5, 'cfg': 4, 'sampler_name': 'euler', 'positive': ['1', 0]},
    },
}
PROMPT, EDITOR = json.dumps(GRAPH), json.dumps({'nodes': [1]})
LINE = 'Steps: 9, Sampler: Euler, CFG scale: 4, Seed: 5'
PARAMETERS = f'a mill\n{LINE}'
EXTRA = {'prompt': 'a mill', 'steps': 9, 'sampler': 'Euler', 'cfgScale': 4, 'seed': 5}

TOLD = {
    'a WebUI in a PNG': {'parameters': PARAMETERS},
    'a WebUI in Exif': {'UserComment': PARAMETERS},
    'a comment of a JPEG': {'UserComment': 'a holiday', 'Comment': PARAMETERS},
    'ComfyUI in a PNG': {'prompt': PROMPT, 'workflow': EDITOR},
    'ComfyUI without a workflow': {'prompt': PROMPT},
    'ComfyUI in Exif': {'Make': f'workflow:{EDITOR}', 'Model': f'prompt:{PROMPT}'},
    'ComfyUI in older Exif': {
        'ImageDescription': f'Workflow: {EDITOR}',
        'Make': f'Prompt: {PROMPT}',
    },
    'both': {'parameters': PARAMETERS, 'prompt': PROMPT, 'workflow': EDITOR},
    'the site': {'UserComment': json.dumps({**GRAPH, 'extra': {}})},
    'the site with notes': {'UserComment': json.dumps({'extraMetadata': json.dumps(EXTRA)})},
}


@pytest.mark.parametrize('texts', TOLD.values(), ids=TOLD)
def test_how_a_picture_was_made_is_in_its_file(texts: dict[str, str]) -> None:
    assert PARAMETERS == encode(meta_in(texts))


@pytest.mark.parametrize('name', ['ComfyUI in a PNG', 'ComfyUI in Exif', 'both'])
def test_the_workflow_can_be_had(name: str) -> None:
    assert {'nodes': [1]} == json.loads(workflow(meta_in(TOLD[name])))


def test_versions_that_the_site_notes_are_known() -> None:
    used = [{'modelVersionId': 22, 'strength': 0.5}, {'modelVersionId': 'x'}]
    comment = json.dumps({'extraMetadata': json.dumps({**EXTRA, 'resources': used})})

    assert {'modelVersionId': 22, 'weight': 0.5} in meta_in({'UserComment': comment})[
        'civitaiResources'
    ]  # type: ignore[operator]


NOTHING: dict[str, Any] = {
    'no texts': {},
    'a camera': {'Make': 'Kamera', 'Model': 'prompt', 'UserComment': 'at the sea'},
    'other texts': {'Software': 'Paint', 'prompt': 'no graph'},
    'broken JSON': {'UserComment': '{"a": '},
    'nested JSON': {'UserComment': '{"a":' * 5000},
    'a list for notes': {'UserComment': '{"extraMetadata": [1]}'},
}


@pytest.mark.parametrize('texts', NOTHING.values(), ids=NOTHING)
def test_texts_about_something_else_tell_nothing(texts: dict[str, str]) -> None:
    assert {} == meta_in(texts)


@settings(deadline=None, database=None)
@given(
    st.dictionaries(
        st.sampled_from(['parameters', 'UserComment', 'prompt', 'workflow', 'Make']),
        st.text() | st.sampled_from([PROMPT, '{}', '{"extraMetadata": "5"}', 'prompt:{']),
    )
)
def test_no_text_is_too_strange(texts: dict[str, str]) -> None:
    encode(meta_in(texts))


@pytest.mark.parametrize('name', ['parameters', 'UserComment', 'Comment'])
@pytest.mark.parametrize('prompt', ['{red|blue} door', '{', '{"a": 1}'])
def test_a_prompt_may_begin_like_json(name: str, prompt: str) -> None:
    meta = {'prompt': prompt, 'steps': 20, 'seed': 1, 'Size': '64x64'}

    assert meta == meta_in({name: encode(meta)})


def test_a_prompt_alone_may_begin_like_json() -> None:
    assert '{red|blue} door' == meta_in({'parameters': '{red|blue} door'})['prompt']
