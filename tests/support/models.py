"""Model files as they lie on a disk: small, whole, and made for a test."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path


def safetensors(tensors: bytes = b'tensors!', title: str = '') -> bytes:
    """A safetensors file with one tensor of these bytes."""
    header = {
        '__metadata__': {'title': title},
        'a': {'dtype': 'U8', 'shape': [len(tensors)], 'data_offsets': [0, len(tensors)]},
    }
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, 'little') + text + tensors


def put(path: Path, content: bytes | None = None, **beside: object) -> str:
    """Make a model file, and JSON beside it by its ending (`civitai_info`); return its SHA256."""
    content = safetensors(os.fsencode(path.name)) if content is None else content
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    for ending, told in beside.items():
        name = f'{path.stem}.{ending.replace("__", "-").replace("_", ".")}'
        path.with_name(name).write_text(told if isinstance(told, str) else json.dumps(told))
    return hashlib.sha256(content).hexdigest()
