"""`python -m bench.scanchild FOLDER`: our own scan of model files, in a process of its own.

Prints the SHA256 of each by its name, then what `bench.child.measured` tells of the scan.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import civitai_gallery

from .child import measured


def main(folder: Path) -> None:
    """Scan the folder."""
    from scripts.civitai_manager_libs import forks
    from scripts.civitai_manager_libs.archive import holdings
    from scripts.civitai_manager_libs.archive.place import archive
    from scripts.civitai_manager_libs.library import scan

    db, stop = archive(), forks.Event()

    def work() -> None:
        scan.look(db, {folder: 'LORA'}, stop)
        scan.hash_files(db, stop)

    told = measured(work)
    print(json.dumps({one.path.name: one.sha256 for one in holdings.every(db)}))
    print(json.dumps(told), flush=True)


if __name__ == '__main__':
    civitai_gallery.put_root_first()
    main(Path(sys.argv[1]))
