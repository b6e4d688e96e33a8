"""The average colour that a blurhash tells."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.civitai_manager_libs.civitai import blurhash


@pytest.mark.parametrize(
    ('text', 'colour'),
    [
        ('LEHV6nWB2yk8pyo0adR*.7kCMdnj', '#979695'),  # the example of the algorithm's page
        ('000000', '#000000'),
        ('00TSUA', '#ffffff'),
    ],
)
def test_the_average_is_read(text: str, colour: str) -> None:
    assert blurhash.average(text) == colour


@pytest.mark.parametrize(
    'text',
    [None, '', 'LEHV6', 7, [], {}, 'LE"><i', 'LE   n', 'LEé6nW', 'LE~~~~', '\0' * 9],
    ids=repr,
)
def test_what_is_no_blurhash_has_no_colour(text: Any) -> None:
    assert blurhash.average(text) == ''
