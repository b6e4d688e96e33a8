"""Versions that a picture names by their ids only get names, and the infotext has them."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.civitai_manager_libs.civitai.infotext import encode
from scripts.civitai_manager_libs.civitai.resources import resources
from scripts.civitai_manager_libs.civitai.versions import (
    KnownVersion,
    asked_for,
    named,
    parse_version,
    versions_in,
)

SHA = 'AA11BB22CC' + 'D' * 54


def answer(kind: str = 'LORA', **changes: Any) -> dict[str, Any]:
    files = [
        {'name': 'set.zip', 'type': 'Training Data', 'hashes': {'AutoV3': 'F' * 12}},
        {
            'name': 'ink_v2.safetensors',
            'type': 'Model',
            'primary': True,
            'hashes': {'AutoV1': 'ABCDEF01', 'AutoV2': SHA[:10], 'AutoV3': '0123456789AB'}
            | {'SHA256': SHA},
        },
    ]
    model = {'name': 'Ink', 'type': kind}
    return {'id': 22, 'modelId': 5, 'name': 'v2', 'model': model, 'files': files, **changes}


HASHES = {
    'LORA': ('lora', '0123456789ab'),
    'DoRA': ('dora', '0123456789ab'),
    'LoCon': ('locon', '0123456789ab'),
    'Checkpoint': ('checkpoint', 'aa11bb22cc'),
    'VAE': ('vae', 'aa11bb22cc'),
    'TextualInversion': ('embed', 'aa11bb22ccdd'),
}


@pytest.mark.parametrize(('kind', 'told'), HASHES.items(), ids=HASHES)
def test_a_version_has_the_hash_that_a_webui_knows_its_file_by(
    kind: str, told: tuple[str, str]
) -> None:
    assert KnownVersion(22, 'Ink · v2', 'ink_v2', *told) == parse_version(answer(kind))


GAPS: dict[str, tuple[dict[str, Any], str, str]] = {
    'no files': ({'files': None}, 'Ink', ''),
    'no hashes': ({'files': [{'name': 'a.pt', 'hashes': {}}]}, 'a', ''),
    'zeros': ({'files': [{'name': 'a.pt', 'hashes': {'SHA256': '0' * 64}}]}, 'a', ''),
    'no AutoV3': ({'files': [{'name': 'a.pt', 'hashes': {'SHA256': SHA}}]}, 'a', 'aa11bb22cc'),
    'wrong types': ({'files': [5, {'name': ['x'], 'hashes': 'y', 'type': {}}]}, 'Ink', ''),
}


@pytest.mark.parametrize(('gap', 'name', 'found'), GAPS.values(), ids=GAPS)
def test_what_an_answer_leaves_open(gap: dict[str, Any], name: str, found: str) -> None:
    version = parse_version(answer(**gap))

    assert version is not None
    assert (name, found) == (version.name, version.hash)


@pytest.mark.parametrize(
    'data', [None, [], {}, 'x', {'id': 22}, {'id': '22', 'model': {'name': 'x'}}, answer(id=True)]
)
def test_what_is_no_version_is_none(data: Any) -> None:
    assert parse_version(data) is None


def test_a_list_of_models_has_their_versions() -> None:
    one = answer()
    listed = {
        'id': 5,
        **one['model'],
        'modelVersions': [{'id': 22, 'name': 'v2', 'files': one['files']}, {'id': 23}, 'x'],
    }
    found = versions_in({'items': [listed, None, {'modelVersions': None}]})

    assert parse_version(one) == parse_version(found[0])
    assert [] == versions_in([])


META: dict[str, Any] = {
    'prompt': 'a mill',
    'steps': 30,
    'Model': 'urn:air:sdxl:checkpoint:civitai:4@11',
    'civitaiResources': [
        {'type': 'lora', 'weight': 0.65, 'modelVersionId': 22},
        {'type': 'lora', 'modelVersionId': 22},
        {'modelVersionId': '33'},
        {'modelVersionId': 10**20},
    ],
    'additionalResources': [
        {'name': 'urn:air:sdxl:lora:civitai:6@44', 'strength': 0.4},
        {'name': 'known.safetensors', 'type': 'lora', 'air': 'urn:air:sdxl:lora:civitai:7@55'},
    ],
}
MEADOW = KnownVersion(11, 'Meadow · v1', 'meadow', 'checkpoint', '0011223344')
INK = KnownVersion(22, 'Ink · v2', 'ink_v2', 'lora', '0123456789ab')
RAIN = KnownVersion(44, 'Rain · v3', 'rain', 'locon', '')


def test_versions_without_a_name_are_asked_for_once_each() -> None:
    assert [11, 22, 33, 44] == asked_for(META)
    assert [66] == asked_for({'models': ['urn:air:flux1:checkpoint:civitai:9@66', 'sea.ckpt']})
    assert [] == asked_for({'civitaiResources': 'x', 'Model': 5})


def test_known_versions_are_named_in_the_infotext() -> None:
    text = encode(named(META, [MEADOW, INK, RAIN]))

    assert 'a mill <lora:ink_v2:0.65> <lora:rain:0.4> <lora:known:1>' == text.split('\n')[0]
    assert 'Model hash: 0011223344, Model: meadow' in text
    assert 'Lora hashes: "ink_v2: 0123456789ab"' in text


def test_a_model_that_a_graph_names_by_its_version_is_named() -> None:
    nodes = {
        '1': {'inputs': {'ckpt_name': 'urn:air:sdxl:checkpoint:civitai:4@11'}},
        '2': {'inputs': {'steps': 9, 'seed': 5, 'positive': ['3', 0], 'model': ['1', 0]}},
        '3': {'inputs': {'text': 'a mill'}},
    }
    meta = {'comfy': {'prompt': nodes}}

    assert [11] == asked_for(meta)
    assert 'Model hash: 0011223344, Model: meadow' in encode(named(meta, [MEADOW]))


def test_known_versions_are_named_among_what_was_used() -> None:
    used = {one.version_id: one.title for one in resources(named(META, [MEADOW, INK]))}

    assert {11: 'Meadow · v1', 22: 'Ink · v2', 33: '', 44: '', 55: ''} == used


def test_what_nobody_knows_stays_as_it_is() -> None:
    assert META == named(META, [])
    assert encode(META) == encode(named(META, []))
