"""What a ComfyUI graph plainly says about a picture is known, and the graph can be had."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from scripts.civitai_manager_libs.civitai.comfy import completed, read, workflow
from tests.support.graphs import TOLD

patiently = settings(deadline=None, database=None)


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {'class_type': kind, 'inputs': inputs}


def meta(graph: Any, editor: Any = None) -> dict[str, Any]:
    return {'comfy': json.dumps({'prompt': graph, 'workflow': editor or {}})}


PLAIN = {
    '1': node('CheckpointLoaderSimple', ckpt_name='SD15\\meadow.safetensors'),
    '2': node(
        'LoraLoader',
        model=['1', 0],
        clip=['1', 1],
        lora_name='ink.safetensors',
        strength_model=0.7,
        strength_clip=1,
    ),
    '3': node('CLIPTextEncode', clip=['2', 1], text='a mill by the sea'),
    '4': node('CLIPTextEncode', clip=['2', 1], text='blur'),
    '5': node('EmptyLatentImage', width=640, height=832, batch_size=1),
    '6': node(
        'KSampler',
        seed=41,
        steps=22,
        cfg=6.5,
        sampler_name='dpmpp_2m',
        scheduler='karras',
        denoise=1,
        model=['2', 0],
        positive=['3', 0],
        negative=['4', 0],
        latent_image=['5', 0],
    ),
    '7': node('VAELoader', vae_name='soft.sft'),
    '8': node('VAEDecode', samples=['6', 0], vae=['7', 0]),
}


def test_a_plain_graph_tells_how_the_picture_was_made() -> None:
    assert TOLD == read(meta(PLAIN))


FORMS: dict[str, Any] = {
    'an object': {'comfy': {'prompt': PLAIN, 'workflow': {}}},
    'a graph in a text in an object': {'comfy': {'prompt': json.dumps(PLAIN)}},
    'no workflow': {'comfy': json.dumps({'prompt': PLAIN})[:-1] + ', "workflow": undefined}'},
    'not a number': {
        'comfy': json.dumps({'prompt': PLAIN})[:-1] + ', "extra": [NaN, Infinity, undefined]}'
    },
    'the graph alone': {'comfy': json.dumps(PLAIN)},
}


@pytest.mark.parametrize('form', FORMS.values(), ids=FORMS)
def test_a_graph_is_read_in_every_form_that_is_about(form: Any) -> None:
    assert TOLD == read(form)


def test_a_word_that_is_no_json_stays_in_a_prompt() -> None:
    graph = PLAIN | {'3': node('CLIPTextEncode', text='the "undefined" NaN')}
    text = json.dumps({'prompt': graph})[:-1] + ', "workflow": undefined}'

    assert 'the "undefined" NaN' == read({'comfy': text})['prompt']


def changed(**nodes: Any) -> dict[str, Any]:
    return PLAIN | {number.strip('n'): one for number, one in nodes.items()}


def sampler(**inputs: Any) -> dict[str, Any]:
    return node('KSampler', **{**PLAIN['6']['inputs'], **inputs})


def told_by(*texts: Any) -> dict[str, Any]:
    """A graph whose prompt comes of the first of `texts`, that of the next, from number 30 on."""
    made = {f'n{number}': one for number, one in enumerate(texts, 30)}
    return changed(n3=node('CLIPTextEncode', clip=['2', 1], text=['30', 0]), **made)


TEXT_NODE = node('Text Multiline', text='a red barn')

INK = {'name': 'ink.safetensors', 'type': 'lora', 'strength': 0.7}
PIPED = {'steps': 21, 'cfg': 5, 'sampler_name': 'euler', 'scheduler': 'normal', 'seed': 8}
EFFICIENT_SAMPLER = node(
    'KSampler (Efficient)',
    seed=5,
    steps=12,
    cfg=3,
    sampler_name='lcm',
    scheduler='sgm_uniform',
    denoise=1,
    model=['2', 0],
    positive=['2', 1],
    negative=['2', 2],
    latent_image=['2', 3],
)
EFFICIENT_LOADER = node(
    'Efficient Loader',
    ckpt_name='meadow.safetensors',
    vae_name='Baked VAE',
    clip_skip=-2,
    lora_name='None',
    lora_model_strength=1,
    positive='a red barn',
    negative='blur',
    empty_latent_width=512,
    empty_latent_height=640,
)

GRAPHS: dict[str, tuple[Any, dict[str, Any]]] = {
    'settings held by other nodes': (
        changed(
            n6=sampler(seed=['9', 0], steps=['10', 0], cfg=['11', 0]),
            n9=node('Seed (rgthree)', seed=77),
            n10=node('PrimitiveInt', value=33),
            n11=node('Reroute', **{'': ['12', 0]}),
            n12=node('FloatConstant', Value=4.5),
        ),
        {'seed': 77, 'steps': 33, 'cfgScale': 4.5},
    ),
    'a setting that another node computes': (
        changed(
            n6=sampler(steps=['9', 0], cfg=['10', 0], seed=['12', 0]),
            n9=node('MathExpression|pysssss', expression='a*2', a=['11', 0]),
            n10=node('FloatToInt', steps=4, cfg=['11', 0]),
            n11=node('INTConstant', value=10),
            n12=node('SeedShifter', seed=5, shift=1),
        ),
        {'steps': None, 'cfgScale': None, 'seed': None, 'sampler': 'dpmpp_2m'},
    ),
    'a sampler that another node chooses': (
        changed(
            n6=sampler(sampler_name=['9', 0], scheduler=['10', 0]),
            n9=node('Sampler Selector (Image Saver)', sampler_name='heun'),
            n10=node('Scheduler Selector', scheduler='beta'),
        ),
        {'sampler': 'heun', 'scheduler': 'beta'},
    ),
    'a size that another node computes': (
        changed(
            n5=node('EmptyLatentImage', width=['9', 0], height=['9', 1]),
            n9=node('CR Aspect Ratio', width=640, height=960, swap_dimensions='On'),
        ),
        {'width': None, 'height': None, 'steps': 22},
    ),
    'a sampler nobody knows': (
        changed(
            n6=node('SuperSampler', steps=9, seed=3, positive=['3', 0], negative=['4', 0]),
        ),
        {'prompt': 'a mill by the sea', 'negativePrompt': 'blur', 'steps': 9, 'seed': 3},
    ),
    'a sampler in parts': (
        changed(
            n6=node(
                'SamplerCustomAdvanced',
                noise=['20', 0],
                guider=['21', 0],
                sampler=['22', 0],
                sigmas=['23', 0],
                latent_image=['5', 0],
            ),
            n20=node('RandomNoise', noise_seed=5),
            n21=node('CFGGuider', model=['2', 0], positive=['3', 0], negative=['4', 0], cfg=3),
            n22=node('KSamplerSelect', sampler_name='euler'),
            n23=node('BasicScheduler', model=['2', 0], scheduler='simple', steps=8, denoise=0.6),
        ),
        {'seed': 5, 'cfgScale': 3, 'sampler': 'euler', 'scheduler': 'simple', 'steps': 8}
        | {'denoise': 0.6, 'negativePrompt': 'blur', 'prompt': 'a mill by the sea', 'width': 640},
    ),
    'a guider of one prompt': (
        changed(
            n6=node('SamplerCustomAdvanced', guider=['21', 0], sigmas=['23', 0], noise=['20', 0]),
            n20=node('RandomNoise', noise_seed=5),
            n21=node('BasicGuider', model=['2', 0], conditioning=['24', 0]),
            n23=node('BasicScheduler', scheduler='beta', steps=8),
            n24=node('FluxGuidance', conditioning=['3', 0], guidance=3.5),
        ),
        {'prompt': 'a mill by the sea', 'negativePrompt': None, 'steps': 8},
    ),
    'two prompts of one encoder': (
        changed(n3=node('CLIPTextEncodeSDXL', text_g='a mill', text_l='oil paint', width=1024)),
        {'prompt': 'a mill, oil paint'},
    ),
    'the same prompt twice in an encoder': (
        changed(n3=node('CLIPTextEncodeSDXL', text_g='a mill', text_l='a mill')),
        {'prompt': 'a mill'},
    ),
    'conditionings combined': (
        changed(
            n6=sampler(positive=['30', 0]),
            n30=node('ConditioningCombine', conditioning_1=['3', 0], conditioning_2=['31', 0]),
            n31=node('CLIPTextEncode', text='at noon'),
        ),
        {'prompt': 'a mill by the sea, at noon'},
    ),
    'a ControlNet between': (
        changed(
            n6=sampler(positive=['30', 0], negative=['30', 1]),
            n30=node('ControlNetApplyAdvanced', positive=['3', 0], negative=['4', 0]),
        ),
        {'prompt': 'a mill by the sea', 'negativePrompt': 'blur'},
    ),
    'no negative': (
        changed(
            n6=sampler(negative=['30', 0]),
            n30=node('ConditioningZeroOut', conditioning=['3', 0]),
        ),
        {'prompt': 'a mill by the sea', 'negativePrompt': None},
    ),
    'a text made elsewhere': (
        changed(
            n3=node('CLIPTextEncode', clip=['2', 1], text=['30', 0]),
            n30=node('StringConcatenate', string_a=['31', 0], string_b='at dusk', delimiter=', '),
            n31=node('String Literal', string='a mill'),
        ),
        {'prompt': 'a mill, at dusk'},
    ),
    'a text shown': (
        told_by(node('ShowText|pysssss', text=['31', 0], text_0='a red barn'), TEXT_NODE),
        {'prompt': 'a red barn'},
    ),
    'a text shown, an instruction before it': (
        told_by(
            node('ShowText|pysssss', text=['31', 0], text_0='a red barn'),
            node('LLM', prompt='write a prompt', seed=1),
        ),
        {'prompt': 'a red barn'},
    ),
    'a text to be shown': (
        told_by(node('ShowText|pysssss', text=['31', 0]), TEXT_NODE),
        {'prompt': 'a red barn'},
    ),
    'an instruction alone': (
        told_by(node('OllamaGenerate', prompt='write a prompt', keep=True)),
        {'prompt': None, 'negativePrompt': 'blur'},
    ),
    'a part that is computed': (
        told_by(
            node('StringConcatenate', string_a='oil', string_b=['31', 0], delimiter=', '),
            node('LLM', prompt='write a prompt', seed=1),
        ),
        {'prompt': None},
    ),
    'a switch between texts': (
        told_by(
            node('CR Text Input Switch', Input=2, text1=['4', 0], text2=['31', 0]),
            TEXT_NODE,
        ),
        {'prompt': 'a red barn'},
    ),
    'a switch that another node sets': (
        told_by(
            node('CR Text Input Switch', Input=['9', 0], text1='a mill', text2=['31', 0]),
            TEXT_NODE,
        ),
        {'prompt': None},
    ),
    'a switch between conditionings': (
        changed(
            n6=sampler(positive=['30', 0]),
            n30=node(
                'CR Conditioning Input Switch',
                Input=1,
                conditioning1=['3', 0],
                conditioning2=['4', 0],
            ),
        ),
        {'prompt': 'a mill by the sea'},
    ),
    'a switch that takes the first there is': (
        changed(
            n6=sampler(positive=['30', 0]),
            n30=node('Any Switch (rgthree)', any_03=['4', 0], any_02=['3', 0]),
        ),
        {'prompt': 'a mill by the sea'},
    ),
    'a text replaced': (
        told_by(node('StringReplace', string='a red mill', find='mill', replace='barn')),
        {'prompt': None},
    ),
    'texts joined by a space': (
        told_by(node('StringConcatenate', string_a='a red', string_b='barn', delimiter=' ')),
        {'prompt': 'a red barn'},
    ),
    'texts joined by nothing': (
        told_by(node('StringConcatenate', string_b=' barn', string_a='a red', delimiter='')),
        {'prompt': 'a red barn'},
    ),
    'the same text joined twice': (
        told_by(
            node('Text Concatenate', delimiter='; ', text_a=['31', 0], text_b=['31', 0]),
            TEXT_NODE,
        ),
        {'prompt': 'a red barn; a red barn'},
    ),
    'a random text': (
        told_by(node('DPRandomGenerator', text='a {red|blue} barn', seed=5)),
        {'prompt': None},
    ),
    'a wildcard filled in': (
        told_by(
            node(
                'ImpactWildcardProcessor',
                wildcard_text='a {red|blue} barn',
                populated_text='a red barn',
                seed=5,
            )
        ),
        {'prompt': 'a red barn'},
    ),
    'two passes': (
        {
            '0': sampler(latent_image=['9', 0], steps=7, denoise=0.4),
            '9': node('LatentUpscaleBy', samples=['6', 0], scale_by=2),
        }
        | PLAIN,
        {'steps': 22, 'width': 640, 'denoise': 1},
    ),
    'a sampler that leads to no picture': (
        {'0': sampler(steps=7), '9': node('SaveImage', images=['8', 0])} | PLAIN,
        {'steps': 22},
    ),
    'a picture that is only looked at': (
        {'0': sampler(steps=7), '01': node('VAEDecode', samples=['0', 0])}
        | {'02': node('PreviewImage', images=['01', 0]), '9': node('SaveImage', images=['8', 0])}
        | PLAIN,
        {'steps': 22},
    ),
    'a node at the end that nobody knows': (
        {'0': sampler(steps=7), '9': node('SendAway', image=['8', 0])} | PLAIN,
        {'steps': 22},
    ),
    'a picture to start from': (
        changed(
            n6=sampler(latent_image=['30', 0], denoise=0.4),
            n30=node('VAEEncode', pixels=['31', 0], vae=['7', 0]),
            n31=node('LoadImage', image='x.png'),
        ),
        {'denoise': 0.4, 'width': None, 'height': None, 'steps': 22},
    ),
    'several models': (
        {'0': node('UnetLoaderGGUF', unet_name='other.gguf')} | PLAIN,
        {'models': ['SD15\\meadow.safetensors', 'other.gguf']},
    ),
    'an upscaler': (
        changed(n30=node('UpscaleModelLoader', model_name='4x-any.pth')),
        {'upscalers': ['4x-any.pth']},
    ),
    'a LoRA of no weight': (
        changed(
            n2=node('LoraLoader', model=['1', 0], lora_name='ink.safetensors', strength_model=0)
        ),
        {'additionalResources': None},
    ),
    'several LoRAs of a node': (
        changed(
            n2=node(
                'Power Lora Loader (rgthree)',
                model=['1', 0],
                lora_1={'on': True, 'lora': 'ink.safetensors', 'strength': 0.5},
                lora_2={'on': False, 'lora': 'fog.safetensors', 'strength': 1},
            )
        ),
        {
            'additionalResources': [
                {'name': 'ink.safetensors', 'type': 'lora', 'strength': 0.5},
            ]
        },
    ),
    'loader and sampler of the Efficiency nodes': (
        {'1': EFFICIENT_SAMPLER, '2': EFFICIENT_LOADER, '4': node('SaveImage', images=['1', 5])},
        {'prompt': 'a red barn', 'negativePrompt': 'blur', 'width': 512, 'height': 640}
        | {'seed': 5, 'steps': 12, 'models': ['meadow.safetensors'], 'vaes': None},
    ),
    'LoRAs in a simple stack': (
        {
            '3': node(
                'LoRA Stacker',
                input_mode='simple',
                lora_count=2,
                lora_name_1='ink.safetensors',
                lora_wt_1=0.7,
                model_str_1=0.1,
                lora_name_2='None',
                lora_wt_2=1,
                lora_name_3='fog.safetensors',
                lora_wt_3=1,
            )
        },
        {'additionalResources': [INK]},
    ),
    'LoRAs in an advanced stack': (
        {
            '3': node(
                'LoRA Stacker',
                input_mode='advanced',
                lora_name_1='ink.safetensors',
                lora_wt_1=0.1,
                model_str_1=0.7,
            )
        },
        {'additionalResources': [INK]},
    ),
    'LoRAs with a switch each': (
        {
            '3': node(
                'CR LoRA Stack',
                switch_1='On',
                lora_name_1='ink.safetensors',
                model_weight_1=0.7,
                clip_weight_1=1,
                switch_2='Off',
                lora_name_2='fog.safetensors',
                model_weight_2=1,
            )
        },
        {'additionalResources': [INK]},
    ),
    'LoRAs in a list': (
        {
            '3': node(
                'Lora Loader (LoraManager)',
                text='<lora:ink:0.7>',
                loras={
                    '__value__': [
                        {'name': 'ink.safetensors', 'strength': '0.7', 'active': True},
                        {'name': 'fog', 'strength': 1, 'active': False},
                    ]
                },
            )
        },
        {'additionalResources': [INK]},
    ),
    'LoRAs of an easy stack': (
        {
            '3': node(
                'easy loraStack',
                mode='simple',
                num_loras=1,
                lora_1_name='ink.safetensors',
                lora_1_strength=0.7,
                lora_2_name='fog.safetensors',
                lora_2_strength=1,
            )
        },
        {'additionalResources': [INK]},
    ),
    'a sampler of a pipe': (
        changed(
            n6=node('ImpactKSamplerBasicPipe', **PIPED, basic_pipe=['9', 0], latent_image=['5', 0]),
            n9=node('ToBasicPipe', model=['2', 0], positive=['3', 0], negative=['4', 0]),
        ),
        {'prompt': 'a mill by the sea', 'negativePrompt': 'blur', 'steps': 21, 'width': 640}
        | {'models': ['SD15\\meadow.safetensors']},
    ),
    'a sampler fed out of a pipe': (
        changed(
            n6=sampler(positive=['10', 3], negative=['10', 4]),
            n9=node('ToBasicPipe', model=['2', 0], positive=['3', 0], negative=['4', 0]),
            n10=node('FromBasicPipe', basic_pipe=['9', 0]),
        ),
        {'prompt': 'a mill by the sea', 'negativePrompt': 'blur'},
    ),
    'the easy nodes': (
        {
            '1': node(
                'easy fullLoader',
                ckpt_name='meadow.safetensors',
                vae_name='Baked VAE',
                positive='a red barn',
                negative='blur',
                empty_latent_width=512,
                empty_latent_height=640,
            ),
            '2': node('easy preSampling', **PIPED, pipe=['1', 0]),
            '3': node('easy kSampler', pipe=['2', 0], image_output='Save'),
        },
        {'prompt': 'a red barn', 'negativePrompt': 'blur', 'steps': 21, 'seed': 8, 'width': 512}
        | {'height': 640, 'models': ['meadow.safetensors'], 'vaes': None, 'sampler': 'euler'},
    ),
    'no sampler': ({'1': node('CLIPTextEncode', text='a mill')}, {'prompt': None, 'steps': None}),
}


@pytest.mark.parametrize(('graph', 'expected'), GRAPHS.values(), ids=GRAPHS)
def test_what_a_graph_says(graph: Any, expected: dict[str, Any]) -> None:
    told = read(meta(graph))

    assert expected == {name: told.get(name) for name in expected}


def chain(length: int) -> dict[str, Any]:
    links = {
        f'c{n}': node('ConditioningConcat', conditioning_to=[f'c{n + 1}', 0]) for n in range(length)
    }
    return PLAIN | {'6': sampler(positive=['c0', 0]), f'c{length}': PLAIN['3']} | links


def doubling(length: int) -> dict[str, Any]:
    def one(n: int) -> dict[str, Any]:
        return node('Concat', conditioning_1=[f'd{n + 1}', 0], conditioning_2=[f'd{n + 1}', 0])

    links = {f'd{n}': one(n) for n in range(length)}
    return PLAIN | {'6': sampler(positive=['d0', 0]), f'd{length}': PLAIN['3']} | links


def ring(kind: str, name: str, start: str) -> dict[str, Any]:
    links = {f'r{n}': node(kind, **{name: [f'r{(n + 1) % 50}', 0]}) for n in range(50)}
    return PLAIN | links | {'6': sampler(**{start: ['r0', 0]})}


HOSTILE: dict[str, Any] = {
    'a ring of conditionings': ring('ConditioningConcat', 'conditioning_to', 'positive'),
    'a ring of texts': ring('CLIPTextEncode', 'text', 'positive'),
    'a ring of values': ring('Reroute', '', 'steps'),
    'a ring of latents': ring('LatentBlend', 'samples', 'latent_image'),
    'a ring of models': ring('LoraLoaderModelOnly', 'model', 'model'),
    'a ring of pipes': ring('Pipe', 'pipe', 'pipe'),
    'texts doubled at each step': PLAIN
    | {'3': node('CLIPTextEncode', text=['t0', 0])}
    | {
        f't{n}': node('Text Concatenate', text_a=[f't{n + 1}', 0], text_b=[f't{n + 1}', 0])
        for n in range(50)
    }
    | {'t50': node('Text Multiline', text='a red barn')},
    'itself': PLAIN | {'6': sampler(positive=['6', 0], steps=['6', 0], model=['6', 0])},
    'a long chain': chain(4000),
    'doubling at each step': doubling(2000),
    'many nodes': {str(n): sampler() for n in range(100_000)},
    'many samplers in a row': {
        str(n): sampler(latent_image=[str(n + 1), 0]) for n in range(20_000)
    },
    'many links of one node': PLAIN
    | {'6': sampler(**{f'x{n}': [str(n % 9), 0] for n in range(50_000)})},
}


@pytest.mark.parametrize('graph', HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_graph_is_left_soon(graph: Any) -> None:
    comfy = {'comfy': {'prompt': graph}}
    started = time.process_time()
    read(comfy)

    assert time.process_time() - started < 5


WRONG = [
    None,
    5,
    'no JSON',
    '[' * 100_000,
    '{"prompt": ' * 5000,
    [],
    {},
    {'prompt': []},
    {'prompt': {'6': {'class_type': 'KSampler', 'inputs': []}}},
    {'prompt': {'6': {'class_type': ['KSampler'], 'inputs': {'positive': ['7', '0']}}}},
    {'prompt': {'6': sampler(positive=[['7'], 0], negative=['4', 0, 1], latent_image=[5])}},
    {'prompt': {'6': sampler(positive=[{}, 0], steps=[None, None], seed={'a': 1}, cfg=True)}},
    {'prompt': {'6': None, '7': 'x', '': node('KSampler', positive=['', 0], steps=['', 0])}},
]


@pytest.mark.parametrize('comfy', WRONG, ids=[repr(one)[:60] for one in WRONG])
def test_a_graph_of_a_wrong_form_says_little_and_breaks_nothing(comfy: Any) -> None:
    assert isinstance(read({'comfy': comfy}), dict)
    assert isinstance(workflow({'comfy': comfy}), str)
    assert 'x' == completed({'comfy': comfy, 'prompt': 'x'})['prompt']


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(['6', '7', 'x', '']),
    lambda inner: st.lists(inner)
    | st.tuples(st.sampled_from(['6', '7']), st.integers(0, 1)).map(list)
    | st.dictionaries(
        st.sampled_from(
            ['6', '7', 'class_type', 'inputs', 'positive', 'negative', 'steps', 'seed', 'text']
            + ['latent_image', 'model', 'prompt', 'workflow', 'guider', 'sigmas', 'width', '']
            + ['height', 'lora_name', 'ckpt_name', 'conditioning', 'on', 'lora']
        ),
        inner,
    ),
    max_leaves=20,
)


@patiently
@given(ANYTHING)
def test_no_graph_is_too_strange(comfy: Any) -> None:
    assert isinstance(read({'comfy': comfy}), dict)
    workflow({'comfy': comfy})


def test_what_the_site_says_counts_before_the_graph() -> None:
    whole = completed({**meta(PLAIN), 'prompt': 'as the site has it', 'steps': None, 'vaes': []})

    assert 'as the site has it' == whole['prompt']
    assert (22, ['soft.sft']) == (whole['steps'], whole['vaes'])


def test_a_zero_that_the_site_says_counts_before_the_graph() -> None:
    assert 0 == completed({**meta(PLAIN), 'seed': 0})['seed']


EDITOR = {'nodes': [{'id': 1, 'type': 'KSampler'}], 'links': []}


def test_the_workflow_is_what_the_editor_opens() -> None:
    assert EDITOR == json.loads(workflow(meta(PLAIN, EDITOR)))


def test_without_a_workflow_the_graph_can_be_had() -> None:
    assert PLAIN == json.loads(workflow(meta(PLAIN)))


@pytest.mark.parametrize('comfy', [None, '', 'x', '{}', '{"prompt": {}, "workflow": undefined}'])
def test_where_there_is_no_workflow_there_is_none_to_keep(comfy: Any) -> None:
    assert '' == workflow({'comfy': comfy})
