"""The network at the encoder: which file of a ladder an image gets."""

import hashlib
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from bandwise import jpeg
from bandwise.encoding import Container, ProfileEncoder, encode_pixels
from bandwise.errors import ConfigurationError, EncodingError
from bandwise.frequency.tables import TableSet, flat
from bandwise.guidance import Guide, GuidedEncoder, Rungs, num_classes_of
from bandwise.models.networks.registry import build_network
from bandwise.profile import Profile
from tests.jpeg.images import ICC, picture

STEPS = (4, 16, 48, 96, 200)


class Mixture(nn.Module):
    """Three logits: fixed random sums of the image's corner of 16×16."""

    def __init__(self, channels: int, gain: float = 0.02) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = gain * torch.randn(3, channels * 256, generator=generator)

    def forward(self, pixels: Tensor) -> Tensor:
        return 255 * pixels[..., :16, :16].flatten(1) @ self.weight.T


def ladder(channels: int) -> list[Profile]:
    return [
        Profile(
            name=f"step {step}",
            tables=TableSet(luma=flat(step), chroma=flat(step) if channels == 3 else None),
        )
        for step in STEPS
    ]


def guide(channels: int, network: nn.Module | None = None, **options: Any) -> Guide:
    return Guide(ladder(channels), network or Mixture(channels), **options)


def divergence(channels: int, original: NDArray[np.uint8], file: bytes) -> float:
    """KL by PyTorch's own function, one image at a time."""
    with torch.inference_mode():
        logits = []
        for pixels in (original, jpeg.decode(file)):
            planes = np.atleast_3d(pixels).transpose(2, 0, 1)[None].astype(np.float32) / 255
            logits.append(Mixture(channels)(torch.from_numpy(planes)).double().log_softmax(1))
        return float(F.kl_div(logits[1], logits[0], log_target=True, reduction="sum"))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_choice_is_the_smallest_file_within_the_tolerance(channels: int) -> None:
    chosen = set()
    for seed in range(4):
        pixels = picture(24, 32, grey=channels == 1, seed=seed)
        files = [encode_pixels(pixels, profile) for profile in ladder(channels)]
        nats = [divergence(channels, pixels, file) for file in files]
        rungs = guide(channels).rungs(pixels)
        assert rungs.files == tuple(files)
        assert rungs.divergences == pytest.approx(nats, rel=1e-3, abs=1e-6)
        for tolerance in (*rungs.divergences, max(nats) + 1):
            within = [i for i, one in enumerate(rungs.divergences) if one <= tolerance]
            best = min(within, key=lambda i: len(files[i]))
            assert rungs.choose(tolerance) == files[best]
            chosen.add(best)
    assert len(chosen) > 2


@given(
    rungs=st.lists(st.tuples(st.integers(0, 9), st.floats(0, 1)), min_size=1, max_size=6),
    tolerance=st.floats(0, 1),
)
def test_any_rungs(rungs: list[tuple[int, float]], tolerance: float) -> None:
    files = tuple(bytes(size) for size, _ in rungs)
    found = Rungs(files, tuple(nats for _, nats in rungs))
    index = found.chosen(tolerance)
    size, nats = rungs[index]
    assert found.choose(tolerance) is found.files[index]
    if min(found.divergences) > tolerance:
        assert nats == min(found.divergences)
    else:
        assert nats <= tolerance
        assert all(size <= other for other, its_nats in rungs if its_nats <= tolerance)


def test_a_grey_image_is_shown_three_times_to_a_network_for_colour() -> None:
    grey = picture(24, 24, grey=True)
    rungs = guide(3).rungs(grey)
    as_colour = np.repeat(grey[..., None], 3, axis=2)
    shown = [np.repeat(jpeg.decode(file)[..., None], 3, axis=2) for file in rungs.files]
    with torch.inference_mode():
        planes = np.stack([as_colour, *shown]).transpose(0, 3, 1, 2).astype(np.float32) / 255
        logits = Mixture(3)(torch.from_numpy(planes)).double().log_softmax(1)
        nats = F.kl_div(logits[1:], logits[:1], log_target=True, reduction="none").sum(1)
    assert rungs.divergences == pytest.approx(nats.tolist(), rel=1e-3, abs=1e-6)


