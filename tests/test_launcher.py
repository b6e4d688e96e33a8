"""The launcher, started as a person starts it: a real process in a folder with an awkward name.

What it starts is replaced by stand-ins that tell how they were started. The packages it installs
are tiny wheels made here, so no test needs the internet.
"""

import ast
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import civitai_gallery
from civitai_demo.api.scenarios import SCENARIOS
from scripts.civitai_manager_libs import __version__

REPOSITORY = Path(civitai_gallery.__file__).parent
LIMIT = 120  # seconds after which a process that should have ended counts as hanging

TELL = """\
import importlib.metadata, json, os, sys, threading


def main(argv):
    installed = {d.name: d.version for d in importlib.metadata.distributions()}
    told = {'word': WORD, 'argv': argv, 'prefix': sys.prefix, 'path': sys.path}
    told.update(installed=installed, environment=dict(os.environ))
    print(json.dumps(told), flush=True)
    if os.environ.get('STAND_IN_WAITS'):
        threading.Event().wait()
    return int(os.environ.get('STAND_IN_RETURNS', '0'))
"""

DEMO_SERVER = """\
OPENING_PATH = '/models/1'


class DemoServer:
    def __init__(self, scenario='fair', latency=0.0):
        if scenario == 'nonsense':
            raise ValueError('Unknown scenario. Known: fair, foul.')
        self.url = f'http://127.0.0.1:1/{scenario}/{latency}'

    def __enter__(self):
        return self

    def __exit__(self, *details):
        print('demo closed', flush=True)
"""


class Project:
    """A copy of the project with stand-ins, and what is needed to start it."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.folder = folder
        self.venv = folder / '.venv'
        self.environment = {
            'PIP_CONFIG_FILE': os.devnull,
            'PIP_NO_INDEX': '1',
            'PIP_FIND_LINKS': wheels.as_uri(),
            'TMPDIR': str(folder.parent),
        }

    def build(self, requirements: str) -> None:
        """Lay out the project; `requirements` are those of the app, the tests need one more."""
        libs = self.folder / 'scripts' / 'civitai_manager_libs'
        for folder in ('cli', 'tab'):
            (libs / folder).mkdir(parents=True)
        (self.folder / 'civitai_demo').mkdir()
        shutil.copy(civitai_gallery.__file__, self.folder)
        (self.folder / 'requirements-dev.txt').write_text('-r requirements.txt\ntiny-dev>=1\n')
        (self.folder / 'civitai_demo' / '__init__.py').touch()
        (self.folder / 'civitai_demo' / 'server.py').write_text(DEMO_SERVER)
        (libs / '__init__.py').touch()
        for word, module in (('app', 'tab/app.py'), ('cli', 'cli/main.py')):
            (libs / module).write_text(f'WORD = {word!r}\n{TELL}')
        self.require(requirements)

    def require(self, requirements: str) -> None:
        """Change what the app requires."""
        (self.folder / 'requirements.txt').write_text(f'# a remark\n{requirements}  # another\n')

    def start(self, *argv: str, **environment: str) -> 'subprocess.Popen[str]':
        """Start the launcher from another folder, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, str(self.folder / 'civitai_gallery.py'), *argv],
            cwd=self.folder.parent,
            env={**os.environ, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding='utf-8',
            start_new_session=True,
        )

    def run(self, *argv: str, **environment: str) -> 'Run':
        """Start the launcher and wait for its end."""
        return finish(self.start(*argv, **environment))


class Run:
    """How a launcher ended: exit code, standard output, and the lines of standard error."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.lines = err.splitlines()

    @property
    def told(self) -> dict[str, Any]:
        """What the stand-in tells; fails the test, with the launcher's own words, if none ran."""
        assert self.out, self.lines
        told: dict[str, Any] = json.loads(self.out.splitlines()[0])
        return told


