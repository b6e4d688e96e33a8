"""The command line: keep the pictures of a Civitai link."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator

from .. import api, setting, texts
from ..civitai import urls
from ..civitai.gallery import MAX_LIMIT, CursorTrail, GalleryImage
from ..downloads import batch
from ..downloads.plan import BatchReport, Fetch, Outcome, aside_message
from ..errors import CivitaiError
from ..http_client import CivitaiHttpClient, get_http_client
from ..store import files

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def main(argv: list[str]) -> int:
    """Run `download SOURCE --to DIR [--limit N] [--json]`; return the exit code.

    0: every picture is there; 1: something failed, stderr says what and why; 2: wrong usage.
    """
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.ERROR, format='%(levelname)s %(message)s')
    setting.log.setLevel(logging.WARNING)  # a settings file that is not obeyed is worth a line
    if isinstance(sys.stdout, io.TextIOWrapper):  # a narrow terminal must not stop the report
        sys.stdout.reconfigure(errors='backslashreplace')
    setting.load()
    client = get_http_client()
    try:
        report = _download(client, options)
    except CivitaiError as error:
        return _refused(error, options.json)
    except KeyboardInterrupt:
        client.close()
        print(file=sys.stderr)
        return EXIT_INTERRUPTED
    _say(report, options)
    return EXIT_FAILED if report.failed_urls else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='civitai_gallery.py download', description=__doc__)
    parser.add_argument('source', metavar='SOURCE', help='Civitai link, model id or AIR')
    parser.add_argument(
        '--to', type=_folder, required=True, metavar='DIR', help='folder for the pictures'
    )
    parser.add_argument(
        '--limit', type=_count, metavar='N', help='how many pictures (default: one page)'
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


def _download(client: CivitaiHttpClient, options: argparse.Namespace) -> BatchReport:
    """Keep the pictures; return what became of them."""
    source = urls.parse_source(options.source, setting.civitai_base_url)
    with files.explained(options.to):
        options.to.mkdir(parents=True, exist_ok=True)
    limit = options.limit or setting.page_size()
    wanted, hidden = _wanted(client, source, limit)
    if hidden:
        ceiling = setting.gallery_maturity_ceiling
        print(
            texts.text('cli_hidden', setting.language, count=hidden, ceiling=ceiling),
            file=sys.stderr,
        )
    jobs = batch.image_jobs(wanted, options.to)
    done = batch.keep_all(jobs, _fetch_with(client), setting.gallery_max_concurrent_downloads)
    return batch.report(_with_progress(done, len(jobs)))


def _fetch_with(client: CivitaiHttpClient) -> Fetch:
    return lambda url, path: bool(client.fetch_file(url, path))


def _wanted(
    client: CivitaiHttpClient, source: urls.GallerySource, limit: int
) -> tuple[list[GalleryImage], int]:
    """Return up to `limit` pictures, page after page, and how many are hidden."""
    gallery, trail = api.open_gallery(client, source), CursorTrail()
    # the site is asked as seldom as it allows
    query = replace(gallery.query, limit=min(max(limit, gallery.query.limit), MAX_LIMIT))
    found: list[GalleryImage] = []
    hidden = 0
    while True:
        page = api.read_page(client, query, trail)
        found += page.images
        hidden += page.hidden
        # a page is empty at the end, or when too many answers in a row were
        ended = not page.images or not trail.can_go_to(page.next_cursor)
        if ended or len(found) >= limit:
            return found[:limit], hidden
        trail = trail.forward(page)


def _with_progress(results: Iterator[Any], total: int) -> Iterator[Any]:
    """Pass `results` on, with a counting line where a person is watching."""
    watched = sys.stderr.isatty()
    for done, result in enumerate(results, start=1):
        if watched:
            line = texts.text('progress_picture', setting.language, done=done, total=total)
            print(f'\r{line}', end='' if done < total else '\n', file=sys.stderr, flush=True)
        yield result


def _causes(report: BatchReport) -> dict[str, str]:
    """Why each address failed that did."""
    unknown = CivitaiError('error_see_log')
    return {
        result.job.url: (result.error or unknown).message_in(setting.language)
        for result in report.failures
    }


def _refused(error: CivitaiError, as_json: bool) -> int:
    message = error.message_in(setting.language)
    if as_json:
        print(json.dumps({'error': message}))
    print(message, file=sys.stderr)
    return EXIT_FAILED


def _say(report: BatchReport, options: argparse.Namespace) -> None:
    folder, errors = str(options.to), _causes(report)
    counts = {outcome.value: report.count(outcome) for outcome in Outcome}
    if options.json:
        failures = [{'url': urls.redact(url), 'error': why} for url, why in errors.items()]
        data = {**counts, 'folder': folder, 'files': report.paths, 'failures': failures}
        data['kept_aside'] = report.aside
        print(json.dumps(data, indent=2))  # in ASCII, which every pipe can carry
    elif not report.results:
        ceiling = setting.gallery_maturity_ceiling
        print(texts.text('cli_nothing', setting.language, ceiling=ceiling))
    else:
        print(texts.text('cli_page_done', setting.language, folder=folder, **counts))
    if report.aside:
        print(aside_message(report, setting.language), file=sys.stderr)
    for url, why in errors.items():
        print(f'{urls.redact(url)}: {why}', file=sys.stderr)
