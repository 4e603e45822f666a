"""Networks on coefficients: shapes, sizes of twins, and what of an image reaches the logits."""

import pytest
import torch

from bandwise.dct_domain import CoefficientBatch
from bandwise.errors import ConfigurationError
from bandwise.frequencies import Frequencies
from bandwise.tasks.networks import (
    BUILT_IN,
    COEFFICIENT_NETWORKS,
    CoefficientResNet,
    build_coefficient_network,
    build_network,
)

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
def test_grey_images_are_read(name: str) -> None:
    network = build_coefficient_network(name, num_classes=5, frequencies=Frequencies.whole(1))
    assert network(batch(grey=True)).shape == (2, 5)


@pytest.mark.parametrize("name", COEFFICIENT_NETWORKS)
@pytest.mark.parametrize("grid", [(2, 2), (2, 10), (14, 12), (28, 28)])
def test_any_even_grid_is_read(name: str, grid: tuple[int, int]) -> None:
    network = build_coefficient_network(name, num_classes=3, frequencies=SUBSET).eval()
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


@pytest.mark.parametrize("name", COEFFICIENT_NETWORKS)
def test_twins_have_the_same_name_and_about_the_same_size(name: str) -> None:
    assert name in BUILT_IN
    of_pixels = build_network(name, num_classes=10, channels=3)
    of_coefficients = build_coefficient_network(
        name, num_classes=10, frequencies=Frequencies.whole(3)
    )
    sizes = [
        sum(value.numel() for value in network.parameters())
        for network in (of_pixels, of_coefficients)
    ]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.05)


def test_sizes_are_as_documented() -> None:
    def millions(name: str) -> float:
        network = build_coefficient_network(name, num_classes=8, frequencies=Frequencies.whole(3))
        return sum(value.numel() for value in network.parameters()) / 1e6

    assert millions("resnet") == pytest.approx(1.5, abs=0.05)
    assert millions("resnet-small") == pytest.approx(0.4, abs=0.05)
    assert millions("vit") == pytest.approx(1.4, abs=0.05)


def test_all_of_colour_is_read_where_nothing_is_said() -> None:
    assert CoefficientResNet(3).selection.frequencies == Frequencies.whole(3)


def test_a_place_of_chroma_matters() -> None:
    torch.manual_seed(0)
    network = CoefficientResNet(3, frequencies=SUBSET, width=16).eval()
    image = batch(8, 8, images=1)
    assert image.chroma is not None
    moved = image._replace(chroma=image.chroma.roll(1, 3))
    assert not torch.allclose(network(image), network(moved))


@pytest.mark.parametrize("name", ["alexnet", "small-cnn"])
def test_networks_of_pixels_alone_are_no_networks_of_coefficients(name: str) -> None:
    with pytest.raises(ConfigurationError, match="built in are resnet, resnet-small, vit, and"):
        build_coefficient_network(name, num_classes=3, frequencies=SUBSET)


def test_a_function_that_takes_something_else_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="abs cannot be called with num_classes=3"):
        build_coefficient_network("builtins:abs", num_classes=3, frequencies=SUBSET)
