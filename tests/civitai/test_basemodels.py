"""Base models by the names that people give them."""

from __future__ import annotations

import pytest

from scripts.civitai_manager_libs.civitai import basemodels, spelling


@pytest.mark.parametrize(
    'given, exact',
    [
        ('sdxl 1.0', 'SDXL 1.0'),
        ('SDXL1.0', 'SDXL 1.0'),
        ('sdxl-1.0', 'SDXL 1.0'),
        ('PONY', 'Pony'),
        ('flux.2_klein_9b-base', 'Flux.2 Klein 9B-base'),
        ('Flux.2 Klein 9B', 'Flux.2 Klein 9B'),
        ('Something New 9', 'Something New 9'),
        ('', ''),
    ],
)
def test_a_name_is_known_in_any_spelling(given: str, exact: str) -> None:
    assert basemodels.exact_name(given) == exact
    assert basemodels.is_known(given) is (exact not in ('', 'Something New 9'))


@pytest.mark.parametrize('given', ['SDXL 1.1', 'x', '', '界', 'a' * 500])
def test_the_nearest_names_are_a_few_exact_ones(given: str) -> None:
    near = spelling.nearest(given, basemodels.names())
    assert len(near) == len(set(near)) == 3
    assert all(basemodels.exact_name(name) == name for name in near)


@pytest.mark.parametrize(
    'given, near',
    [('SDXL 1.1', 'SDXL 1.0'), ('sdlx', 'SDXL'), ('ilustrious', 'Illustrious'), ('sd15', 'SD 1.5')],
)
def test_the_nearest_is_the_one_that_was_meant(given: str, near: str) -> None:
    assert spelling.nearest(given, basemodels.names())[0].startswith(near)
