"""The help of each word: all of it, however narrow the terminal, in the language of the person."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from scripts.civitai_manager_libs import setting, texts
from scripts.civitai_manager_libs.cli import main
from tests.support.settings_sandbox import sandbox

# What the library of the command line says by itself.
ITS_OWN = ('Arguments', 'Options', 'Show this message')
TYPES = re.compile(r'<(bool|str|int|path|list|text|folder|count)\b', re.IGNORECASE)


def helped(
    word: str, language: str, columns: int, home: Path, capsys: pytest.CaptureFixture[str]
) -> str:
    with sandbox(home), pytest.MonkeyPatch.context() as patch:
        patch.setenv('COLUMNS', str(columns))
        setting.save({'language': language})
        assert main.main(['--help'], word) == 0
    out, err = capsys.readouterr()
    assert err == ''
    return out


def bare(text: str) -> str:
    """Only what is read: no blanks, borders or breaks."""
    return re.sub(r'[\s│╭╮╰╯─|+-]', '', text)


def column(said: str) -> str:
    """What stands to the right of the options, and all lines that have no options."""
    lines = [line.strip('│ ') for line in said.splitlines()]
    return '\n'.join(re.split(r'\s{2,}', line)[-1] for line in lines)


@pytest.mark.parametrize('columns', [60, 80, 120])
@pytest.mark.parametrize('language', texts.LANGUAGES)
@pytest.mark.parametrize('word', main.TAKES)
def test_no_word_of_the_help_is_lost(
    word: str, language: str, columns: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = helped(word, language, columns, tmp_path, capsys)
    keys = [key for key in texts.TABLES['en'] if re.fullmatch(f'help_{word}(_.+)?', key)]
    missing = [key for key in keys if bare(texts.text(key, language)) not in bare(column(said))]
    assert keys and not missing and '…' not in said
    assert max(map(cell_len, said.splitlines())) <= columns


@pytest.mark.parametrize('word', main.TAKES)
def test_the_help_speaks_one_language(
    word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = helped(word, 'zh_TW', 80, tmp_path, capsys)
    assert not [phrase for phrase in (*ITS_OWN, 'Usage') if phrase in said]
    assert texts.text('help_usage', 'zh_TW', usage='').strip() in said


@pytest.mark.parametrize('language', texts.LANGUAGES)
@pytest.mark.parametrize('word', main.TAKES)
def test_the_help_names_no_types(
    word: str, language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = helped(word, language, 120, tmp_path, capsys)
    assert not TYPES.search(said) and '--help' in said


def test_chinese_fills_its_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = helped('download', 'zh_TW', 80, tmp_path, capsys)
    closing = [line for line in said.splitlines() if re.match(r'[│\s]*[，。、；：）」]', line)]
    assert closing == [], 'no line begins with what closes a sentence'
    assert any(cell_len(line.strip()) > 70 and '圖庫：模型' in line for line in said.splitlines())
