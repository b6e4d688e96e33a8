"""Models and their versions, and whose the API key is."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Collection

from .. import setting
from ..civitai import urls
from ..civitai.found import FoundPage, parse_found
from ..civitai.gallery import CEILINGS, SAFE_CEILING
from ..civitai.modelfiles import Choice, OfferedVersion, parse_offered, with_hash
from ..civitai.models import Model, parse_model
from ..civitai.modellinks import ModelSource
from ..civitai.source import GallerySource
from ..civitai.versions import MOST_VERSIONS, versions_in
from ..errors import AnswerError, NotFoundError, SourceError, TransferError, WrongContentError
from ..http_client import CivitaiHttpClient
from . import lookups

log = logging.getLogger(__name__)

# Versions that no list has, asked for one by one while somebody waits.
MAX_SINGLE_VERSIONS = 20
# Models that a search brings at once.
FOUND_AT_ONCE = 24


def fetch_model(client: CivitaiHttpClient, model_id: int) -> Model:
    """Return the model with its versions. Raises CivitaiError, for another one too."""
    address = urls.api_url(setting.civitai_base_url, f'models/{model_id}')
    model = parse_model(client.fetch_json(address))
    if model.id != model_id:
        raise WrongContentError('error_not_a_model')
    return model


def search_models(client: CivitaiHttpClient, words: str, cursor: str = '') -> FoundPage:
    """Return models that Civitai finds by `words`, up to the ceiling of the settings.

    `page` is never sent: with words that is an error, and the cursor is where to go on from.
    Raises CivitaiError.
    """
    levels = setting.maturity_levels()
    asked = {
        'query': words,
        'limit': str(FOUND_AT_ONCE),
        # false: only what is for everybody, true: all
        'nsfw': 'false' if levels == CEILINGS[SAFE_CEILING] else 'true',
    }
    if cursor:
        asked['cursor'] = cursor
    address = urls.api_url(setting.civitai_base_url, 'models')
    return parse_found(client.fetch_json(address, asked), levels, FOUND_AT_ONCE)


def fetch_versions(
    client: CivitaiHttpClient, ids: Collection[int], singly: int = MAX_SINGLE_VERSIONS
) -> dict[int, dict[str, object]]:
    """Return what Civitai says of each of these versions, by id; what it does not know is absent.

    All are asked for at once, and singly what that leaves open, such as versions that are not
    listed; `singly` at most. Where the network fails, what was found until then is returned.
    """
    wanted = list(dict.fromkeys(ids))[:MOST_VERSIONS]
    found: dict[int, dict[str, object]] = {}
    try:
        if len(wanted) > 1 or not singly:
            found = _versions_at_once(client, wanted)
        for number in [one for one in wanted if one not in found][:singly]:
            if (data := _version(client, number)) is not None:
                found[number] = data
    except TransferError as error:
        log.warning('Not all models of a picture could be asked for: %s', error)
    return found


def _versions_at_once(client: CivitaiHttpClient, ids: list[int]) -> dict[int, dict[str, object]]:
    address = urls.api_url(setting.civitai_base_url, 'models')
    asked = {
        'modelVersionIds': ','.join(map(str, ids)),
        'limit': str(MOST_VERSIONS),
        'nsfw': 'true',  # else all that is not for everybody would be missing
    }
    try:
        listed = versions_in(client.fetch_json(address, asked))
    except (AnswerError, WrongContentError):
        return {}  # not every server knows this question
    return {number: one for one in listed for number in ids if one['id'] == number}


def _version(client: CivitaiHttpClient, number: int) -> dict[str, object] | None:
    address = urls.api_url(setting.civitai_base_url, f'model-versions/{number}')
    try:
        data = client.fetch_json(address)
    except (AnswerError, WrongContentError):
        return None
    return data if isinstance(data, dict) and data.get('id') == number else None


def fetch_offered(client: CivitaiHttpClient, version_id: int) -> OfferedVersion:
    """Return a version with its files, as it is now. Raises CivitaiError, for another one too."""
    address = urls.api_url(setting.civitai_base_url, f'model-versions/{version_id}')
    offered = parse_offered(client.fetch_json(address))
    if offered.id != version_id:
        raise WrongContentError('error_not_a_model')
    return offered


def find_offered(client: CivitaiHttpClient, source: ModelSource) -> tuple[OfferedVersion, Choice]:
    """Return the version that `source` means, and which of its files.

    Of a model alone it is the version that its page shows first. Raises CivitaiError.
    """
    version_id, choice = source.version_id, source.choice
    if source.hash:
        found = lookups.version_of_hash(client, source.hash)
        if found is None:
            raise NotFoundError('model_hash_unknown', hash=source.hash)
        offered = fetch_offered(client, lookups.number(found.get('id')))
        return offered, replace(choice, file_id=with_hash(offered, source.hash))
    if not version_id:
        listed = fetch_model(client, source.model_id).versions
        if not listed:
            raise NotFoundError('model_without_versions')
        version_id = listed[0].id
    offered = fetch_offered(client, version_id)
    if source.model_id and offered.model_id not in (0, source.model_id):
        page = urls.page_url(setting.civitai_base_url, 'models', offered.model_id)
        raise SourceError(
            'model_elsewhere',
            version=version_id,
            owner=offered.model_id,
            model=source.model_id,
            link=f'{page}?modelVersionId={version_id}',
        )
    return offered, choice


def find_version(client: CivitaiHttpClient, source: GallerySource) -> tuple[int, int]:
    """Return the ids of the model and the version that `source`, a version, means."""
    path = (
        f'model-versions/by-hash/{source.hash}'
        if source.hash
        else f'model-versions/{source.number}'
    )
    data = client.fetch_json(urls.api_url(setting.civitai_base_url, path))
    found = data if isinstance(data, dict) else {}
    model_id, version_id = found.get('modelId'), source.number or found.get('id')
    is_other = source.number and found.get('id', source.number) != source.number
    if is_other or not isinstance(model_id, int) or not isinstance(version_id, int):
        raise WrongContentError('error_not_a_model')
    return model_id, version_id


def whoami(client: CivitaiHttpClient) -> str:
    """Return the name of the user whose API key is set. Raises KeyNeededError if it is not good."""
    data = client.fetch_json(urls.api_url(setting.civitai_base_url, 'me'))
    return str(data.get('username') or '') if isinstance(data, dict) else ''
