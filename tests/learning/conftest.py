"""An input whose answer is known, and tables that were learned from a few digits."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bandwise.data import Dataset
from bandwise.frequency.dct import block_dct2
from bandwise.learning.sensitivity import SensitivityInput
from bandwise.learning.target import Learned, learn_profile
from tests.learning.digits import CONFIG, LOSSY, few_digits

__all__ = ["few_digits"]

READ = (0, 2)
"""The frequency (v, u) that the network reads."""


class OneFrequency(nn.Module):
    """Two logits: plus and minus the mean of one coefficient over the blocks, over a scale."""

    def __init__(self, scale: float = 40) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, pixels: Tensor) -> Tensor:
        grey = pixels.mean(1) * 255 - 128
        mean = block_dct2(grey)[..., READ[0], READ[1]].mean((1, 2)) / self.scale
        return torch.stack([mean, -mean], 1)


def images(channels: int) -> Tensor:
    """(24, channels, 32, 32): texture, and a wave of the frequency that is read."""
    generator = torch.Generator().manual_seed(0)
    x = torch.arange(32)
    wave = torch.cos((2 * x + 1) * READ[1] * torch.pi / 16)
    strength = 30 * torch.randn(24, 1, 1, 1, generator=generator)
    texture = 25 * torch.randn(24, channels, 32, 32, generator=generator)
    return (128 + strength * wave + texture).clamp(0, 255).to(torch.uint8)


@pytest.fixture
def problem() -> SensitivityInput:
    return SensitivityInput(network=OneFrequency(), pixels_u8=images(1), batch_size=10)


@pytest.fixture
def colour_problem() -> SensitivityInput:
    return SensitivityInput(network=OneFrequency(), pixels_u8=images(3), batch_size=10)


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the work behind `learned`; tests leave it as it is."""
    return tmp_path_factory.mktemp("learning") / "work"


@pytest.fixture(scope="session")
def learned(few_digits: Dataset, work: Path) -> Learned:
    """Profiles at three λ, and the one that was chosen."""
    return learn_profile(CONFIG, few_digits, LOSSY, work)
