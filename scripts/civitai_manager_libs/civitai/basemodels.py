"""The base models of Civitai under their exact names, other than which its API refuses."""

from __future__ import annotations

from typing import Iterable

from ..errors import BadRequestError, CivitaiError, SourceError
from . import spelling, urls

# As of 2026-08, from /api/v1/enums; new ones come every month, so that a name that is not here may
# be right as well.
_NAMES = (
    'Anima, AuraFlow, Chroma, CogVideoX, Ernie, Flux.1 S, Flux.1 D, Flux.1 Krea, '
    'Flux.1 Kontext, Flux.2 D, Flux.2 Klein 9B, Flux.2 Klein 9B-base, Flux.2 Klein 4B, '
    'Flux.2 Klein 4B-base, Flux 3 Video, Grok, HappyHorse, HiDream, HiDream-O1, Hunyuan 1, '
    'Hunyuan Video, Ideogram 4.0, Boogu, Illustrious, Imagen4, Kolors, Krea 2, LTXV, LTXV2, '
    'LTXV 2.3, Lens, Lumina, MageFlow, MAI, Mochi, Nano Banana, NoobAI, ODOR, OpenAI, '
    'Upscaler, Other, PixArt a, PixArt E, Playground v2, Pony, Pony V7, Qwen, Qwen 2, Qwen 3, '
    'Stable Cascade, SD 1.4, SD 1.5, SD 1.5 LCM, SD 1.5 Hyper, SD 2.0, SD 2.0 768, SD 2.1, '
    'SD 2.1 768, SD 2.1 Unclip, SD 3, SD 3.5, SD 3.5 Large, SD 3.5 Large Turbo, SD 3.5 Medium, '
    'SDXL 0.9, SDXL 1.0, SDXL 1.0 LCM, SDXL Lightning, SDXL Hyper, SDXL Turbo, SDXL Distilled, '
    'Reve, Seedream, SVD, SVD XT, Sora 2, Veo 3, Wan Video, Wan Video 1.3B t2v, '
    'Wan Video 14B t2v, Wan Video 14B i2v 480p, Wan Video 14B i2v 720p, Wan Video 2.2 TI2V-5B, '
    'Wan Video 2.2 I2V-A14B, Wan Video 2.2 T2V-A14B, Wan Video 2.5 T2V, Wan Video 2.5 I2V, '
    'Wan Image 2.7, Wan Video 2.7, ZImageTurbo, ZImageBase, Vidu Q1, MiniMax H3, Kling, '
    'Seedance, ACE Audio, PolyGen, Tripo, Hunyuan3D'
)


_BY_PLAIN_NAME = {spelling.plain(name): name for name in _NAMES.split(', ')}


def exact_name(name: str) -> str:
    """Return the base model called `name`, in any spelling, under its exact name.

    One that is not known here is returned as given.
    """
    return _BY_PLAIN_NAME.get(spelling.plain(name), name)


def is_known(name: str) -> bool:
    """Tell whether there was a base model called `name`, in any spelling, when this was written."""
    return spelling.plain(name) in _BY_PLAIN_NAME


def names() -> tuple[str, ...]:
    """Return the exact names of those that are known here."""
    return tuple(_BY_PLAIN_NAME.values())


def unknown_of(asked: Iterable[str]) -> list[str]:
    """Return those of the names that are not known here."""
    return [name for name in asked if not is_known(name)]


def explained(refusal: CivitaiError, asked: Iterable[str]) -> CivitaiError:
    """Return why Civitai refused what was `asked` of it, base models.

    That is `refusal` itself unless an unknown name is the likely cause: then it names the nearest.
    """
    unknown = unknown_of(asked)
    if not unknown or not isinstance(refusal, BadRequestError):
        return refusal
    return no_such(unknown[0])


def no_such(name: str) -> SourceError:
    """Return the error that there is no base model called `name`; it names the nearest."""
    near = ', '.join(spelling.nearest(name, names()))
    return SourceError('base_model_unknown', given=urls.shown(name), near=near)
