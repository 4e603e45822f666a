"""Numbers and names as sentences have them."""

from __future__ import annotations

from collections.abc import Collection


def quantity(count: float, noun: str) -> str:
    """Count things: ``1 seed``, ``3 seeds``, ``0.5 points``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def bound_in_words(bound: float) -> str:
    """Percentage points: ``0.5 points``, ``1 point``."""
    return f"{bound:g} {'point' if bound == 1 else 'points'}"


def setting_in_words(family: str, label: str) -> str:
    """Family and label, the family once: ``libjpeg 4:2:0 smallest q12``, ``sensitivity 1e-06``."""
    return label if label.startswith(family) else f"{family} {label}"


def alternatives(names: str | Collection[str]) -> str:
    """Names in order, as alternatives: ``jpegli or webp``."""
    return names if isinstance(names, str) else " or ".join(sorted(names))
