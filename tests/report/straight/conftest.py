from __future__ import annotations

import pytest

from bandwise.report.straight import straight_summary
from bandwise.report.straight.summary import StraightSummary

from .synthetic import straight_rows


@pytest.fixture(scope="session")
def summary() -> StraightSummary:
    return straight_summary(straight_rows())
