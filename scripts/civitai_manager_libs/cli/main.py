"""The words of the command line: arguments in, exit code out."""

from __future__ import annotations

import io
import logging
import sys
from dataclasses import replace
from typing import Any, Sequence

import typer

from .. import setting
from ..archive import jobs
from ..archive.models import ModelJob
from ..civitai import urls
from ..ending import ExitCode
from ..errors import CivitaiError, SourceError
from . import (
    fetching,
    gallery,
    manual,
    needs,
    options,
    overview,
    running,
    saying,
    screens,
    shelf,
    tables,
    upkeep,
)

UsageError: type[Exception] = typer.BadParameter.__base__  # type: ignore[assignment]
TAKES = {
    'download': 'SOURCE... | - | --from FILE [--to DIR] [OPTIONS]',
    'model': 'SOURCE [--file ID|NAME] [--to DIR] [OPTIONS]',
    'models': 'scan|list|updates|verify | missing PICTURE|FILE [--get] [--json] [--quiet]',
    'jobs': '[drop JOB...] [--json]',
    'resume': '[JOB] [OPTIONS]',
    'retry': 'JOB [--gone] [OPTIONS]',
    'export': 'SOURCE|DIR [--format jsonl|csv|parquet] [--output FILE|-] [OPTIONS]',
    'import-table': 'TABLE... [--json]',
    'verify': 'DIR [--repair] [--json]',
    'login': '',
    'config': '[NAME [VALUE]]',
    'cache': '[--clear]',
}

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def main(argv: Sequence[str], word: str = 'download') -> int:
    """Carry out a word with its arguments; return the exit code.

    Raises SystemExit with the code of wrong usage, which is told on stderr.
    """
    logging.basicConfig(level=logging.ERROR, format=screens.LOG_FORMAT)
    setting.log.setLevel(logging.WARNING)  # a settings file that is not obeyed is worth a line
    if isinstance(sys.stdout, io.TextIOWrapper):  # a narrow terminal must not stop the report
        sys.stdout.reconfigure(errors='backslashreplace')
    setting.load()
    running.show_notices(screens.Screen())
    program = f'civitai_gallery.py {word}'
    try:
        code = _command(word, program).main(list(argv), prog_name=program, standalone_mode=False)
    except UsageError as error:
        usage = f'usage: {program} {TAKES[word]}'.rstrip()
        said = getattr(error, 'format_message')()
        saying.say(f'{usage}\n{urls.without_secrets(said)}', to_stderr=True)
        raise SystemExit(int(ExitCode.USAGE)) from None
    except typer.Abort:
        return ExitCode.INTERRUPTED
    except CivitaiError as error:
        saying.say(urls.without_secrets(error.message_in(setting.language)), to_stderr=True)
        return ExitCode.USAGE if isinstance(error, SourceError) else ExitCode.FAILED
    return int(code or 0)


def _command(word: str, program: str) -> Any:
    """The command behind a word, with our help in the place of typer's."""
    command: Any = typer.main.get_command(app).commands[word]  # type: ignore[attr-defined]
    command.context_settings['help_option_names'] = ['-h', '--help']

    def show(context: Any, formatter: Any) -> None:
        manual.show(word, program, TAKES[word], command.get_params(context))

    command.format_help = show
    return command


@app.command()
def download(
    sources: options.Sources = None,
    to: options.To = None,
    from_: options.From = None,
    name: options.Name = None,
    limit: options.Limit = None,
    since: options.Since = None,
    until: options.Until = None,
    level: options.Level = None,
    type_: options.Type = None,
    with_prompt: options.WithPrompt = False,
    base_model: options.BaseModels = None,
    sort: options.Sort = None,
    period: options.Period = None,
    tag: options.Tags = None,
    embed: options.Embed = None,
    sidecar: options.Sidecar = None,
    refresh_sidecars: options.Refresh = False,
    concurrency: options.AtOnce = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    dry_run: options.DryRun = False,
) -> int:
    """Keep the pictures of sources."""
    given = options.sources_in(sources or (), from_)
    wanted = gallery.wanted_of(
        limit=limit,
        since=since,
        until=until,
        levels=gallery.wanted_level(level),
        type=type_,
        with_prompt=with_prompt,
        base_models=base_model,
        sort=sort,
        period=period,
        tag=tag,
    )
    wanted = replace(wanted, **gallery.kept_as(name, embed, sidecar))
    manner = _manner(as_json, quiet, verbose, concurrency, refresh_sidecars)
    tasks = gallery.tasks_of(wanted, given, to, dry_run)
    return running.carry_out(tasks, manner, len(given) > 1)


