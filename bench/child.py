"""`python -m bench.child TASK PATH`: the Python clients, each in a process of its own.

Prints a line of JSON: wall and CPU seconds and peak memory of the work alone, without imports.
"""

from __future__ import annotations

import contextlib
import json
import re
import resource
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterable

import civitai_gallery

from .pictures import MODEL_ID
from .task import Task

Work = Callable[[], object]


class _Bar:
    """Stands for gradio's progress."""

    def tqdm(self, iterable: Iterable[Any], desc: str = '') -> Iterable[Any]:
        """Show nothing."""
        return iterable


def _gallery_loading(task: Task) -> Work:
    from scripts.civitai_manager_libs import civitai_gallery_action as action

    _configure_cache(task)
    urls = task.urls()
    return lambda: action.gallery_loading(urls, _Bar())


def _download_images(task: Task) -> Work:
    from scripts.civitai_manager_libs import civitai_gallery_action as action

    _configure_cache(task)
    urls = task.urls()
    return lambda: action.download_images(urls)


def _whole_gallery(task: Task, embeds: bool = False) -> Work:
    from scripts.civitai_manager_libs import forks
    from scripts.civitai_manager_libs.archive.database import Database
    from scripts.civitai_manager_libs.downloads import beginning, whole
    from scripts.civitai_manager_libs.downloads.wanted import Wanted
    from scripts.civitai_manager_libs.http_client import exchange, get_http_client
    from scripts.civitai_manager_libs.http_client.pacing.budget import Budget

    _configure(task)
    if not task.paced:
        setattr(exchange, "of_the_api", lambda: Budget(rate=1e6, burst=1e6, at_once=1))

    def keep() -> None:
        db, client = Database(Path(task.home) / 'archive.sqlite'), get_http_client()
        wanted = Wanted(f'{task.base}/models/{MODEL_ID}', embeds=embeds)
        job = beginning.begin(db, client, wanted, Path(task.folder))
        whole.run(db, client, job, forks.Event())
        db.close()

    return keep


def _configure(task: Task) -> None:
    """Put our settings where a person would have put them."""
    from scripts.civitai_manager_libs import setting

    setting.shortcut_gallery_folder = task.folder
    setting.gallery_max_concurrent_downloads = task.at_once
    if task.read_timeout:
        setting.gallery_download_timeout = task.read_timeout
    setting.http_ca_bundle = task.ca_file


def _configure_cache(task: Task) -> None:
    """The same, and mark the folder as a picture cache, as every host does at its start."""
    from scripts.civitai_manager_libs import setting

    _configure(task)
    setting.claim_picture_cache()


def _sequential(task: Task) -> Work:
    """The loop our ancestor had: one session, one picture after another, no time-out."""
    import requests

    urls = task.urls()

    def loop() -> None:
        session = requests.Session()
        for url in urls:
            try:
                response = session.get(url, stream=True)
                if not response.ok:
                    continue
                with open(Path(task.folder, url.rpartition('/')[2]), 'wb') as file:
                    for chunk in response.iter_content(8192):
                        file.write(chunk)
            except requests.RequestException:
                continue

    return loop


CLIENTS: dict[str, Callable[[Task], Work]] = {
    'gallery_loading': _gallery_loading,
    'download_images': _download_images,
    'whole gallery': _whole_gallery,
    'whole gallery, prompts': partial(_whole_gallery, embeds=True),
    'sequential': _sequential,
}


def memory_kib(name: str) -> int:
    """VmRSS (memory now) or VmHWM (at most so far) of this process; 0 where the system is mum."""
    with contextlib.suppress(OSError):
        found = re.search(rf'{name}:\s+(\d+)', Path('/proc/self/status').read_text())
        return int(found[1]) if found else 0
    return 0


def forget_peak() -> None:
    """Let VmHWM begin again at VmRSS, where the system can do that."""
    with contextlib.suppress(OSError):
        Path('/proc/self/clear_refs').write_text('5')


def measured(work: Work) -> dict[str, float]:
    """Do the work; its seconds, its peak memory and how far that is above the memory before."""
    forget_peak()
    memory, wall, cpu = memory_kib('VmRSS'), time.monotonic(), time.process_time()
    work()
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    peak = memory_kib('VmHWM') or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {'wall': wall, 'cpu': cpu, 'peak_kib': peak, 'growth_kib': peak - memory}


def _compute_for_ever() -> None:
    number = 0
    while True:
        number = (number * 31 + 7) % 1_000_003


def main(argv: list[str]) -> int:
    """Run the client called argv[0] on the task in the file argv[1]."""
    name, path = argv
    task = Task(**json.loads(Path(path).read_text(encoding='utf-8')))
    work = CLIENTS[name](task)
    if task.busy:
        threading.Thread(target=_compute_for_ever, daemon=True).start()
    print(json.dumps(measured(work)), flush=True)
    return 0


if __name__ == '__main__':
    civitai_gallery.put_root_first()
    sys.exit(main(sys.argv[1:]))
