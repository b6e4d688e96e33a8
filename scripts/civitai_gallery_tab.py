"""The one file that a WebUI executes: it puts the gallery's tab and settings into the WebUI.

Another extension may own the name `scripts.civitai_manager_libs`, or turn `scripts` into a package
of its own. So the library is loaded from beside this file, under a name that is only ours.
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

PACKAGE = 'civitai_gallery_libs'
FOLDER = Path(__file__).resolve().parent / 'civitai_manager_libs'


def library(module: str) -> ModuleType:
    """Return a module of the library; after Reload UI the one that is loaded already."""
    if PACKAGE not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            PACKAGE, FOLDER / '__init__.py', submodule_search_locations=[str(FOLDER)]
        )
        assert spec is not None and spec.loader is not None
        package = importlib.util.module_from_spec(spec)
        sys.modules[PACKAGE] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f'{PACKAGE}.{module}')


def register() -> None:
    """Register tab and settings; without the packages we need, a tab that says what to run."""
    incomplete = library('tab.webui_incomplete')
    packages = incomplete.lacking()
    if packages:
        incomplete.register(packages)
    else:
        library('tab.webui').register()


register()
