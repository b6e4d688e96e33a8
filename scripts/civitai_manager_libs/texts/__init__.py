"""Every sentence a person reads, with a module for each language. Stands on nothing.

en      English
zh_tw   Traditional Chinese
"""

from __future__ import annotations

from typing import Iterable, Mapping

from .en import ENGLISH
from .zh_tw import TRADITIONAL_CHINESE

DEFAULT_LANGUAGE = 'en'

TABLES: Mapping[str, Mapping[str, str]] = {
    'en': ENGLISH,
    'zh_TW': TRADITIONAL_CHINESE,
}

LANGUAGES = tuple(TABLES)

# Stands for the language of the program around us, which is `around`; `setting` says which that is.
AUTO = 'auto'
CHOICES = (AUTO, *LANGUAGES)
around = DEFAULT_LANGUAGE

# What others call Traditional Chinese begins with one of these.
_TRADITIONAL = ('zh-tw', 'zh-hant', 'zh-hk', 'zh-mo')


def named(name: str) -> str:
    """Return the language of ours that others call `name`, English if there is none."""
    return 'zh_TW' if name.lower().replace('_', '-').startswith(_TRADITIONAL) else DEFAULT_LANGUAGE


def spoken(language: str) -> str:
    """Return the language that `text` speaks for `language`: one that there is."""
    language = around if language == AUTO else language
    return language if language in TABLES else DEFAULT_LANGUAGE


def tag(language: str) -> str:
    """Return what HTML calls the language that `text` speaks for `language`."""
    return spoken(language).replace('_', '-')


def sentences(told: Iterable[str], language: str = DEFAULT_LANGUAGE) -> str:
    """Return sentences, but for empty ones, in a row: in Chinese no space stands between them."""
    return ('' if spoken(language) == 'zh_TW' else ' ').join(filter(None, told))


def listed(names: Iterable[str], language: str = DEFAULT_LANGUAGE) -> str:
    """Return names with the commas of `language` between them."""
    return ('、' if spoken(language) == 'zh_TW' else ', ').join(names)


def text(key: str, language: str = DEFAULT_LANGUAGE, **values: object) -> str:
    """Return the sentence `key` in `language`, its `{names}` filled from `values`.

    Halves of characters (lone surrogates), which nothing can show, are ? in it.
    AUTO is the language of the program around us. An unknown one falls back to English; an unknown
    key raises KeyError.
    """
    return TABLES[spoken(language)][key].format(**values).encode('utf-8', 'replace').decode('utf-8')
