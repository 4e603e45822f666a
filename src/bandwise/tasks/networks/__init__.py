"""Networks that tasks can use.

:class:`SequenceCNN` is the paper's and reads coefficients; the others read pixels in [0, 1].
"""

from bandwise.tasks.networks.plain import PlainCNN, SmallCNN
from bandwise.tasks.networks.registry import BUILT_IN, build_network, load_network, network_sha256
from bandwise.tasks.networks.resnet import ResNet
from bandwise.tasks.networks.sequence_cnn import SequenceCNN

__all__ = [
    "BUILT_IN",
    "PlainCNN",
    "ResNet",
    "SequenceCNN",
    "SmallCNN",
    "build_network",
    "load_network",
    "network_sha256",
]
