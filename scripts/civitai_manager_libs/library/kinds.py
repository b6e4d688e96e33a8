"""Which kind of model a file is, which decides about its folder: its own type, then its model's."""

from __future__ import annotations

from typing import Mapping

from ..civitai import meta as meta_of

# Kinds without a folder that a program reads.
ARCHIVE, TRAINING_DATA, OTHER = 'Archive', 'Training Data', 'Other'
LORAS = frozenset({'LORA', 'LoCon', 'DoRA'})

# What a file of a version may be by itself, whatever its model is.
_BY_FILE = {
    'VAE': 'VAE',
    'Text Encoder': 'TextEncoder',
    'Text Encoders': 'TextEncoder',
    'Vision Encoder': 'CLIPVision',
    'CLIPVision': 'CLIPVision',
    'UNet': 'UNet',
    'Diffusion Model': 'UNet',
    'ControlNet': 'Controlnet',
    'Upscaler': 'Upscaler',
    'Enhancement LoRA': 'LORA',
    'Workflow': 'Workflows',
    'Training Data': TRAINING_DATA,
}
_BY_MODEL = {
    'CLIP': 'TextEncoder',
    'Text Encoder': 'TextEncoder',
    'TextEncoder': 'TextEncoder',
    'UNET': 'UNet',
    'Diffusion Model': 'UNet',
    'LyCORIS': 'LoCon',
    'ControlNet': 'Controlnet',
    'Workflow': 'Workflows',
    'ComfyWorkflows': 'Workflows',
    'VisionLanguage': OTHER,
    'LLM': OTHER,
}
_KINDS = frozenset(
    'Checkpoint LORA LoCon DoRA TextualInversion Hypernetwork VAE TextEncoder UNet CLIPVision '
    'Controlnet Upscaler AestheticGradient MotionModule Poses Wildcards Workflows Detection'.split()
)
# What is made to be unpacked by a person; of anything else an archive is no model file.
_MAY_BE_ZIPPED = frozenset({'Wildcards', 'Poses', 'Workflows'})
# A text among these is no model, and programs take it for what somebody wrote of one of its name.
_TEXTS = ('.txt', '.md', '.json', '.csv', '.yaml', '.yml', '.toml', '.ini', '.py')
_NO_TEXTS = LORAS | {'TextualInversion', 'Hypernetwork'}
_ZIPPED = ('.zip', '.rar', '.7z', '.tar', '.gz')


def kind_of(file: Mapping[str, object], model_type: str) -> str:
    """Return the kind of a `file` of a version, as the API lists it, of a model of `model_type`."""
    told = meta_of.as_text(file.get('type'))
    name = meta_of.as_text(file.get('name')).lower()
    by_model = _BY_MODEL.get(model_type, model_type if model_type in _KINDS else OTHER)
    kind = _BY_FILE.get(told, by_model)
    is_zipped = told == ARCHIVE or name.endswith(_ZIPPED)
    if is_zipped and kind != TRAINING_DATA and kind not in _MAY_BE_ZIPPED:
        return ARCHIVE
    if kind in _NO_TEXTS and name.endswith(_TEXTS):
        return OTHER
    # what these hold is no whole checkpoint, wherever they may be loaded
    return 'UNet' if kind == 'Checkpoint' and name.endswith('.gguf') else kind
