"""Models, versions, files and previews as the API writes them."""

from __future__ import annotations

from typing import Mapping

from ..world.catalog import Catalog, Picture
from ..world.modelfiles import ModelFile
from ..world.models import Model, User, Version
from .image_bodies import blur_hash, iso_time, media_url

Body = dict[str, object]


def model_body(catalog: Catalog, model: Model, base: str, *, nsfw: bool, listed: bool) -> Body:
    """A model; `listed` in the form of the list, else without the empty fields of its versions."""
    versions = []
    for index, version in enumerate(model.versions):
        body = _listed_version_body(catalog, model, version, index, base, nsfw, listed)
        versions.append(body if listed else {k: v for k, v in body.items() if v not in (None, [])})
    pictures = [picture for version in model.versions for picture in catalog.posted_to(version)]
    return {
        'id': model.id,
        'name': model.name,
        'description': f'<p>{model.description}</p>',
        'type': model.kind,
        'nsfw': False,
        'nsfwLevel': level_mask(pictures),
        'poi': False,
        'minor': False,
        'sfwOnly': False,
        'availability': 'Public',
        'allowNoCredit': True,
        'allowCommercialUse': ['Image', 'RentCivit'],
        'allowDerivatives': True,
        'allowDifferentLicense': True,
        'supportsGeneration': model.kind == 'Checkpoint',
        'baseModels': list(dict.fromkeys(version.base_model for version in model.versions)),
        'userId': model.creator.id,
        'cosmetic': None,
        'stats': {
            **_stats(model.id),
            'commentCount': model.id % 97,
            'tippedAmountCount': model.id % 700,
        },
        'creator': {
            'username': model.creator.name,
            'image': avatar_url(catalog, model.creator, base),
        },
        'tags': list(model.tags),
        'modelVersions': versions,
    }


def _listed_version_body(
    catalog: Catalog,
    model: Model,
    version: Version,
    index: int,
    base: str,
    nsfw: bool,
    listed: bool,
) -> Body:
    pictures = catalog.posted_to(version)
    shown = [picture for picture in pictures if nsfw or picture.level == 1][:20]
    images = [preview_body(picture, base) for picture in shown]
    if listed:
        images = [{'id': picture.id, **body} for picture, body in zip(shown, images)]
    body: Body = {
        'id': version.id,
        'index': index,
        'name': version.name,
        'baseModel': version.base_model,
        'baseModelType': 'Standard',
        'publishedAt': iso_time(version.published),
        'availability': 'Public',
        'nsfwLevel': level_mask(pictures),
        'description': version.description and f'<p>{version.description}</p>',
        'trainedWords': list(version.trained_words),
        'stats': _stats(version.id),
        'supportsGeneration': model.kind == 'Checkpoint',
        'paidAccess': None,
        'files': [file_body(file, version, base, exact=not listed) for file in version.files],
        'images': images,
        'downloadUrl': version_url(version, base, exact=not listed),
    }
    if not listed:
        body['createdAt'] = iso_time(version.published)
    return body


def single_version_body(catalog: Catalog, model: Model, version: Version, base: str) -> Body:
    """A version as /model-versions/{id} shows it: previews carry `meta`."""
    pictures = catalog.posted_to(version)
    images = []
    for picture in pictures[:10]:
        size: Body = {'hash': blur_hash(picture), 'width': picture.width, 'height': picture.height}
        meta = picture.generation.meta()
        images.append(
            {
                **preview_body(picture, base),
                'meta': meta,
                'metadata': size,
                'availability': 'Public',
            }
        )
    kind, family = model.kind.lower(), 'sd1' if version.base_model == 'SD 1.5' else 'sdxl'
    return {
        'id': version.id,
        'modelId': model.id,
        'name': version.name,
        'nsfwLevel': level_mask(pictures),
        'createdAt': iso_time(version.published),
        'updatedAt': iso_time(version.published),
        'status': 'Published',
        'publishedAt': iso_time(version.published),
        'trainedWords': list(version.trained_words),
        'trainingStatus': None,
        'trainingDetails': None,
        'baseModel': version.base_model,
        'baseModelType': 'Standard',
        'description': version.description and f'<p>{version.description}</p>',
        'uploadType': 'Created',
        'usageControl': 'Download',
        'licensingFee': None,
        'paidAccess': None,
        'air': f'urn:air:{family}:{kind}:civitai:{model.id}@{version.id}',
        'stats': {key: _stats(version.id)[key] for key in ('downloadCount', 'thumbsUpCount')},
        'model': {'name': model.name, 'type': model.kind, 'nsfw': False, 'poi': False},
        'files': [file_body(file, version, base, exact=True) for file in version.files],
        'images': images,
        'downloadUrl': version_url(version, base, exact=True),
    }


def file_body(file: ModelFile, version: Version, base: str, *, exact: bool) -> Body:
    """A file; its address names the file only where `exact`."""
    address = f'{base}/api/download/models/{version.id}'
    body: Body = {
        'id': file.id,
        'name': file.name,
        'type': file.kind,
        'sizeKB': len(file.content) / 1024,
        'pickleScanResult': 'Success',
        'pickleScanMessage': 'No Pickle imports',
        'virusScanResult': 'Success',
        'virusScanMessage': None,
        'scannedAt': iso_time(version.published),
        'metadata': {'format': 'SafeTensor', 'size': file.size, 'fp': file.precision},
        'hashes': dict(file.hashes),
        'downloadUrl': f'{address}?fileId={file.id}' if exact else address,
    }
    if file.primary:
        body['primary'] = True
    return body


def version_url(version: Version, base: str, *, exact: bool) -> str:
    """Where the main file of a version is downloaded."""
    address = f'{base}/api/download/models/{version.id}'
    return f'{address}?fileId={version.files[0].id}' if exact else address


def preview_body(picture: Picture, base: str) -> Body:
    """A preview picture of a version; here the level is a number."""
    made = picture.generation.meta()
    return {
        'url': media_url(base, picture, 'original=true', str(picture.id)),
        'nsfwLevel': picture.level,
        'width': picture.width,
        'height': picture.height,
        'hash': blur_hash(picture),
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
    own = (picture for picture in catalog.pictures if picture.user is user)
    newest = next(own, None)
    return media_url(base, newest, 'width=96', user.name) if newest else None


def level_mask(pictures: list[Picture]) -> int:
    """The bits of all levels among `pictures`."""
    mask = 0
    for picture in pictures:
        mask |= picture.level
    return mask


def _stats(number: int) -> Mapping[str, int]:
    downloads = 900 + number * 7919 % 48_000
    return {
        'downloadCount': downloads,
        'thumbsUpCount': downloads // 9,
        'thumbsDownCount': number % 13,
    }
