"""Networks that tasks can use.

Built-in ones read pixels in [0, 1], or JPEG's coefficients; :class:`SequenceCNN` is the paper's and
reads sequences of them.
"""

from bandwise.models.networks.convolutional import (
    CoefficientResNet,
    PlainCNN,
    ResNet,
    SmallCNN,
)
from bandwise.models.networks.layers import FrequencySelection
from bandwise.models.networks.registry import (
    BUILT_IN,
    COEFFICIENT_NETWORKS,
    build_coefficient_network,
    build_network,
    find_builder,
    load_network,
    network_sha256,
    read_weights,
    set_weights,
)
from bandwise.models.networks.sequence_cnn import SequenceCNN
from bandwise.models.networks.vit import CoefficientViT, ViT

__all__ = [
    "BUILT_IN",
    "COEFFICIENT_NETWORKS",
    "CoefficientResNet",
    "CoefficientViT",
    "FrequencySelection",
    "PlainCNN",
    "ResNet",
    "SequenceCNN",
    "SmallCNN",
    "ViT",
    "build_coefficient_network",
    "build_network",
    "find_builder",
    "load_network",
    "network_sha256",
    "read_weights",
    "set_weights",
]
