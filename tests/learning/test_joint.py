import torch

from bandwise.data import LabelledImages
from bandwise.data.augment import GLYPHS
from bandwise.learning.joint import joint_candidate
from bandwise.learning.sensitivity import SensitivityInput, sensitivity_candidates
from bandwise.models.networks.registry import build_network, network_sha256
from bandwise.training.networks import NetworkConfig


def test_network_and_tables_learn_together(problem: SensitivityInput) -> None:
    torch.manual_seed(0)
    network = build_network("small-cnn", num_classes=2, channels=1)
    before = network_sha256(network)
    images = LabelledImages(problem.pixels_u8, torch.arange(24) % 2)
    (start,) = sensitivity_candidates(problem, [1e-4])
    candidate, learned = joint_candidate(
        start,
        network,
        images,
        validation=images,
        num_classes=2,
        config=NetworkConfig(
            epochs=2, batch_size=8, learning_rate=0.01, small_share=0.0, augmentation=GLYPHS
        ),
    )
    assert candidate.family == "joint"
    assert candidate.tables != start.tables
    assert network_sha256(network) == before
    assert network_sha256(learned) != before
