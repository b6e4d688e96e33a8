"""What the texts inside a picture's own file tell of how it was made, as a `meta`."""

from __future__ import annotations

import json
import re
from typing import Mapping

from . import meta as meta_of
from .infotext import decode

# ComfyUI writes its graphs into the camera fields of Exif, each after its name.
_LABELLED = re.compile(r'\s*(prompt|workflow)\s*:\s*(\{.*)', re.DOTALL | re.IGNORECASE)
_LONGEST_TEXT = 4_000_000
_STEPS = 'Steps: '


def meta_in(texts: Mapping[str, str]) -> dict[str, object]:
    """Return the `meta` that these texts tell, {} if none of them is about that. Never raises.

    They are a WebUI's (`parameters`, in Exif `UserComment`, a JPEG's own `Comment`) and ComfyUI's
    (`prompt`, `workflow`).
    """
    found = {name: text for name, text in texts.items() if len(text) <= _LONGEST_TEXT}
    for name in ('ImageDescription', 'Make', 'Model'):
        if labelled := _LABELLED.fullmatch(found.pop(name, '')):
            found.setdefault(labelled[1].lower(), labelled[2])
    graphs = {name: found[name] for name in ('prompt', 'workflow') if _is_json(found.get(name))}
    text = own_text(found)
    told = _of_the_site(text) if _is_json(text) else None
    if told is None:  # a prompt may begin like JSON too: {red|blue} door
        told = decode(text) if text == found.get('parameters', '').strip() or _STEPS in text else {}
    return {**told, 'comfy': graphs} if graphs else told


def own_text(texts: Mapping[str, str]) -> str:
    """Return which of these texts a WebUI reads, '' if none tells how a picture was made."""
    if parameters := texts.get('parameters', '').strip():
        return parameters
    comment = texts.get('UserComment', '').strip()
    if _is_json(comment):
        return comment
    # cameras and others comment too
    return next((one for one in (comment, texts.get('Comment', '')) if _STEPS in one), '')


def _is_json(text: str | None) -> bool:
    return bool(text) and str(text).lstrip().startswith('{')


def _of_the_site(text: str) -> dict[str, object] | None:
    """The graph that the site ran for a picture, with what it noted beside; None if it is none."""
    try:
        graph = json.loads(text)
    except (ValueError, RecursionError):
        return None
    try:
        noted = json.loads(str(graph.get('extraMetadata') or '{}'))
    except (ValueError, RecursionError):
        return {}
    told = meta_of.opened(noted)
    used = meta_of.mappings(told.pop('resources', None))
    if used:
        told['civitaiResources'] = [meta_of.site_entry(entry) for entry in used]
    nodes = {key: node for key, node in graph.items() if isinstance(node, Mapping)}
    if any('class_type' in node for node in nodes.values()) or 'workflow' in graph:
        told['comfy'] = graph if 'workflow' in graph else {'prompt': nodes}
    return told
