"""What Civitai said of models and versions, kept so that it is asked once."""

from __future__ import annotations

import json
import time
from typing import Collection, Mapping

from .database import Database

# GONE: True for a model that the site has no more. LOOKED: the folders of models were looked into,
# by the id 0; nobody answered that, it is known here.
MODEL, VERSION, GONE, LOOKED = 'model', 'version', 'gone', 'looked'


def keep(db: Database, kind: str, found: Mapping[int, object]) -> None:
    """Keep these answers by their ids; `kind` is one of the above. Raises StorageError."""
    rows = [(kind, number, json.dumps(body), time.time()) for number, body in found.items()]
    with db.writing() as connection:
        connection.executemany('INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)', rows)


def kept(db: Database, kind: str, ids: Collection[int], since: float = 0.0) -> dict[int, object]:
    """Return the answers that are kept, and came after `since`, by id. Raises StorageError."""
    found: dict[int, object] = {}
    with db.reading() as connection:
        for number in ids:
            row = connection.execute(
                'SELECT body FROM answers WHERE kind = ? AND id = ? AND at >= ?',
                (kind, number, since),
            ).fetchone()
            if row:
                found[number] = json.loads(row[0])
    return found
