"""Limits are checked when they are made."""

from typing import Any

import pytest

from bandwise.errors import ConfigurationError
from bandwise.jpeg import Limits


@pytest.mark.parametrize(
    "setting", [{"max_pixels": 0}, {"max_scans": -1}, {"max_memory_bytes": 2**31}]
)
def test_limits_out_of_range_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(setting))):
        Limits(**setting)
