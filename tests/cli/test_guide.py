"""The user guide, walked through from top to bottom: each command prints what the guide shows.

The Chinese guide has the same commands and output, which tests/texts sees to.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from civitai_demo.api.scenarios import CDN_KEY, DEMO_KEY
from civitai_demo.server import DemoServer
from civitai_demo.world.modelfiles import ModelFile
from civitai_demo.world.models import load_models
from scripts.civitai_manager_libs import setting
from scripts.civitai_manager_libs.cli import main
from tests.support.faults import PATIENCE
from tests.support.models import put
from tests.support.pages import blocks, read
from tests.support.paths import ROOT
from tests.support.settings_sandbox import fresh_client

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='the guide uses ls, cat and head')

GUIDE = ROOT / 'docs' / 'user-guide.md'
KEY_FILE = '~/.config/civitai-gallery/api_key'
CHECKPOINT, OLD_LORA, LORA = 420102, 431702, 431703

# What is told now and then while something takes long, and what a person is asked.
ASIDE = re.compile(r'.* found on \d+ pages?, .*\n|API key \(not shown\): ')

# What of the guide's output is not printed to the letter, and what is in its place.
LOOSE = re.compile(
    r'(?P<lines>^\[\.\.\.\]\n)|(?P<words>\[\.\.\.\])|(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d)'
    r'|(?P<moment>\d+(?= saved| before| there))|(?P<space>\s+)',
    re.MULTILINE,
)
FITS = {
    'lines': r'(?:.*\n)*',
    'words': '.*',
    'time': r'\d{4}-\d\d-\d\d \d\d:\d\d',
    'moment': r'\d+',
    'space': r'\s+',
}
DEPENDS_ON_THE_MOMENT = ('jobs', 'resume')  # how many had come when Ctrl-C was pressed

# Where the prose tells of something that a test has to see to; the rest is in `Walk.before`.
WEATHER = {'download 4317': 'cdn-404', 'download 4452 --to cut': 'truncated'}
SECOND_RUN = (*WEATHER, 'retry')

IN_A_PROCESS_OF_ITS_OWN = (
    'import signal, sys\n'
    'signal.signal(signal.SIGINT, signal.default_int_handler)\n'
    'from scripts.civitai_manager_libs.cli import main\n'
    'sys.exit(main.main(sys.argv[1:]))'
)


@dataclass
class Step:
    """A command of the guide, at which line it is, and what it printed."""

    line: int
    command: str
    printed: list[str] = field(default_factory=list)

    @property
    def end(self) -> int:
        """The line after what it printed."""
        return self.line + 1 + len(self.printed)

    @property
    def words(self) -> str:
        """The command without the name of the program."""
        return self.command.removeprefix('python civitai_gallery.py ')

    @property
    def pattern(self) -> str:
        """What fits the output: the same but for what is cut, spaces, times and the moment."""
        text, pattern, at = ''.join(f'{line}\n' for line in self.printed), '', 0
        for found in LOOSE.finditer(text):
            if found.lastgroup != 'moment' or self.words in DEPENDS_ON_THE_MOMENT:
                pattern += re.escape(text[at : found.start()]) + FITS[str(found.lastgroup)]
                at = found.end()
        return pattern + re.escape(text[at:])


def steps() -> list[Step]:
    """The commands of the guide in their order."""
    found: list[Step] = []
    for block in blocks(read(GUIDE)):
        if block.kind == 'code' and block.codes[0].startswith('$ '):
            found.append(Step(block.line, block.codes[0].removeprefix('$ ')))
        elif found and block.kind == 'code' and block.line == found[-1].end:
            found[-1].printed += block.codes
    return found


def version_file(number: int) -> ModelFile:
    return next(v.files[0] for m in load_models() for v in m.versions if v.id == number)


class Terminal(io.StringIO):
    """What a person sees: standard output, and beside it what is said on standard error."""

    def isatty(self) -> bool:
        return True


class Beside(io.StringIO):
    """Standard error, which draws no bars here."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self.terminal = terminal

    def write(self, text: str) -> int:
        return self.terminal.write(text)


