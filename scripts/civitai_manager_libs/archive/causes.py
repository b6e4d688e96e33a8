"""Why something failed, as text that can be kept. Pure."""

from __future__ import annotations

import json

from .. import errors
from ..errors import CivitaiError


def kept(error: CivitaiError) -> str:
    """Return an error as text, of which its sentence can be made again in any language."""
    values = {name: str(value) for name, value in error.values.items()}
    told = {'key': error.key, 'status': error.status, 'detail': error.detail, 'values': values}
    told['kind'] = type(error).__name__
    return json.dumps(told)


def told(text: str) -> CivitaiError | None:
    """Return the error that `kept` made a text of, None for an empty one."""
    if not text:
        return None
    parts = json.loads(text)
    kind = getattr(errors, str(parts.get('kind')), None)
    if not (isinstance(kind, type) and issubclass(kind, CivitaiError)):
        kind = CivitaiError
    return kind(parts['key'], status=parts['status'], detail=parts['detail'], **parts['values'])
