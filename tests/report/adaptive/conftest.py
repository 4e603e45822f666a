from __future__ import annotations

import pytest

from bandwise.report.adaptive import adaptive_summary
from bandwise.report.adaptive.summary import AdaptiveSummary

from .synthetic import adaptive_rows


@pytest.fixture(scope="session")
def summary() -> AdaptiveSummary:
    return adaptive_summary(adaptive_rows())
