"""Synthetic rows of tables chosen for each image: numbers that can be worked out by hand.

Every way of choosing has the same rungs, decisions and divergences; its files are those of one
table times a factor, so that it saves 1 − factor at every bound and at equal divergence.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from bandwise.tables import TableSet

from ..rate_accuracy.synthetic import experiment_row

Row = dict[str, Any]

PREFIX = "bandwise adaptive: "
IMAGES, RIGHT, SIDE = 100, 80, 128
LABELS = ("1e-07", "1e-06", "1e-05", "0.0001", "0.001")
SIZES = (10_000, 8_000, 6_400, 5_120, 4_096)
"""Mean bytes of the rungs."""

LOST = (0, 0, 1, 3, 10)
"""Images of 100 that the originals have right and the rungs have not."""

FACTORS = {
    "one table": (1.0, 1.0, 1.0),
    "scale": (1.05, 1.05, 1.05),
    "rate": (0.90, 0.91, 0.92),
    "codebook of 2": (0.98, 0.99, 0.97),
    "codebook of 2 + rate": (0.84, 0.83, 0.82),
}
"""By seed."""

BOUNDS = {"bandwise guided": 0.6, "oracle": 0.5}
POLICIES = ("rate", "scale", "codebook of 2 + rate")


def adaptive_rows(
    *,
    seeds: Sequence[int] = (0, 1, 2),
    factors: Mapping[str, Sequence[float]] | None = None,
    bounds: Mapping[str, float] | None = None,
    lost_on_test: Sequence[int] = LOST,
    examples: int = 2,
) -> list[Row]:
    """Rows as the recipe writes them; ``examples`` is the number of images at each end."""
    factors = FACTORS if factors is None else factors
    rows = [experiment_row(IMAGES)]
    for seed in seeds:
        for split, lost in (("validation", LOST), ("test", lost_on_test)):
            rows.append(original_row(split, seed))
            rows += [
                point_row(f"{PREFIX}{part}", rung, split, seed, factor[seed], lost[rung])
                for part, factor in factors.items()
                for rung in range(len(SIZES))
            ]
            if seed == seeds[0]:
                rows += [
                    point_row(name, rung, split, seed, factor, lost[rung])
                    for name, factor in (BOUNDS if bounds is None else bounds).items()
                    for rung in range(len(SIZES))
                ]
        for part in factors:
            if part != "one table":
                rows.append(codebook_row(part, seed))
        rows += [
            choices_row(part, label, split, seed)
            for part in POLICIES
            if part in factors
            for label in LABELS
            for split in ("validation", "test")
        ]
    for index in range(examples):
        rows += [*example_rows(3 * index), *example_rows(3 * index + 2)]
    return rows


def original_row(split: str, seed: int) -> Row:
    return {
        **_conditions("original", "original", "original", split, seed),
        "bytes": None,
        "payload_bytes": None,
        "estimated_payload_bytes": None,
        "accuracy": RIGHT / IMAGES,
        "agreement": 1.0,
        "divergence": 0.0,
        "image_bytes": None,
        "image_correct": _decisions(0),
    }


def point_row(family: str, rung: int, split: str, seed: int, factor: float, lost: int) -> Row:
    codec = "bandwise adaptive" if family.startswith(PREFIX) else family
    spread = 1 + 0.5 * np.linspace(-1, 1, IMAGES)
    sizes = np.rint(factor * SIZES[rung] * spread).astype(int)
    return {
        **_conditions(codec, family, LABELS[rung], split, seed),
        "bytes": int(sizes.sum()),
        "payload_bytes": None,
        "estimated_payload_bytes": None,
        "accuracy": (RIGHT - lost) / IMAGES,
        "agreement": 1 - lost / IMAGES,
        "divergence": 0.001 * 2**rung,
        "image_bytes": sizes.tolist(),
        "image_correct": _decisions(lost),
    }


def codebook_row(part: str, seed: int) -> Row:
    kinds = 2 if part.startswith("codebook") else 1
    ladders = [
        [TableSet.ijg(50 - 10 * rung + 5 * kind).to_json() for rung in range(len(SIZES))]
        for kind in range(kinds)
    ]
    return {
        "record": "codebook",
        "family": f"{PREFIX}{part}",
        "seed": seed,
        "codebook": ladders,
        "slopes": [float(label) for label in LABELS],
        "multiplications": 300_000 + kinds,
        "seconds": 20.0 + seed,
        "kinds": [150, 50] if kinds == 2 else [200],
        "edges": "what a later version may add",
    }


def bands_row(seed: int) -> Row:
    """Tables of three bands whose second edge moves down as bits get dearer."""
    rings = [
        {
            name: {"edges": [0.1, 0.6 - 0.1 * rung + 0.02 * seed], "exponent": 1.0 + rung}
            for name in ("luma", "chroma")
        }
        for rung in range(len(SIZES))
    ]
    return {**codebook_row("3 bands, edges", seed), "rings": rings}


def choices_row(part: str, label: str, split: str, seed: int) -> Row:
    """A third of the images each on the price's own rung and those beside it."""
    middle = LABELS.index(label)
    rungs = [min(max(middle + image % 3 - 1, 0), 4) for image in range(IMAGES)]
    return {
        "record": "choices",
        "codec": "bandwise adaptive",
        "family": f"{PREFIX}{part}",
        "label": label,
        "split": split,
        "seed": seed,
        "ladders": [0] * IMAGES,
        "rungs": rungs,
    }


def example_rows(index: int) -> list[Row]:
    """An image and its file at the middle price; indices 0, 3, 6 are on a low rung."""
    image = Image.new("RGB", (16, 16), (10 * index, 120, 200))
    rows = []
    for codec, family, label, kind in (
        ("original", "original", "original", "PNG"),
        ("bandwise adaptive", f"{PREFIX}rate", LABELS[2], "JPEG"),
    ):
        stream = io.BytesIO()
        image.save(stream, kind)
        rows.append(
            {
                "record": "example",
                "index": index,
                "label": "hat" if index % 3 else "dress",
                "codec": codec,
                "family": family,
                "setting_label": label,
                "size_bytes": 900 + index,
                "correct": index != 2,
                f"{kind.lower()}_base64": base64.b64encode(stream.getvalue()).decode(),
            }
        )
    return rows


def _conditions(codec: str, family: str, label: str, split: str, seed: int) -> Row:
    return {
        "record": "point",
        "codec": codec,
        "family": family,
        "setting": {},
        "label": label,
        "split": split,
        "protocol": "frozen",
        "network": "resnet",
        "seed": seed,
        "images": IMAGES,
        "pixels": IMAGES * SIDE * SIDE,
    }


def _decisions(lost: int) -> str:
    right = RIGHT - lost
    return "1" * right + "0" * (IMAGES - right)
