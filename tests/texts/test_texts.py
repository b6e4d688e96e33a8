"""The sentences a person reads, the same in every language."""

import re
import string

import pytest

from scripts.civitai_manager_libs import setting, texts
from tests.support.pages import read
from tests.support.translations import TRANSLATED

ENGLISH = texts.TABLES['en']
every_language = pytest.mark.parametrize('language', texts.LANGUAGES)


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_english_and_traditional_chinese_are_there() -> None:
    assert set(texts.LANGUAGES) == {'en', 'zh_TW'}
    assert texts.DEFAULT_LANGUAGE in texts.LANGUAGES


@every_language
def test_every_language_has_every_sentence(language: str) -> None:
    assert texts.TABLES[language].keys() == ENGLISH.keys()


@every_language
def test_a_sentence_has_the_same_fields_in_every_language(language: str) -> None:
    table = texts.TABLES[language]
    differing = {key for key in ENGLISH if fields(table[key]) != fields(ENGLISH[key])}
    assert not differing


@every_language
def test_no_sentence_is_empty_or_has_loose_ends(language: str) -> None:
    table = texts.TABLES[language]
    odd = {key for key, words in table.items() if not words.strip() or words != words.strip()}
    assert not odd


@every_language
def test_every_sentence_can_be_filled(language: str) -> None:
    for key, sentence in texts.TABLES[language].items():
        filled = texts.text(key, language, **{name: f'<{name}>' for name in fields(sentence)})
        assert all(f'<{name}>' in filled for name in fields(sentence)), key


def test_the_chinese_table_is_translated() -> None:
    chinese = texts.TABLES['zh_TW']
    assert not {key for key in ENGLISH if chinese[key].isascii()}


# what Taiwan calls otherwise, and the second word for what the head of zh_tw.py has one for
NOT_OURS = (
    '保存 此電腦 視頻 默認 文件夾 加載 質量 服務器 網絡 緩存 內存 鏈接 登錄 打印 屏幕 鼠標 軟件 硬盤 '
    '信息 設置 菜單 刷新 字符 視圖 搜索 兼容 賬 帳戶'
).split()


def chinese_lines() -> dict[str, str]:
    lines = dict(texts.TABLES['zh_TW'])
    for page in TRANSLATED:
        told = re.sub(r'(?m)^    .*$', '', read(page))  # what programs print
        lines |= {f'{page.name}:{n}': line for n, line in enumerate(told.splitlines(), 1)}
    return lines


def test_chinese_has_one_word_for_one_thing_and_it_is_that_of_taiwan() -> None:
    assert not {
        key: word for key, line in chinese_lines().items() for word in NOT_OURS if word in line
    }


def test_chinese_has_full_width_marks_and_a_space_beside_latin_words() -> None:
    han = '[\u3400-\u9fff]'
    slips = re.compile(
        rf'{han} ?[,;?!](?!\S*://)|{han} \(|[,;?!)] ?{han}|{han}\.(?![\w.])'
        rf'|{han}[A-Za-z0-9{{`]|[A-Za-z0-9}}]{han}|{han} {han}'
    )
    found = {}
    for key, line in chinese_lines().items():
        line = re.sub(r'`[^`]*`|\]\([^)]*\)|https?://\S+|socks5h?://\S+', '·', line)
        if slip := slips.search(line.replace('{why}執行', '{why} 執行')):
            found[key] = slip.group()
    assert not found


@every_language
def test_every_setting_has_a_label_and_a_help(language: str) -> None:
    for item in setting.SETTINGS:
        assert texts.text(f'setting_{item.name}', language)
        assert texts.text(f'setting_{item.name}_help', language)


def test_the_progress_message_in_chinese_is_the_agreed_one() -> None:
    assert texts.text('progress_picture', 'zh_TW', done=3, total=20) == '下載圖片 3/20'


@pytest.mark.parametrize('language', ['', 'de', 'zh', 'zh_tw', 'EN', '../en'])
def test_an_unknown_language_falls_back_to_english(language: str) -> None:
    assert texts.text('load', language) == ENGLISH['load']


@pytest.mark.parametrize(
    ('name', 'ours'),
    [
        ('zh_TW', 'zh_TW'),
        ('zh-Hant_Stable', 'zh_TW'),
        ('zh-HK', 'zh_TW'),
        ('zh_CN', 'en'),
        ('zh-Hans_Stable', 'en'),
        ('ja_JP', 'en'),
        ('None', 'en'),
        ('', 'en'),
    ],
)
def test_the_language_of_the_program_around_can_be_followed(
    monkeypatch: pytest.MonkeyPatch, name: str, ours: str
) -> None:
    monkeypatch.setattr(texts, 'around', texts.named(name))
    assert texts.text('load', texts.AUTO) == texts.TABLES[ours]['load']
    assert texts.text('load', 'zh_TW') == texts.TABLES['zh_TW']['load']


@pytest.mark.parametrize(
    ('language', 'row', 'names'),
    [('en', 'One. Two.', 'a, b'), ('zh_TW', 'One.Two.', 'a、b'), ('klingon', 'One. Two.', 'a, b')],
)
def test_sentences_and_names_stand_as_their_language_has_them(
    language: str, row: str, names: str
) -> None:
    assert texts.sentences(['One.', '', 'Two.'], language) == row
    assert texts.listed(['a', 'b'], language) == names


def test_html_calls_a_language_by_its_own_name() -> None:
    assert [texts.tag(name) for name in ('en', 'zh_TW', texts.AUTO, 'klingon')] == [
        'en',
        'zh-TW',
        'en',
        'en',
    ]


def test_values_are_filled_in_as_they_are() -> None:
    sentence = texts.text('cli_page_done', saved='{0}', skipped='{x}', failed='%s', folder='{')
    assert '{0} saved, {x} there already, %s failed, in {' in sentence


def test_an_unknown_sentence_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        texts.text('no_such_sentence')
