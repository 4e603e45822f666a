"""Data tests see no data folder or cache but their own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.delenv("BANDWISE_DATA", raising=False)
    monkeypatch.setenv("BANDWISE_CACHE", str(folder))
    return folder
