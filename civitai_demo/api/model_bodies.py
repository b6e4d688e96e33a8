"""Models, versions, files and previews as the API writes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from ..world.catalog import Catalog, Picture
from ..world.entries import Model, User, Version
from ..world.modelfiles import PENDING
from .files import ListedFile, listed_address, listed_files, primary_file
from .image_bodies import iso_time, look_of, media_url

Body = dict[str, object]

COMMERCIAL_USE = ('Image', 'RentCivit')
# The first parts of AI resource names, by base model and by type of model; some files have others.
_FAMILIES = {
    'SD 1.5': 'sd1',
    'SDXL 1.0': 'sdxl',
    'Pony': 'sdxl',
    'Illustrious': 'sdxl',
    'Flux.1 D': 'flux1',
}
_MODEL_AIR = {
    'Checkpoint': 'checkpoint',
    'TextualInversion': 'embedding',
    'LORA': 'lora',
    'LoCon': 'lycoris',
    'VAE': 'vae',
}
_FILE_AIR = {'Diffusion Model': 'diffusionmodel', 'UNet': 'unet'}


@dataclass(frozen=True)
class Wish:
    """How a model is written: its address, whose preferences count, what is shown of it.

    `listed`: in the form of the list, else without the empty fields of its versions. `nsfw` shows
    previews of every level; `version_ids` and `base_models` leave out other versions.
    """

    base: str
    listed: bool
    nsfw: bool = True
    preferences: Mapping[str, str] = field(default_factory=dict)
    version_ids: tuple[int, ...] = ()
    base_models: tuple[str, ...] = ()
    primary_only: bool = False
    generating: bool = False

    def shows(self, version: Version) -> bool:
        """Whether a version is among those that were asked for."""
        return (
            (not self.version_ids or version.id in self.version_ids)
            and (not self.base_models or version.base_model in self.base_models)
            and (not self.generating or version.covered)
        )


def model_body(catalog: Catalog, model: Model, wish: Wish) -> Body:
    """A model as `/models` and `/models/{id}` write it."""
    versions = []
    for index, version in enumerate(model.versions):
        if wish.shows(version):
            body = _version_body(catalog, model, version, index, wish)
            filled = {name: value for name, value in body.items() if value not in (None, [])}
            versions.append(body if wish.listed else filled)
    pictures = [picture for version in model.versions for picture in catalog.posted_to(version)]
    body = {
        'id': model.id,
        'name': model.name,
        'description': f'<p>{model.description}</p>',
        'type': model.kind,
        'nsfw': False,
        'nsfwLevel': level_mask(pictures) or 1,
        'poi': False,
        'minor': False,
        'sfwOnly': False,
        'availability': 'Public',
        'allowNoCredit': True,
        'allowCommercialUse': list(COMMERCIAL_USE),
        'allowDerivatives': True,
        'allowDifferentLicense': True,
        'supportsGeneration': any(version.covered for version in model.versions),
        'baseModels': list(dict.fromkeys(version.base_model for version in model.versions)),
        'userId': model.creator.id,
        'cosmetic': None,
        'stats': {
            **_stats(model.id, model.downloads, model.hides_downloads),
            'commentCount': comment_count(model),
            'tippedAmountCount': model.id % 700,
        },
        'creator': {
            'username': model.creator.name,
            'image': avatar_url(catalog, model.creator, wish.base),
        },
        'tags': list(model.tags),
        'modelVersions': versions,
    }
    return {**body, 'mode': model.mode} if model.mode else body


def _version_body(catalog: Catalog, model: Model, version: Version, index: int, wish: Wish) -> Body:
    pictures = catalog.posted_to(version)
    shown = [picture for picture in pictures if wish.nsfw or picture.level & 1][:20]
    images = [preview_body(picture, wish.base) for picture in shown]
    if wish.listed:
        images = [{'id': picture.id, **body} for picture, body in zip(shown, images)]
    body: Body = {
        'id': version.id,
        'index': index,
        'name': version.name,
        'baseModel': version.base_model,
        'baseModelType': 'Standard',
        'publishedAt': iso_time(version.published),
        'availability': 'Public',
        'nsfwLevel': level_mask(pictures) or 1,
        'description': version.description and f'<p>{version.description}</p>',
        'trainedWords': list(version.trained_words),
        'stats': _stats(version.id, version.downloads, model.hides_downloads),
        'supportsGeneration': version.covered,
        'paidAccess': paid_access(version),
        'files': _files(catalog, model, version, wish),
        'images': images,
    }
    if version.paid_until:
        body['earlyAccessDeadline'] = iso_time(version.paid_until)
    if model.mode != 'Archived':
        body['downloadUrl'] = version_url(version, wish.base)
    if not wish.listed:
        body['createdAt'] = iso_time(version.published)
        body.update({'status': 'Published', 'covered': version.covered})
    return body


def _files(catalog: Catalog, model: Model, version: Version, wish: Wish) -> list[Body]:
    """The files of a version inside a model; the list addresses them by what they are."""
    if model.mode == 'Archived':
        return []
    files = listed_files(catalog, version)
    primary = primary_file(files, wish.preferences)
    found = []
    for one in files:
        if one is primary or not wish.primary_only:
            body = file_body(one, version, wish.base, one is primary, pinned=not wish.listed)
            body['metadata'] = dict(one.file.metadata)
            found.append({**body, 'primary': True} if one is primary else body)
    return found


def single_version_body(catalog: Catalog, model: Model, version: Version, base: str) -> Body:
    """A version as /model-versions/{id} shows it: previews carry `meta`."""
    pictures = catalog.posted_to(version)
    files = listed_files(catalog, version)
    primary = primary_file(files)
    archived = {'mode': model.mode} if model.mode else {}
    body = {
        'id': version.id,
        'modelId': model.id,
        'name': version.name,
        'nsfwLevel': level_mask(pictures) or 1,
        'createdAt': iso_time(version.published),
        'updatedAt': iso_time(version.published),
        'status': 'Published',
        'publishedAt': iso_time(version.published),
        'trainedWords': list(version.trained_words),
        'trainingStatus': 'Approved' if version.trained_here else None,
        'trainingDetails': None,
        'baseModel': version.base_model,
        'baseModelType': 'Standard',
        'description': version.description and f'<p>{version.description}</p>',
        'uploadType': 'Trained' if version.trained_here else 'Created',
        'usageControl': version.usage,
        'licensingFee': None,
        'paidAccess': paid_access(version),
        'air': air_of(model, version, primary.file.kind if primary else ''),
        'stats': {
            'downloadCount': None if model.hides_downloads else version.downloads,
            'thumbsUpCount': version.downloads // 9,
        },
        'model': {'name': model.name, 'type': model.kind, 'nsfw': False, 'poi': False, **archived},
        'files': [],
        'images': [_telling_preview(picture, base) for picture in pictures[:10]],
    }
    if archived:
        return body
    body['files'] = [
        {**file_body(one, version, base, one is primary, pinned=True), 'primary': one is primary}
        for one in files
    ]
    return {**body, 'downloadUrl': version_url(version, base)}


def _telling_preview(picture: Picture, base: str) -> Body:
    meta = picture.generation.meta()
    more = {'meta': meta, 'metadata': look_of(picture), 'availability': 'Public'}
    return {**preview_body(picture, base), **more}


def file_body(
    listed: ListedFile, version: Version, base: str, primary: bool, *, pinned: bool
) -> Body:
    """A file; `pinned`: its address names it by its id."""
    file = listed.file
    told = {name: value for name, value in file.metadata.items() if name != 'quantType'}
    known = file.scan != PENDING
    return {
        'id': file.id,
        'name': file.name,
        'type': file.kind,
        'sizeKB': len(file.content) / 1024,
        'pickleScanResult': 'Success' if known else 'Pending',
        'pickleScanMessage': 'No Pickle imports' if known else None,
        'virusScanResult': 'Success' if known else 'Pending',
        'virusScanMessage': None,
        'scannedAt': iso_time(version.published) if known else None,
        'metadata': told,
        'hashes': dict(file.hashes),
        'downloadUrl': base + listed_address(version, listed, primary=primary, pinned=pinned),
    }


def version_url(version: Version, base: str) -> str:
    """Where a version is downloaded; which file comes is for its caller's preferences to say."""
    return f'{base}/api/download/models/{version.id}'


