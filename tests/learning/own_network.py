"""A network of one's own, as a user names it: ``tests.learning.own_network:pooled``."""

from torch import nn


def pooled(*, num_classes: int, channels: int) -> nn.Module:
    """Linear classifier of the image pooled to 4×4."""
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16 * channels, num_classes)
    )
