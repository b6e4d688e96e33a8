"""What the tests of downloads stand on: notes of what was fetched as it is, of each test's own."""

import pytest

from scripts.civitai_manager_libs import setting


@pytest.fixture(autouse=True)
def own_notes(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data folder is not that of the other tests."""
    monkeypatch.setattr(setting, 'data_folder', str(tmp_path_factory.mktemp('home')))
