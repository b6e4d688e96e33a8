"""The laws of the house, read from the source of the library."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator

import pytest

from scripts.civitai_manager_libs import setting, texts
from tests.support.paths import ROOT

LIBRARY = ROOT / 'scripts' / 'civitai_manager_libs'

# A module imports only modules that stand before it.
FLOORS = {
    'thought': (
        'texts.en texts.zh_tw texts errors civitai civitai.urls civitai.meta civitai.gallery '
        'civitai.models civitai.infotext civitai.resources store store.names store.media '
        'downloads downloads.plan http_client.pacing http_client.answers http_client.retry '
        'http_client.resume http_client.pacing.budget http_client.pacing.signs '
        'http_client.pacing.pace'
    ).split(),
    'ground': ['host', 'setting.kinds', 'setting'],
    'hands': (
        'store.files util http_client.slots http_client.failures http_client.attempts '
        'http_client.bodies http_client.pacing.throttle http_client.watch http_client.connections '
        'http_client.outgoing http_client.wire http_client.exchange http_client.client http_client'
    ).split(),
    'trades': ['api', 'ishortcut', 'downloads.batch'],
    'shop window': (
        'widgets civitai_gallery_action tab tab.events tab.markup tab.components '
        'tab.settings_panel tab.webui tab.webui_incomplete tab.app cli cli.main'
    ).split(),
}
ORDER = [module for floor in FLOORS.values() for module in floor]
RIMS = {'downloads.batch', 'widgets'}
MAX_MODULE_LINES = 330
MAX_FUNCTION_LINES = 45
PURE = set(
    '__future__ collections dataclasses datetime decimal email enum functools hashlib ipaddress '
    'itertools json math re typing unicodedata urllib pathvalidate'.split()
)
TOP_LEVEL = set(
    '.ci .gitattributes .github .gitignore CHANGELOG.md CONTRIBUTING.md LICENSE README.md bench '
    'civitai_demo civitai_gallery.py docs img install.py javascript pyproject.toml '
    'requirements-dev.txt requirements.txt scripts setup.cfg style.css tests'.split()
)


def file_of(module: str) -> Path:
    """Where a module stands; `a.b` is one of a package in the library."""
    path = LIBRARY.joinpath(*module.split('.'))
    return path / '__init__.py' if path.is_dir() else path.with_suffix('.py')


def module_at(path: Path) -> str:
    """The other way round, '' for the library itself."""
    parts = path.relative_to(LIBRARY).with_suffix('').parts
    return '.'.join(part for part in parts if part != '__init__')


MODULES = sorted(filter(None, map(module_at, LIBRARY.rglob('*.py'))))
every_module = pytest.mark.parametrize('module', MODULES)


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
    package = module if file_of(module).name == '__init__.py' else module.rpartition('.')[0]
    found = set()
    for level, name in imported(tree(module)):
        if level:
            base = package.split('.') if package else []
            full = '.'.join([*base[: len(base) - (level - 1)], name])
            found.add(full if full in MODULES else full.rpartition('.')[0])
    return found - {''}  # the library itself, which has the version


def test_every_module_has_a_place() -> None:
    assert MODULES == sorted(ORDER)


@every_module
def test_imports_go_down_only(module: str) -> None:
    below = ORDER[: ORDER.index(module)]
    assert ours(module) <= set(below)


@every_module
def test_inside_the_package_imports_are_relative(module: str) -> None:
    outside = {name for level, name in imported(tree(module)) if not level}
    assert not outside & {'scripts', 'civitai_manager_libs', 'civitai_demo', 'tests'}


@every_module
def test_no_import_inside_a_function(module: str) -> None:
    hidden = [name for f in functions(tree(module)) for _, name in imported(f)]
    assert module == 'host' or not hidden


@every_module
def test_each_foreign_library_has_one_door(module: str) -> None:
    outside = {name for level, name in imported(tree(module)) if not level}
    assert module == 'host' or 'modules' not in outside
    assert module.split('.')[0] == 'http_client' or not outside & {'requests', 'urllib3'}
    assert module in FLOORS['shop window'] or 'gradio' not in outside
    assert module.split('.')[0] != 'cli' or 'gradio' not in outside


@pytest.mark.parametrize('module', FLOORS['thought'])
def test_thought_does_nothing_but_think(module: str) -> None:
    outside = {name for level, name in imported(tree(module)) if not level}
    assert outside <= PURE
    calls = {
        n.func.id
        for n in ast.walk(tree(module))
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    assert 'open' not in calls


@every_module
def test_forbidden_words(module: str) -> None:
    nodes = list(ast.walk(tree(module)))
    called = {n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert module.split('.')[0] == 'cli' or 'print' not in called
    assert not [n for n in nodes if isinstance(n, ast.Global)]
    assert not [n for n in nodes if isinstance(n, ast.ExceptHandler) and n.type is None]


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
    assert lines <= MAX_MODULE_LINES
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


def test_every_setting_stands_in_the_readme_with_its_default() -> None:
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    rows = dict(re.findall(r'^\| `([a-z_]+)` \| ([^|]*?) \|', readme, re.MULTILINE))
    for item in setting.SETTINGS:
        assert item.name in rows, item.name
        if item.name != 'shortcut_gallery_folder':  # depends on the machine
            assert rows[item.name].strip('` ') == str(item.default), item.name
    assert set(rows) == {item.name for item in setting.SETTINGS}


@pytest.mark.parametrize('language', texts.LANGUAGES)
def test_every_setting_has_a_label_and_a_help(language: str) -> None:
    for item in setting.SETTINGS:
        assert texts.text(f'setting_{item.name}', language)
        assert texts.text(f'setting_{item.name}_help', language)
