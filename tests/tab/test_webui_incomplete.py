"""The tab of a WebUI that lacks a package we need, or has one that is too old."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest

from scripts.civitai_manager_libs.tab import webui_incomplete
from tests.support.paths import ROOT
from tests.support.prepared import Prepared

ENTRY = ROOT / 'scripts' / 'civitai_gallery_tab.py'
# What a WebUI does with an extension's script; ODD stands for what is odd about it.
WEBUI = f"""
import runpy, sys
from modules import script_callbacks
ODD
runpy.run_path({str(ENTRY)!r})
(tab,) = script_callbacks.tabs
((blocks, title, name),) = tab()
print(title)
for part in blocks.blocks.values():
    print(getattr(part, 'value', ''))
"""

# How packages are, and what the tab asks for.
PACKAGES = {
    'requests is missing': ("sys.modules['requests'] = None", '"requests>=2.31,<3"'),
    'urllib3 is missing': ("sys.modules['urllib3'] = None", '"urllib3>=1.26.16,<3"'),
    'pathvalidate is missing': ("sys.modules['pathvalidate'] = None", '"pathvalidate>=3,<4"'),
    'urllib3 is too old': (
        "import urllib3; urllib3.__version__ = '1.25.11'",
        'install "urllib3>=1.26.16,<3"\n',
    ),
    'requests is too old': (
        "import requests; requests.__version__ = '2.28.2'",
        'install "requests>=2.31,<3"\n',
    ),
    'several are missing': (
        "sys.modules['platformdirs'] = sys.modules['pathvalidate'] = None",
        'install "platformdirs>=4,<5" "pathvalidate>=3,<4"\n',
    ),
}


@pytest.mark.parametrize(('odd', 'wanted'), PACKAGES.values(), ids=PACKAGES)
def test_the_tab_says_what_to_run(prepared: Prepared, odd: str, wanted: str) -> None:
    modules = str(ROOT / 'tests' / 'hosts' / 'webui')
    environment = {**os.environ, 'PYTHONPATH': modules}
    with prepared.start(WEBUI.replace('ODD', odd), environment=environment) as process:
        out, err = process.communicate(60)
    assert process.returncode == 0, err
    assert out.startswith('Civitai Gallery\n') and wanted in out
    assert f'"{sys.executable}" -m pip install ' in out


VERSIONS = [
    ('urllib3', '1.25.11', False),
    ('urllib3', '1.26.9', False),
    ('urllib3', '1.26.16', True),
    ('urllib3', '1.26.19', True),
    ('urllib3', '2.0.0a4', True),
    ('urllib3', '2.8.0', True),
    ('requests', '2.30.0', False),
    ('requests', '2.31.0', True),
    ('platformdirs', '3.10.0', True),
    ('pathvalidate', '', True),
]


@pytest.mark.parametrize(('name', 'version', 'is_met'), VERSIONS)
def test_how_old_a_package_may_be(
    monkeypatch: pytest.MonkeyPatch, name: str, version: str, is_met: bool
) -> None:
    package = ModuleType(name)
    setattr(package, '__version__', version)
    monkeypatch.setitem(sys.modules, name, package)
    assert (webui_incomplete.lacking() == []) is is_met


def test_what_is_needed_is_what_the_app_requires() -> None:
    lines = (ROOT / 'requirements.txt').read_text().splitlines()
    assert set(webui_incomplete.NEEDED) <= set(lines)