def test_threads_change_nothing() -> None:
    one = guide(3)
    images = [picture(24, 32, seed=seed) for seed in range(12)]
    alone = [one.rungs(image) for image in images]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(one.rungs, images)) == alone


def test_large_images_are_shown_a_few_at_once() -> None:
    pixels = picture(24, 32)
    shown = []

    class Counting(Mixture):
        def forward(self, pixels: Tensor) -> Tensor:
            shown.append(len(pixels))
            return super().forward(pixels)

    whole = guide(3, Counting(3)).rungs(pixels)
    parts = guide(3, Counting(3), pixels_at_once=4 * 24 * 32 + 1).rungs(pixels)
    singly = guide(3, Counting(3), pixels_at_once=1).rungs(pixels)
    assert shown == [6, 4, 2, 1, 1, 1, 1, 1, 1]
    assert parts.files == singly.files == whole.files
    assert parts.divergences == pytest.approx(whole.divergences, rel=1e-4, abs=1e-7)
    assert singly.divergences == pytest.approx(whole.divergences, rel=1e-4, abs=1e-7)


def test_a_ladder_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least one profile"):
        Guide([], Mixture(3))
    with pytest.raises(ConfigurationError, match="some for colour"):
        Guide([*ladder(1), *ladder(3)], Mixture(3))
    for tolerance in (-0.1, float("nan")):
        with pytest.raises(ConfigurationError, match="tolerance is 0 nats or more"):
            GuidedEncoder(profiles=ladder(3), network="n", weights=Path("w"), tolerance=tolerance)


def test_an_image_that_cannot_be_judged_says_why() -> None:
    with pytest.raises(EncodingError, match="for grey images"):
        guide(1).rungs(picture(16, 16))
    with pytest.raises(EncodingError, match="cannot read an image of 9×5"):
        guide(3).rungs(picture(5, 9))

    class Lost(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return pixels.new_full((len(pixels), 3), torch.nan)

    with pytest.raises(EncodingError, match="not finite"):
        guide(3, Lost()).rungs(picture(16, 16))


@pytest.fixture
def encoder(tmp_path: Path) -> GuidedEncoder:
    torch.manual_seed(0)
    network = build_network("small-cnn", num_classes=3, channels=1)
    weights = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(network.state_dict(), weights)
    profiles = [replace(each, provenance={"num_classes": 3}) for each in ladder(1)]
    return GuidedEncoder(
        profiles=profiles, network="small-cnn", weights=weights, tolerance=1e-6, device="cpu"
    )


@pytest.mark.parametrize("container", ["smallest", "baseline"])
@pytest.mark.parametrize("icc", [None, ICC])
def test_an_encoder_writes_the_chosen_file(
    encoder: GuidedEncoder, container: Container, icc: bytes | None
) -> None:
    encoder = replace(encoder, container=container)
    for seed in range(3):
        pixels = picture(24, 32, grey=True, seed=seed)
        chosen = encoder.guide.rungs(pixels).chosen(encoder.tolerance)
        plain = ProfileEncoder(encoder.profiles[chosen], container=container)
        assert encoder.encode(pixels, icc=icc) == plain.encode(pixels, icc=icc)


def test_an_encoder_travels_without_its_network(encoder: GuidedEncoder) -> None:
    pixels = picture(24, 32, grey=True)
    file = encoder.encode(pixels).data
    sent = pickle.dumps(encoder)
    assert len(sent) < 20_000
    assert pickle.loads(sent).encode(pixels).data == file
    weights = encoder.weights.read_bytes()
    assert encoder.settings == {
        "container": "smallest",
        "network": "small-cnn",
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "tolerance": 1e-6,
    }


def test_the_number_of_classes_is_that_of_every_profile() -> None:
    def profiles(*classes: object) -> list[Profile]:
        return [
            Profile(
                name=f"p{index}",
                tables=TableSet.ijg(50),
                provenance={} if count is None else {"num_classes": count},
            )
            for index, count in enumerate(classes)
        ]

    assert num_classes_of(profiles(10, 10)) == 10
    with pytest.raises(ConfigurationError, match=r"different numbers .*'p0' 10, 'p1' 12"):
        num_classes_of(profiles(10, 12))
    for wrong in (None, "ten", True, 0):
        with pytest.raises(ConfigurationError, match="'p1' does not say"):
            num_classes_of(profiles(10, wrong))
