"""Synthetic rate-accuracy results: the layout of real ones, with invented numbers from a seed.

An image is recognised while its margin exceeds the noise of compression, whose size follows a
power law in bytes: with that, accuracy saturates and divergence falls as they do on real files.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

Row = dict[str, Any]

SIDE = 128
HEADER_BYTES = 610
RATES = tuple(round(650 * 1.25**step) for step in range(15))
"""Mean bytes an image of the settings of every codec, before its own factor."""

FRACTION_NEEDED = {
    "libjpeg 4:2:0 baseline": 1.0,
    "libjpeg 4:2:0 progressive": 0.96,
    "libjpeg 4:4:4 progressive": 1.1,
    "mozjpeg 4:2:0": 0.9,
    "webp": 0.7,
    "avif": 0.58,
    "jpeg-xl": 0.62,
    "jpegli 4:4:4": 0.95,
    "downscale 3/4": 0.85,
    "sensitivity": 0.66,
    "sensitivity rdo": 0.58,
    "gradient": 0.62,
    "gradient rdo": 0.55,
}
"""Bytes for the same accuracy, relative to libjpeg 4:2:0 baseline."""

CODEC_OF = {
    "libjpeg 4:2:0 baseline": "libjpeg",
    "libjpeg 4:2:0 progressive": "libjpeg",
    "libjpeg 4:4:4 progressive": "libjpeg",
    "mozjpeg 4:2:0": "mozjpeg",
    "webp": "webp",
    "avif": "avif",
    "jpeg-xl": "jpeg-xl",
    "jpegli 4:4:4": "jpegli",
    "downscale 3/4": "downscale",
}

FEW = ("libjpeg 4:2:0 baseline", "libjpeg 4:2:0 progressive", "webp", "sensitivity rdo")


@dataclass(frozen=True)
class Images:
    """Invented images of a split: how surely each is recognised, and how large it becomes."""

    margins: Any
    sizes: Any
    noise: Any


def rate_rows(
    *,
    families: Sequence[str] = tuple(FRACTION_NEEDED),
    retrained: Sequence[str] = ("libjpeg 4:2:0 progressive", "sensitivity rdo"),
    transfer: bool = True,
    examples: int = 3,
    profiles: bool = True,
    images: int = 372,
    seed: int = 0,
) -> list[Row]:
    """Rows as an evaluation writes them."""
    generator = np.random.default_rng(seed)
    rows: list[Row] = [experiment_row(images)]
    splits = {
        name: _images(count, generator)
        for name, count in (("validation", images - 31), ("test", images))
    }
    networks = {"resnet": 1.0, **({"plain-cnn": 1.25} if transfer else {})}
    for network, fragility in networks.items():
        for split, shown in splits.items():
            rows += _frozen_rows(families, network, fragility, split, shown)
    for seed_of_run in range(3) if retrained else ():
        shown = splits["test"]
        rows.append(_original_row("resnet", "test", shown, protocol="retrained", seed=seed_of_run))
        for family in retrained:
            rows += [
                _point_row(
                    family,
                    rate,
                    "resnet",
                    0.55,
                    "test",
                    shown,
                    protocol="retrained",
                    seed=seed_of_run,
                )
                for rate in RATES[1:8:2]
            ]
    learned = [family for family in families if family not in CODEC_OF]
    if profiles:
        rows += [_profile_row(family, rate, generator) for family in learned for rate in RATES]
        rows += [
            {
                "record": "learning",
                "family": family,
                "network": "resnet",
                "seconds": 74.2 if family.startswith("sensitivity") else 611.0,
                "images": 3068,
                "settings": {"noise": "uniform", "steps": 400},
            }
            for family in learned
        ]
    for index in range(examples):
        rows += _example_rows(index, families, generator)
    return rows


def experiment_row(images: int = 372) -> Row:
    return {
        "record": "experiment",
        "schema": 1,
        "recipe": "evaluate",
        "created": "2026-01-02T03:04:05Z",
        "dataset": {
            "name": "clothes",
            "source": "invented for the tests",
            "sha256": "ab" * 32,
            "classes": ["dress", "hat", "shoes", "t-shirt"],
            "image_shape": [3, SIDE, SIDE],
            "train": 3068,
            "validation": images - 31,
            "test": images,
        },
        "settings": {"network": "resnet", "bound": 1.0},
        "versions": {"bandwise": "0.1.0", "python": "3.11.7", "pillow": "12.0.0"},
        "machine": {"processor": "Example CPU", "cores": 2, "memory_bytes": 25_769_803_776},
    }


def _images(count: int, generator: np.random.Generator) -> Images:
    return Images(
        margins=generator.normal(1.15, 1.0, count),
        sizes=generator.lognormal(-0.045, 0.3, count),
        noise=generator.normal(0, 1, count),
    )


def _frozen_rows(
    families: Sequence[str], network: str, fragility: float, split: str, shown: Images
) -> list[Row]:
    rows = [_original_row(network, split, shown)]
    for family in families:
        rows += [_point_row(family, rate, network, fragility, split, shown) for rate in RATES]
    return rows


def _original_row(
    network: str, split: str, shown: Images, *, protocol: str = "frozen", seed: int = 0
) -> Row:
    correct = shown.margins + 0.03 * seed > 0
    return _row(
        {"codec": "original", "family": "original", "setting": {}, "label": "original"},
        {"network": network, "split": split, "protocol": protocol, "seed": seed},
        {"bytes": None, "payload_bytes": None, "estimated_payload_bytes": None},
        {"divergence": 0.0, "agreement": 1.0, "image_bytes": None},
        correct,
    )


def _point_row(
    family: str,
    rate: int,
    network: str,
    fragility: float,
    split: str,
    shown: Images,
    *,
    protocol: str = "frozen",
    seed: int = 0,
) -> Row:
    codec = CODEC_OF.get(family, "bandwise")
    order = RATES.index(rate)
    shift = 0.93 + 0.02 * list(FRACTION_NEEDED).index(family)
    mean_bytes = rate * shift * (0.62 if codec in ("avif", "webp") else 1.0) + 120
    factor = FRACTION_NEEDED[family] * (1.12 if network != "resnet" and codec == "bandwise" else 1)
    divergence = fragility * 0.9 * (1100 * factor / mean_bytes) ** 1.9
    # The noise of an image changes a little from setting to setting.
    wobble = np.roll(shown.noise, 7 * order + len(family) + seed)
    noise = math.sqrt(1.6 * divergence) * (0.9 * shown.noise + 0.43 * wobble)
    correct = shown.margins + 0.03 * seed + noise - 0.4 * divergence > 0
    own = np.exp(0.12 * np.roll(shown.noise, 3 * len(family)))
    image_bytes = np.maximum(np.rint(mean_bytes * shown.sizes * own), 60).astype(int)
    total = int(image_bytes.sum())
    payload = (
        total - HEADER_BYTES * len(image_bytes)
        if total > 2 * HEADER_BYTES * len(image_bytes)
        else round(0.3 * total)
    )
    is_jpeg = codec in ("bandwise", "libjpeg", "mozjpeg", "jpegli")
    bias = 0.03 * math.sin(order + len(family)) + (0.04 if order == 0 else 0)
    estimate = round(payload * (1 + bias))
    quality = 10 + 6 * order
    label = f"λ{2.0**-order:.2g}" if codec == "bandwise" else f"q{quality}"
    return _row(
        {
            "codec": codec,
            "family": family,
            "setting": {"quality": quality, "subsampling": "4:2:0"} if is_jpeg else {},
            "label": label,
        },
        {"network": network, "split": split, "protocol": protocol, "seed": seed},
        {
            "bytes": total,
            "payload_bytes": payload if is_jpeg else None,
            "estimated_payload_bytes": estimate if codec == "bandwise" else None,
        },
        {
            "divergence": divergence,
            "agreement": 1 - min(0.5 * divergence, 0.9),
            "image_bytes": image_bytes.tolist(),
        },
        correct,
    )


def _row(*parts: Mapping[str, Any]) -> Row:
    *fields, correct = parts
    merged: Row = {"record": "point"}
    for part in fields:
        merged |= part
    decisions = np.asarray(correct)
    return merged | {
        "images": len(decisions),
        "pixels": len(decisions) * SIDE * SIDE,
        "accuracy": float(decisions.mean()),
        "image_correct": "".join("1" if right else "0" for right in decisions),
    }


def _profile_row(family: str, rate: int, generator: np.random.Generator) -> Row:
    order = RATES.index(rate)
    down, across = np.mgrid[0:8, 0:8]
    steepness = np.exp(0.25 * np.hypot(down, across)) * generator.lognormal(0, 0.15, (8, 8))
    base = np.clip(np.rint(30 * 0.75**order * steepness), 1, 255).astype(int).tolist()
    importance = (np.exp(-0.55 * np.hypot(down, across)) * 1e-3).tolist()
    return {
        "record": "profile",
        "name": f"{family} {order}",
        "family": family,
        "label": f"λ{2.0**-order:.2g}",
        "network": "resnet",
        "tables": {"luma": base, "chroma": base},
        "subsampling": "4:2:0",
        "importance": {"luma": importance, "cb": importance, "cr": importance},
    }


def _example_rows(index: int, families: Sequence[str], generator: np.random.Generator) -> list[Row]:
    down, across = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    ring = np.exp(-(((np.hypot(down, across * (1 + 0.3 * index)) - 0.55) / 0.18) ** 2))
    tint = generator.uniform(0.4, 1.0, 3)
    image = Image.fromarray((255 * ring[..., None] * tint).astype(np.uint8))
    rows = []
    shown = [("original", "original", "original")]
    shown += [
        (codec, family, label)
        for codec, family, label in (
            ("libjpeg", "libjpeg 4:2:0 progressive", "q52"),
            ("bandwise", "sensitivity rdo", "λ0.12"),
        )
        if family in families
    ]
    for codec, family, label in shown:
        stream = io.BytesIO()
        if codec == "original":
            image.save(stream, "PNG")
        else:
            image.save(stream, "JPEG", quality=46 if codec == "libjpeg" else 20)
        field = "png_base64" if codec == "original" else "jpeg_base64"
        rows.append(
            {
                "record": "example",
                "index": index,
                "label": ("dress", "hat", "shoes", "t-shirt")[index % 4],
                "codec": codec,
                "family": family,
                "setting_label": label,
                "size_bytes": len(stream.getvalue()),
                "correct": not (index == 1 and codec == "bandwise"),
                field: base64.b64encode(stream.getvalue()).decode(),
            }
        )
    return rows
