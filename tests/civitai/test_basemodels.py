"""Base models by the names that people give them."""

from __future__ import annotations

import pytest

from scripts.civitai_manager_libs.civitai import basemodels


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