def paid_access(version: Version) -> Body | None:
    """Until when a version is only for those who paid; None: it is for all."""
    if version.paid_until is None:
        return None
    return {'permanent': False, 'endsAt': iso_time(version.paid_until)}


def air_of(model: Model, version: Version, file_kind: str, file_id: int = 0) -> str:
    """The AI resource name of a version, of one of its files if `file_id` is given."""
    family = _FAMILIES.get(version.base_model, 'other')
    kind = _FILE_AIR.get(file_kind) or _MODEL_AIR.get(model.kind, 'unknown')
    name = f'urn:air:{family}:{kind}:civitai:{model.id}@{version.id}'
    return f'{name}+{file_id}' if file_id else name


def preview_body(picture: Picture, base: str) -> Body:
    """A preview picture of a version; here the level is a number."""
    made = picture.generation.meta()
    return {
        'url': media_url(base, picture, 'original=true', str(picture.id)),
        'nsfwLevel': picture.level,
        **look_of(picture),
        'type': picture.kind,
        'minor': False,
        'poi': False,
        'hasMeta': made is not None,
        'hasPositivePrompt': made is not None,
        'onSite': picture.generation.source == 'onsite',
        'remixOfId': None,
    }


def avatar_url(catalog: Catalog, user: User, base: str) -> str | None:
    """The face of a user: the newest picture posted, or none."""
    own = (p for p in catalog.pictures if p.user is user and p.kind != 'audio')
    newest = next(own, None)
    return media_url(base, newest, 'width=96', user.name) if newest else None


def level_mask(pictures: list[Picture]) -> int:
    """The bits of all levels among `pictures`."""
    mask = 0
    for picture in pictures:
        mask |= picture.level
    return mask


def comment_count(model: Model) -> int:
    """How often a model was discussed."""
    return model.id % 97


def _stats(number: int, downloads: int, hidden: bool) -> Mapping[str, int | None]:
    return {
        'downloadCount': None if hidden else downloads,
        'thumbsUpCount': downloads // 9,
        'thumbsDownCount': number % 13,
    }
