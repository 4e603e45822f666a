from __future__ import annotations

import pytest

from bandwise.report.rate_accuracy.records import RateRecords, parse_rate_records
from bandwise.report.rate_accuracy.summary import RateSummary

from .synthetic import rate_rows


@pytest.fixture(scope="session")
def records() -> RateRecords:
    return parse_rate_records(rate_rows())


@pytest.fixture(scope="session")
def summary(records: RateRecords) -> RateSummary:
    return RateSummary(records, "resnet")
