"""The measurements of docs/compression.md: rate estimates, containers, optimised quantisation.

    python benchmarks/compression.py --data FOLDER --weights FILE [--network resnet]

FOLDER is a data set of photographs as `bandwise learn` reads it, FILE the network's weights. Tables
are learned from 600 training images; everything is measured on the validation images, in real
files. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bandwise import jpeg
from bandwise.data import Dataset, load, with_validation
from bandwise.encoding import CONTAINERS
from bandwise.evaluation import Conditions, ProfileCodec, as_array, measure
from bandwise.frequency.rate import RateCurves, estimate_bits
from bandwise.frequency.tables import QuantTable, TableSet, flat
from bandwise.frequency.transform import pixels_to_blocks, round_half_away
from bandwise.learning.profiles import (
    LAGRANGIANS,
    LearnConfig,
    make_profile,
    profile_origin,
    sensitivity_input,
)
from bandwise.learning.sensitivity import sensitivity_candidates
from bandwise.models.classification import logits_of, to_unit_range
from bandwise.models.networks.registry import load_network
from bandwise.profile import Profile
from bandwise.statistics import envelope

QUALITIES = (5, 7, 10, 15, 20, 30, 40, 50, 75, 90)
MEASURED = (4e-7, 1e-6, 2.5e-6, 6.3e-6, 1.6e-5)
CURVE = (*LAGRANGIANS[::2], 4e-5, 6.3e-5, 1e-4)
"""λ of the curve that optimised quantisation is compared with, which has to end later."""

RELATIVE = (0.1, 0.3, 1.0)
WRITTEN = {
    "baseline with JFIF": {"progressive": False},
    **dict(
        zip(("without", "one Huffman pair", "progressive"), CONTAINERS["smallest"], strict=True)
    ),
}

Rates = list[tuple[float, float]]
"""Bytes an image and mean divergence, by λ."""


def other_tables() -> list[TableSet]:
    """16 tables that are no scaling of libjpeg's: flat, radial, inverted, cut off, random."""
    random = np.random.default_rng(0)
    radius = np.hypot(*np.mgrid[:8, :8])
    steps = [
        *(np.full((8, 8), step) for step in (6, 16, 40)),
        *(step * (1 + radius) for step in (4, 10, 20)),
        *(step / (1 + radius) for step in (60, 120, 240)),
        *(np.where(radius < 3, step, 255) for step in (10, 25, 50)),
        *(step * np.exp(random.normal(0, 0.7, (8, 8))) for step in (10, 20, 40)),
    ]
    tables = map(QuantTable.from_steps, steps)
    return [*(TableSet(luma=t, chroma=t) for t in tables), TableSet(luma=flat(30), chroma=flat(5))]


def steps_of(tables: TableSet) -> list[Tensor]:
    assert tables.chroma is not None
    return [torch.tensor(table.array) for table in (tables.luma, tables.chroma, tables.chroma)]


def by_symbols(planes: Sequence[Tensor], sets: Sequence[TableSet]) -> NDArray[np.float64]:
    """Bits an image, (T,), of unquantised blocks with each of T table sets."""
    counted = []
    for tables in sets:
        scaled = [x / q for x, q in zip(planes, steps_of(tables), strict=True)]
        bits = estimate_bits([round_half_away(values) for values in scaled])
        counted.append(float(bits.double().mean()))
    return np.array(counted)


def by_curves(planes: Sequence[Tensor], sets: Sequence[TableSet]) -> NDArray[np.float64]:
    curves = [RateCurves.measure(plane.numpy()).bits for plane in planes]
    blocks = [plane.shape[1] * plane.shape[2] for plane in planes]
    counted = []
    for tables in sets:
        counted.append(
            sum(
                number * float(bits.gather(1, steps.reshape(-1, 1) - 1).sum())
                for number, bits, steps in zip(blocks, curves, steps_of(tables), strict=True)
            )
        )
    return np.array(counted)


def payload_bits(pixels_u8: Tensor, sets: Sequence[TableSet]) -> NDArray[np.float64]:
    images = list(map(as_array, pixels_u8))
    files = [[jpeg.encode(image, tables, progressive=False) for image in images] for tables in sets]
    return np.array([8 * np.mean([jpeg.payload_bytes(data) for data in each]) for each in files])


def rate_estimates(pixels_u8: Tensor) -> list[list[str]]:
    """Errors of the mean payload with libjpeg's tables and with others."""
    libjpegs, others = [TableSet.ijg(quality) for quality in QUALITIES], other_tables()
    planes = pixels_to_blocks(to_unit_range(pixels_u8), "4:2:0")
    real = payload_bits(pixels_u8, [*libjpegs, *others])
    rows = []
    for name, estimate in (("`estimate_bits`", by_symbols), ("`RateCurves`", by_curves)):
        errors = estimate(planes, [*libjpegs, *others]) / real - 1
        rows.append([name, spread(errors[: len(libjpegs)]), spread(errors[len(libjpegs) :])])
    return [["estimate", "libjpeg's tables", f"{len(others)} others"], *rows]


