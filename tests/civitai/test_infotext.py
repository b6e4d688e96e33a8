"""Civitai meta becomes text that the WebUI reads as it was meant, and comes back."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from scripts.civitai_manager_libs.civitai.infotext import decode, encode
from scripts.civitai_manager_libs.civitai.resources import Resource, resources
from tests.support.webui_reading import webui_reads

# A busy machine is no failure, and a test leaves no files behind.
patiently = settings(deadline=None, database=None)


FULL_META: dict[str, Any] = {
    'VAE': 'clear.safetensors',
    'ENSD': '31337',
    'Size': '640x960',
    'seed': 4021337700,
    'Model': 'harbour_v2',
    'steps': 28,
    'hashes': {
        'vae': '1a2b3c4d5e',
        'model': 'abcdef0123',
        'lora:old, paper: v1': '00112233aabb',
        'lora:fog': 'ffeeddccbbaa',
        'embed:badhands': '9988776655',
    },
    'prompt': 'a harbour at dawn,\n<lora:fog:0.6>',
    'Version': 'v1.9.4',
    'sampler': 'DPM++ 2M Karras',
    'cfgScale': 6.5,
    'clipSkip': 2,
    'TI hashes': {'grain': '1234567890'},
    'resources': [{'name': 'fog', 'type': 'lora', 'hash': 'ffeeddccbbaa', 'weight': 0.6}],
    'negativePrompt': 'blurry, text',
    'Hires upscale': '2',
    'Hires upscaler': 'Latent',
    'ADetailer model': 'face_yolov8n.pt',
    'ADetailer prompt': 'a face, "calm"',
    'Denoising strength': '0.4',
}
FULL_TEXT = (
    'a harbour at dawn,\n'
    '<lora:fog:0.6>\n'
    'Negative prompt: blurry, text\n'
    'Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 4021337700, Size: 640x960, '
    'Model hash: abcdef0123, Model: harbour_v2, VAE hash: 1a2b3c4d5e, VAE: clear.safetensors, '
    'Denoising strength: 0.4, Clip skip: 2, Hires upscale: 2, Hires upscaler: Latent, '
    'ADetailer model: face_yolov8n.pt, ADetailer prompt: "a face, \\"calm\\"", '
    'Lora hashes: "old paper v1: 00112233aabb, fog: ffeeddccbbaa", '
    'TI hashes: "badhands: 9988776655, grain: 1234567890", ENSD: 31337, Version: v1.9.4'
)
BASE: dict[str, Any] = {'prompt': 'p', 'steps': 20, 'sampler': 'Euler', 'seed': 1}
BASE_LINE = 'p\nSteps: 20, Sampler: Euler, Seed: 1'


def test_a_full_meta_becomes_the_text_the_webui_itself_would_have_written() -> None:
    assert FULL_TEXT == encode(FULL_META)


def test_a_wrapped_meta_reads_like_a_flat_one() -> None:
    assert FULL_TEXT == encode({'id': 7, 'meta': FULL_META})


def test_meta_with_more_than_id_and_meta_is_not_unwrapped() -> None:
    read = webui_reads(encode({'My id': 7, 'meta': {'prompt': 'q'}, 'prompt': 'p'}))

    assert ('p', '7') == (read['Prompt'], read['My id'])


NOTHING_TO_SAY = {
    'none': None,
    'empty': {},
    'wrapped null': {'id': 3, 'meta': None},
    'only a comfy graph': {'comfy': '{"prompt": {}, "workflow": undefined}', 'vaes': ['ae.sft']},
    'only a size': {'width': 512, 'height': 512},
    'prompt of a wrong type': {'prompt': ['a', 'cat'], 'negativePrompt': 5},
    'blank prompt': {'prompt': ' \n\t', 'negativePrompt': '\r\n'},
    'a list': ['prompt'],
    'a text': 'prompt',
}


@pytest.mark.parametrize('meta', NOTHING_TO_SAY.values(), ids=NOTHING_TO_SAY.keys())
def test_a_meta_that_says_nothing_is_no_text_whatever_the_size_of_the_picture(meta: Any) -> None:
    assert '' == encode(meta, 512, 768)


ADDED = {
    'integral float': ({'cfgScale': 7.0}, 'CFG scale: 7'),
    'fraction': ({'cfgScale': 3.5}, 'CFG scale: 3.5'),
    'number as text': ({'cfgScale': '7.50'}, 'CFG scale: 7.5'),
    'clip skip of the site': ({'clipSkip': 2}, 'Clip skip: 2'),
    'clip skip of the WebUI': ({'Clip skip': '2'}, 'Clip skip: 2'),
    'zero': ({'Denoising strength': 0}, 'Denoising strength: 0'),
    'boolean': ({'Tiling': True}, 'Tiling: True'),
    'unknown key': ({'Mood level': 0.25}, 'Mood level: 0.25'),
    'schedule': ({'Schedule type': 'Karras'}, 'Schedule type: Karras'),
    'schedule under an older name': ({'Schedule': 'Beta'}, 'Schedule type: Beta'),
    'schedule of ComfyUI': ({'scheduler': 'sgm_uniform'}, 'Schedule type: SGM Uniform'),
    'schedule nobody knows': ({'scheduler': 'my_own'}, 'Schedule type: my_own'),
    'size': ({'Size': '512 X 768'}, 'Size: 512x768'),
    'size as two numbers': ({'width': 512, 'height': '768'}, 'Size: 512x768'),
    'size before two numbers': ({'Size': '64x64', 'width': 9, 'height': 9}, 'Size: 64x64'),
    'size zero': ({'Size': '0x768', 'width': 0, 'height': 768}, ''),
    'model hash of its own': (
        {'Model hash': 'aaaaaaaaaa', 'hashes': {'model': 'bbbbbbbbbb'}},
        'Model hash: aaaaaaaaaa',
    ),
    'model hash elsewhere': ({'hashes': {'model': 'bbbbbbbbbb'}}, 'Model hash: bbbbbbbbbb'),
    'model as a urn': ({'Model': 'urn:air:sdxl:checkpoint:civitai:1@2'}, ''),
    'hash with a prefix': ({'Model hash': '0xAABBCCDDEE'}, 'Model hash: aabbccddee'),
    'hash of nothing': ({'Model hash': 'e3b0c44298', 'VAE hash': '0' * 10}, ''),
    'hash that is none': ({'Model hash': 'unknown', 'TI hashes': {'fade': 'None'}}, ''),
    'hash keys of others': (
        {'hashes': {'LORA:ink': 'aabbccddee', 'EMBED:fade': '1122334455', 'locon:fog': 'abcdef01'}},
        'Lora hashes: "ink: aabbccddee, fog: abcdef01", TI hashes: "fade: 1122334455"',
    ),
    'lora hashes as text': (
        {'Lora hashes': 'fog: aabbccddeeff'},
        'Lora hashes: "fog: aabbccddeeff"',
    ),
    'TI hashes as text': ({'TI hashes': 'grain: aabbccddee'}, 'TI hashes: "grain: aabbccddee"'),
    'comma': ({'Note': 'a, b'}, 'Note: "a, b"'),
    'colon': ({'Note': '12:30'}, 'Note: "12:30"'),
    'line break': ({'Note': 'a\r\nb'}, 'Note: "a\\nb"'),
    'CJK stays readable': ({'Note': '海, 山'}, 'Note: "海, 山"'),
    'a quote within': ({'Note': '5" disk'}, 'Note: 5" disk'),
    'a quote first': ({'Note': '"big" disk'}, 'Note: "\\"big\\" disk"'),
    'spaces around': ({'Note': '  x  '}, 'Note: x'),
    'empty text': ({'Note': '  '}, ''),
    'null': ({'Note': None}, ''),
    'list': ({'Note': [1, 2]}, ''),
    'mapping': ({'Note': {'a': 1}, 'hashes': [1]}, ''),
    'not a number': ({'Note': float('nan'), 'cfgScale': float('inf')}, ''),
    'number of thousands of digits': ({'Note': 10**5000}, ''),
    'name the WebUI cannot read': ({'a.Steps': 99, 'x': 1, '"q"': 1, 'Näme': 1}, 'Näme: 1'),
    'name of another field': ({'Steps': 99, 'Seed ': 5, 'Negative prompt': 'n'}, ''),
    'name that is no text': ({3: 'x', None: 'y'}, ''),
    'graph and on-site facts': ({'comfy': 'x', 'engine': 'e', 'process': 'p', 'denoise': 1}, ''),
    'steps no number': ({'clipSkip': 'two'}, ''),
    'version last': ({'Version': 'v1', 'Eta': 1}, 'Eta: 1, Version: v1'),
}


@pytest.mark.parametrize(('extra', 'expected'), ADDED.values(), ids=ADDED.keys())
def test_what_a_field_adds_to_the_last_line(extra: dict[Any, Any], expected: str) -> None:
    meta = {**BASE, **extra}
    pairs = encode(meta).removeprefix('p\nSteps: 20, Sampler: Euler, ').split(', ')

    assert 'Seed: 1' in pairs
    pairs.remove('Seed: 1')
    assert expected == ', '.join(pairs)


NAMES_OF_OTHERS = {
    'ancestral': ({'sampler': 'euler_ancestral', 'scheduler': 'normal'}, 'Euler a', 'Normal'),
    'on a graphics card': (
        {'sampler': 'dpmpp_3m_sde_gpu', 'scheduler': 'exponential'},
        'DPM++ 3M SDE',
        'Exponential',
    ),
    'as another saver writes it': (
        {'sampler': 'dpm_2_ancestral', 'Scheduler': 'sgm_uniform'},
        'DPM2 a',
        'SGM Uniform',
    ),
    'schedule in the name': ({'sampler': 'dpmpp_2s_ancestral_karras'}, 'DPM++ 2S a', 'Karras'),
    'no such sampler': ({'sampler': 'seeds_3', 'scheduler': 'beta'}, 'seeds_3', 'Beta'),
    'no sampler': ({'sampler': 'Undefined', 'scheduler': 'simple'}, None, 'Simple'),
}


@pytest.mark.parametrize(
    ('names', 'sampler', 'schedule'), NAMES_OF_OTHERS.values(), ids=NAMES_OF_OTHERS.keys()
)
def test_the_webui_is_told_samplers_and_schedules_by_its_own_names(
    names: dict[str, str], sampler: str | None, schedule: str
) -> None:
    read = webui_reads(encode({'prompt': 'p', 'steps': 20, 'seed': 1, 'cfgScale': 7, **names}))

    assert (sampler, schedule) == (read.get('Sampler'), read.get('Schedule type'))
    assert 'Scheduler' not in read


def test_samplers_of_other_passes_are_translated_too() -> None:
    others = {'Hires sampler': 'dpmpp_sde', 'Hires schedule type': 'karras'}
    read = webui_reads(encode({**BASE, **others, 'ADetailer sampler': 'euler_ancestral'}))

    assert ('DPM++ SDE', 'Karras') == (read['Hires sampler'], read['Hires schedule type'])
    assert 'Euler a' == read['ADetailer sampler']


COMFY_META: dict[str, Any] = {
    'prompt': 'a mill',
    'steps': 20,
    'sampler': 'Euler',
    'scheduler': 'karras',
    'cfgScale': 7,
    'seed': 1,
    'denoise': 0.5,
    'models': ['XL\\meadow.safetensors', 'late.ckpt'],
    'vaes': ['sub/soft.sft'],
    'upscalers': ['4x-any.pth'],
    'additionalResources': [
        {'name': 'inks/ink v2.safetensors', 'type': 'lora', 'strength': 0.65, 'strengthClip': 1},
        {'name': 'fog', 'type': 'lora'},
    ],
}


def test_a_comfy_meta_names_what_a_webui_asks_for() -> None:
    read = webui_reads(encode(COMFY_META))

    assert 'a mill <lora:ink v2:0.65> <lora:fog:1>' == read['Prompt']
    assert {
        'Model': 'meadow',
        'VAE': 'soft.sft',
        'Hires upscaler': '4x-any',
    }.items() <= read.items()
    assert ('0.5', 'Karras') == (read['Denoising strength'], read['Schedule type'])


def test_what_a_comfy_meta_says_itself_counts() -> None:
    own = {'Model': 'other', 'VAE': 'clear.pt', 'Denoising strength': '0.4'}
    read = webui_reads(encode({**COMFY_META, **own, 'prompt': 'a mill <lora:Fog:0.3>'}))

    assert own.items() <= read.items()
    assert 'a mill <lora:Fog:0.3> <lora:ink v2:0.65>' == read['Prompt']


def test_a_comfy_meta_comes_back_from_its_text() -> None:
    text = encode(COMFY_META)

    assert text == encode(decode(text))


@pytest.mark.parametrize('strength', [0, 1, 1.5, 'much', None], ids=repr)
def test_a_denoise_that_starts_from_nothing_is_not_told(strength: Any) -> None:
    assert 'Denoising' not in encode({**COMFY_META, 'denoise': strength})


def test_a_meta_that_is_only_a_graph_is_read() -> None:
    graph = {
        '1': {'class_type': 'UNETLoader', 'inputs': {'unet_name': 'meadow.gguf'}},
        '2': {'class_type': 'CLIPTextEncode', 'inputs': {'text': 'a mill'}},
        '3': {'class_type': 'CLIPTextEncode', 'inputs': {'text': 'blur'}},
        '4': {'class_type': 'EmptySD3LatentImage', 'inputs': {'width': 640, 'height': 832}},
        '5': {
            'class_type': 'KSamplerAdvanced',
            'inputs': {'steps': 12, 'noise_seed': 5, 'cfg': 4, 'sampler_name': 'dpmpp_sde_gpu'}
            | {'scheduler': 'beta', 'model': ['1', 0], 'positive': ['2', 0], 'negative': ['3', 0]}
            | {'latent_image': ['4', 0]},
        },
    }
    expected = (
        'a mill\nNegative prompt: blur\nSteps: 12, Sampler: DPM++ SDE, Schedule type: Beta, '
        'CFG scale: 4, Seed: 5, Size: 640x832, Model: meadow'
    )
    assert expected == encode({'comfy': json.dumps({'prompt': graph}), 'width': 640, 'height': 832})


ONSITE_META: dict[str, Any] = {
    'prompt': 'a mill',
    'steps': 30,
    'sampler': 'Undefined',
    'cfgScale': 6,
    'seed': 77,
    'civitaiResources': [
        {'type': 'checkpoint', 'modelVersionId': 11, 'name': 'meadow_v2', 'hash': '0011223344'},
        {
            'type': 'lora',
            'weight': 0.65,
            'modelVersionId': 22,
            'name': 'ink',
            'hash': 'aa11bb22cc33',
        },
        {'type': 'embed', 'modelVersionId': 33, 'name': 'fade', 'hash': '1122334455'},
        {'type': 'lora', 'weight': 0.4, 'modelVersionId': 44},
    ],
}


def test_an_on_site_picture_names_its_models_as_far_as_they_are_known() -> None:
    assert (
        'a mill <lora:ink:0.65>\nSteps: 30, CFG scale: 6, Seed: 77, Model hash: 0011223344, '
        'Model: meadow_v2, Lora hashes: "ink: aa11bb22cc33", TI hashes: "fade: 1122334455"'
    ) == encode(ONSITE_META)


def test_a_prompt_that_calls_its_loras_is_told_none_of_the_site() -> None:
    prompt = 'a mill <lora:ink_renamed:0.65>'

    assert prompt == webui_reads(encode({**ONSITE_META, 'prompt': prompt}))['Prompt']


TWO_LORAS = [
    {'type': 'lora', 'weight': 0.3, 'modelVersionId': 22, 'name': 'ink'},
    {'type': 'lora', 'weight': 0.65, 'modelVersionId': 44, 'name': 'fog'},
]
CALLED = {
    'one of two': ('a mill <lora:ink:0.3>', 'a mill <lora:ink:0.3> <lora:fog:0.65>'),
    'one, with a weight of its own': (
        'a mill <lora:INK:1>',
        'a mill <lora:INK:1> <lora:fog:0.65>',
    ),
    'both': ('a <lora:fog:0.65> <lora:ink:0.3>', 'a <lora:fog:0.65> <lora:ink:0.3>'),
    'one under another name': ('<lora:my_ink:0.3>', '<lora:my_ink:0.3> <lora:fog:0.65>'),
    'both under other names': (
        '<lora:my_ink:0.3> <lora:my_fog:0.65>',
        '<lora:my_ink:0.3> <lora:my_fog:0.65>',
    ),
    'a hypernetwork': (
        '<hypernet:h:1>',
        '<hypernet:h:1> <lora:ink:0.3> <lora:fog:0.65>',
    ),
}


@pytest.mark.parametrize('prompt, expected', CALLED.values(), ids=CALLED)
def test_each_lora_of_the_site_that_the_prompt_does_not_call_is_added(
    prompt: str, expected: str
) -> None:
    text = encode({**ONSITE_META, 'prompt': prompt, 'civitaiResources': TWO_LORAS})

    assert expected == webui_reads(text)['Prompt']


def test_a_lora_that_a_graph_applies_is_no_other_name_of_what_the_prompt_calls() -> None:
    loras = [{'type': 'lora', 'name': 'fog.safetensors', 'strength': 0.3}]
    text = encode({**BASE, 'prompt': '<lora:ink:0.3>', 'additionalResources': loras})

    assert '<lora:ink:0.3> <lora:fog:0.3>' == webui_reads(text)['Prompt']


def test_an_on_site_picture_comes_back_from_its_text() -> None:
    text = encode(ONSITE_META)

    assert text == encode(decode(text))
    assert text == encode({**ONSITE_META, 'Model': 'urn:air:sdxl:checkpoint:civitai:5@11'})


BAD_NUMBERS = {'text': 'many', 'list': [20], 'boolean': True, 'half': 20.5, 'null': None}


@pytest.mark.parametrize('value', BAD_NUMBERS.values(), ids=BAD_NUMBERS.keys())
def test_steps_and_seed_that_are_no_whole_numbers_are_left_out(value: Any) -> None:
    meta = {**BASE, 'steps': value, 'seed': value, 'cfgScale': 7, 'clipSkip': 2}

    assert 'p\nSampler: Euler, CFG scale: 7, Clip skip: 2' == encode(meta)


def test_a_seed_written_as_text_keeps_every_digit() -> None:
    assert 'Seed: 18446744073709551615' in encode({**BASE, 'seed': '18446744073709551615'})


def test_a_size_nobody_wrote_down_is_that_of_the_picture() -> None:
    assert BASE_LINE + ', Size: 512x768' == encode(BASE, 512, 768)
    assert BASE_LINE + ', Size: 64x64' == encode({**BASE, 'Size': '64x64'}, 512, 768)
    assert BASE_LINE == encode(BASE, None, 768)


def test_an_unknown_sampler_of_the_on_site_generator_is_not_passed_on() -> None:
    assert 'Sampler' not in encode({**BASE, 'sampler': 'Undefined'})


SHORT = {
    'steps alone': ({'prompt': 'cat', 'steps': 20}, {'Steps': '20'}),
    'size alone': ({'prompt': 'cat', 'width': 64, 'height': 32}, {'Size': '64x32'}),
    'two': ({'prompt': 'cat', 'steps': 20, 'seed': 3}, {'Steps': '20', 'Seed': '3'}),
    'own source': ({'prompt': 'cat', 'Source': 'mine'}, {'Source': 'mine'}),
    'no prompt': ({'steps': 20}, {'Steps': '20'}),
}


@pytest.mark.parametrize(('meta', 'expected'), SHORT.values(), ids=SHORT.keys())
def test_few_settings_do_not_end_up_in_the_prompt(
    meta: dict[str, Any], expected: dict[str, str]
) -> None:
    read = webui_reads(encode(meta))

    assert meta.get('prompt', '') == read['Prompt']
    assert expected == {name: read.get(name) for name in expected}


@pytest.mark.parametrize('meta', [meta for meta, _ in SHORT.values()], ids=SHORT.keys())
def test_a_short_line_is_filled_up_with_what_the_webui_assumes_anyway(meta: dict[str, Any]) -> None:
    read = webui_reads(encode(meta))
    assumed = {'VAE Encoder': 'Full', 'VAE Decoder': 'Full', 'RNG': 'GPU'}
    own = {'Prompt', 'Negative prompt', 'Steps', 'Size', 'Seed', 'Source'}

    assert assumed.items() >= {k: v for k, v in read.items() if k not in own}.items()


LISTS: dict[str, tuple[str, Any, str]] = {
    'a ControlNet': (
        'ControlNet 1',
        {'Module': 'openpose', 'Model': 'pose_v2 [0a1b2c3d]', 'Weight': 0.75, 'Low Vram': False},
        'Module: openpose, Model: pose_v2 [0a1b2c3d], Weight: 0.75, Low Vram: False',
    ),
    'weights of LoRAs': ('Lora weights', {'ink': '0.6', 'fog': 1}, 'ink: 0.6, fog: 1'),
    'names of one letter': (
        'Lora weights',
        {'a': '0.5', 'bb': 0.2, '霧': 1},
        'a: 0.5, bb: 0.2, 霧: 1',
    ),
    'one name of one letter': ('Lora weights', {'a': '0.5'}, 'a: 0.5'),
    'a vector': ('Tide table', {'x': 1, 'y': 0.5}, ''),
    'an entry without a name': ('Lora weights', {'': '0.5', 'b': 1}, 'b: 1'),
    'tiles': (
        'Tiled Diffusion',
        {'Method': 'Mixture', 'Tile width': '96'},
        'Method: Mixture, Tile width: 96',
    ),
    'an unknown one': ('Tide table', {'High water': '6'}, 'High water: 6'),
    'with an inner object': ('Tide table', {'High': {'at': 6}, 'Low': '12'}, 'Low: 12'),
    'nothing plain': ('Tide table', {'High': [1], 'Low': None}, ''),
    'empty': ('Tide table', {}, ''),
    'of the site': ('controlNets', {'High': '1'}, ''),
}


@pytest.mark.parametrize(('name', 'value', 'expected'), LISTS.values(), ids=LISTS.keys())
def test_a_list_that_the_site_made_an_object_of_is_a_list_again(
    name: str, value: Any, expected: str
) -> None:
    text = encode({**BASE, name: value})

    assert expected == webui_reads(text).get(name, '')
    assert text == encode(decode(text))


NOISE: dict[str, Any] = {
    'Created Date': '2025-11-28T09:18:43.5Z',
    'fluxMode': 'urn:air:flux1:checkpoint:civitai:1@2',
    'quantity': 4,
    'draft': False,
    'nsfw': True,
    'remixOfId': 7,
    'workflow': 'txt2img',
    'experimental': 'no',
    'sourceImage': {'url': 'https://example.org/x.png'},
    'enhancedCompatibility': True,
    'Civitai metadata': {'remixOfId': 7},
}


@pytest.mark.parametrize('name', NOISE)
def test_what_the_site_notes_for_itself_stays_out(name: str) -> None:
    assert BASE_LINE == encode({**BASE, name: NOISE[name]})


def test_settings_of_extensions_in_small_letters_stay() -> None:
    assert 'dynthres_enabled: True' in encode({**BASE, 'dynthres_enabled': True})


def test_what_fills_up_a_short_line_does_not_come_back() -> None:
    assert {'prompt': 'cat', 'steps': 20} == decode(encode({'prompt': 'cat', 'steps': 20}))


LOOKALIKES = {
    'weights': '(cat:1.2), (hat:1.1), (sea:1.3)',
    'settings': 'Steps: 30, Sampler: DDIM, Seed: 9',
    'a short one': 'Steps: 30',
    'one line of the on-site generator': 'a cat Negative prompt: dog Steps: 30, Seed: 9',
    'JSON': 'Hashes: ["aa: b, cc: d, ee: f"]',
}


@pytest.mark.parametrize('others', [{}, {'steps': 7, 'seed': 8}], ids=['alone', 'with settings'])
@pytest.mark.parametrize('name', ['prompt', 'negativePrompt'])
@pytest.mark.parametrize('text', LOOKALIKES.values(), ids=LOOKALIKES.keys())
def test_a_prompt_that_looks_like_settings_stays_prompt(
    text: str, name: str, others: dict[str, Any]
) -> None:
    meta = {**others, name: f'first\n{text}'}
    read = webui_reads(encode(meta))

    assert meta[name] == read['Prompt' if name == 'prompt' else 'Negative prompt']
    assert others.get('steps') == (int(read['Steps']) if 'Steps' in read else None)
    assert meta == decode(encode(meta))


@pytest.mark.parametrize('name', ['prompt', 'negativePrompt'])
def test_a_line_that_would_start_the_negative_prompt_is_bent(name: str) -> None:
    meta = {**BASE, 'prompt': 'p', 'negativePrompt': 'n', name: 'x\n Negative prompt: y'}
    bent = {**meta, name: 'x\nNegative prompt : y'}
    read = webui_reads(encode(meta))

    assert (bent['prompt'], bent['negativePrompt']) == (read['Prompt'], read['Negative prompt'])
    assert bent == decode(encode(meta))


@pytest.mark.parametrize(
    ('written', 'kept'),
    [('a\r\nb\rc', 'a\nb\nc'), (' a \n  b ', 'a\nb'), ('a\0b', 'ab'), ('a\ud800b', 'a?b')],
    ids=['line ends', 'spaces around lines', 'NUL', 'half a character'],
)
def test_what_a_prompt_cannot_keep(written: str, kept: str) -> None:
    assert kept == webui_reads(encode({**BASE, 'prompt': written}))['Prompt']


def test_full_text_comes_back_as_meta() -> None:
    assert {
        'prompt': 'a harbour at dawn,\n<lora:fog:0.6>',
        'negativePrompt': 'blurry, text',
        'steps': 28,
        'sampler': 'DPM++ 2M Karras',
        'cfgScale': 6.5,
        'seed': 4021337700,
        'Size': '640x960',
        'clipSkip': 2,
        'Model': 'harbour_v2',
        'Model hash': 'abcdef0123',
        'VAE': 'clear.safetensors',
        'hashes': {
            'model': 'abcdef0123',
            'vae': '1a2b3c4d5e',
            'lora:old paper v1': '00112233aabb',
            'lora:fog': 'ffeeddccbbaa',
            'embed:badhands': '9988776655',
            'embed:grain': '1234567890',
        },
        'TI hashes': {'badhands': '9988776655', 'grain': '1234567890'},
        'Denoising strength': '0.4',
        'Hires upscale': '2',
        'Hires upscaler': 'Latent',
        'ADetailer model': 'face_yolov8n.pt',
        'ADetailer prompt': 'a face, "calm"',
        'ENSD': '31337',
        'Version': 'v1.9.4',
    } == decode(FULL_TEXT)


ON_SITE = (
    'Negative film look, a tram: red, in the style of fog Negative prompt:{negative} Steps: 23, '
    'Sampler: Undefined, CFG scale: 3.5, Seed: 77, Size: 832x1216, Clip skip: 2, '
    'Created Date: 2025-11-28T09:18:43.5Z, Civitai resources: '
    '[{{"type":"checkpoint","modelVersionId":11,"modelName":"A, b: c"}},'
    '{{"weight":0.5,"air":"urn:air:sdxl:lora:civitai:5@22"}},{{"type":"lora"}},7], '
    'Civitai metadata: {metadata}'
)
ON_SITE_META = {
    'prompt': 'Negative film look, a tram: red, in the style of fog',
    'steps': 23,
    'cfgScale': 3.5,
    'seed': 77,
    'Size': '832x1216',
    'clipSkip': 2,
    'Created Date': '2025-11-28T09:18:43.5Z',
    'civitaiResources': [
        {'type': 'checkpoint', 'modelVersionId': 11},
        {'type': 'lora', 'weight': 0.5, 'modelVersionId': 22},
    ],
}
TEXTS: dict[str, tuple[str, dict[str, Any]]] = {
    'on-site line': (ON_SITE.format(negative='', metadata='{}'), ON_SITE_META),
    'on-site line, negative, remix': (
        ON_SITE.format(negative=' ugly, low: 1', metadata='{"remixOfId":5}'),
        {**ON_SITE_META, 'negativePrompt': 'ugly, low: 1', 'extra': {'remixOfId': 5}},
    ),
    'on-site line without negative': (
        'a cat, a hat Steps: 9, Seed: 2',
        {'prompt': 'a cat, a hat', 'steps': 9, 'seed': 2},
    ),
    'on-site with line breaks': (
        'a cat\nin a hat Negative prompt: dog Steps: 9, Seed: 2',
        {'prompt': 'a cat\nin a hat', 'negativePrompt': 'dog', 'steps': 9, 'seed': 2},
    ),
    'on-site line, prompt ends with a comma': (
        'a cat, Steps: 9, Seed: 2',
        {'prompt': 'a cat,', 'steps': 9, 'seed': 2},
    ),
    'steps within a quoted value': (
        'Mood: calm, Note: "a Steps: 5, b", Seed: 3',
        {'Mood': 'calm', 'Note': 'a Steps: 5, b', 'seed': 3},
    ),
    'steps of something else': (
        'Sampler: Euler, Seed: 3, Refiner Steps: 9',
        {'sampler': 'Euler', 'seed': 3, 'Refiner Steps': '9'},
    ),
    'negative twice': (
        'cat\nNegative prompt: dog\nNegative prompt: cow\nSteps: 9, Seed: 2',
        {'prompt': 'cat', 'negativePrompt': 'dog\ncow', 'steps': 9, 'seed': 2},
    ),
    'empty': ('', {}),
    'blank': (' \n ', {}),
    'prompt alone': ('  a cat: grey\nin a hat ', {'prompt': 'a cat: grey\nin a hat'}),
    'prompts alone': ('cat\nNegative prompt: dog', {'prompt': 'cat', 'negativePrompt': 'dog'}),
    'negative alone': ('Negative prompt: dog', {'negativePrompt': 'dog'}),
    'settings alone': (
        'Steps: 5, Sampler: Euler, Seed: 0',
        {'steps': 5, 'sampler': 'Euler', 'seed': 0},
    ),
    'settings in another order': (
        'Seed: 1, Steps: 5, Foo: bar',
        {'seed': 1, 'steps': 5, 'Foo': 'bar'},
    ),
    'Windows line ends': ('cat\r\nSteps: 5, Seed: 1', {'prompt': 'cat', 'steps': 5, 'seed': 1}),
    'hashes as JSON': (
        'cat\nSteps: 5, Hashes: {"model": "abc123", "lora:x, y": "def456", "n": [1]}, Seed: 1',
        {
            'prompt': 'cat',
            'steps': 5,
            'seed': 1,
            'hashes': {'model': 'abc123', 'lora:x, y': 'def456'},
        },
    ),
    'hashes as quoted JSON': (
        'cat\nSteps: 5, Hashes: "{\\"vae\\": \\"abc123\\"}", Seed: 1',
        {'prompt': 'cat', 'steps': 5, 'seed': 1, 'hashes': {'vae': 'abc123'}},
    ),
    'hashes told twice': (
        'cat\nSteps: 5, Model hash: aaaaaaaaaa, VAE hash: cccccccccc, '
        'Lora hashes: "fog: 1234567890, ink: abcdef0123", '
        'TI hashes: "t: 1111111111, u: 3333333333", '
        'Hashes: {"model": "bbbbbbbbbb", "VAE": "dddddddddd", "lora:fog": "0987654321", '
        '"EMBED:t": "2222222222"}',
        {
            'prompt': 'cat',
            'steps': 5,
            'Model hash': 'bbbbbbbbbb',
            'TI hashes': {'t': '2222222222', 'u': '3333333333'},
            'hashes': {
                'model': 'bbbbbbbbbb',
                'vae': 'dddddddddd',
                'lora:fog': '0987654321',
                'lora:ink': 'abcdef0123',
                'embed:t': '2222222222',
                'embed:u': '3333333333',
            },
        },
    ),
    'a hash of nothing beside a good one': (
        'cat\nSteps: 5, Model hash: aaaaaaaaaa, Hashes: {"model": "0000000000"}',
        {
            'prompt': 'cat',
            'steps': 5,
            'Model hash': 'aaaaaaaaaa',
            'hashes': {'model': 'aaaaaaaaaa'},
        },
    ),
    'broken JSON': (
        'cat\nSteps: 5, Civitai resources: [{"type, Seed: 1',
        {'prompt': 'cat', 'steps': 5, 'seed': 1},
    ),
    'broken quoting': (
        'cat\nSteps: 5, Note: "a\\q", Seed: 1',
        {'prompt': 'cat', 'steps': 5, 'Note': '"a\\q"', 'seed': 1},
    ),
    'templates below': (
        'cat\nSteps: 5, Seed: 1\nTemplate: {cat|dog}, aa: b, cc: d, ee: f\nmore',
        {'prompt': 'cat', 'steps': 5, 'seed': 1},
    ),
    'templates after a blank line': (
        'cat\nSteps: 5, Seed: 1\n\nTemplate: abc\n\nNegative Template: de',
        {'prompt': 'cat', 'steps': 5, 'seed': 1},
    ),
    'a negative template after blank lines': (
        'cat\nNegative prompt: dog\nSteps: 5, Seed: 1\r\n \r\n\r\nNegative Template: de\n\nfg',
        {'prompt': 'cat', 'negativePrompt': 'dog', 'steps': 5, 'seed': 1},
    ),
    'a tail that repeats': (
        'cat\nSteps: 5, Seed: 1, Hashed prompt: Steps, Seed: 9',
        {'prompt': 'cat', 'steps': 5, 'seed': 1},
    ),
    'numbers that are none': ('cat\nSteps: x, Seed: 1.5, CFG scale: y', {'prompt': 'cat'}),
    'an empty quoted value': (
        'cat\nSteps: 5, Note: "", Seed: 1, Mood: "" ',
        {'prompt': 'cat', 'steps': 5, 'seed': 1},
    ),
    'a line below the settings': (
        'cat\nSteps: 5, Sampler: Euler, Seed: 1\nin the rain',
        {'prompt': 'cat\nin the rain', 'steps': 5, 'sampler': 'Euler', 'seed': 1},
    ),
    'lines below, negative': (
        'cat\nNegative prompt: dog\nSteps: 5, Seed: 1, Size: 8x8\nfog\n\nrain',
        {'prompt': 'cat', 'negativePrompt': 'dog\nfog\n\nrain'}
        | {'steps': 5, 'seed': 1, 'Size': '8x8'},
    ),
    'settings twice': (
        'cat\nSteps: 4, Seed: 2, Size: 8x8\nSteps: 5, Seed: 1, Size: 9x9',
        {'prompt': 'cat\nSteps: 4, Seed: 2, Size: 8x8', 'steps': 5, 'seed': 1, 'Size': '9x9'},
    ),
    'names of the site on the line': (
        'cat\nSteps: 5, prompt: dog, steps: 9, hashes: h, resources: r',
        {'prompt': 'cat', 'steps': 5, 'resources': 'r'},
    ),
}


@pytest.mark.parametrize(('text', 'expected'), TEXTS.values(), ids=TEXTS.keys())
def test_what_is_read_out_of_a_text(text: str, expected: dict[str, Any]) -> None:
    assert expected == decode(text)


def test_hashes_that_won_are_those_that_are_written_again_and_looked_up() -> None:
    text = TEXTS['hashes told twice'][0]
    meta = decode(text)

    assert decode(encode(meta)) == meta
    assert {found.hash for found in resources(meta)}.isdisjoint(
        {'aaaaaaaaaa', 'cccccccccc', '1234567890', '1111111111'}
    )


def test_meta_that_went_through_a_text_tells_the_same_models() -> None:
    named = {(found.kind, found.hash) for found in resources(FULL_META)}

    assert named == {(found.kind, found.hash) for found in resources(decode(FULL_TEXT))}


def used(
    name: str = '',
    kind: str = 'lora',
    weight: float | None = None,
    hash: str = '',
    version_id: int | None = None,
) -> Resource:
    return Resource(name, kind, weight, hash, version_id)


USED: dict[str, tuple[Any, list[Resource]]] = {
    'nothing': (None, []),
    'model and its hash': (
        {'Model': 'sea', 'Model hash': 'ABCDEF0123'},
        [used('sea', 'checkpoint', hash='abcdef0123')],
    ),
    'hashes': (
        {
            'Model': 'sea',
            'hashes': {'model': 'aa11bb22cc', 'vae': 'dd33ee44ff', 'lora:fog': 'ab12cd34ef'},
        },
        [
            used('sea', 'checkpoint', hash='aa11bb22cc'),
            used('', 'vae', hash='dd33ee44ff'),
            used('fog', hash='ab12cd34ef'),
        ],
    ),
    'the WebUI words for no VAE': ({'VAE': 'Automatic'}, []),
    'embeddings': (
        {'TI hashes': {'grain': '1234567890'}, 'hashes': {'embed:grain': '1234567890'}},
        [used('grain', 'embedding', hash='1234567890')],
    ),
    'resources of several kinds': (
        {
            'resources': [
                {'name': 'sea', 'type': 'model', 'hash': 'aa11bb22cc'},
                {'name': 'fog', 'type': 'lora', 'weight': '0.5'},
                {'name': 'grain', 'type': 'embed'},
                {'name': 'old', 'type': 'hypernet'},
                {'name': 'big', 'type': 'Upscaler'},
                {'name': 'loc', 'type': 'LoCon'},
            ]
        },
        [
            used('sea', 'checkpoint', hash='aa11bb22cc'),
            used('fog', weight=0.5),
            used('grain', 'embedding'),
            used('old', 'other'),
            used('big', 'upscaler'),
            used('loc'),
        ],
    ),
    'on-site': (
        {'civitaiResources': [{'type': 'lora', 'weight': 0.65, 'modelVersionId': 22}]},
        [used(weight=0.65, version_id=22)],
    ),
    'comfy loras': (
        {
            'additionalResources': [
                {'name': 'fog.safetensors', 'type': 'lora', 'strength': 1, 'strengthClip': 2},
                {'name': 'urn:air:sd1:lora:civitai:5@22', 'strength': 0.5},
                {'name': 'rain', 'type': 'lora', 'air': 'urn:air:sd1:lora:civitai:6@33'},
            ]
        },
        [
            used('fog.safetensors', weight=1.0),
            used(weight=0.5, version_id=22),
            used('rain', version_id=33),
        ],
    ),
    'model as a urn': (
        {'Model': 'urn:air:sdxl:checkpoint:civitai:5@44'},
        [used('', 'checkpoint', version_id=44)],
    ),
    'a urn in capitals': (
        {'Model': 'URN:AIR:SDXL:CHECKPOINT:CIVITAI:5@44'},
        [used('', 'checkpoint', version_id=44)],
    ),
    'a urn of another site': (
        {'Model': 'urn:air:sdxl:checkpoint:huggingface:me/sea'},
        [used('urn:air:sdxl:checkpoint:huggingface:me/sea', 'checkpoint')],
    ),
    'comfy lists': (
        {'models': ['sea.ckpt', 5, None], 'vaes': ['ae.sft'], 'upscalers': ['4x.pth']},
        [
            used('sea.ckpt', 'checkpoint'),
            used('5', 'checkpoint'),
            used('ae.sft', 'vae'),
            used('4x.pth', 'upscaler'),
        ],
    ),
    'same hash, short and long': (
        {
            'Model hash': 'aa11bb22cc',
            'resources': [{'name': 'sea', 'type': 'model', 'hash': 'AA11BB22CCDD' + '0' * 52}],
        },
        [used('sea', 'checkpoint', hash='aa11bb22cc')],
    ),
    'same hash, long and short': (
        {'resources': [{'hash': 'AA11BB22CC' + '0' * 54}, {'hash': 'aa11bb22cc', 'type': 'vae'}]},
        [used('', 'vae', hash='aa11bb22cc' + '0' * 54)],
    ),
    'same version': (
        {
            'civitaiResources': [{'modelVersionId': 22}, {'modelVersionId': '22', 'type': 'lora'}],
            'additionalResources': [{'air': 'urn:air:sd1:lora:civitai:5@22', 'strength': 0.5}],
        },
        [used(weight=0.5, version_id=22)],
    ),
    'same kind and name, as a file': (
        {'Model': 'SD/sea.safetensors', 'resources': [{'name': 'Sea', 'type': 'model'}]},
        [used('SD/sea.safetensors', 'checkpoint')],
    ),
    'same name, other kind': (
        {'VAE': 'sea', 'resources': [{'name': 'sea', 'type': 'lora'}]},
        [used('sea', 'vae'), used('sea')],
    ),
    'one that ties two together': (
        {
            'resources': [
                {'type': 'lora', 'hash': 'aa11bb22cc'},
                {'type': 'lora', 'name': 'fog', 'weight': 0},
                {'type': 'odd', 'name': 'fog', 'hash': 'aa11bb22cc'},
            ]
        },
        [used('fog', weight=0.0, hash='aa11bb22cc')],
    ),
    'hashes under other names': (
        {
            'prompt': 'hill <lora:ink:0.8>',
            'hashes': {
                'LORA:ink': 'aabbccdd1101',
                'EMBED:fade': '1122334455',
                'lyco:fog': 'aabbccdd2201',
                'LoCon:rain': 'aabbccdd3301',
                'dora:hail': 'aabbccdd4401',
                'Model': '0011223344',
            },
            'Model': 'meadow',
        },
        [
            used('meadow', 'checkpoint', hash='0011223344'),
            used('ink', weight=0.8, hash='aabbccdd1101'),
            used('fade', 'embedding', hash='1122334455'),
            used('fog', hash='aabbccdd2201'),
            used('rain', hash='aabbccdd3301'),
            used('hail', hash='aabbccdd4401'),
        ],
    ),
    'tags of the prompt': (
        {'prompt': '<lora:a b:0.5>, <LORA:fog>, <lyco:rain:te=1:unet=-0.25>, <hypernet:old:1>'},
        [
            used('a b', weight=0.5),
            used('fog', weight=1.0),
            used('rain', weight=-0.25),
            used('old', 'other', weight=1.0),
        ],
    ),
    'a graph': (
        {
            'comfy': {
                'prompt': {
                    '1': {'inputs': {'ckpt_name': 'sea.ckpt'}},
                    '2': {'inputs': {'lora_name': 'fog.pt', 'strength_model': 0.5}},
                }
            }
        },
        [used('fog.pt', weight=0.5), used('sea.ckpt', 'checkpoint')],
    ),
    'no tags': (
        {'prompt': '<lora> <lora:> <lora:\n:1> <b:x:1>', 'negativePrompt': '<lora:x:1>'},
        [],
    ),
    'a refiner': (
        {'Refiner': 'late_v1 [0a1b2c3d4e]', 'hashes': {'refiner': '0a1b2c3d4e'}},
        [used('late_v1', 'checkpoint', hash='0a1b2c3d4e')],
    ),
    'a refiner and its hash': (
        {'Refiner': 'late_v1', 'Refiner hash': '0a1b2c3d4e', 'Model': 'sea'},
        [used('sea', 'checkpoint'), used('late_v1', 'checkpoint', hash='0a1b2c3d4e')],
    ),
    'a second checkpoint': (
        {'Hires checkpoint': 'big.safetensors [0a1b2c3d4e]', 'Model': 'sea'},
        [used('sea', 'checkpoint'), used('big.safetensors', 'checkpoint', hash='0a1b2c3d4e')],
    ),
    'no second checkpoint': ({'Hires checkpoint': 'Use same checkpoint', 'Refiner': 'None'}, []),
    'a hypernetwork': (
        {'Hypernet': 'old', 'Hypernet strength': '0.7'},
        [used('old', 'other', weight=0.7)],
    ),
    'additional networks': (
        {
            'AddNet Enabled': 'True',
            'AddNet Module 1': 'LoRA',
            'AddNet Model 1': 'ink(0a1b2c3d4e5f)',
            'AddNet Weight A 1': '0.6',
            'AddNet Weight B 1': '0.4',
            'AddNet Model 2': 'None',
        },
        [used('ink', weight=0.6, hash='0a1b2c3d4e5f')],
    ),
    'additional networks, off': (
        {'AddNet Enabled': 'False', 'AddNet Model 1': 'ink(0a1b2c3d)'},
        [],
    ),
    'weights of LoRAs': ({'Lora weights': {'ink': '0.6'}}, [used('ink', weight=0.6)]),
    'hashes of nothing': (
        {
            'Model': 'sea',
            'Model hash': '0x0011223344',
            'VAE': 'clear.pt',
            'VAE hash': '0000000000',
            'Lora hashes': {'ink': 'e3b0c44298fc', 'fog': '0X00AA11BB22CC'},
            'resources': [{'name': 'rain', 'type': 'lora', 'hash': '0' * 64}],
        },
        [
            used('sea', 'checkpoint', hash='0011223344'),
            used('clear.pt', 'vae'),
            used('fog', hash='00aa11bb22cc'),
            used('rain'),
        ],
    ),
    'further wrong types': (
        {
            'prompt': ['<lora:x:1>'],
            'Refiner': {'name': 'x'},
            'Hypernet': 5.5j,
            'Lora weights': ['ink'],
            'AddNet Enabled': [],
            'AddNet Model 1': {},
            'Hires checkpoint': None,
        },
        [],
    ),
    'wrong types': (
        {
            'resources': [5, None, 'x', [], {}, {'name': {}, 'hash': 'no hash', 'type': 3}],
            'civitaiResources': {'modelVersionId': 5},
            'additionalResources': [{'name': 'fog', 'weight': 'heavy', 'modelVersionId': -1}],
            'hashes': {'model': 5, 'lora:x': None},
            'Model': ['sea'],
            'models': 'sea',
        },
        [used('fog', 'other')],
    ),
}


@pytest.mark.parametrize(('meta', 'expected'), USED.values(), ids=USED.keys())
def test_what_a_picture_was_made_with(meta: Any, expected: list[Resource]) -> None:
    assert expected == resources(meta)
    assert expected == resources({'id': 1, 'meta': meta})


PIECES = st.sampled_from(
    ['Negative prompt:', 'Steps: 5', 'Steps: 5,', 'Seed: 1', ', ', '"', '\\', '\n', '\r', ': ']
    + [
        ' ',
        '海',
        '🦊',
        'שלום',
        '\u202e',
        '\u2028',
        '\x85',
        '{',
        '[',
        '(cat:1.2)',
        'Hashes: {"a":1}',
    ]
)
TEXT = st.one_of(
    st.text(), st.lists(PIECES).map(''.join), st.lists(PIECES | st.text()).map(''.join)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)
KNOWN_KEYS = st.sampled_from(
    ['id', 'meta', 'prompt', 'negativePrompt', 'steps', 'sampler', 'cfgScale', 'seed', 'Size']
    + ['width', 'height', 'clipSkip', 'Model', 'Model hash', 'VAE', 'hashes', 'resources', 'models']
    + ['civitaiResources', 'additionalResources', 'TI hashes', 'Lora hashes', 'Version', 'comfy']
    + ['name', 'type', 'hash', 'weight', 'air', 'modelVersionId', 'model', 'lora:x', 'scheduler']
)
ANY_META = st.recursive(
    JSON, lambda inner: st.lists(inner) | st.dictionaries(KNOWN_KEYS | TEXT, inner), max_leaves=12
)
META = st.fixed_dictionaries(
    {},
    optional={
        'prompt': TEXT,
        'negativePrompt': TEXT,
        'steps': st.integers(1, 150),
        'sampler': TEXT,
        'cfgScale': st.integers(0, 30) | st.floats(0, 30),
        'seed': st.integers(-1, 2**64),
        'Size': st.builds('{}x{}'.format, st.integers(1, 9999), st.integers(1, 9999)),
        'Model': TEXT,
        'Mood level': TEXT,
        'ADetailer prompt': TEXT,
    },
)


def kept_of(meta: dict[str, Any]) -> dict[str, Any]:
    """The fields that must arrive, in the form in which they can."""

    def plain(text: str) -> str:
        text = text.replace('\r\n', '\n').replace('\r', '\n').replace('\0', '')
        return text.encode('utf-8', 'replace').decode('utf-8').strip()

    kept: dict[str, Any] = {k: meta[k] for k in ('steps', 'cfgScale', 'seed', 'Size') if k in meta}
    if plain(meta.get('sampler', '')) not in ('', 'Undefined'):
        kept['sampler'] = plain(meta['sampler'])
    for name in ('prompt', 'negativePrompt'):
        lines = [line.strip() for line in plain(meta.get(name, '')).split('\n')]
        bent = [re.sub('^Negative prompt:', 'Negative prompt :', line) for line in lines]
        if bent != ['']:
            kept[name] = '\n'.join(bent)
    return kept if kept.keys() - {'Size'} or says_more(meta, plain) else {}


def says_more(meta: dict[str, Any], plain: Any) -> bool:
    model = plain(meta.get('Model', ''))
    return bool(model or plain(meta.get('Mood level', '') + meta.get('ADetailer prompt', '')))


@patiently
@given(META)
@example({'prompt': 'Steps: 1\nNegative prompt:', 'negativePrompt': 'a\n\nb', 'steps': 3})
def test_the_webui_reads_what_was_meant(meta: dict[str, Any]) -> None:
    names = {
        'Prompt': 'prompt',
        'Negative prompt': 'negativePrompt',
        'Steps': 'steps',
        'Sampler': 'sampler',
        'CFG scale': 'cfgScale',
        'Seed': 'seed',
        'Size': 'Size',
    }
    read = {names[k]: v for k, v in webui_reads(encode(meta)).items() if k in names and v}
    expected = kept_of(meta)
    for number in {'steps', 'seed', 'cfgScale'} & read.keys():
        assert expected.pop(number) == float(read[number]) or number == 'seed'
        read.pop(number)

    assert expected == read


@patiently
@given(META)
def test_what_was_written_is_read_back(meta: dict[str, Any]) -> None:
    expected = kept_of(meta)
    names = ('prompt', 'negativePrompt', 'steps', 'sampler', 'cfgScale', 'seed', 'Size')

    assert expected == {k: v for k, v in decode(encode(meta)).items() if k in names}


@patiently
@given(META)
def test_a_second_round_changes_nothing(meta: dict[str, Any]) -> None:
    text = encode(meta)

    assert text == encode(decode(text))


@patiently
@given(ANY_META, JSON, JSON)
def test_no_meta_is_too_strange(meta: Any, width: Any, height: Any) -> None:
    text = encode(meta, width, height)

    text.encode('utf-8')
    webui_reads(text)
    found = resources(meta)
    for told in ([r.version_id for r in found], [r.hash for r in found]):
        known = [value for value in told if value]
        assert len(known) == len(set(known))


@patiently
@given(TEXT)
def test_no_text_is_too_strange(text: str) -> None:
    meta = decode(text)

    assert all(isinstance(meta.get(name, 0), int) for name in ('steps', 'seed', 'clipSkip'))
    encode(meta)
    resources(meta)


DEEP = {
    'long word': 'a' * 200_000,
    'many words': 'a ' * 100_000,
    'many quotes': 'aa: "x, ' * 20_000,
    'nested lists': 'Steps: 1, Hashes: ' + '[' * 100_000,
    'many templates': 'Steps: 1\nTemplate:\n' * 10_000,
    'many empty lines': 'Steps: 1' + '\n' * 100_000 + 'Steps: 1\n\n.' * 10_000,
}


@pytest.mark.parametrize('text', DEEP.values(), ids=DEEP.keys())
def test_huge_texts_are_read_too(text: str) -> None:
    assert decode(text)
