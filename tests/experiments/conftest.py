"""The few digits that experiments run on."""

from tests.learning.digits import few_digits

__all__ = ["few_digits"]
