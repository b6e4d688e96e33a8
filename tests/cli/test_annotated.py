"""What is written into pictures and beside them is said on the command line, kept with a job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

import pytest

from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.cli import main
from tests.support.annotated_site import BYTES, META, AnnotatedSite, item
from tests.support.network import files_in
from tests.support.settings_sandbox import fresh_client
from tests.support.webui_reading import infotext_in


class Run(NamedTuple):
    """How a command line ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Run]


@pytest.fixture
def site() -> Iterator[AnnotatedSite]:
    site = AnnotatedSite(item(1), item(2, 'mp4'))
    with site.server:
        yield site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / 'kept'


@pytest.fixture
def run(
    site: AnnotatedSite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run a word of the command line, for which the site is Civitai."""

    def carry_out(*argv: object, word: str = 'download') -> Run:
        setting.civitai_base_url = site.server.url
        fresh_client(monkeypatch)
        try:
            code = main.main([str(one) for one in argv], word)
        except SystemExit as end:
            code = int(end.code or 0)
        return Run(code, *capsys.readouterr())

    return carry_out


SAID = {
    'nothing': ([], True, ['1.png', '2.json', '2.mp4']),
    'no prompts': (['--no-embed'], False, ['1.png', '2.json', '2.mp4']),
    'nothing beside': (['--sidecar', 'none'], True, ['1.png', '2.mp4']),
    'two forms': (['--sidecar', 'txt,json'], True, '1.json 1.png 1.txt 2.json 2.mp4 2.txt'.split()),
    'neither': (['--no-embed', '--sidecar', 'none'], False, ['1.png', '2.mp4']),
}


@pytest.mark.parametrize('said, has_prompt, expected', SAID.values(), ids=SAID)
def test_a_gallery_is_kept_as_was_said(
    said: list[str],
    has_prompt: bool,
    expected: list[str],
    site: AnnotatedSite,
    run: Command,
    folder: Path,
) -> None:
    assert 0 == run(site.post, '--to', folder, *said).code

    assert expected == files_in(folder)
    text = infotext_in((folder / '1.png').read_bytes())
    assert ('Steps: 28' in text) == has_prompt == ((folder / '1.png').read_bytes() != BYTES['png'])


def test_what_is_said_wins_over_the_settings(
    site: AnnotatedSite, run: Command, folder: Path
) -> None:
    setting.gallery_embed_infotext, setting.gallery_sidecars = False, 'caption'
    run(site.post, '--to', folder, '--embed', '--sidecar', 'txt')

    assert ['1.png', '1.txt', '2.mp4', '2.txt'] == files_in(folder)
    assert 'Steps: 28' in infotext_in((folder / '1.png').read_bytes())


@pytest.mark.parametrize(
    'forms, words',
    [
        ('yaml', 'json, txt, caption, none'),
        ('json;txt', 'json, txt, caption, none'),
        ('json,none', 'none means no files'),
    ],
)
def test_a_form_that_there_is_not_is_wrong_usage(
    forms: str, words: str, site: AnnotatedSite, run: Command, folder: Path
) -> None:
    done = run(site.post, '--to', folder, '--sidecar', forms)

    assert 2 == done.code and words in ' '.join(done.err.split())
    assert not folder.exists()


def test_the_same_gallery_kept_in_another_manner_is_the_same_job(
    site: AnnotatedSite, run: Command, folder: Path
) -> None:
    run(site.post, '--to', folder, '--sidecar', 'none')
    done = run(site.post, '--to', folder, '--sidecar', 'caption', '--json')

    told = json.loads(done.out)
    assert (1, 'caption') == (told['job'], told['asked']['sidecar'])
    assert (folder / '1.caption').is_file() and 1 == len(json.loads(run('--json', word='jobs').out))


def test_a_job_remembers_what_was_said_for_it(
    site: AnnotatedSite, run: Command, folder: Path
) -> None:
    run(site.post, '--to', folder, '--sidecar', 'caption', '--no-embed')
    for path in list(folder.iterdir()):
        path.unlink()
    setting.gallery_sidecars = 'json'
    run(site.post, '--to', folder)

    assert ['1.caption', '1.png', '2.caption', '2.mp4'] == files_in(folder)
    assert BYTES['png'] == (folder / '1.png').read_bytes()
    run(site.post, '--to', folder, '--sidecar', 'txt')
    assert (folder / '1.txt').is_file()


def test_what_nobody_said_for_a_job_is_as_the_settings_are_now(
    site: AnnotatedSite, run: Command, folder: Path
) -> None:
    run(site.post, '--to', folder)
    setting.gallery_sidecars = 'caption'
    run(site.post, '--to', folder)

    assert (folder / '1.caption').is_file()


@pytest.mark.parametrize('word', ['resume', 'retry'])
def test_what_is_missing_beside_comes_with_the_job(
    word: str, site: AnnotatedSite, run: Command, folder: Path
) -> None:
    run(site.post, '--to', folder, '--sidecar', 'json')
    (folder / '1.json').unlink()
    site.items[0]['stats'] = {'likeCount': 9}

    assert 0 == run('1', word=word).code
    assert {'1.json', '2.json'} < set(files_in(folder))


def test_what_is_beside_is_written_anew_on_request(
    site: AnnotatedSite, run: Command, folder: Path
) -> None:
    said = [site.post, '--to', folder, '--sidecar', 'json']
    run(*said)
    site.items[0]['stats'] = {'likeCount': 9}
    run(*said)
    assert 'likeCount' not in (folder / '1.json').read_text()

    run(*said, '--refresh-sidecars')
    assert 'likeCount' in (folder / '1.json').read_text()


def test_what_did_not_fit_is_told_once(site: AnnotatedSite, run: Command, folder: Path) -> None:
    long = {**META, 'prompt': 'fog, ' * 20_000}
    site.items[:] = [item(n, 'jpeg', long) for n in (1, 2, 3)]
    done = run(site.post, '--to', folder)

    assert 0 == done.code
    assert 1 == done.err.count('too long for their pictures: 3')


def test_verify_has_nothing_against_what_we_wrote(
    site: AnnotatedSite, run: Command, folder: Path
) -> None:
    run(site.post, '--to', folder, '--sidecar', 'json,txt,caption')

    assert 0 == run(folder, word='verify').code
