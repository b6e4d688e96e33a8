"""The models that the chosen picture was made with: which are here, and how to have the others.

All of this is the owner's. Only what somebody asks for is asked of Civitai.
"""

from __future__ import annotations

import logging
from typing import Any

from .. import api, setting, widgets
from ..access.owner import Finding
from ..archive.place import archive
from ..civitai import resources
from ..civitai.modellinks import parse_model_source
from ..downloads import getting, leftover, modeljobs, presence
from ..errors import CivitaiError, SourceError, StorageError
from ..http_client import get_http_client
from ..library import have
from ..store.partial import Partial
from . import markup, models_markup, picture_markup
from .generation import Made
from .view import View

log = logging.getLogger(__name__)


def refuse_others(request: Any) -> None:
    """Raise SourceError unless who asks is the owner, who alone has models fetched and scanned."""
    widgets.refuse_strangers(request)
    asker = widgets.asked_by(request)
    if asker is not Finding.OWNER:
        is_untold = asker is Finding.UNTOLD
        raise SourceError('models_untold' if is_untold else 'models_not_from_here')


def may_have_models(request: Any) -> bool:
    """Tell whether `refuse_others` lets who asks pass."""
    return widgets.lets_pass(refuse_others, request)


def details(view: View, made: Made) -> str:
    """Return what is told of the picture that is chosen now, as HTML."""
    models = view.models
    if models.made is None or models.made.image.id != made.image.id:
        models.asked, models.told = None, ''
    models.made = made
    models.drawn = _drawn(view, made)
    return models.drawn


def again(view: View) -> str | None:
    """Return the same again, None if that has not changed or no picture is chosen."""
    made, before = view.models.made, view.models.drawn
    if made is None or view.selected is None or view.selected.id != made.image.id:
        return None
    drawn = details(view, made)
    return None if drawn == before else drawn


def _drawn(view: View, made: Made) -> str:
    models = view.models
    used = resources.resources(made.image.meta)
    if not (used and models.may_have):
        return picture_markup.details(made.image, made.searched, view=view)
    try:
        found = have.have(archive(), used)
    except StorageError as error:
        log.warning('%s', error)
        return picture_markup.details(made.image, made.searched, view=view)
    marks = [models_markup.mark(one) for one in found]
    below = models_markup.hint(found) + models.told
    if models.asked is not None:
        below += models_markup.confirmation(models.asked)
    return picture_markup.details(made.image, made.searched, marks, below, view)


def ask(view: View, source: str) -> None:
    """Ask Civitai for a model by a link or a hash, so that it can be confirmed; told in `view`."""
    models = view.models
    models.asked, models.told = None, ''
    made = models.made
    try:
        client = get_http_client().for_a_person()
        wanted = parse_model_source(source, setting.civitai_base_url)
        offered, choice = api.find_offered(client, wanted)
        # of what a scan found it is warned, and then it is for a person to say
        planned = getting.plan_of(offered, choice, client=client, takes_suspect=True)
        if not planned.path.exists():
            leftover.check_room(Partial(planned.path), planned.file.size)
    except CivitaiError as error:
        models.told = markup.problem(error)
    else:
        if models.made is made:  # else another picture was chosen meanwhile
            models.asked = planned


def take(view: View, version_id: int, file_id: int) -> int:
    """Have what was asked for fetched; return its job. Raises CivitaiError if it is another."""
    planned = view.models.asked
    if planned is None or (planned.version.id, planned.file.id) != (version_id, file_id):
        raise SourceError('models_asked_other')
    presence.check_writable(planned.path.parent)
    job_id = modeljobs.model_queue().add(planned, takes_suspect=planned.file.is_suspect)
    view.models.asked, view.models.told = None, ''
    return job_id


def drop(view: View) -> None:
    """Have nothing fetched."""
    view.models.asked, view.models.told = None, ''