def spread(errors: NDArray[np.float64]) -> str:
    """Mean of the absolute errors, and the lowest and highest, in percent."""
    low, high = 100 * errors.min(), 100 * errors.max()
    return f"{100 * np.abs(errors).mean():.2f} ({low:+.1f} to {high:+.1f})"


def containers(sets: dict[str, TableSet], pixels_u8: Tensor) -> list[list[str]]:
    """Bytes an image with headers in parentheses; for what share of images each is smallest."""
    rows = []
    for label, tables in sets.items():
        images = [jpeg.pixels_to_coefficients(as_array(pixels), tables) for pixels in pixels_u8]
        files = [
            [jpeg.write_coefficients(image, **kind) for image in images]
            for kind in WRITTEN.values()
        ]
        sizes = np.array([[len(data) for data in kind] for kind in files])
        payloads = np.array([[jpeg.payload_bytes(data) for data in kind] for kind in files])
        wins = np.bincount(sizes.argmin(0), minlength=len(sizes)) / len(images)
        measured = zip(sizes.mean(1), (sizes - payloads).mean(1), strict=True)
        cells = [f"{size:,.0f} ({headers:.0f})" for size, headers in measured]
        shares = ", ".join(f"{100 * won:.0f}" for won in wins)
        rows.append([label, "one" if tables.luma == tables.chroma else "two", *cells, shares])
    return [["λ", "tables", *WRITTEN, "smallest for, %"], *rows]


def optimised(rates: dict[float, Rates]) -> list[list[str]]:
    """Bytes of optimised files against plain ones, between whose λ it is interpolated."""
    plain = np.log(rates[0.0])
    closeness, log_bytes = envelope(plain[:, 0], -plain[:, 1])
    rows = []
    for relative in RELATIVE:
        sizes, nats = np.log(rates[relative]).T
        equal = np.interp(-nats, closeness, log_bytes, left=np.nan, right=np.nan)
        changes = 100 * np.expm1(sizes - equal)
        rows.append([f"{relative:g}", *(f"{change:+.1f}" for change in changes)])
    return [["relative λ", *(f"{price:g}" for price in MEASURED)], *rows]


def rates_of(profiles: Sequence[Profile], data: Dataset, network: nn.Module) -> Rates:
    images = data.split("validation")
    codec = ProfileCodec(profiles)
    measurements = measure(
        codec,
        codec.settings(),
        images,
        network,
        original_logits=logits_of(network, images.pixels_u8),
        conditions=Conditions(split="validation", network="", seed=0),
    )
    return [(each.mean_bytes, each.divergence) for each in measurements]


def show(title: str, rows: Sequence[Sequence[str]]) -> None:
    headings, *body = rows
    print(f"\n{title}\n")
    for cells in (headings, ["---"] * len(headings), *body):
        print(f"| {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", required=True, help="a data set as `bandwise learn` takes it")
    parser.add_argument("--weights", type=Path, required=True, help="the network's, safetensors")
    parser.add_argument("--network", default="resnet")
    parser.add_argument("--image-size", type=int, default=128)
    options = parser.parse_args()
    side = options.image_size
    data = with_validation(load(options.data, image_size=(side, side)), seed=0)
    channels, classes = data.image_shape[0], data.num_classes
    network = load_network(options.network, options.weights, channels=channels, num_classes=classes)
    pixels_u8 = data.split("validation").pixels_u8
    print(f"{data.name} at {side}×{side}, {len(pixels_u8)} validation images; {options.network}")
    show("Error of the mean payload, %: mean of absolute (range)", rate_estimates(pixels_u8))

    config = LearnConfig(network=options.network)
    given = sensitivity_input(config, data, network)
    origin = profile_origin(config, data, network)
    curve = list(sensitivity_candidates(given, (*CURVE, *MEASURED)))
    measured = curve[len(CURVE) :]
    learned = {each.label: each.tables for each in measured}
    show("Bytes an image (headers)", containers(learned, pixels_u8))
    rates = {
        relative: rates_of(
            [make_profile(each, replace(config, rdo=relative), origin) for each in found],
            data,
            network,
        )
        for relative, found in ((0.0, curve[: len(CURVE)]), *((r, measured) for r in RELATIVE))
    }
    show("Bytes of optimised files against plain ones of equal divergence, %", optimised(rates))


if __name__ == "__main__":
    main()