def finish(process: 'subprocess.Popen[str]') -> Run:
    """Wait for the end of a launcher."""
    try:
        out, err = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return Run(process.returncode, out, err)


def make_wheel(folder: Path, name: str, version: str) -> None:
    """Write the smallest wheel that pip installs."""
    info = f'{name}-{version}.dist-info'
    files = {
        f'{name}.py': '',
        f'{info}/METADATA': f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n',
        f'{info}/WHEEL': 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    }
    files[f'{info}/RECORD'] = ''.join(f'{path},,\n' for path in [*files, f'{info}/RECORD'])
    with zipfile.ZipFile(folder / f'{name}-{version}-py3-none-any.whl', 'w') as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)


@pytest.fixture(scope='module')
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages that no interpreter has yet."""
    folder = tmp_path_factory.mktemp('wheels')
    for name, version in [('tiny_need', '1.0'), ('tiny_extra', '2.5'), ('tiny_dev', '1.0')]:
        make_wheel(folder, name, version)
    return folder


def new_project(parent: Path, wheels: Path, requirements: str) -> Project:
    """A project that was never started."""
    project = Project(parent / 'Käse und 圖庫', wheels)
    project.build(requirements)
    return project


@pytest.fixture(scope='module')
def first_start(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> tuple[Project, Run]:
    """A project that lacked a package, and how its first start went. Not to be changed."""
    project = new_project(tmp_path_factory.mktemp('first'), wheels, 'tiny-need>=1,<2')
    return project, project.run('--port', '7')


@pytest.fixture
def settled(first_start: tuple[Project, Run], tmp_path: Path, wheels: Path) -> Project:
    """A copy of the project after its first start."""
    project = Project(tmp_path / 'Käse und 圖庫', wheels)
    shutil.copytree(first_start[0].folder, project.folder, symlinks=True)
    return project


@pytest.fixture
def content(tmp_path: Path, wheels: Path) -> Project:
    """A project that requires nothing but what the interpreter of the tests has."""
    return new_project(tmp_path, wheels, 'pytest>=1')


# --- what a person may type ----------------------------------------------------------------------


def test_an_old_python_is_told_in_one_line() -> None:
    launcher = str(REPOSITORY / 'civitai_gallery.py')
    pretend = (
        'import runpy, sys\n'
        'sys.version_info = (3, 9, 18, "final", 0)\n'
        f'runpy.run_path({launcher!r}, run_name="__main__")'
    )
    ended = subprocess.run([sys.executable, '-c', pretend], capture_output=True, text=True)
    assert ended.returncode == 3
    assert ended.stdout == ''
    assert len(ended.stderr.splitlines()) == 1
    assert 'needs Python 3.10 or newer; this is Python 3.9.18' in ended.stderr


def test_an_old_python_can_read_the_launcher_as_far_as_that_line() -> None:
    source = (REPOSITORY / 'civitai_gallery.py').read_text(encoding='utf-8')
    module = ast.parse(source, feature_version=(3, 6))
    docstring, first_import, check = module.body[:3]
    assert ast.unparse(first_import) == 'import sys'
    assert ast.unparse(check).startswith('if sys.version_info < (3, 10):')


@pytest.mark.parametrize('flag', ['-h', '--help', 'help'])
def test_help_names_every_word_and_makes_nothing(settled: Project, flag: str) -> None:
    settled.require('not-to-be-had>=1')
    ended = settled.run(flag)
    assert ended.code == 0
    for word in civitai_gallery.WORDS:
        assert re.search(rf'^  {word} ', ended.out, re.MULTILINE)


COMMANDS = 'model models jobs resume retry export import-table verify login config cache'.split()
HELP_OF_A_WORD = [
    pytest.param('app', '--downloads FOLDER', id='app'),
    pytest.param('demo', '--latency SECONDS', id='demo'),
    pytest.param('download', 'SOURCE... [--to FOLDER]', id='download'),
    *(pytest.param(w, civitai_gallery.WORDS[w].takes, id=w) for w in COMMANDS),
    pytest.param('test', 'pytest', id='test'),
    pytest.param('lint', 'inters only', id='lint'),
    pytest.param('bench', '--quick', id='bench'),
    pytest.param('scale-test', '--keep FOLDER', id='scale-test'),
]


@pytest.mark.parametrize('word, words', HELP_OF_A_WORD)
def test_help_of_a_word_installs_nothing(content: Project, word: str, words: str) -> None:
    content.require('not-to-be-had>=1')
    ended = content.run(word, '--help')
    assert (ended.code, ended.lines) == (0, [])
    assert words in ended.out and f'civitai_gallery.py {word}' in ended.out
    assert not list(content.folder.glob('.venv.unfinished')) and not content.venv.exists()


@pytest.mark.parametrize('form', ['{} -h', 'help {}', '{} x --help'])
@pytest.mark.parametrize('word', ['app', 'download', 'jobs', 'test'], ids=str)
def test_help_of_a_word_may_be_asked_for_in_other_forms(
    content: Project, word: str, form: str
) -> None:
    content.require('not-to-be-had>=1')
    ended = content.run(*form.format(word).split())
    assert (ended.code, ended.lines) == (0, []) and f'civitai_gallery.py {word}' in ended.out
    assert ended.out == content.run(word, '--help').out and not content.venv.exists()


@pytest.mark.parametrize('word', ['app', 'download'])
def test_once_the_packages_are_there_a_word_tells_its_help_itself(
    settled: Project, word: str
) -> None:
    ended = settled.run(word, '--help')
    assert ended.told['argv'] == ['--help'] and ended.told['prefix'] == str(settled.venv)


def launched(*argv: str) -> Run:
    """Start the launcher of this very project."""
    launcher = str(REPOSITORY / 'civitai_gallery.py')
    done = subprocess.run([sys.executable, launcher, *argv], capture_output=True, text=True)
    return Run(done.returncode, done.stdout, done.stderr)


def test_help_of_the_demo_lists_what_can_go_wrong() -> None:
    ended = launched('demo', '--help')
    assert (ended.code, ended.lines) == (0, [])
    assert all(re.search(rf'(?<![\w-]){name}(?![\w-])', ended.out) for name in SCENARIOS)


@pytest.mark.parametrize(
    'option, value, words',
    [
        ('--latency', 'nan', 'not a number of seconds'),
        ('--latency', '-1', 'not a number of seconds'),
        ('--latency', 'inf', 'not a number of seconds'),
        ('--latency', 'long', 'invalid float value'),
        ('--scenario', 'weather', 'Unknown scenario'),
        ('--scenario', '503:0', 'a number of requests'),
        ('--scenario', '503:', 'a number of requests'),
        ('--port', '-1', '-1 is no port'),
        ('--port', '65536', '65536 is no port'),
        ('--port', 'x', 'invalid int value'),
    ],
)
def test_the_demo_starts_with_no_option_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, value: str, words: str
) -> None:
    monkeypatch.setenv('CIVITAI_GALLERY_HOME', str(tmp_path))
    monkeypatch.setenv('CIVITAI_GALLERY_LANG', 'en')
    ended = launched('demo', f'{option}={value}')
    assert (ended.code, ended.out) == (2, '')
    assert any(words in line for line in ended.lines)


@pytest.mark.parametrize('word', ['app', 'download', 'verify', 'cache', 'bench'])
def test_what_is_told_of_a_word_without_its_packages_is_so(word: str) -> None:
    told = set(re.findall(r'--[a-z]+', civitai_gallery.summary(word)))
    assert told and told <= set(re.findall(r'--[a-z]+', launched(word, '--help').out))


def test_the_version_is_that_of_the_library() -> None:
    ended = launched('--version')
    assert (ended.code, ended.out, ended.lines) == (0, f'Civitai Gallery {__version__}\n', [])


@pytest.mark.parametrize(
    'typed, meant',
    [
        ('dowload', 'download'),
        ('DEMO', 'demo'),
        ('benhc', 'bench'),
        ('tests', 'test'),
        ('lnit', 'lint'),
        ('halp', 'help'),
        ('https://civitai.com/models/4201', ''),
        ('x' * 3000, ''),
        ('', ''),
        ('\udcff', ''),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_an_unknown_word_is_told_in_one_line_with_the_one_that_is_like_it(
    content: Project, typed: str, meant: str
) -> None:
    for argv in ([typed, 'x'], ['help', typed]):
        ended = content.run(*argv)
        assert (ended.code, ended.out) == (2, '')
        assert len(ended.lines) == 1 and len(ended.lines[0]) < 250
        assert ended.lines[0].startswith('Unknown word ')
        assert (
            f' Did you mean {meant}? ' in ended.lines[0] if meant else 'mean' not in ended.lines[0]
        )
        known = (
            'app',
            'demo',
            'download',
            *COMMANDS,
            'test',
            'lint',
            'bench',
            'scale-test',
            'help',
        )
        assert ended.lines[0].endswith(f'{", ".join(known)}; see --help.')


def test_an_argument_where_none_is_taken_is_wrong_usage(settled: Project) -> None:
    ended = settled.run('lint', 'x')
    assert (ended.code, ended.lines[-1]) == (2, 'lint takes no arguments.')


@pytest.mark.parametrize(
    'fails',
    [
        pytest.param(None, id='none'),
        pytest.param('tests/test_plain.py', id='one without a browser'),
        pytest.param('tests/hosts/test_host.py', id='one in a host'),
        pytest.param('tests/cli/test_line.py', id='one of the command line'),
        pytest.param('tests/bench/test_it.py', id='one of the benchmark'),
        pytest.param('tests/tab/test_grid_in_browser.py', id='one in a browser'),
    ],
)
def test_all_tests_are_run_once_and_each_that_fails_counts(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    fails: str | None,
) -> None:
    beside = 'hosts/test_host cli/test_line bench/test_it http_client/test_wire'.split()
    names = ['test_plain', *beside, 'tab/test_grid_in_browser']
    files = [f'tests/{name}.py' for name in names]
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'def test_it():\n    print({name!r})\n    assert {name != fails}\n')
    (tmp_path / 'setup.cfg').write_text('[tool:pytest]\naddopts = -rA\ntestpaths = tests\n')
    monkeypatch.setattr(civitai_gallery, 'ROOT', tmp_path)
    monkeypatch.setattr(civitai_gallery, 'LINTERS', {})
    assert bool(civitai_gallery.run_test([])) == bool(fails)
    told = capfd.readouterr().out
    assert [told.count(f'\n{name}\n') for name in files] == [1] * len(files)


@pytest.mark.parametrize(
    'argv, word, passed',
    [
        pytest.param([], 'app', [], id='no word'),
        pytest.param(['--port', '8'], 'app', ['--port', '8'], id='no word, arguments'),
        pytest.param(['app', '--help'], 'app', ['--help'], id='app'),
        pytest.param(
            ['download', 'a b', '--to', 'ü', '--json'],
            'cli',
            ['a b', '--to', 'ü', '--json'],
            id='download',
        ),
    ],
)
def test_a_word_gets_its_arguments_and_returns_its_code(
    content: Project, argv: list[str], word: str, passed: list[str]
) -> None:
    ended = content.run(*argv, STAND_IN_RETURNS='3')
    assert (ended.told['word'], ended.told['argv'], ended.code) == (word, passed, 3)
    assert ended.told['environment']['GRADIO_ANALYTICS_ENABLED'] == 'False'
    assert ended.lines == []


# --- which interpreter it runs in ----------------------------------------------------------------


def test_an_interpreter_that_has_everything_is_used_as_it_is(content: Project) -> None:
    ended = content.run()
    assert ended.told['prefix'] == sys.prefix
    assert not list(content.folder.glob('.venv*'))


def test_a_missing_package_is_installed_into_a_new_environment(
    first_start: tuple[Project, Run],
) -> None:
    project, ended = first_start
    assert ended.code == 0
    assert ended.lines == ['Setting up .venv (first run, about a minute)...']
    assert ended.told['prefix'] == str(project.venv)
    assert ended.told['installed']['tiny_need'] == '1.0'
    assert ended.told['argv'] == ['--port', '7']


def test_the_next_start_uses_it_in_silence_and_without_a_network(settled: Project) -> None:
    ended = settled.run(PIP_FIND_LINKS='', STAND_IN_RETURNS='4')
    assert (ended.code, ended.lines) == (4, [])
    assert ended.told['prefix'] == str(settled.venv)


def test_it_is_asked_what_it_has_only_when_something_changed(settled: Project) -> None:
    """Starting Python takes a quarter of a second, so the usual start does so only once."""
    starts = settled.folder / 'starts'
    [packages] = settled.venv.glob('lib/python3*/site-packages')
    (packages / 'count.pth').write_text(f'import os; open({str(starts)!r}, "a").write("x")\n')
    counts = []
    for _ in range(3):
        starts.write_text('')
        settled.run()
        counts.append(len(starts.read_text()))

    once = counts[-1]  # a start of Python may read the folder twice
    assert [2 * once, once, once] == counts


def test_a_package_that_is_taken_away_comes_back(settled: Project) -> None:
    settled.run()
    for part in settled.venv.glob('lib/python3*/site-packages/tiny_need*'):
        part.unlink() if part.is_file() else shutil.rmtree(part)

    ended = settled.run()
    assert ended.lines == ['Updating .venv (the requirements changed)...']
    assert ended.told['installed']['tiny_need'] == '1.0'


def test_changed_requirements_update_it(settled: Project) -> None:
    settled.require('tiny-need>=1,<2\ntiny-extra>=2.5')
    ended = settled.run()
    assert ended.lines == ['Updating .venv (the requirements changed)...']
    assert ended.told['installed']['tiny_extra'] == '2.5'


def test_what_the_tests_need_comes_on_top_of_what_the_app_needs(settled: Project) -> None:
    assert settled.run('lint').lines[0] == 'Updating .venv (the requirements changed)...'
    ended = settled.run()
    assert ended.lines == []
    assert {'tiny_need', 'tiny_dev'} <= set(ended.told['installed'])


def remove_python(venv: Path) -> None:
    """As after an update of the system that took the interpreter away."""
    for python in (venv / 'bin').glob('python*'):
        python.unlink()


def remove_pip(venv: Path) -> None:
    """As after a kill while the environment was made."""
    for pip in venv.glob('lib/python3*/site-packages/pip'):
        shutil.rmtree(pip)


@pytest.mark.parametrize('damage', [remove_python, remove_pip])
def test_a_broken_environment_is_made_anew(settled: Project, damage: Any) -> None:
    damage(settled.venv)
    ended = settled.run()
    assert ended.lines == ['Repairing .venv (about a minute)...']
    assert ended.told['prefix'] == str(settled.venv)


@contextlib.contextmanager
def silent_index() -> Iterator[tuple[socket.socket, dict[str, str]]]:
    """A package index that takes connections and never answers, and how pip is sent to it."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        server.settimeout(LIMIT)
        url = f'http://127.0.0.1:{server.getsockname()[1]}/'
        yield server, {'PIP_NO_INDEX': '0', 'PIP_INDEX_URL': url, 'PIP_RETRIES': '0'}


