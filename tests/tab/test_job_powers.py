"""Who may have whole galleries kept, and who may say where."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.civitai_manager_libs import setting, widgets
from scripts.civitai_manager_libs.errors import SourceError
from tests.support.gradio_event import ELSEWHERE, HERE


@pytest.mark.parametrize(
    'asker, of_others, is_placed, may',
    [
        (HERE, False, False, True),
        (HERE, False, True, True),
        (ELSEWHERE, False, False, False),
        (ELSEWHERE, False, True, False),
        (ELSEWHERE, True, False, True),
        (ELSEWHERE, True, True, False),
    ],
)
def test_jobs_are_the_owners_unless_the_owner_says_otherwise(
    asker: Any, of_others: bool, is_placed: bool, may: bool
) -> None:
    setting.gallery_jobs_of_others = of_others
    if may:
        widgets.refuse_jobs(asker, is_placed)
    else:
        with pytest.raises(SourceError, match='account that runs it'):
            widgets.refuse_jobs(asker, is_placed)


def test_a_page_of_another_site_starts_nothing() -> None:
    setting.gallery_jobs_of_others = True
    HERE_BUT_ASKED = type(HERE)(client=HERE.client, headers={'sec-fetch-site': 'cross-site'})
    with pytest.raises(SourceError):
        widgets.refuse_jobs(HERE_BUT_ASKED)
