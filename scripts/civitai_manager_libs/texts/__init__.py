"""Every sentence a person reads, with a module for each language. Stands on nothing.

en      English
zh_tw   Traditional Chinese
"""

from __future__ import annotations

from typing import Mapping

from .en import ENGLISH
from .zh_tw import TRADITIONAL_CHINESE

DEFAULT_LANGUAGE = 'en'

TABLES: Mapping[str, Mapping[str, str]] = {
    'en': ENGLISH,
    'zh_TW': TRADITIONAL_CHINESE,
}

LANGUAGES = tuple(TABLES)


def text(key: str, language: str = DEFAULT_LANGUAGE, **values: object) -> str:
    """Return the sentence `key` in `language`, its `{names}` filled from `values`.

    Halves of characters (lone surrogates), which nothing can show, are ? in it.
    An unknown language falls back to English; an unknown key raises KeyError.
    """
    table = TABLES.get(language, ENGLISH)
    return table[key].format(**values).encode('utf-8', 'replace').decode('utf-8')