def test_after_a_kill_the_next_start_waits_for_what_still_runs_and_repairs(
    settled: Project,
) -> None:
    settled.require('tiny-extra>=2')
    with silent_index() as (server, environment):
        first = settled.start(PIP_FIND_LINKS='', **environment)
        connection, _ = server.accept()  # pip is at work now
        first.kill()
        first.wait(LIMIT)
        second = settled.start()
        assert second.stderr is not None
        waiting = second.stderr.readline()
        connection.close()  # which ends the orphaned pip
    ended = finish(second)
    assert first.stdout and first.stderr
    first.stdout.close()
    first.stderr.close()
    assert waiting == 'Waiting for another start that is setting up .venv...\n'
    assert ended.lines == ['Repairing .venv (about a minute)...']
    assert ended.told['installed']['tiny_extra'] == '2.5'


def test_two_starts_at_once_make_one_environment(tmp_path: Path, wheels: Path) -> None:
    project = new_project(tmp_path, wheels, 'tiny-need>=1')
    both = [project.start(), project.start()]
    ended = [finish(process) for process in both]
    assert [run.told['prefix'] for run in ended] == [str(project.venv)] * 2
    said = sorted(line for run in ended for line in run.lines)
    assert said.count('Setting up .venv (first run, about a minute)...') == 1
    assert set(said) <= {
        'Setting up .venv (first run, about a minute)...',
        'Waiting for another start that is setting up .venv...',
    }


