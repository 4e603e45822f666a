"""A small model, images and a plan for it: a search in milliseconds."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bandwise.frequency.tables import TableSet
from bandwise.models.adapters import CallableModel
from bandwise.profile import Profile
from bandwise.search.candidates import Candidate
from bandwise.search.learning import learn_plan
from bandwise.search.plan import Plan

Pixels = NDArray[np.uint8]


def image(seed: int, height: int = 56, width: int = 64) -> Pixels:
    """Coloured clouds with some noise."""
    generator = np.random.default_rng(seed)
    planes = np.zeros((height, width, 3))
    for cells in (3, 7, 15):
        small = generator.normal(size=(cells, cells, 3)) * 90 / cells**0.5
        for channel in range(3):
            layer = Image.fromarray(small[..., channel].astype(np.float32))
            planes[..., channel] += np.asarray(
                layer.resize((width, height), Image.Resampling.BICUBIC)
            )
    planes += generator.normal(size=planes.shape) * generator.uniform(0, 12)
    return np.clip(planes + 128, 0, 255).astype(np.uint8)


def linear_model(seed: int) -> CallableModel:
    """Scores of six classes, linear in 8×8 means and in their roughness."""
    weights = np.random.default_rng(seed).normal(size=(2 * 8 * 8 * 3, 6)) / 5

    def scores(images: Sequence[Pixels]) -> NDArray[np.float32]:
        rows = []
        for pixels_u8 in images:
            colour = Image.fromarray(pixels_u8).convert("RGB")
            full = np.asarray(colour.resize((32, 32), Image.Resampling.BILINEAR), float) / 64
            cells = full.reshape(8, 4, 8, 4, 3)
            means, roughness = cells.mean((1, 3)), cells.std((1, 3))
            rows.append(np.concatenate([means - means.mean(), 4 * roughness], None) @ weights)
        return np.array(rows, np.float32)

    model = CallableModel(scores, f"linear-{seed}")
    model.reading_side = 48
    return model


@pytest.fixture(scope="session")
def model() -> CallableModel:
    return linear_model(0)


@pytest.fixture(scope="session")
def other_model() -> CallableModel:
    return linear_model(1)


@pytest.fixture(scope="session")
def candidates() -> list[Candidate]:
    return [
        Candidate(
            side=side,
            profile=Profile(
                name=f"{side} q{quality} {subsampling}",
                tables=TableSet.ijg(quality),
                subsampling=subsampling,
            ),
        )
        for side in (1.0, 0.6)
        for quality in (8, 16, 30, 50, 75, 92)
        for subsampling in ("4:4:4", "4:2:0")
    ]


@pytest.fixture(scope="session")
def plan(model: CallableModel, candidates: list[Candidate]) -> Plan:
    images = [image(seed) for seed in range(40)]
    return learn_plan(images, [model], name="of the tests", candidates=candidates)
