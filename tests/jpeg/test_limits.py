"""Limits are checked when they are made."""

from typing import Any

import pytest

from bandwise.errors import ConfigurationError
from bandwise.images import MAX_PIXELS
from bandwise.jpeg import Limits


@pytest.mark.parametrize(
    "setting", [{"max_pixels": 0}, {"max_scans": -1}, {"max_memory_bytes": 2**31}]
)
def test_limits_out_of_range_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(setting))):
        Limits(**setting)


def test_defaults_are_those_that_are_documented() -> None:
    limits = Limits()
    assert (limits.max_pixels, limits.max_bytes) == (MAX_PIXELS, 256 * 2**20)
    assert (limits.max_scans, limits.max_memory_bytes) == (100, 2**30)
