"""What is drawn follows the generator alone: results that were measured depend on it."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from bandwise.data.augment import PHOTOGRAPHS, augment, mix
from bandwise.data.coefficient_augment import augment_coefficients, mix_coefficients
from bandwise.data.draws import Draws
from bandwise.dct_domain import CoefficientBatch

COUNT = 6
TARGETS = torch.eye(COUNT)


def pattern(*shape: int) -> Tensor:
    return torch.arange(torch.Size(shape).numel()).view(shape) * 37 % 101


def checksum(values: Tensor) -> float:
    waves = torch.sin(torch.arange(values.numel(), dtype=torch.float64))
    return float((values.double().flatten() * waves).sum())


@pytest.mark.parametrize(
    ("seed", "checksums", "next_one"),
    [
        (0, (1.4071, 1.4071, 2.32697), 0.11432164907455444),
        (1, (1.0847, -0.2772, -0.24885), 0.7936620116233826),
        (2, (-5.6583, -4.0370, 1.73939), 0.032583773136138916),
        (3, (1.8581, 3.3974, 1.71949), 0.9180975556373596),
    ],
)
def test_pixels_are_changed_as_they_always_were(
    seed: int, checksums: Sequence[float], next_one: float
) -> None:
    draws = Draws(torch.Generator().manual_seed(seed), COUNT)
    changed = augment(pattern(COUNT, 3, 16, 16) / 100, PHOTOGRAPHS, draws, size=(16, 16))
    mixed, targets = mix(changed, TARGETS, 1.0, draws)
    assert [checksum(each) for each in (changed, mixed, targets)] == pytest.approx(
        checksums, abs=2e-3
    )
    assert draws.one() == next_one


@pytest.mark.parametrize(
    ("seed", "checksums", "next_one"),
    [
        (0, (1479.420, -997.385, 1342.576, -660.352, 1.59994), 0.909270703792572),
        (1, (-745.612, -159.510, -1135.126, -140.496, 1.31279), 0.31873834133148193),
        (2, (1193.642, 1310.739, 1193.642, 1310.739, 2.32697), 0.07890897989273071),
        (3, (-1522.429, 316.397, -1394.927, 57.094, 1.36302), 0.6889688372612),
    ],
)
def test_coefficients_are_changed_as_they_always_were(
    seed: int, checksums: Sequence[float], next_one: float
) -> None:
    batch = CoefficientBatch(pattern(COUNT, 64, 4, 4) - 50.0, pattern(COUNT, 128, 2, 2) - 50.0)
    draws = Draws(torch.Generator().manual_seed(seed), COUNT)
    changed = augment_coefficients(batch, PHOTOGRAPHS, draws, rows=4, columns=4, band_dropout=0.2)
    mixed, targets = mix_coefficients(changed, TARGETS, 1.0, draws)
    planes = [plane for plane in (*changed, *mixed, targets) if plane is not None]
    assert [checksum(plane) for plane in planes] == pytest.approx(checksums, abs=0.5)
    assert draws.one() == next_one
