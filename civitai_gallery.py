"""Start Civitai Gallery without a WebUI.

The launcher needs Python 3.10 and nothing else. It runs in the interpreter that started it when
that one has the required packages, and otherwise makes an environment of its own, .venv beside this
file, and goes on in there.
"""

import sys

if sys.version_info < (3, 10):  # first of all, so that an old Python says this and nothing else
    sys.stderr.write(
        'Civitai Gallery needs Python 3.10 or newer; this is Python %s (%s).\n'
        % ('.'.join(str(part) for part in sys.version_info[:3]), sys.executable)
    )
    sys.exit(3)  # see ExitCode

import argparse
import contextlib
import difflib
import enum
import gc
import getpass
import importlib.metadata
import importlib.util
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

if sys.platform == 'win32':
    import msvcrt
else:
    import fcntl

LAUNCHER = Path(__file__).resolve()
ROOT = LAUNCHER.parent
VENV = ROOT / '.venv'
VENV_PYTHON = VENV / ('Scripts/python.exe' if sys.platform == 'win32' else 'bin/python')
LOCK = ROOT / '.venv.lock'  # held by the one launcher that changes .venv
UNFINISHED = ROOT / '.venv.unfinished'  # exists from before .venv is changed until all is done
CHECKED = VENV / 'checked'  # what .venv was like when everything was last seen to be there
INSIDE = 'CIVITAI_GALLERY_INSIDE_VENV'  # tells a launcher that another one started it in .venv
LINTERS = {'black': ['--check', '.'], 'flake8': [], 'mypy': []}
HELP = {'-h', '--help'}


class ExitCode(enum.IntEnum):
    """The same as in the library, which cannot be imported before its packages are there."""

    COMPLETE = 0
    FAILED = 1
    USAGE = 2
    CANNOT_START = 3
    INTERRUPTED = 130
    TERMINATED = 143


class LauncherError(Exception):
    """What stopped the launcher, as one line for the person at the terminal."""

    def __init__(self, line: str, code: ExitCode = ExitCode.CANNOT_START) -> None:
        super().__init__(line)
        self.code = code


# --- requirements --------------------------------------------------------------------------------


class Requirement(NamedTuple):
    """One line of a requirements file: `name>=lowest` or `name>=lowest,<limit`."""

    name: str
    lowest: str
    limit: str

    def allows(self, version: str) -> bool:
        """Whether a version is in range; a pre-release counts as the release it leads to."""
        found = release(version)
        return release(self.lowest) <= found and (not self.limit or found < release(self.limit))


def release(version: str) -> tuple[int, ...]:
    """The numbers a version starts with, without closing zeros: '2.10.0rc1' -> (2, 10)."""
    match = re.match(r'\d+(\.\d+)*', version)
    text = re.sub(r'(\.0+)+$', '', match.group()) if match else ''
    return tuple(int(part) for part in text.split('.') if part)


def parse_requirement(line: str) -> Requirement:
    """Read one requirement line; ValueError for a form that this launcher does not check."""
    match = re.fullmatch(r'([\w.-]+)>=(\d[\d.]*)(?:,<(\d[\d.]*))?', line)
    if not match:
        raise ValueError(f'not of the form name>=1.0,<2: {line}')
    return Requirement(match[1], match[2], match[3] or '')


def read_requirements(path: Path) -> list[Requirement]:
    """All requirements of a file, with those of the files it takes in by -r."""
    found: list[Requirement] = []
    for line in path.read_text(encoding='utf-8').splitlines():
        line = line.partition('#')[0].strip()
        if line.startswith('-r '):
            found += read_requirements(path.parent / line[3:].strip())
        elif line:
            found.append(parse_requirement(line))
    return found


def unmet(requirements: Sequence[Requirement], search_path: list[str]) -> list[str]:
    """Names of the requirements not satisfied by the packages on a path such as sys.path."""
    missing = []
    for requirement in requirements:
        found = importlib.metadata.distributions(name=requirement.name, path=search_path)
        first = next(iter(found), None)  # the one that an import would find
        if first is None or not requirement.allows(first.version or ''):
            missing.append(requirement.name)
    return missing


