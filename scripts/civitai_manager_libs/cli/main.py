"""The command line: keep the pictures of a Civitai link."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import re
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator, Mapping

from .. import api, ending, notices, setting, texts
from ..civitai import urls
from ..civitai.gallery import CEILINGS, MAX_LIMIT, ImagePage
from ..civitai.source import parse_source
from ..downloads import batch
from ..downloads.plan import Fetch
from ..errors import CancelledError, CivitaiError
from ..http_client import CivitaiHttpClient, get_http_client
from ..store import files
from . import telling


def main(argv: list[str]) -> int:
    """Run `download SOURCE... --to DIR [--limit N] [--level L] [--json]`; return the exit code.

    What was asked for several times is done once. What fails stops nothing else; stderr says what
    failed and why, and the code is the worst one.
    """
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.ERROR, format='%(levelname)s %(message)s')
    setting.log.setLevel(logging.WARNING)  # a settings file that is not obeyed is worth a line
    if isinstance(sys.stdout, io.TextIOWrapper):  # a narrow terminal must not stop the report
        sys.stdout.reconfigure(errors='backslashreplace')
    setting.load()
    notices.sink = _notice
    client, stopped = get_http_client(), threading.Event()
    several = len(options.sources) > 1
    parts: list[telling.Part] = []

    def work() -> None:
        for source in dict.fromkeys(options.sources):
            if not stopped.is_set():
                part = _part(client, source, options)
                parts.append(replace(part, was_stopped=stopped.is_set()))
                _tell(parts[-1], options.json, several)

    def stop() -> None:
        stopped.set()
        client.close()

    number = ending.run(work, stop)
    if options.json:
        report = telling.all_as_json(parts, bool(number), several)
        print(json.dumps(report, indent=2))  # in ASCII, which every pipe can carry
    return 128 + number if number else max(part.code for part in parts)


def _notice(key: str, values: Mapping[str, Any]) -> None:
    if sys.stderr.isatty():  # to a person who is watching
        line = texts.text(key, setting.language, **values)
        print(f'\r{line}', file=sys.stderr, flush=True)  # over the counting line


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='civitai_gallery.py download', description=__doc__)
    parser.add_argument(
        'sources', metavar='SOURCE', nargs='+', help='Civitai link, model id or AIR'
    )
    parser.add_argument(
        '--to', type=_folder, required=True, metavar='DIR', help='folder for the pictures'
    )
    parser.add_argument(
        '--limit', type=_count, metavar='N', help='how many pictures of each (default: one page)'
    )
    parser.add_argument(
        '--level',
        type=str.upper,
        choices=list(CEILINGS),
        help='the most mature pictures to ask for in this run (default: the setting)',
    )
    parser.add_argument('--json', action='store_true', help='print a report as JSON')
    return parser


def _folder(text: str) -> Path:
    if text.strip():
        return Path(os.path.expanduser(text))
    raise argparse.ArgumentTypeError('the name of the folder is empty')


def _count(text: str) -> int:
    if re.fullmatch(r'[0-9]{1,9}', text) and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f'{text[:20]!r} is not a number above 0')


def _part(client: CivitaiHttpClient, given: str, options: argparse.Namespace) -> telling.Part:
    """Keep the pictures of one source; return what became of it."""
    level = options.level or setting.gallery_maturity_ceiling
    part = telling.Part(urls.shown(given.strip()), str(options.to), level)
    try:
        return _download(client, given, options, part)
    except CivitaiError as error:
        return replace(part, refusal=error)


def _download(
    client: CivitaiHttpClient, given: str, options: argparse.Namespace, part: telling.Part
) -> telling.Part:
    """Keep the pictures; return `part` with what became of them. Raises CivitaiError."""
    source = parse_source(given, setting.civitai_base_url)
    with files.explained(options.to):
        options.to.mkdir(parents=True, exist_ok=True)
    gallery = api.open_gallery(client, source).of_levels(CEILINGS[part.level])
    listing = _listed(client, gallery, options.limit or setting.page_size())
    jobs = batch.image_jobs(listing.images, options.to)
    done = batch.keep_all(jobs, _fetch_with(client), setting.gallery_max_concurrent_downloads)
    report = batch.report(_with_progress(done, len(jobs)))
    return replace(part, gallery=gallery, listing=listing, report=report)


def _fetch_with(client: CivitaiHttpClient) -> Fetch:
    return lambda url, path: bool(client.fetch_file(url, path))


def _listed(client: CivitaiHttpClient, gallery: api.Gallery, limit: int) -> ImagePage:
    """Return up to `limit` pictures as one page. Raises NotFoundError if there is no such thing."""
    # the site is asked as seldom as it allows
    size = min(max(limit, gallery.query.limit), MAX_LIMIT)
    listing = api.read_pages(client, replace(gallery.query, limit=size), limit)
    if listing.is_nothing:
        api.check_there(client, gallery)
    return listing


def _with_progress(results: Iterator[Any], total: int) -> Iterator[Any]:
    """Pass `results` on, with a counting line where a person is watching."""
    watched, done = sys.stderr.isatty(), 0
    for position, result in results:
        is_done = not isinstance(result.error, CancelledError)
        done += is_done
        if watched and is_done:
            line = texts.text('progress_picture', setting.language, done=done, total=total)
            print(f'\r{line}', end='' if done < total else '\n', file=sys.stderr, flush=True)
        yield position, result


def _tell(part: telling.Part, as_json: bool, several: bool) -> None:
    """Say what became of `part`, on stderr what went wrong, and on stdout a line unless JSON."""
    prefix = f'{part.source}: ' if several else ''
    if part.was_stopped:
        if sys.stderr.isatty():  # who pressed Ctrl-C is there; a program reads the code or JSON
            print(f'\n{prefix}{part.summary()}', file=sys.stderr)
        return
    if part.summary() and not as_json:
        print(prefix + part.summary(), flush=True)
    for line in part.problems():
        print(prefix + line, file=sys.stderr, flush=True)