class Walk:
    """Who reads the guide, and does what it says."""

    def __init__(self, demo: DemoServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.demo, self.home, self.monkeypatch = demo, home, monkeypatch
        self.models = home / 'webui' / 'models'
        self.before: dict[str, Callable[[], object]] = {
            'jobs': self.press_ctrl_c,
            'models missing picture.png': self.have_a_webui,
            'verify pictures': lambda: os.truncate('pictures/90134847.jpg', 500),
            'login': lambda: monkeypatch.setattr(sys, 'stdin', io.StringIO(DEMO_KEY + '\n')),
        }

    def do(self, step: Step) -> str:
        """Carry out a command; return what it printed."""
        folder = self.home / ('second' if step.words.startswith(SECOND_RUN) else 'first')
        self.enter(folder)
        self.demo.scenario = next((WEATHER[k] for k in WEATHER if step.words.startswith(k)), '')
        self.before.pop(step.words, lambda: None)()
        if step.words == step.command:
            told = subprocess.run(step.command, shell=True, capture_output=True, text=True).stdout
            return '  '.join(told.split()) + '\n' if step.command.startswith('ls ') else told
        word, *argv = shlex.split(step.words.replace('[...]', str(self.home)))
        return self.say(word, *argv)

    def enter(self, folder: Path) -> None:
        """Be in `folder`, which has data and downloads of its own."""
        is_new = not folder.exists()
        folder.mkdir(exist_ok=True)
        self.monkeypatch.chdir(folder)
        setting.data_folder = str(folder)
        if is_new:
            self.say('config', 'download_images_folder', str(folder / 'kept'))

    def say(self, word: str, *argv: str) -> str:
        """Have a word of the command line carried out; return what it printed."""
        fresh_client(self.monkeypatch)
        told = Terminal()
        with redirect_stdout(told), redirect_stderr(Beside(told)):
            main.main(argv, word)
        said = told.getvalue().replace(self.demo.url, 'https://civitai.com')
        return ASIDE.sub('', said.replace(str(setting.api_key_file()), KEY_FILE))

    def press_ctrl_c(self) -> None:
        """In the middle of the download of all of 4201."""
        self.demo.requests.clear()
        own = {'CIVITAI_BASE_URL': self.demo.url, 'CIVITAI_GALLERY_HOME': setting.data_folder}
        process = subprocess.Popen(
            [sys.executable, '-c', IN_A_PROCESS_OF_ITS_OWN, '4201', '--quiet'],
            env={**os.environ, **own, 'PYTHONPATH': str(ROOT)},
        )
        deadline = time.monotonic() + PATIENCE
        while sum(CDN_KEY in one.path for one in self.demo.requests) < 60:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130

    def have_a_webui(self) -> None:
        """With an older LoRA in it, a key, and a picture that was made with two models."""
        setting.save_api_key(DEMO_KEY)
        (self.models / 'Stable-diffusion').mkdir(parents=True)
        put(self.models / 'Lora' / 'gouache.safetensors', version_file(OLD_LORA).content)
        setting.models_folder = str(self.models)
        checkpoint, lora = version_file(CHECKPOINT), version_file(LORA)
        info = PngInfo()
        info.add_text(
            'parameters',
            'rain <lora:gouacheWeather:0.8>\n'
            f'Steps: 20, Model hash: {checkpoint.auto_v2}, Model: paperHorizonsXL_v20, '
            f'Lora hashes: "gouacheWeather: {lora.hashes["AutoV3"]}"',
        )
        Image.new('RGB', (8, 8)).save('picture.png', pnginfo=info)


def test_each_command_of_the_guide_prints_what_the_guide_shows(
    demo: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = Walk(demo, tmp_path, monkeypatch)
    for step in steps():
        told = walk.do(step)
        fits = re.fullmatch(step.pattern, told)
        assert fits, f'{GUIDE.name}:{step.line}: {step.command}\n{told}'
    assert not walk.before, 'the guide has no such commands any more'
