"""Where programs keep models: for each kind a folder, and the option of theirs that names it.

A kind is a type of model as Civitai calls it; in between stand those that a file alone can be
(TextEncoder, UNet, CLIPVision). What a program reads nowhere is not here. As of AUTOMATIC1111
1.10.1, Forge f2.0.1, SD.Next and ComfyUI of 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import AbstractSet, Mapping

# Begins a folder that is not below the models: below the program's data, or its extensions.
DATA, EXTENSIONS = '@data/', '@extensions/'


@dataclass(frozen=True)
class Spot:
    """`option` is the program's own name for the folder; `folders` are its usual ones.

    Below the models, the first is where new files go, and the others are read too. `former` is what
    the first was called once: it is used where only that is there.
    """

    option: str
    folders: tuple[str, ...]
    former: str = ''


@dataclass(frozen=True)
class Layout:
    """How a program keeps models. `signs`: folders of models that it alone has.

    `reads_user_metadata`: its cards take what people note about a model from `<base>.json`.
    `names_flux`: there that can say of a model that it is for Flux.
    """

    name: str
    spots: Mapping[str, Spot]
    signs: frozenset[str] = field(default_factory=frozenset)
    reads_user_metadata: bool = True
    names_flux: bool = False


def _spot(option: str, *folders: str) -> Spot:
    return Spot(option, folders)


def _of_lora(spot: Spot) -> dict[str, Spot]:
    return dict.fromkeys(('LORA', 'LoCon', 'DoRA'), spot)


_A1111 = {
    'Checkpoint': _spot('ckpt_dir', 'Stable-diffusion'),
    # A1111 reads its folder of former LyCORIS too
    **_of_lora(_spot('lora_dir', 'Lora', 'LyCORIS')),
    'TextualInversion': _spot('embeddings_dir', f'{DATA}embeddings'),
    'Hypernetwork': _spot('hypernetwork_dir', 'hypernetworks'),
    'VAE': _spot('vae_dir', 'VAE'),
    'Controlnet': _spot('controlnet_dir', 'ControlNet'),
    'Upscaler': _spot(
        'esrgan_models_path', 'ESRGAN', 'RealESRGAN', 'SwinIR', 'DAT', 'GFPGAN', 'Codeformer'
    ),
    'MotionModule': _spot('', f'{EXTENSIONS}sd-webui-animatediff/model'),
    'Wildcards': _spot('', f'{EXTENSIONS}sd-dynamic-prompts/wildcards'),
    'AestheticGradient': _spot(
        '', f'{EXTENSIONS}stable-diffusion-webui-aesthetic-gradients/aesthetic_embeddings'
    ),
    'Detection': _spot('', 'adetailer'),
}

A1111 = Layout('A1111', _A1111, frozenset({'Stable-diffusion'}))

FORGE = Layout(
    'Forge',
    {
        **_A1111,
        **_of_lora(_spot('lora_dir', 'Lora')),
        'TextEncoder': _spot('text_encoder_dir', 'text_encoder'),
        'UNet': _spot('ckpt_dir', 'Stable-diffusion'),
    },
    frozenset({'text_encoder', 'ControlNetPreprocessor'}),
    names_flux=True,
)

# It keeps whole answers of Civitai in `<base>.json`, and writes them anew.
SDNEXT = Layout(
    'SD.Next',
    {
        'Checkpoint': _spot('ckpt_dir', 'Stable-diffusion'),
        **_of_lora(_spot('lora_dir', 'Lora')),
        'TextualInversion': _spot('embeddings_dir', 'embeddings'),
        'Hypernetwork': _spot('hypernetwork_dir', 'hypernetworks'),
        'VAE': _spot('vae_dir', 'VAE'),
        'TextEncoder': _spot('te_dir', 'Text-encoder'),
        'UNet': _spot('unet_dir', 'UNET'),
        'Controlnet': _spot('control_dir', 'control'),
        'Upscaler': _spot('esrgan_models_path', 'ESRGAN', 'RealESRGAN', 'SwinIR'),
        'MotionModule': _spot('', 'motion'),
        'Wildcards': _spot('wildcards_dir', 'wildcards'),
        'Workflows': _spot('', 'workflows'),
        'Detection': _spot('yolo_dir', 'yolo'),
    },
    frozenset({'UNET', 'Text-encoder'}),
    reads_user_metadata=False,
)

COMFYUI = Layout(
    'ComfyUI',
    {
        'Checkpoint': _spot('', 'checkpoints'),
        **_of_lora(_spot('', 'loras')),
        'TextualInversion': _spot('', 'embeddings'),
        'Hypernetwork': _spot('', 'hypernetworks'),
        'VAE': _spot('', 'vae'),
        'TextEncoder': Spot('', ('text_encoders',), 'clip'),
        'UNet': Spot('', ('diffusion_models',), 'unet'),
        'CLIPVision': _spot('', 'clip_vision'),
        'Controlnet': _spot('', 'controlnet'),
        'Upscaler': _spot('', 'upscale_models'),
        'Workflows': _spot('', f'{DATA}user/default/workflows'),
    },
    frozenset({'checkpoints', 'loras', 'diffusion_models', 'text_encoders', 'upscale_models'}),
    reads_user_metadata=False,
)

ALL = (A1111, FORGE, SDNEXT, COMFYUI)

# SD.Next loads models of these bases whole; what is of another is a UNet for it.
_WHOLE_IN_SDNEXT = ('SD 1', 'SD 2', 'SDXL')
_WHOLE_TOO = frozenset(
    {'Pony', 'Illustrious', 'NoobAI', 'SVD', 'SVD XT', 'Kolors', 'Stable Cascade'}
)


def layout_of(folders: AbstractSet[str]) -> Layout:
    """Return how a folder of models with these `folders` in it is laid out; A1111 at a loss."""
    for layout in (COMFYUI, SDNEXT, FORGE):
        if layout.signs & folders:
            return layout
    return A1111


def usual(spot: Spot, models: Path, data: Path, extensions: Path) -> list[Path]:
    """Return the usual folders of `spot`; what belongs to an extension only where that is there."""
    found = []
    for folder in spot.folders:
        if folder.startswith(DATA):
            found.append(data / folder.removeprefix(DATA))
        elif folder.startswith(EXTENSIONS):
            inside = folder.removeprefix(EXTENSIONS)
            if (extensions / inside.split('/')[0]).is_dir():
                found.append(extensions / inside)
        else:
            found.append(models / folder)
    if spot.former and (models / spot.former).is_dir():
        at = 0 if not found[0].is_dir() else len(found)
        found.insert(at, models / spot.former)
    return found


def kind_in(layout: Layout, kind: str, base_model: str) -> str:
    """Return which kind a model of `kind`, made for `base_model`, is in the eyes of a program."""
    is_split = layout is SDNEXT and kind == 'Checkpoint' and base_model
    if not is_split or base_model in _WHOLE_TOO or base_model.startswith(_WHOLE_IN_SDNEXT):
        return kind
    return 'UNet'