def test_without_a_network_one_line_says_so_and_the_next_start_recovers(settled: Project) -> None:
    settled.require('tiny-extra>=2')
    offline = {'PIP_NO_INDEX': '0', 'PIP_INDEX_URL': 'http://127.0.0.1:9/', 'PIP_RETRIES': '0'}
    ended = settled.run(PIP_FIND_LINKS='', **offline)
    assert ended.code == 3
    assert ended.out == ''
    assert len(ended.lines) == 2
    assert re.match(r'Could not install requirements\.txt \(.*internet.*tiny-extra', ended.lines[1])
    assert settled.run().told['installed']['tiny_extra'] == '2.5'


def test_without_ensurepip_one_line_names_the_package_to_install(
    tmp_path: Path, wheels: Path
) -> None:
    project = new_project(tmp_path, wheels, 'tiny-need>=1')
    shadow = tmp_path / 'shadow'
    shadow.mkdir()
    (shadow / 'sitecustomize.py').write_text('import sys\nsys.modules["ensurepip"] = None\n')
    ended = project.run(PYTHONPATH=str(shadow))
    assert ended.code == 3
    assert ended.lines[1:] == [
        f'{sys.executable} cannot make an environment: it has no venv module. '
        'On Debian or Ubuntu: apt install python3-venv'
    ]


