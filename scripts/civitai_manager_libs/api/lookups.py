"""Which versions files are of, by their hashes; many models at once."""

from __future__ import annotations

from typing import Mapping, Sequence

from .. import setting
from ..civitai import meta as meta_of, modelfiles, urls
from ..errors import BadRequestError, NotFoundError, WrongContentError
from ..http_client import CivitaiHttpClient

# What one question may ask for.
MOST_IDS, MOST_VERSIONS, MOST_MODELS = 10_000, 100, 100
_LARGEST_ID = 2**31 - 1


def ids_by_hash(client: CivitaiHttpClient, hashes: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return the version and the model of files with these SHA256, at most `MOST_IDS`, by hash.

    Those of published versions only; what is not known is absent. Raises CivitaiError.
    """
    data = _posted(client, 'model-versions/by-hash/ids', hashes)
    found: dict[str, tuple[int, int]] = {}
    for row in meta_of.mappings(data):
        both = number(row.get('modelVersionId')), number(row.get('modelId'))
        if both[0]:  # of several versions with one file the oldest, as where one is asked for
            digest = meta_of.hash_of(row.get('hash'))
            found[digest] = min(both, found.get(digest, both))
    return {one: found[one] for one in hashes if one in found}


def versions_by_hash(
    client: CivitaiHttpClient, hashes: Sequence[str]
) -> dict[str, Mapping[str, object]]:
    """Return the versions with files of these SHA256, at most `MOST_VERSIONS`, by hash.

    Raises CivitaiError.
    """
    found: dict[str, Mapping[str, object]] = {}
    for version in meta_of.mappings(_posted(client, 'model-versions/by-hash', hashes)):
        if number(version.get('id')):
            for listed in modelfiles.listed_hashes(version):
                found.setdefault(listed.get('SHA256', ''), _mended(version))
    return {one: found[one] for one in hashes if one in found}


def _posted(client: CivitaiHttpClient, path: str, hashes: Sequence[str]) -> object:
    address = urls.api_url(setting.civitai_base_url, path)
    data = client.fetch_json(address, method='POST', json_data=[one.upper() for one in hashes])
    if not isinstance(data, list):
        raise WrongContentError('error_not_a_model')
    return data


def _mended(version: Mapping[str, object]) -> Mapping[str, object]:
    """Without pictures whose addresses are of no host: a fault of this question alone."""
    images = meta_of.mappings(version.get('images'))
    if not any(str(one.get('url')).startswith('https://undefined/') for one in images):
        return version
    return {name: value for name, value in version.items() if name != 'images'}


def version_of_hash(client: CivitaiHttpClient, digest: str) -> Mapping[str, object] | None:
    """Return the version with a file of this hash, of whatever kind; None if there is none.

    An answer that lists no such file tells nothing. Raises CivitaiError.
    """
    path = f'model-versions/by-hash/{digest.upper()}'
    try:
        data = client.fetch_json(urls.api_url(setting.civitai_base_url, path))
    except NotFoundError:
        return None
    is_one = isinstance(data, dict) and number(data.get('id'))
    return data if is_one and _lists(data, digest.lower()) else None


def _lists(version: Mapping[str, object], digest: str) -> bool:
    """Whether a hash that a version lists of one of its files is `digest`, or begins so."""
    listed = (one for table in modelfiles.listed_hashes(version) for one in table.values())
    return digest in (one[: len(digest)] for one in listed)


def models(client: CivitaiHttpClient, ids: Sequence[int]) -> dict[int, Mapping[str, object]]:
    """Return what Civitai lists of these models, at most `MOST_MODELS`, by id.

    What it does not list is absent, and may be there all the same. Raises CivitaiError.
    """
    address = urls.api_url(setting.civitai_base_url, 'models')
    # without `nsfw`, all that is not for everybody would be missing
    asked = {'ids': ','.join(map(str, ids)), 'limit': str(MOST_MODELS), 'nsfw': 'true'}
    data = client.fetch_json(address, asked)
    if not isinstance(data, dict) or not isinstance(data.get('items'), list):
        raise WrongContentError('error_not_a_model')
    listed = {number(one.get('id')): one for one in meta_of.mappings(data['items'])}
    return {one: listed[one] for one in ids if one in listed}


def model(client: CivitaiHttpClient, model_id: int) -> Mapping[str, object] | None:
    """Return what Civitai says of one model; None if it has it no more. Raises CivitaiError."""
    address = urls.api_url(setting.civitai_base_url, f'models/{model_id}')
    try:
        data = client.fetch_json(address)
    except NotFoundError:
        return None
    if not isinstance(data, dict) or data.get('id') != model_id:
        raise WrongContentError('error_not_a_model')
    return data


def is_unknown_question(error: Exception) -> bool:
    """Tell whether a server does not know the question, so that another one may do."""
    return isinstance(error, (BadRequestError, NotFoundError))


def number(value: object) -> int:
    """Return `value` as an id, 0 if it is none."""
    is_id = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_ID
    return int(value) if isinstance(value, int) and is_id else 0
