"""One table of exit codes: in the README, in the library, in the launcher and in the stand-in."""

import re

import civitai_demo.__main__ as demo
import civitai_gallery
from scripts.civitai_manager_libs.ending import ExitCode
from tests.support.paths import ROOT


def test_the_readme_has_them_all() -> None:
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    section = readme.partition('### Exit codes')[2].partition('\n## ')[0]
    rows = re.findall(r'^\| (\d+) \| ', section, re.MULTILINE)
    assert list(map(int, rows)) == sorted(ExitCode)


def test_the_launcher_has_the_same() -> None:
    theirs = {name: int(code) for name, code in civitai_gallery.ExitCode.__members__.items()}
    assert theirs == {name: int(code) for name, code in ExitCode.__members__.items()}


def test_the_stand_in_has_the_same() -> None:
    assert demo.CANNOT_START == ExitCode.CANNOT_START
    assert demo.TERMINATED == ExitCode.TERMINATED
