"""The pages in Traditional Chinese say what the English ones say, and keep in step with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.civitai_manager_libs import texts
from tests.support.pages import anchors, blocks, quoted_messages, read
from tests.support.paths import ROOT
from tests.support.translations import (
    LANGUAGE_LINE,
    SUFFIX,
    TRANSLATED,
    english_of,
    out_of_step,
    simplified,
    untranslated,
)

every_translation = pytest.mark.parametrize(
    'page', TRANSLATED, ids=[str(page.relative_to(ROOT)) for page in TRANSLATED]
)
EVERY_PAGE = {
    str(page.relative_to(ROOT)): (page, 'zh_TW' if page in TRANSLATED else 'en')
    for translated in TRANSLATED
    for page in (english_of(translated), translated)
}
every_page = pytest.mark.parametrize('page, language', EVERY_PAGE.values(), ids=EVERY_PAGE)


# -- the pages -------------------------------------------------------------------------------------


def test_what_a_new_user_reads_is_translated() -> None:
    names = {str(page.relative_to(ROOT)) for page in TRANSLATED}
    assert names >= {f'README{SUFFIX}', f'docs/user-guide{SUFFIX}'}


@every_translation
def test_a_translation_keeps_in_step_with_the_english_page(page: Path) -> None:
    told = out_of_step(read(english_of(page)), read(page), page)
    assert not told, '\n'.join(told)


@every_translation
def test_nothing_is_left_in_english(page: Path) -> None:
    assert not [f'{page.name}:{line}' for line in untranslated(read(page))]


@every_translation
def test_every_character_is_a_traditional_one(page: Path) -> None:
    assert not [f'{page.name}:{line}: {one}' for line, one in simplified(read(page))]


@every_page
def test_a_page_begins_with_a_link_to_itself_in_the_other_language(
    page: Path, language: str
) -> None:
    other = english_of(page) if language == 'zh_TW' else page.with_name(f'{page.stem}{SUFFIX}')
    assert blocks(read(page))[LANGUAGE_LINE].links == [other.name]


@every_page
def test_a_link_leads_to_a_file_and_a_heading_that_are_there(page: Path, language: str) -> None:
    for block in blocks(read(page)):
        for link in block.links:
            name, _, anchor = link.partition('#')
            if not name.startswith('https://'):
                target = page.parent / name if name else page
                assert target.is_file(), f'{page.name}:{block.line}: {link}'
                there = not anchor or anchor in anchors(read(target))
                assert there, f'{page.name}:{block.line}: {link}'


@every_page
def test_emphasis_is_drawn_and_not_shown_as_stars(page: Path, language: str) -> None:
    """`**` beside Chinese punctuation is easily not taken for emphasis."""
    found = blocks(read(page))
    assert not [f'{page.name}:{block.line}' for block in found if '*' in str(block.pieces)]


@every_page
def test_a_message_is_quoted_as_the_program_says_it(page: Path, language: str) -> None:
    said = [*texts.TABLES[language].values(), read(ROOT / 'civitai_gallery.py')]
    said = [re.sub(r'\{[^}]+\}', '…', sentence) for sentence in said]
    for line, quoted in quoted_messages(read(page)):
        literal = re.split(r' *\.\.\. *|\d{3}|requirements.txt', quoted)
        pattern = re.compile('.*'.join(map(re.escape, literal)))
        assert any(map(pattern.search, said)), f'{page.name}:{line}: {quoted}'


def test_the_chinese_sentences_of_the_program_are_traditional_too() -> None:
    table = texts.TABLES['zh_TW']
    assert not {key: found for key in table if (found := simplified(table[key]))}


# -- what is out of step is found ------------------------------------------------------------------

PAGE = ROOT / f'README{SUFFIX}'
ENGLISH = """# Gallery

[中文](README.zh-TW.md)

Keeps `--limit` pictures, at most 100. See [scale](docs/scale.md).

## Start here

    python civitai_gallery.py demo     # look around
    python civitai_gallery.py test

| Setting | Default | Range |
| --- | --- | --- |
| `rows` | `4` | 1 to 16 |
| `columns` | `6` | 1 to 12 |

- One item
- Another item
"""
TRANSLATION = """# Gallery

[English](README.md)

保存 `--limit` 張圖片，最多 100 張。見[擴充](docs/scale.md)。

## 從這裡開始

    python civitai_gallery.py demo     # 看看
    python civitai_gallery.py test

| 設定 | 預設 | 範圍 |
| --- | --- | --- |
| `rows` | `4` | 1 到 16 |
| `columns` | `6` | 1 到 12 |

- 一個項目
- 另一個項目
"""
ASTRAY = {
    'a heading of another level': ('## 從', '### 從', 'README.zh-TW.md:7'),
    'no heading': ('## 從這裡開始\n\n', '', 'README.md:7'),
    'a heading too many': ('| 設定', '## 設定\n\n| 設定', 'README.zh-TW.md:12'),
    'another command': ('.py test', '.py bench', 'README.zh-TW.md:10'),
    'a command too few': ('    python civitai_gallery.py test\n', '', 'README.md:10'),
    'another option': ('`--limit`', '`--level`', 'README.zh-TW.md:5'),
    'another number': ('最多 100', '最多 99', 'README.zh-TW.md:5'),
    'another link': ('docs/scale.md', 'docs/hosts.md', 'README.zh-TW.md:5'),
    'another setting': ('`rows`', '`row`', 'README.zh-TW.md:14'),
    'another default': ('`4`', '`5`', 'README.zh-TW.md:14'),
    'another range': ('到 12', '到 13', 'README.zh-TW.md:15'),
    'no row': ('| `rows` | `4` | 1 到 16 |\n', '', 'README.md:14'),
    'no item': ('- 另一個項目\n', '', 'README.md:18'),
    'a paragraph too many': ('\n- 一', '\n多的一段。\n\n- 一', 'README.zh-TW.md:17'),
}


def test_pages_in_step_are_found_to_be_so() -> None:
    assert not out_of_step(ENGLISH, TRANSLATION, PAGE)
    assert not untranslated(TRANSLATION) and not simplified(TRANSLATION)


@pytest.mark.parametrize('words, instead, place', ASTRAY.values(), ids=ASTRAY)
def test_the_line_that_is_out_of_step_is_named(words: str, instead: str, place: str) -> None:
    assert TRANSLATION.count(words) == 1
    told = out_of_step(ENGLISH, TRANSLATION.replace(words, instead), PAGE)
    assert len(told) == 1 and told[0].startswith(f'{place}:'), told


@pytest.mark.parametrize(
    'words, instead, line',
    [
        pytest.param('保存 `--limit` 張圖片', 'Keeps all of the `--limit` pictures', 5, id='half'),
        pytest.param('# 看看', '# look around', 9, id='a comment'),
        pytest.param('從這裡開始', 'Start', 7, id='a heading'),
        pytest.param('| 預設 |', '| Default |', 12, id='a cell'),
        pytest.param('- 另一個項目', '- Another item', 18, id='an item'),
    ],
)
def test_english_that_is_left_is_found(words: str, instead: str, line: int) -> None:
    assert untranslated(TRANSLATION.replace(words, instead)) == [line]


@pytest.mark.parametrize('one', '图设载这开时动')
def test_a_simplified_character_is_found(one: str) -> None:
    assert simplified(f'圖片\n下載{one}。') == [(2, one)]
