"""What a plain ComfyUI graph tells, whether it is written as it ran or as the editor saves it."""

from typing import Any

TOLD: dict[str, Any] = {
    'prompt': 'a mill by the sea',
    'negativePrompt': 'blur',
    'steps': 22,
    'seed': 41,
    'cfgScale': 6.5,
    'sampler': 'dpmpp_2m',
    'scheduler': 'karras',
    'denoise': 1,
    'width': 640,
    'height': 832,
    'models': ['SD15\\meadow.safetensors'],
    'vaes': ['soft.sft'],
    'additionalResources': [{'name': 'ink.safetensors', 'type': 'lora', 'strength': 0.7}],
}
