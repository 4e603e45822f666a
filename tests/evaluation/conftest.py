"""A small data set, a network without training, and a codec whose every number is known."""

import numpy as np
import pytest
import torch
from torch import nn

from bandwise.data import Dataset, LabelledImages
from bandwise.data.types import assemble
from bandwise.evaluation import Codec, Setting
from bandwise.evaluation.codecs import Pixels

SIZE = 16
CLASSES = ("dark", "bright")


class Brightness(nn.Module):
    """Logits of two classes from the mean of the image."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(8.0))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        mean = self.gain * (pixels.mean(dim=(1, 2, 3)) - 0.5)
        return torch.stack([-mean, mean], dim=1)


class Darken(Codec):
    """Subtracts `by` and writes the pixels raw, after as many bytes of header."""

    name = "darken"

    def __init__(self) -> None:
        super().__init__()
        self.encoded = 0

    def settings(self) -> list[Setting]:
        return [
            Setting(family="darken", label=f"by {by}", options={"by": by}) for by in (0, 40, 255)
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        self.encoded += 1
        by: int = setting.options["by"]
        darker: bytes = np.maximum(pixels_u8.astype(int) - by, 0).astype(np.uint8).tobytes()
        return bytes(by) + darker

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:
        count = int(np.prod(shape))
        return np.frombuffer(data[-count:], np.uint8).reshape(shape)


def images(count: int, *, channels: int = 3) -> LabelledImages:
    """Flat images from black to white; the brighter half is class 1."""
    levels = torch.linspace(0, 255, count).round().to(torch.uint8)
    pixels = levels[:, None, None, None].expand(-1, channels, SIZE, SIZE).contiguous()
    return LabelledImages(pixels, (levels > 127).long())


@pytest.fixture
def dataset() -> Dataset:
    return assemble(
        name="levels",
        classes=CLASSES,
        train=images(30),
        validation=images(20),
        test=images(40),
        source="made up",
    )
