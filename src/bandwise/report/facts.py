"""What an experiment was run on and with, as its first row says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bandwise.report.fields import Fields


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was run, on what, with what; mappings are shown as they are."""

    recipe: str
    created: str
    dataset_name: str
    dataset: Mapping[str, Any]
    settings: Mapping[str, Any]
    versions: Mapping[str, Any]
    machine: Mapping[str, Any]


def facts_of(row: Fields) -> Facts:
    """Check the row "experiment" and give it types."""
    dataset = row.child("dataset")
    return Facts(
        recipe=row.text("recipe"),
        created=row.text("created"),
        dataset_name=dataset.text("name"),
        dataset=dataset.row,
        settings=row.mapping("settings"),
        versions=row.mapping("versions"),
        machine=row.mapping("machine"),
    )
