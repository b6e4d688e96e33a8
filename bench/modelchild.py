"""`python -m bench.modelchild ORDER`: our own download of one large file, in a process of its own.

ORDER is JSON. Prints what `bench.child.measured` tells of the transfer, to the final name.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import civitai_gallery

from .child import Work, measured


def _work(base: str, path: str, size: int, segments: int, hashing: bool, target: str) -> Work:
    from scripts.civitai_manager_libs import setting
    from scripts.civitai_manager_libs.downloads import segments as ours
    from scripts.civitai_manager_libs.downloads.leftover import Expected
    from scripts.civitai_manager_libs.http_client import get_http_client
    from scripts.civitai_manager_libs.store import partial

    setting.civitai_base_url, setting.model_download_segments = base, segments
    expected, final = Expected('model.bin', 'bench', size), Path(target)

    def work() -> None:
        with partial.held(final) as part:
            stop = threading.Event()
            ours.fetch(get_http_client(), base + path, part, expected, stop, hashing=hashing)
            part.become(final)

    return work


if __name__ == '__main__':
    civitai_gallery.put_root_first()
    print(json.dumps(measured(_work(**json.loads(sys.argv[1])))), flush=True)