# --- the environment beside this file ------------------------------------------------------------


def say(line: str) -> None:
    """One line for the person at the terminal; standard output is for the started program."""
    print(line, file=sys.stderr, flush=True)


def venv_packages() -> str | None:
    """The folder of .venv's packages; None when .venv is missing, broken, too old or half-made."""
    if UNFINISHED.exists():
        return None
    question = (
        'import os, pip, sys, sysconfig\n'
        'if sys.version_info >= (3, 10):\n'
        '    sys.stdout.buffer.write(os.fsencode(sysconfig.get_path("purelib")))'
    )
    try:
        answer = subprocess.run([VENV_PYTHON, '-I', '-c', question], capture_output=True)
    except OSError:
        return None
    return os.fsdecode(answer.stdout) or None


def is_ready(requirements: Sequence[Requirement]) -> bool:
    """Whether .venv works and has everything; asked again only when something has changed."""
    if not UNFINISHED.exists() and is_as_checked(requirements):
        return True
    packages = venv_packages()
    if packages is None or unmet(requirements, [packages]):
        return False
    with contextlib.suppress(OSError):  # then it is asked the next time too
        content = f'{packages}\n{state_of_venv(requirements, packages)}'
        CHECKED.write_bytes(os.fsencode(content))
    return True


def is_as_checked(requirements: Sequence[Requirement]) -> bool:
    """Whether .venv is what it was when all these requirements were last seen to be there."""
    try:
        packages, _, state = os.fsdecode(CHECKED.read_bytes()).partition('\n')
        return state == state_of_venv(requirements, packages)
    except OSError:
        return False


def state_of_venv(requirements: Sequence[Requirement], packages: str) -> str:
    """What changes with the requirements, .venv's interpreter and what is installed there."""
    signs: list[object] = [tuple(requirement) for requirement in requirements]
    for path in (VENV_PYTHON, packages):
        now = os.stat(path)
        signs.append((now.st_ino, now.st_size, now.st_mtime_ns))
    return repr(signs)


def try_lock(file: IO[str]) -> bool:
    """Lock an open file against other processes; False while another one holds it.

    The system frees the lock when its holder dies, however it dies.
    """
    try:
        if sys.platform == 'win32':
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        pass  # a network folder without locks: better to go on than to refuse for ever
    return True


@contextlib.contextmanager
def only_one_at_work() -> Iterator[IO[str]]:
    """Wait until no other launcher changes .venv, and keep others out until the block ends."""
    with LOCK.open('a', encoding='utf-8') as file:
        if not try_lock(file):
            say(f'Waiting for another start that is setting up {VENV.name}...')
            while not try_lock(file):
                time.sleep(0.2)
        yield file


