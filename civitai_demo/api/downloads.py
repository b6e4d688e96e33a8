"""GET /api/download/models/{id}: who gets which file, and the way to the storage."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ..world.catalog import Catalog, load_catalog
from ..world.entries import Version
from ..world.modelfiles import ModelFile
from . import complaints
from .accounts import Account
from .canned import ARCHIVED, DISABLED, EARLY_ACCESS, LOGIN_NEEDED
from .complaints import js_number, prettified
from .files import ListedFile, listed_files, primary_file
from .image_bodies import iso_time
from .query import QueryReader
from .replies import DOWNLOAD_CACHE, ApiError, account, json_reply, scenario_of
from .storage import signed_url
from .words import FILE_FORMATS, FILE_SIZES, FILE_TYPES

# Types that a version linked to this one may provide.
_COMPONENT_TYPES = ('VAE', 'Text Encoder', 'UNet', 'Diffusion Model', 'CLIPVision', 'ControlNet')
_BROWSERS = ('mozilla', 'chrome', 'safari', 'firefox', 'opera', 'edge')


def redirect_download(request: Request) -> Response:
    """307 to a signed address on another host name, which is the body too; or why not.

    Whatever calls itself a browser gets a refusal as plain text, or a page instead of it.
    """
    number, wanted, file_id = _question(request)
    found = load_catalog().version(number) if number else None
    if found is None:
        return _refused(request, 404, 'File not found')
    model, version = found
    who, browsing = account(request), _is_browser(request)
    keyless = not version.key_needed or scenario_of(request) == 'keyless-downloads'
    if model.mode == 'Archived':
        return _refused(request, 410, ARCHIVED)
    if version.usage != 'Download':
        return _told(request, 401, {'error': 'Unauthorized', 'message': DISABLED})
    if who is None and not keyless:
        if browsing:
            back = {'returnUrl': f'/model-versions/{number}', 'reason': 'download-auth'}
            return _redirect(f'/login?{urlencode(back)}')
        return _told(request, 401, {'error': 'Unauthorized', 'message': LOGIN_NEEDED})
    if version.paid_until:
        if browsing:
            return _redirect(f'/model-versions/{number}')
        deadline = iso_time(version.paid_until)
        body = {'error': 'Early Access', 'deadline': deadline, 'message': EARLY_ACCESS}
        return _told(request, 403, body)
    listed = _chosen(load_catalog(), version, wanted, file_id, who)
    if listed is None:
        return _refused(request, 404, 'File not found')
    return _redirect(signed_url(request, listed.file))


def _question(request: Request) -> tuple[int | None, dict[str, str], int]:
    """The version's id (None: none has it), words for its file, and the file's id or 0."""
    reader = QueryReader(request.query_params)
    number = js_number(str(request.path_params['id']))
    if number is None:
        reader.issues.append(complaints.not_a_number(('modelVersionId',)))
    words = {
        'type': reader.choice('type', FILE_TYPES),
        'format': reader.choice('format', FILE_FORMATS),
        'size': reader.choice('size', FILE_SIZES),
        'fp': reader.short_text('fp', 64),
        'quantType': reader.short_text('quantType', 64),
    }
    file_id = reader.number('fileId') or 0
    reader.check(prettified)
    if number == 0:
        raise ApiError(400, {'error': 'Missing modelVersionId'})
    whole = int(number) if number is not None and 0 < number < 2**31 else None
    return whole, {name: word for name, word in words.items() if word}, file_id


def _chosen(
    catalog: Catalog, version: Version, wanted: dict[str, str], file_id: int, who: Account | None
) -> ListedFile | None:
    """The file that is meant; its id alone decides, else the site's score among those of a type."""
    files = listed_files(catalog, version)
    own = [listed for listed in files if listed.owned]
    if file_id:
        return next((listed for listed in own if listed.file.id == file_id), None)
    kind = wanted.get('type')
    facts = {name: word for name, word in wanted.items() if name != 'type'}
    candidates = [listed for listed in own if kind in (None, listed.file.kind)]
    preferences = {**(who.preferences if who else {}), **facts}
    found = primary_file(candidates, preferences)
    if found is None and kind in _COMPONENT_TYPES:
        found = next((one for one in files if not one.owned and one.file.kind == kind), None)
    return found if found and _agrees(found.file, facts) else None


def _agrees(file: ModelFile, facts: dict[str, str]) -> bool:
    """Whether a file says nothing else than it was asked for."""
    return all(file.metadata.get(name, word) == word for name, word in facts.items())


def _is_browser(request: Request) -> bool:
    name = request.headers.get('user-agent', '').lower()
    return any(word in name for word in _BROWSERS)


def _refused(request: Request, status: int, reason: str) -> Response:
    if _is_browser(request):
        return PlainTextResponse(reason, status, {'Cache-Control': DOWNLOAD_CACHE})
    return _told(request, status, {'error': reason})


def _told(request: Request, status: int, body: dict[str, str]) -> Response:
    return json_reply(request, body, DOWNLOAD_CACHE, status)


def _redirect(address: str) -> Response:
    """As the framework of the site sends it: the address is the body too."""
    return Response(address, 307, {'Location': address, 'Cache-Control': DOWNLOAD_CACHE})
