"""Networks: shapes, sizes of twins, and what of an image reaches the logits."""

import pytest
import torch
from torch import nn

from bandwise.frequency.dct_domain import CoefficientBatch
from bandwise.frequency.selection import Frequencies
from bandwise.models.networks import COEFFICIENT_NETWORKS, build_coefficient_network, build_network

SUBSET = Frequencies((0, 1, 8, 64, 65, 128))


def batch(
    rows: int = 4, columns: int = 6, *, images: int = 2, grey: bool = False
) -> CoefficientBatch:
    luma = 30 * torch.randn(images, 64, rows, columns)
    return CoefficientBatch(
        luma, None if grey else 30 * torch.randn(images, 128, rows // 2, columns // 2)
    )


@pytest.mark.parametrize("name", COEFFICIENT_NETWORKS)
@pytest.mark.parametrize("frequencies", [Frequencies.whole(3), SUBSET], ids=["all", "some"])
def test_networks_map_coefficients_to_logits_and_learn(name: str, frequencies: Frequencies) -> None:
    network = build_coefficient_network(name, num_classes=5, frequencies=frequencies)
    logits = network(batch(images=4))
    assert logits.shape == (4, 5)
    logits.square().sum().backward()
    assert all(value.grad is not None for value in network.parameters())


@pytest.mark.parametrize("name", COEFFICIENT_NETWORKS)
def test_grey_images_and_any_even_grid_are_read(name: str) -> None:
    whole = Frequencies.whole(1)
    of_grey = build_coefficient_network(name, num_classes=5, frequencies=whole)
    assert of_grey(batch(grey=True)).shape == (2, 5)
    network = build_coefficient_network(name, num_classes=3, frequencies=SUBSET).eval()
    for grid in ((2, 2), (2, 10), (14, 12)):
        assert network(batch(*grid)).shape == (2, 3)


@pytest.mark.parametrize("name", COEFFICIENT_NETWORKS)
def test_kept_frequencies_reach_the_logits_and_others_do_not(name: str) -> None:
    torch.manual_seed(0)
    network = build_coefficient_network(name, num_classes=3, frequencies=SUBSET).eval()
    image = batch(images=1)
    assert image.chroma is not None
    image.luma.requires_grad_()
    image.chroma.requires_grad_()
    network(image).square().sum().backward()
    assert image.luma.grad is not None
    assert image.chroma.grad is not None
    reached = [*image.luma.grad.abs().amax((0, 2, 3)), *image.chroma.grad.abs().amax((0, 2, 3))]
    assert tuple(index for index, value in enumerate(reached) if value > 0) == SUBSET.kept


@pytest.mark.parametrize(
    ("name", "of_pixels", "of_coefficients"),
    [("resnet", 1.551, 1.535), ("resnet-small", 0.390, 0.404), ("vit", 1.432, 1.445),
     ("plain-cnn", 1.138, None), ("small-cnn", 0.076, None)],
)  # fmt: skip
def test_sizes_are_as_documented_and_alike_of_twins(
    name: str, of_pixels: float, of_coefficients: float | None
) -> None:
    def millions(network: nn.Module) -> float:
        return sum(value.numel() for value in network.parameters()) / 1e6

    network = build_network(name, num_classes=10, channels=3)
    assert millions(network) == pytest.approx(of_pixels, abs=0.001)
    assert (name in COEFFICIENT_NETWORKS) == (of_coefficients is not None)
    if of_coefficients is not None:
        whole = Frequencies.whole(3)
        network = build_coefficient_network(name, num_classes=10, frequencies=whole)
        assert millions(network) == pytest.approx(of_coefficients, abs=0.001)
