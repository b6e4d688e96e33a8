"""The architecture of the library, read from its source: packages, layers, boundaries, limits."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import Iterator, Mapping

import pytest

from scripts.civitai_manager_libs import setting, texts
from tests.support.pages import read, setting_rows
from tests.support.paths import ROOT

LIBRARY = ROOT / 'scripts' / 'civitai_manager_libs'
PAGE = ROOT / 'docs' / 'architecture.md'

# The layers from the ground up: packages, and modules that stand by themselves. What stands in
# one imports from those before it only. The modules inside a package stand in the order that its
# docstring lists them in, the highest first.
LAYERS = (
    'texts errors notices ending forks host civitai store setting access archive http_client util '
    'widgets api library downloads ishortcut downloader civitai_gallery_action cli tab'
).split()
# Decisions and values: no file, no socket, no clock, no settings, no log.
PURE_PACKAGES = ('texts', 'errors', 'civitai')
PURE_MODULES = (
    'access.signs access.table access.door '
    'store.media store.ends store.names http_client.answers http_client.retry http_client.resume '
    'http_client.framing http_client.unfolding downloads.plan downloads.pieces '
    'http_client.pacing.pace '
    'http_client.pacing.ceiling http_client.pacing.limit http_client.pacing.freed '
    'http_client.pacing.signs http_client.pacing.budget http_client.pacing.tokens '
    'http_client.pacing.holds library.kinds'
).split()
PURE_LIBRARIES = set(
    '__future__ collections dataclasses datetime decimal difflib email enum functools hashlib '
    'ipaddress itertools json math re typing unicodedata urllib pathvalidate'.split()
)
# Who alone may import it: packages, or modules of the first layer.
DOORS = {
    'modules': {'host'},
    'sqlite3': {'archive'},
    'requests': {'http_client'},
    'urllib3': {'http_client'},
    'typer': {'cli'},
    'rich': {'cli'},
    'pyarrow': {'store'},
    'gradio': {'widgets', 'civitai_gallery_action', 'tab'},
}
# What a WebUI has is asked for when it is needed; rich and Pillow take long to load, and pyarrow
# need not be there.
LATE_IMPORTS = {
    'host',
    'host.models',
    'cli.bars',
    'cli.manual',
    'store.opening',
    'store.parquet',
}
RIMS = {'downloads.crew', 'widgets'}
# What another thread may hold while this one forks. It is made in `forks`, or by who renews it.
HELD_ACROSS_FORKS = {
    f'threading.{name}'
    for name in 'Lock RLock Condition Event Semaphore BoundedSemaphore Barrier'.split()
}
RENEWED_BY_OWNER = {
    'http_client.slots',
    'http_client.watch',
    'http_client.pacing.hosts',
    'http_client.pacing.throttle',
}
MADE_FOR_ONE_THREAD = {
    'downloads.listing',
    'http_client.single_flight',
    'ending',
    'cli.running',
    'cli.tables',
    'cli.upkeep',
    'tab.app',
}
MAX_MODULE_LINES = 330
SENTENCES = {'texts.en', 'texts.zh_tw'}  # as long as there is to say
MAX_FUNCTION_LINES = 45
TOP_LEVEL = set(
    '.ci .gitattributes .github .gitignore CHANGELOG.md CONTRIBUTING.md LICENSE README.md '
    'README.zh-TW.md bench civitai_demo civitai_gallery.py docs img install.py javascript '
    'pyproject.toml requirements-dev.txt requirements-scale.txt requirements.txt scripts setup.cfg '
    'style.css tests'.split()
)

# -- reading the source --------------------------------------------------------------------------


def file_of(module: str) -> Path:
    """Where a module stands; `a.b` is one of a package in the library."""
    path = LIBRARY.joinpath(*module.split('.'))
    return path / '__init__.py' if path.is_dir() else path.with_suffix('.py')


def module_at(path: Path) -> str:
    """The other way round, '' for the library itself."""
    parts = path.relative_to(LIBRARY).with_suffix('').parts
    return '.'.join(part for part in parts if part != '__init__')


MODULES = sorted(filter(None, map(module_at, LIBRARY.rglob('*.py'))))
PACKAGES = [module for module in MODULES if file_of(module).name == '__init__.py']
PURE = [m for m in MODULES if m in PURE_MODULES or m.split('.')[0] in PURE_PACKAGES]
every_module = pytest.mark.parametrize('module', MODULES)
every_package = pytest.mark.parametrize('package', PACKAGES)


@functools.cache
def tree(module: str) -> ast.Module:
    return ast.parse(file_of(module).read_text(encoding='utf-8'))


def functions(node: ast.AST) -> Iterator[ast.FunctionDef]:
    return (n for n in ast.walk(node) if isinstance(n, ast.FunctionDef))


def imported(node: ast.AST) -> Iterator[tuple[int, str]]:
    """(0, top-level package) for an outside import, (how far up, name) for each one of ours."""
    for item in ast.walk(node):
        if isinstance(item, ast.Import):
            yield from ((0, alias.name.split('.')[0]) for alias in item.names)
        elif isinstance(item, ast.ImportFrom) and item.level == 0:
            yield 0, (item.module or '').split('.')[0]
        elif isinstance(item, ast.ImportFrom):
            inside = f'{item.module}.' if item.module else ''
            yield from ((item.level, inside + alias.name) for alias in item.names)


def ours(module: str) -> set[str]:
    """The modules of the library that `module` imports."""
    package = module if module in PACKAGES else module.rpartition('.')[0]
    found = set()
    for level, name in imported(tree(module)):
        if level:
            base = package.split('.') if package else []
            full = '.'.join([*base[: len(base) - (level - 1)], name])
            found.add(full if full in MODULES else full.rpartition('.')[0])
    return found - {''}  # the library itself, which has the version


def outside(module: str) -> set[str]:
    """The packages of others that `module` imports."""
    return {name for level, name in imported(tree(module)) if not level}


def listed(package: str) -> list[str]:
    """The modules that the docstring of `package` lists, from the top down."""
    lines = (ast.get_docstring(tree(package)) or '').splitlines()
    rows = (re.match(r'([a-z_]+)  +\S', line) for line in lines)
    return [f'{package}.{row[1]}' for row in rows if row]


# -- layers and boundaries -----------------------------------------------------------------------


def objection(module: str, target: str, lists: Mapping[str, list[str]]) -> str:
    """Say why `module` may not import `target` and where it belongs, '' if it may."""
    ours_, theirs = module.split('.'), target.split('.')
    package, other = ours_[0], theirs[0]
    if package != other:
        if LAYERS.index(other) > LAYERS.index(package):
            above = ', '.join(LAYERS[LAYERS.index(other) + 1 :]) or 'a new layer'
            return (
                f'{module} imports {target}, which stands above it. Either what it needs belongs '
                f'into {package} or below, or {module} belongs above {other}: in {above}.'
            )
        if len(theirs) > 2:
            return (
                f'{module} imports {target}, which {other} keeps to itself. Import a module '
                f'of {other}, or let {other} hand it out.'
            )
        return ''
    depth = next((i for i, (a, b) in enumerate(zip(ours_, theirs)) if a != b), 0)
    shared = '.'.join(ours_[:depth])
    if not depth or shared not in lists:  # one is the package that the other stands in
        return ''
    order = lists[shared]
    mine, its = ('.'.join(parts[: depth + 1]) for parts in (ours_, theirs))
    if mine in order and its in order and order.index(its) < order.index(mine):
        return (
            f'{module} imports {target}, but the docstring of {shared} lists {its} above {mine}. '
            f'Either it belongs below {mine}, or {module} belongs above it.'
        )
    return ''


LISTS = {package: listed(package) for package in PACKAGES}


@every_module
def test_imports_go_down_only(module: str) -> None:
    assert not list(filter(None, (objection(module, target, LISTS) for target in ours(module))))


@pytest.mark.parametrize(
    'module, target, says',
    [
        pytest.param('store.files', 'setting', 'or store.files belongs above setting', id='up'),
        pytest.param('tab.app', 'cli.main', '', id='down'),
        pytest.param('store.files', 'errors', '', id='to a module by itself'),
        pytest.param(
            'downloads.batch',
            'http_client.pacing.pace',
            'which http_client keeps to itself',
            id='into the inside of a package',
        ),
        pytest.param('downloads.batch', 'http_client.slots', '', id='to a module of a package'),
        pytest.param(
            'http_client.wire',
            'http_client.client',
            'lists http_client.client above http_client.wire',
            id='up inside a package',
        ),
        pytest.param(
            'http_client.pacing.throttle', 'http_client.slots', '', id='from the inside down'
        ),
        pytest.param(
            'http_client.slots',
            'http_client.pacing.throttle',
            'lists http_client.pacing above http_client.slots',
            id='from below into the inside',
        ),
    ],
)
def test_a_wrong_import_is_told_where_it_belongs(module: str, target: str, says: str) -> None:
    found = objection(module, target, LISTS)
    assert says in found if says else not found


def test_every_module_has_a_layer() -> None:
    assert {module.split('.')[0] for module in MODULES} == set(LAYERS)


@every_package
def test_a_package_lists_its_modules_and_says_what_it_stands_on(package: str) -> None:
    inside = [m for m in MODULES if m.rpartition('.')[0] == package]
    assert sorted(LISTS[package]) == inside
    assert re.search(r'Stands? on|stand on', ast.get_docstring(tree(package)) or '')


def test_there_are_no_circles() -> None:
    left = {module: ours(module) for module in MODULES}
    while left:
        free = [module for module, needs in left.items() if not needs & left.keys() - {module}]
        assert free, f'these import each other in a circle: {sorted(left)}'
        for module in free:
            del left[module]


@every_module
def test_inside_the_package_imports_are_relative(module: str) -> None:
    assert not outside(module) & {'scripts', 'civitai_manager_libs', 'civitai_demo', 'tests'}


@every_module
def test_no_import_inside_a_function(module: str) -> None:
    hidden = [name for f in functions(tree(module)) for _, name in imported(f)]
    assert module in LATE_IMPORTS or not hidden


@every_module
@pytest.mark.parametrize('library', DOORS)
def test_each_foreign_library_has_its_door(module: str, library: str) -> None:
    assert module.split('.')[0] in DOORS[library] or library not in outside(module)


@pytest.mark.parametrize('module', PURE)
def test_pure_modules_do_nothing_but_decide(module: str) -> None:
    assert outside(module) <= PURE_LIBRARIES
    calls = {
        n.func.id
        for n in ast.walk(tree(module))
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    assert 'open' not in calls
    assert all(target in PURE for target in ours(module))


# -- the page that draws it ----------------------------------------------------------------------


def drawn() -> set[tuple[str, str]]:
    """The arrows of the drawing, from who imports to what is imported."""
    picture = re.search(r'```mermaid\n(.*?)```', PAGE.read_text(encoding='utf-8'), re.DOTALL)
    assert picture
    arrows = re.findall(r'^ *(\w+) --> ([\w &]+)$', picture[1], re.MULTILINE)
    return {(start, end.strip()) for start, ends in arrows for end in ends.split('&')}


def test_the_drawing_shows_what_imports_what() -> None:
    edges = {
        (module.split('.')[0], target.split('.')[0])
        for module in MODULES
        for target in ours(module)
    }
    edges = {(start, end) for start, end in edges if start != end}
    reached: dict[str, set[str]] = {}
    for layer in LAYERS:
        below = {end for start, end in edges if start == layer}
        reached[layer] = below.union(*(reached[end] for end in below))
    # an arrow that follows from two others would only hide them
    needed = {
        (start, end)
        for start, end in edges
        if not any(end in reached[other] for s, other in edges if s == start and other != end)
    }
    assert drawn() == needed


def test_the_page_has_a_line_for_each_package_from_the_top_down() -> None:
    rows = re.findall(r'^\| `(\w+)` \| \S', PAGE.read_text(encoding='utf-8'), re.MULTILINE)
    assert rows == LAYERS[::-1]


def test_the_page_names_only_what_there_is() -> None:
    words = re.findall(r'`([a-z_]+(?:\.[A-Za-z_]+)+)`', PAGE.read_text(encoding='utf-8'))
    named = [word for word in words if word.split('.')[0] in LAYERS]
    assert named
    for word in named:
        module = next(
            m for m in sorted(MODULES, key=len, reverse=True) if f'{word}.'.startswith(f'{m}.')
        )
        rest = word[len(module) + 1 :].split('.')[-1]
        defined = {
            n.name for n in ast.walk(tree(module)) if isinstance(n, (ast.FunctionDef, ast.ClassDef))
        }
        assert not rest or rest in defined, word


# -- habits ----------------------------------------------------------------------------------------


@every_module
def test_forbidden_words(module: str) -> None:
    nodes = list(ast.walk(tree(module)))
    called = {n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert module.split('.')[0] == 'cli' or 'print' not in called
    assert not [n for n in nodes if isinstance(n, ast.Global)]
    assert not [n for n in nodes if isinstance(n, ast.ExceptHandler) and n.type is None]


@every_module
def test_a_child_finds_no_lock_held(module: str) -> None:
    calls = (ast.unparse(n.func) for n in ast.walk(tree(module)) if isinstance(n, ast.Call))
    made = HELD_ACROSS_FORKS.intersection(calls)
    is_renewed = module in {'forks', *RENEWED_BY_OWNER, *MADE_FOR_ONE_THREAD}
    assert is_renewed or not made, f'take these from forks: {made}'
    # it holds a lock of its class before Python 3.12
    assert 'cached_property' not in file_of(module).read_text(encoding='utf-8')


@every_module
def test_broad_handlers_stand_at_the_rims_and_log(module: str) -> None:
    broad = [
        n
        for n in ast.walk(tree(module))
        if isinstance(n, ast.ExceptHandler)
        and {'Exception', 'BaseException'}
        & {name.id for name in ast.walk(n.type or n) if isinstance(name, ast.Name)}
    ]
    assert module in RIMS or not broad
    for handler in broad:
        assert re.search(r'log\.(exception|error)|_told\(', ast.unparse(handler))


@every_module
def test_sizes_stay_readable(module: str) -> None:
    lines = file_of(module).read_text(encoding='utf-8').count('\n')
    assert lines <= MAX_MODULE_LINES or module in SENTENCES
    long = [
        f.name
        for f in functions(tree(module))
        if (f.end_lineno or 0) - f.lineno >= MAX_FUNCTION_LINES
    ]
    assert not long


@every_module
def test_public_functions_are_annotated_and_explained(module: str) -> None:
    body = tree(module).body
    classes = [n for n in body if isinstance(n, ast.ClassDef) and not n.name.startswith('_')]
    owners: list[ast.Module | ast.ClassDef] = [tree(module), *classes]
    public = [
        f
        for owner in owners
        for f in owner.body
        if isinstance(f, ast.FunctionDef) and not f.name.startswith('_')
    ]
    for function in public:
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        bare = [a.arg for a in arguments if a.annotation is None and a.arg != 'self']
        assert not bare and function.returns is not None, function.name
        assert ast.get_docstring(function), function.name
    assert ast.get_docstring(tree(module))
    assert all(ast.get_docstring(node) for node in classes)


def test_scripts_stays_a_namespace_package() -> None:
    assert not (ROOT / 'scripts' / '__init__.py').exists()


def test_top_level_names_are_ours() -> None:
    # a host keeps this folder on sys.path, where a launch.py or demo/ would shadow its own
    found = {p.name for p in ROOT.iterdir() if not p.name.startswith(('.venv', '.git', '.mypy'))}
    found -= {'__pycache__', '.pytest_cache', '.hypothesis', '.DS_Store'}
    assert found <= TOP_LEVEL


@pytest.mark.parametrize('readme', ['README.md', 'README.zh-TW.md'])
def test_every_setting_stands_in_the_readme_with_its_default_and_range(readme: str) -> None:
    rows = setting_rows(read(ROOT / readme))
    for item in setting.SETTINGS:
        assert item.name in rows, item.name
        default, bounds = rows[item.name]
        if item.name != 'shortcut_gallery_folder':  # depends on the machine
            assert default.strip('` ') == str(item.default), item.name
        if item.maximum:
            told = [int(number) for number in re.findall(r'\d+', bounds)]
            assert told == [item.minimum, item.maximum], item.name
        assert all(choice in bounds for choice in item.choices), item.name
    assert set(rows) == {item.name for item in setting.SETTINGS}


@pytest.mark.parametrize('language', texts.LANGUAGES)
def test_every_setting_has_a_label_and_a_help(language: str) -> None:
    for item in setting.SETTINGS:
        assert texts.text(f'setting_{item.name}', language)
        assert texts.text(f'setting_{item.name}_help', language)