def _manner(
    as_json: bool, quiet: bool, verbose: bool, concurrency: int | None, refreshes: bool
) -> running.Manner:
    _tell_as_asked(as_json)
    if verbose:
        logging.getLogger().setLevel(logging.INFO)
    return running.Manner(as_json, quiet, concurrency or 0, verbose, refreshes)


def _tell_as_asked(as_json: bool) -> None:
    """Have what is told before anything is carried out told as events, if that is asked."""
    if as_json:
        running.show_notices(screens.Events())


@app.command()
def model(
    source: options.ModelSource,
    file: options.ModelFile = None,
    format_: options.ModelFormat = None,
    allow_suspect: options.Suspect = False,
    to: options.To = None,
    segments: options.Segments = None,
    companions: options.Companions = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    dry_run: options.DryRun = False,
) -> int:
    """Fetch a model file."""
    wish = fetching.Wish(source, file or '', format_ or '', to, allow_suspect)
    manner = _manner(as_json, quiet, verbose, None, False)
    with fetching.manners(segments, companions):
        return running.carry_out([fetching.task_of(wish, dry_run)], manner, False)


@app.command()
def models(
    what: options.ModelsWord,
    picture: options.Picture = None,
    get: options.Get = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Tell of the model files here, and of those a picture needs."""
    manner = _manner(as_json, quiet, False, None, False)
    if what == 'missing':
        return needs.missing(options.words(picture or ''), get, manner)
    if picture is not None or get:
        raise options.wrong('cli_models_alone', word=what)
    return shelf.WORDS[what](manner)


@app.command(name='jobs')
def list_jobs(
    what: options.JobsWord = None, numbers: options.JobIds = None, as_json: options.AsJson = False
) -> int:
    """List the jobs, or take some off the list."""
    _tell_as_asked(as_json)
    if what is None and not numbers:
        return overview.tell(as_json)
    return overview.drop(numbers or (), as_json)


@app.command()
def resume(
    job: options.AnyJobId = None,
    refresh_sidecars: options.Refresh = False,
    concurrency: options.AtOnce = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Go on with jobs."""
    manner = _manner(as_json, quiet, verbose, concurrency, refresh_sidecars)
    if job is not None:
        return running.carry_out([_resumed(overview.named(job))], manner, False)
    chosen, failed = overview.to_go_on(as_json)
    return running.carry_out([_resumed(one) for one in chosen], manner, True, failed)


def _resumed(job: jobs.Job) -> running.Task:
    return fetching.resumed(job) if isinstance(job, ModelJob) else gallery.resumed(job)


@app.command()
def retry(
    job: options.JobId,
    gone: options.Gone = False,
    refresh_sidecars: options.Refresh = False,
    concurrency: options.AtOnce = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Do again what failed in a job."""
    manner = _manner(as_json, quiet, verbose, concurrency, refresh_sidecars)
    found = overview.named(job)
    if isinstance(found, ModelJob):
        return running.carry_out([fetching.resumed(found)], manner, False)
    return running.carry_out([gallery.retried(found, gone)], manner, False)


@app.command()
def export(
    source: options.Exported,
    format_: options.Format = None,
    output: options.Output = None,
    limit: options.Limit = None,
    since: options.Since = None,
    until: options.Until = None,
    level: options.Level = None,
    type_: options.Type = None,
    with_prompt: options.WithPrompt = False,
    base_model: options.BaseModels = None,
    sort: options.Sort = None,
    period: options.Period = None,
    tag: options.Tags = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Write a table of pictures."""
    wanted = gallery.wanted_of(
        limit=limit,
        since=since,
        until=until,
        type=type_ or 'image',
        with_prompt=with_prompt,
        base_models=base_model,
        sort=sort,
        period=period,
        tag=tag,
    )
    wanted = replace(wanted, source=source)
    manner = _manner(as_json, quiet, False, None, False)
    return tables.export(wanted, level, format_, output or tables.STDOUT, manner)


@app.command(name='import-table')
def import_table(
    given: options.Tables, as_json: options.AsJson = False, quiet: options.Quiet = False
) -> int:
    """Take in what img2dataset kept."""
    return tables.import_tables(given, _manner(as_json, quiet, False, None, False))


@app.command()
def verify(
    folder: options.Folder, repair: options.Repair = False, as_json: options.AsJson = False
) -> int:
    """Look at the pictures in a folder."""
    _tell_as_asked(as_json)
    return upkeep.verify(folder, repair, as_json)


@app.command()
def login() -> int:
    """Ask for the API key."""
    return upkeep.login()


@app.command()
def config(name: options.SettingName = None, value: options.SettingValue = None) -> int:
    """Show or set settings."""
    return upkeep.config(name, value)


@app.command()
def cache(clear: options.Clear = False) -> int:
    """Tell of the picture cache, or empty it."""
    return upkeep.cache(clear)