def test_an_environment_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, wheels: Path
) -> None:
    project = new_project(tmp_path, wheels, 'tiny-need>=1')
    project.venv.write_text('not a folder')
    ended = project.run()
    assert ended.code == 3
    assert len(ended.lines) == 2
    assert ended.lines[1].startswith(f'Could not set up {project.venv}: ')
    assert f'-m pip install -r {project.folder / "requirements.txt"}' in ended.lines[1]
    assert project.venv.read_text() == 'not a folder'


def test_an_environment_that_does_not_help_is_not_tried_again_and_again(settled: Project) -> None:
    old = settled.folder.parent / 'old' / 'tiny_need-0.1.dist-info'
    old.mkdir(parents=True)
    (old / 'METADATA').write_text('Metadata-Version: 2.1\nName: tiny_need\nVersion: 0.1\n')
    ended = settled.run(PYTHONPATH=str(old.parent))
    assert ended.code == 3
    assert ended.lines == [
        f'{settled.venv} does not offer the required tiny-need. Is PYTHONPATH set?'
    ]


def test_a_package_that_is_damaged_is_told_in_one_line(content: Project) -> None:
    app = content.folder / 'scripts' / 'civitai_manager_libs' / 'tab' / 'app.py'
    app.write_text('import json.no_such_part')
    ended = content.run()
    assert (ended.code, ended.out, len(ended.lines)) == (3, '', 1)
    assert 'no_such_part' in ended.lines[0] and sys.executable in ended.lines[0]


