"""Errors: what each says to a person, and which status is which."""

from __future__ import annotations

import copy
import errno
import os
import pickle
import re
from pathlib import Path
from typing import Iterator

import pytest

from scripts.civitai_manager_libs import errors, texts
from scripts.civitai_manager_libs.errors import CivitaiError, StorageError
from scripts.civitai_manager_libs.store import files


def descendants(kind: type[CivitaiError]) -> Iterator[type[CivitaiError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from descendants(child)


EVERY_KIND = list(descendants(CivitaiError))
VALUES = dict.fromkeys(
    'host folder reason given name names username path limit width height tab value known one '
    'other count most version owner model link'.split(),
    'x',
)
ERROR_KEYS = sorted(
    key for key in texts.TABLES['en'] if re.match(r'error_(?!with_detail)|source_(?!place)', key)
)


def made(kind: type[CivitaiError], key: str = '', **more: object) -> CivitaiError:
    """An error of that kind with a value for every gap its sentence may have."""
    return kind(key, status=503, **{**VALUES, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize('language', texts.LANGUAGES)
@pytest.mark.parametrize('kind', EVERY_KIND, ids=lambda kind: kind.__name__)
def test_every_kind_has_a_sentence(kind: type[CivitaiError], language: str) -> None:
    sentence = made(kind).message_in(language)
    assert sentence and '{' not in sentence and sentence[-1] in '.。'


@pytest.mark.parametrize('key', ERROR_KEYS)
def test_every_sentence_fits_its_values_in_every_language(key: str) -> None:
    sentences = [made(CivitaiError, key).message_in(language) for language in texts.LANGUAGES]
    assert len(set(sentences)) == len(texts.LANGUAGES)
    assert not [sentence for sentence in sentences if '{' in sentence]


def test_an_unknown_language_is_english() -> None:
    assert made(CivitaiError).message_in('tlh') == made(CivitaiError).user_message


def test_the_sites_words_follow_the_sentence() -> None:
    error = errors.error_for_status(404, detail='No model with id {999}')
    assert error.user_message.startswith('Civitai does not know this (404)')
    assert error.user_message.endswith('(Civitai says: No model with id {999})')
    assert 'No model with id {999}' in error.message_in('zh_TW')
    assert str(error) == error.user_message


STATUSES = [
    (400, errors.BadRequestError, False),
    (401, errors.KeyNeededError, False),
    (403, errors.ForbiddenError, False),
    (404, errors.NotFoundError, False),
    (405, errors.BadRequestError, False),
    (410, errors.GoneError, False),
    (416, errors.BadRequestError, False),
    (429, errors.RateLimitedError, True),
    (451, errors.RegionBlockedError, False),
    (499, errors.BadRequestError, False),
    (501, errors.BadRequestError, False),
    *((status, errors.ServerBusyError, True) for status in (500, 502, 503, 504)),
    *((status, errors.ServerBusyError, True) for status in (520, 521, 522, 523, 524)),
    *((status, errors.ServerBusyError, True) for status in (408, 421, 425, 507)),
    *((status, errors.ServerBusyError, True) for status in (525, 526, 527, 529, 530)),
    *((status, errors.BadRequestError, False) for status in (406, 409, 422, 505, 511, 528)),
]


@pytest.mark.parametrize(('status', 'kind', 'transient'), STATUSES)
def test_what_a_status_means(status: int, kind: type[CivitaiError], transient: bool) -> None:
    error = errors.error_for_status(status, url='u', retry_after=3.0, detail='words')
    assert type(error) is kind and error.transient is transient
    assert (error.status, error.url, error.retry_after, error.detail) == (status, 'u', 3.0, 'words')
    assert str(status) in error.user_message


def test_a_login_for_the_proxy_is_none_for_the_site() -> None:
    error = errors.error_for_status(407, url='u', detail='words of the proxy')
    assert type(error) is errors.ProxyLoginError and not error.transient
    assert (error.status, error.url) == (407, 'u')
    assert '407' in error.user_message and 'http_proxy' in error.user_message
    assert 'Civitai' not in error.user_message


@pytest.mark.parametrize('kind', EVERY_KIND, ids=lambda kind: kind.__name__)
def test_an_error_can_be_copied_and_pickled(kind: type[CivitaiError]) -> None:
    error = made(kind, url='u', retry_after=1.5, detail='words')
    for twin in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is kind and vars(twin) == vars(error)
        assert str(twin) == str(error) and twin.message_in('zh_TW') == error.message_in('zh_TW')


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = re.findall(r'^( *)(\w+Error)\b', errors.__doc__ or '', re.MULTILINE)
    parents: dict[int, str] = {}
    for indent, name in drawn:
        parents[len(indent)] = name
        kind = getattr(errors, name)
        expected = parents[len(indent) - 4] if indent else 'Exception'
        assert kind.__bases__[0].__name__ == expected
    assert sorted(name for _, name in drawn) == sorted(kind.__name__ for kind in EVERY_KIND)


SYSTEM = [getattr(errno, name) for name in ('ENOENT', 'ENOTDIR', 'EIO', 'ELOOP', 'ENAMETOOLONG')]


@pytest.mark.parametrize(
    'error',
    [
        *(OSError(number, os.strerror(number)) for number in SYSTEM),
        ValueError('embedded null byte'),
    ],
    ids=repr,
)
def test_what_the_system_says_is_told_in_the_language_of_the_reader(
    error: Exception, tmp_path: Path
) -> None:
    with pytest.raises(StorageError) as caught, files.explained(tmp_path):
        raise error
    told = caught.value.message_in('zh_TW').replace(str(tmp_path), '')
    assert not re.findall('[A-Za-z]{3,}', told)