def reason(output: str) -> str:
    """The line of a failed command's output that says most: pip's last ERROR, else the last."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith('ERROR:')] or lines or ['no reason given']
    return errors[-1].removeprefix('ERROR:').strip()


def run_quietly(command: Sequence[str | Path], failure: str, lock: IO[str]) -> None:
    """Run a command; raises LauncherError with the reason it gives when it fails.

    It shares the lock: when this launcher is killed, the next one waits for what is still running.
    """
    done = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors='replace',
        pass_fds=() if sys.platform == 'win32' else (lock.fileno(),),
    )
    if done.returncode:
        raise LauncherError(f'{failure}: {reason(done.stderr or done.stdout)}')


def remake_venv(lock: IO[str]) -> None:
    """Replace whatever is at .venv by a new, empty environment."""
    if not (importlib.util.find_spec('venv') and importlib.util.find_spec('ensurepip')):
        raise LauncherError(
            f'{sys.executable} cannot make an environment: it has no venv module. '
            'On Debian or Ubuntu: apt install python3-venv'
        )
    if VENV.exists():
        shutil.rmtree(VENV)
    # We may ourselves run in the .venv that is gone now; the interpreter below it is still there.
    python: str = getattr(sys, '_base_executable', sys.executable)
    run_quietly([python, '-I', '-m', 'venv', VENV], f'Could not make {VENV}', lock)


def prepare_venv(requirements_file: Path) -> None:
    """Make .venv, or repair or update the one that is there. Raises LauncherError, OSError."""
    with only_one_at_work() as lock:
        if is_ready(read_requirements(requirements_file)):  # another start did it meanwhile
            return
        usable = venv_packages() is not None
        if usable:
            say(f'Updating {VENV.name} (the requirements changed)...')
        elif VENV.exists():
            say(f'Repairing {VENV.name} (about a minute)...')
        else:
            say(f'Setting up {VENV.name} (first run, about a minute)...')
        UNFINISHED.touch()
        if not usable:
            remake_venv(lock)
        pip = [str(VENV_PYTHON), '-I', '-m', 'pip', '--disable-pip-version-check', '--no-input']
        failure = f'Could not install {requirements_file.name} (needs the internet; try again)'
        run_quietly([*pip, 'install', '--quiet', '-r', requirements_file], failure, lock)
        UNFINISHED.unlink()


def continue_in_venv(argv: Sequence[str]) -> int:
    """Start this launcher again in .venv; on POSIX in this very process, so signals reach it."""
    os.environ[INSIDE] = '1'
    command = [str(VENV_PYTHON), str(LAUNCHER), *argv]
    if sys.platform != 'win32':
        os.execv(command[0], command)
    with subprocess.Popen(command) as child:
        while True:
            with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C reaches the child too: it decides
                return child.wait()


# --- the words -----------------------------------------------------------------------------------


def run_app(args: list[str]) -> int:
    """The gallery against civitai.com."""
    from scripts.civitai_manager_libs.tab import app

    return app.main(args)


def command_line() -> Callable[..., int]:
    """What carries out the words of the command line, once it is loaded."""
    from scripts.civitai_manager_libs.cli import main

    gc.freeze()  # all that is loaded stays: looking through it at the end alone takes 30 ms
    return main.main


def run_download(args: list[str]) -> int:
    """The command line download."""
    return command_line()(args)


def command(word: str) -> Callable[[list[str]], int]:
    """What runs another word of the command line."""
    return lambda args: command_line()(args, word)


def demo_home() -> str:
    """A folder for the demo's data, closed to others; where possible the same at every start."""
    if sys.platform == 'win32':
        user = getpass.getuser()
    else:
        user = str(os.getuid())
    home = os.path.join(tempfile.gettempdir(), f'civitai-gallery-demo-{user}')
    with contextlib.suppress(FileExistsError):
        os.mkdir(home, 0o700)
    found = os.lstat(home)
    ours = stat.S_ISDIR(found.st_mode)
    if sys.platform != 'win32':
        ours = ours and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return home if ours else tempfile.mkdtemp(prefix='civitai-gallery-demo-')


def scenario_list() -> str:
    """What the stand-in can play, as lines; telling that needs no packages."""
    put_root_first()
    try:
        from civitai_demo.api import scenarios
    except ImportError:  # help is shown whatever is missing
        return ''
    return scenarios.listed()


def demo_key() -> str:
    """The key that the stand-in takes, so that everything can be tried."""
    put_root_first()
    try:
        from civitai_demo.api import scenarios
    except ImportError:  # without one there is less to be tried
        return ''
    return scenarios.DEMO_KEY