def test_requirements_that_cannot_be_read_are_told_in_one_line(content: Project) -> None:
    content.require('pytest==1')
    ended = content.run()
    assert (ended.code, ended.out, len(ended.lines)) == (3, '', 1)
    assert 'pytest==1' in ended.lines[0]


def test_a_foreign_package_called_scripts_does_not_get_in_the_way(content: Project) -> None:
    foreign = content.folder.parent / 'foreign' / 'scripts'
    foreign.mkdir(parents=True)
    (foreign / '__init__.py').write_text('raise SystemExit("the wrong scripts")')
    ended = content.run(PYTHONPATH=f'{foreign.parent}{os.pathsep}{content.folder}')
    assert ended.code == 0
    assert ended.told['path'].count(str(content.folder)) == 1
    assert ended.told['path'][0] == str(content.folder)


# --- the demo ------------------------------------------------------------------------------------


def test_the_demo_points_the_app_to_itself_with_data_of_its_own(
    content: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv('CIVITAI_GALLERY_HOME')
    runs = [content.run('demo', '--port', '9', CIVITAI_TOKEN='secret') for _ in range(2)]
    told = runs[0].told
    home = Path(told['environment']['CIVITAI_GALLERY_HOME'])
    url = 'http://127.0.0.1:1/fair/0.0'
    downloads = str(home / 'downloads')
    expected = ['--source', f'{url}/models/1', '--downloads', downloads, '--port', '9']
    assert told['argv'] == expected
    assert told['environment']['CIVITAI_BASE_URL'] == url
    assert 'CIVITAI_TOKEN' not in told['environment']
    assert home.parent == content.folder.parent  # the temporary folder of this project
    assert home.stat().st_mode & 0o777 == 0o700
    assert runs[1].told['environment']['CIVITAI_GALLERY_HOME'] == str(home)


def test_the_demo_has_the_key_of_its_stand_in_and_not_that_of_a_person(content: Project) -> None:
    (content.folder / 'civitai_demo' / 'api').mkdir()
    scenarios = content.folder / 'civitai_demo' / 'api' / 'scenarios.py'
    scenarios.write_text("DEMO_KEY = 'its own'\n\n\ndef listed():\n    return ''\n")
    told = content.run('demo', CIVITAI_TOKEN='secret').told
    assert told['environment']['CIVITAI_TOKEN'] == 'its own'


def test_the_demo_avoids_a_folder_that_others_can_write_to(
    content: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv('CIVITAI_GALLERY_HOME')
    planted = content.folder.parent / f'civitai-gallery-demo-{os.getuid()}'
    planted.mkdir()
    planted.chmod(0o777)
    home = Path(content.run('demo').told['environment']['CIVITAI_GALLERY_HOME'])
    assert home != planted
    assert home.stat().st_mode & 0o777 == 0o700


def test_the_demo_keeps_to_a_data_folder_that_was_asked_for(
    content: Project, tmp_path: Path
) -> None:
    told = content.run('demo', CIVITAI_GALLERY_HOME=f'"{tmp_path / "mine"}"').told
    assert told['environment']['CIVITAI_GALLERY_HOME'] == str(tmp_path / 'mine')
    assert told['argv'][-1] == str(tmp_path / 'mine' / 'downloads')


def test_the_demo_plays_what_it_is_told(content: Project) -> None:
    told = content.run('demo', '--scenario', 'foul', '--latency', '0.5').told
    assert told['environment']['CIVITAI_BASE_URL'] == 'http://127.0.0.1:1/foul/0.5'


def test_the_demo_names_the_scenarios_when_it_does_not_know_one(content: Project) -> None:
    ended = content.run('demo', '--scenario', 'nonsense')
    assert (ended.code, ended.out) == (2, '')
    assert ended.lines[-1].endswith('Unknown scenario. Known: fair, foul.')


@pytest.mark.parametrize(
    'number, code',
    [
        pytest.param(signal.SIGINT, 130, id='Ctrl-C'),
        pytest.param(signal.SIGTERM, 143, id='terminate'),
    ],
)
def test_a_signal_ends_the_demo_and_all_it_started(
    settled: Project, number: signal.Signals, code: int
) -> None:
    process = settled.start('demo', STAND_IN_WAITS='1')
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert told['prefix'] == str(settled.venv)
    process.send_signal(number)
    ended = finish(process)
    assert (ended.code, ended.out, ended.lines) == (code, 'demo closed\n', [])
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # nothing is left of its process group


# --- the tests' own start ------------------------------------------------------------------------


@pytest.mark.parametrize(
    'tests, code, told, closing',
    [
        pytest.param('def test_it():\n    pass\n', 0, 'ok', '1 passed', id='all well'),
        pytest.param('def test_it() : pass\n', 1, 'FAILED', '1 passed', id='badly formatted'),
        pytest.param('def test_it():\n    assert 0\n', 1, 'ok', '1 failed', id='test fails'),
    ],
)
def test_linters_and_tests_all_run_and_each_can_fail_the_whole(
    content: Project, tests: str, code: int, told: str, closing: str
) -> None:
    (content.folder / 'requirements-dev.txt').write_text('-r requirements.txt\n')
    shutil.rmtree(content.folder / 'scripts')
    shutil.rmtree(content.folder / 'civitai_demo')
    (content.folder / 'pyproject.toml').write_text(
        '[tool.black]\nline-length = 100\nskip-string-normalization = true\n'
    )
    (content.folder / 'setup.cfg').write_text(
        '[mypy]\nfiles = tests\n[flake8]\nmax-line-length = 100\nextend-ignore = E203, E704, E211\n'
    )
    (content.folder / 'tests').mkdir()
    (content.folder / 'tests' / 'test_it.py').write_text(tests)
    ended = content.run('test', '-k', 'test_it')
    assert ended.code == code
    lines = ended.out.splitlines()
    summary = lines.index(f'black: {told}')
    assert lines[summary + 1].startswith('flake8: ')
    assert lines[summary + 2] == 'mypy: ok'
    assert closing in lines[-1]


# --- reading requirements ------------------------------------------------------------------------


@pytest.mark.parametrize(
    'line, version, allowed',
    [
        ('x>=6,<7', '6.31.0', True),
        ('x>=6,<7', '6', True),
        ('x>=6.0', '6', True),
        ('x>=6,<7', '7.0.0', False),
        ('x>=6,<7', '7.0.0rc1', False),
        ('x>=6,<7', '5.50', False),
        ('x>=2.9', '2.10', True),
        ('x>=2.31,<3', '2.33.0.20261030', True),
        ('x>=1', '2.4.0+cu121', True),
        ('x>=1', '', False),
        ('x>=10', '10.0.0', True),
    ],
)
def test_a_version_is_compared_by_its_numbers(line: str, version: str, allowed: bool) -> None:
    assert civitai_gallery.parse_requirement(line).allows(version) is allowed


@pytest.mark.parametrize('line', ['x', 'x==1', 'x>=1,!=2', 'x[extra]>=1', 'x>=1; python_version'])
def test_a_requirement_the_launcher_could_not_check_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match='not of the form'):
        civitai_gallery.parse_requirement(line)


def test_our_own_requirements_have_bounds_and_the_tests_need_what_the_app_needs() -> None:
    runtime = civitai_gallery.read_requirements(REPOSITORY / 'requirements.txt')
    everything = civitai_gallery.read_requirements(REPOSITORY / 'requirements-dev.txt')
    assert set(runtime) < set(everything)
    assert [line for line in everything if not line.limit] == []