def demo_parser() -> argparse.ArgumentParser:
    """The arguments of the demo."""
    parser = argparse.ArgumentParser(
        prog='civitai_gallery.py demo',
        description=run_demo.__doc__,
        epilog=scenario_list(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--port', type=int, metavar='N', help='port of the app')
    parser.add_argument(
        '--scenario',
        metavar='NAME[:N]',
        help='what goes wrong (for the first N requests), see below',
    )
    parser.add_argument(
        '--latency', type=float, metavar='SECONDS', help='what each answer of the stand-in takes'
    )
    return parser


def run_demo(args: list[str]) -> int:
    """The gallery against a stand-in for Civitai: data apart from your own, and a key."""
    parser = demo_parser()
    options = vars(parser.parse_args(args))
    given = {name: value for name, value in options.items() if value is not None}
    app_args = ['--port', str(given.pop('port'))] if 'port' in given else []

    from civitai_demo.server import OPENING_PATH, DemoServer

    try:
        server = DemoServer(**given)
    except ValueError as error:  # a scenario or latency that is none; the error tells what is
        parser.error(str(error))
    wanted = os.environ.get('CIVITAI_GALLERY_HOME', '')
    home = wanted.strip(' "\'') or demo_home()  # Windows leaves quotes on
    os.environ['CIVITAI_GALLERY_HOME'] = home
    os.environ.pop('CIVITAI_TOKEN', None)  # your own is not for it
    key = demo_key()
    if key:
        os.environ['CIVITAI_TOKEN'] = key
    for name in ('NO_PROXY', 'no_proxy'):  # a proxy would not find the stand-in on this machine
        os.environ[name] = ','.join(filter(None, (os.environ.get(name), '127.0.0.1,localhost')))
    with server as demo:
        os.environ['CIVITAI_BASE_URL'] = demo.url  # the app reads it when it is imported
        downloads = os.path.join(home, 'downloads')
        return run_app(['--source', demo.url + OPENING_PATH, '--downloads', downloads, *app_args])


def run_tool(name: str, args: Sequence[str]) -> int:
    """Run a Python tool at the root of the project; its exit code."""
    return subprocess.run([sys.executable, '-m', name, *args], cwd=ROOT).returncode


def run_lint(args: list[str]) -> int:
    """Run all linters, then tell of each in one line; 1 if one found something."""
    if args:
        raise LauncherError('lint takes no arguments.', ExitCode.USAGE)
    codes = {name: run_tool(name, arguments) for name, arguments in LINTERS.items()}
    for name, code in codes.items():
        print(f'{name}: {"FAILED" if code else "ok"}', flush=True)
    return ExitCode.FAILED if any(codes.values()) else ExitCode.COMPLETE


def run_test(args: list[str]) -> int:
    """Run the linters, then pytest whatever they found; not 0 if anything failed."""
    if not args:
        return run_everything()
    return max(run_lint([]), outcome(run_tool('pytest', args)))


def run_everything() -> int:
    """Run the linters and all tests; not 0 if anything failed.

    What waits for browsers most of the time runs beside the others: the hosts and the tab, with the
    command line, the client and the benchmark, as they are done sooner. What these said stands
    behind what the others did.
    """
    in_tab = sorted((ROOT / 'tests' / 'tab').glob('test_*browser.py'))
    beside = [
        ['tests/hosts', 'tests/cli'],
        [
            *(path.relative_to(ROOT).as_posix() for path in in_tab),
            'tests/bench',
            'tests/http_client',
        ],
    ]
    command = [sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider']
    with contextlib.ExitStack() as stack:
        running = []
        for screens in beside:
            told = stack.enter_context(tempfile.TemporaryFile())
            process = subprocess.Popen([*command, *screens], cwd=ROOT, stdout=told, stderr=told)
            running.append((stack.enter_context(process), told))
        linted = run_lint([])
        codes = [run_tool('pytest', [f'--ignore={screen}' for screen in sum(beside, [])])]
        for process, told in running:
            codes.append(process.wait())
            told.seek(0)
            sys.stdout.buffer.write(told.read())
            sys.stdout.flush()
    return max(linted, *map(outcome, codes))


def outcome(code: int) -> int:
    """Our exit code for that of pytest."""
    return {0: ExitCode.COMPLETE, 4: ExitCode.USAGE}.get(code, ExitCode.FAILED)


def run_bench(args: list[str]) -> int:
    """Measure downloads, ours beside those of other programs."""
    from bench import main

    return main.main(args)


def run_scale_test(args: list[str]) -> int:
    """Hand a table to img2dataset on its engines, and take back what it kept."""
    from bench import scale

    return scale.main(args)


class Word(NamedTuple):
    """What a word on the command line takes, does and needs.

    `tell` gives its help where this file knows it. Others know theirs themselves, once their
    packages are there.
    """

    takes: str
    does: str
    requirements: str
    run: Callable[[list[str]], int]
    tell: Callable[[], str] | None = None


WORDS = {
    'app': Word(
        '[--port N] [--host ADDRESS] [--source LINK] [--downloads FOLDER]',
        'the gallery in the browser, against civitai.com; the same without a word',
        'requirements.txt',
        run_app,
    ),
    'demo': Word(
        '[--port N] [--scenario NAME] [--latency SECONDS]',
        'the gallery against a stand-in for Civitai on this machine, without internet',
        'requirements.txt',
        run_demo,
        lambda: demo_parser().format_help(),
    ),
    'download': Word(
        'SOURCE... [--to FOLDER] [--limit N] [--json]',
        'keep the pictures of Civitai links, whole galleries',
        'requirements.txt',
        run_download,
    ),
    'model': Word(
        'SOURCE [--file ID] [--to FOLDER] [--dry-run]',
        'fetch a model file to where your programs look for it',
        'requirements.txt',
        command('model'),
    ),
    'models': Word(
        'scan|list|updates|verify | missing PICTURE [--get]',
        'the model files you have: which, what is newer, what a picture lacks',
        'requirements.txt',
        command('models'),
    ),
    'jobs': Word(
        '[drop JOB...]',
        'list what was begun: galleries, models; take jobs off the list',
        'requirements.txt',
        command('jobs'),
    ),
    'resume': Word(
        '[JOB]', 'go on with what was stopped or killed', 'requirements.txt', command('resume')
    ),
    'retry': Word('JOB', 'do again what failed in a job', 'requirements.txt', command('retry')),
    'export': Word(
        'SOURCE|FOLDER [--format jsonl|csv|parquet] [--output FILE]',
        'write a table of pictures for other programs',
        'requirements.txt',
        command('export'),
    ),
    'import-table': Word(
        'TABLE...',
        'take in what img2dataset kept by such a table',
        'requirements.txt',
        command('import-table'),
    ),
    'verify': Word(
        'FOLDER [--repair]',
        'look at every picture in a folder; fetch bad ones again',
        'requirements.txt',
        command('verify'),
    ),
    'login': Word(
        '', 'keep your API key, if Civitai knows it', 'requirements.txt', command('login')
    ),
    'config': Word(
        '[NAME [VALUE]]', 'show all settings, or set one', 'requirements.txt', command('config')
    ),
    'cache': Word(
        '[--clear]',
        'how large the picture cache is; empty it',
        'requirements.txt',
        command('cache'),
    ),
    'test': Word(
        '[ARGUMENTS]',
        'linters, then pytest with the arguments',
        'requirements-dev.txt',
        run_test,
        lambda: summary('test'),
    ),
    'lint': Word('', 'linters only', 'requirements-dev.txt', run_lint, lambda: summary('lint')),
    'bench': Word(
        '[--only NAME] [--quick] [--output FILE]',
        'measure downloads beside other programs; writes docs/performance.md',
        'requirements-dev.txt',
        run_bench,
    ),
    'scale-test': Word(
        '[--keep FOLDER]',
        'hand a table to img2dataset, alone and with Ray, and take it back; about a minute',
        'requirements-dev.txt',
        run_scale_test,
    ),
}


# --- help ----------------------------------------------------------------------------------------


def overview() -> str:
    """What `--help` prints."""
    rows = [(f'{name} {word.takes}', word.does) for name, word in WORDS.items()]
    rows.append(('help [WORD]', 'this, or more about a word; so does WORD --help'))
    rows.append(('--version', 'the version of Civitai Gallery'))
    lines = [
        f'  {left:<20}{right}' if len(left) < 20 else f'  {left}\n{"":<22}{right}'
        for left, right in rows
    ]
    return (
        'usage: python civitai_gallery.py [WORD] [ARGUMENTS]\n\n'
        + '\n'.join(lines)
        + '\n\nThe first start makes .venv beside this file, unless the Python at hand already has '
        'the\npackages of requirements.txt.\n'
    )


def summary(name: str) -> str:
    """What can be told about a word without its packages."""
    word = WORDS[name]
    line = f'usage: civitai_gallery.py {name} {word.takes}'.rstrip()
    needs = f'the packages of {word.requirements} are there; its first start installs them'
    more = '' if word.tell else f'\nIt tells more once {needs}.\n'
    return f'{line}\n\n{word.does[0].upper()}{word.does[1:]}.\n{more}'


def version() -> str:
    """The version of the library, which says it in its first file."""
    first = ROOT / 'scripts' / 'civitai_manager_libs' / '__init__.py'
    match = re.search(r"^__version__ = '([^']+)'", first.read_text(encoding='utf-8'), re.MULTILINE)
    return match[1] if match else 'unknown'


def unknown(name: str) -> str:
    """The line about a word that is none."""
    near = difflib.get_close_matches(name.lower(), [*WORDS, 'help'], n=1)
    guess = f' Did you mean {near[0]}?' if near else ''
    return (
        f'Unknown word {name[:40]!r}.{guess} Known are {", ".join([*WORDS, "help"])}; see --help.'
    )


# --- starting ------------------------------------------------------------------------------------


def put_root_first() -> None:
    """Make sure that our own packages are the ones that get imported."""
    root = str(ROOT)
    sys.path[:] = [root, *(entry for entry in sys.path if os.path.realpath(entry) != root)]
    # Our scripts folder has no __init__.py, as WebUI hosts expect it. A package `scripts` that some
    # distribution left in site-packages would win over it, whatever the order of the path.
    scripts = types.ModuleType('scripts')
    scripts.__path__ = [str(ROOT / 'scripts')]
    sys.modules['scripts'] = scripts


def start(argv: Sequence[str], name: str, args: list[str]) -> int:
    """Settle which interpreter to use, then run the word in it. Raises LauncherError."""
    word, asks_for_help = WORDS[name], not HELP.isdisjoint(args)
    if asks_for_help and word.tell:
        print(word.tell(), end='')
        return ExitCode.COMPLETE
    inside_venv = os.environ.pop(INSIDE, None) is not None
    requirements_file = ROOT / word.requirements
    try:
        requirements = read_requirements(requirements_file)
        missing = unmet(requirements, sys.path)
        if missing and inside_venv:
            names = ', '.join(missing)
            raise LauncherError(f'{VENV} does not offer the required {names}. Is PYTHONPATH set?')
        if missing and not is_ready(requirements):
            if asks_for_help:  # which is no reason to install anything
                print(summary(name), end='')
                return ExitCode.COMPLETE
            prepare_venv(requirements_file)
    except (OSError, ValueError) as error:
        by_hand = f'{sys.executable} -m pip install -r {requirements_file}'
        raise LauncherError(f'Could not set up {VENV}: {error}. By hand: {by_hand}') from error
    if missing:
        return continue_in_venv(argv)
    put_root_first()
    try:
        return word.run(args)
    except ImportError as error:  # there by its name and version, but damaged
        raise LauncherError(f'{sys.executable} cannot load what {name} needs: {error}') from error


def main(argv: list[str]) -> int:
    """Run one command line, given without the program's name; the exit code."""
    if argv[:1] == ['help']:  # `help demo` is `demo --help`
        argv = [*argv[1:2], '--help']
    if argv[:1] in (['-h'], ['--help']):
        print(overview(), end='')
        return ExitCode.COMPLETE
    if argv[:1] == ['--version']:
        print(f'Civitai Gallery {version()}')
        return ExitCode.COMPLETE
    name, args = ('app', argv) if not argv or argv[0].startswith('-') else (argv[0], argv[1:])
    if name not in WORDS:
        say(unknown(name))
        return ExitCode.USAGE
    os.environ.setdefault('GRADIO_ANALYTICS_ENABLED', 'False')  # read when gradio is imported
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ExitCode.TERMINATED))  # an orderly end
    try:
        return start(argv, name, args)
    except LauncherError as error:
        say(str(error))
        return error.code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
