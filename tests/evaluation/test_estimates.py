import pytest
import torch

from bandwise import jpeg
from bandwise.data import LabelledImages
from bandwise.evaluation import Conditions, ProfileCodec, measure
from bandwise.evaluation.codecs import (
    LibjpegCodec,
    Quantisation,
    TellsQuantisation,
    WebPCodec,
    as_array,
)
from bandwise.evaluation.estimates import estimated_payload_bytes
from bandwise.profile import Profile, RateDistortion
from bandwise.results import Row
from bandwise.tables import TableSet
from bandwise.tasks import logits_of
from tests.evaluation.conftest import Brightness, Darken

TABLES = TableSet.ijg(40)


def photographs(channels: int, count: int = 3) -> LabelledImages:
    """Smooth structure with some noise."""
    generator = torch.Generator().manual_seed(channels)
    waves = torch.arange(48) / torch.tensor([3.0, 5.0, 8.0])[:count, None]
    planes = 128 + 80 * torch.sin(waves)[:, None, :, None] * torch.cos(waves)[:, None, None, :]
    noise = 9 * torch.randn(count, channels, 48, 48, generator=generator)
    pixels = (planes + noise).clamp(0, 255).to(torch.uint8)
    return LabelledImages(pixels, torch.zeros(count, dtype=torch.long))


def measured(codec: LibjpegCodec | ProfileCodec, images: LabelledImages) -> list[Row]:
    network = Brightness()
    return list(
        measure(
            codec,
            codec.settings(),
            images,
            network,
            original_logits=logits_of(network, images.pixels_u8),
            conditions=Conditions(split="test", network="brightness"),
            estimates=True,
        )
    )


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_the_estimate_is_close_to_real_files(channels: int, subsampling: str) -> None:
    images = photographs(channels)
    codec = LibjpegCodec(channels=channels, qualities=(40,), subsamplings=(subsampling,))  # type: ignore[arg-type]
    by_family = {row["family"].split()[-1]: row for row in measured(codec, images)}
    baseline = by_family["baseline"]
    assert baseline["estimated_payload_bytes"] == pytest.approx(baseline["payload_bytes"], rel=0.02)
    assert baseline["estimated_payload_bytes"] == by_family["smallest"]["estimated_payload_bytes"]
    assert by_family["progressive"]["estimated_payload_bytes"] is None


def test_the_estimate_does_not_depend_on_batches() -> None:
    images = photographs(3)
    whole, single = (
        estimated_payload_bytes(
            Quantisation(TABLES, "4:2:0"), pixels_u8=images.pixels_u8, batch_size=size
        )
        for size in (64, 1)
    )
    assert whole == pytest.approx(single)
    files = [
        jpeg.encode(as_array(pixels), TABLES, progressive=False) for pixels in images.pixels_u8
    ]
    assert whole == pytest.approx(sum(map(jpeg.payload_bytes, files)), rel=0.02)


def test_profiles_are_estimated_unless_they_are_optimised() -> None:
    sensitivity = {name: torch.ones(8, 8).numpy() for name in ("luma", "cb", "cr")}
    profiles = [
        Profile(
            name=f"slope {slope}",
            tables=TABLES,
            rate_distortion=RateDistortion(slope=slope, sensitivity=sensitivity),
        )
        for slope in (0.0, 1e-6)
    ]
    plain, optimised = measured(ProfileCodec(profiles), photographs(3))
    assert plain["estimated_payload_bytes"] == pytest.approx(plain["payload_bytes"], rel=0.05)
    assert optimised["estimated_payload_bytes"] is None


def test_codecs_may_keep_their_tables_to_themselves() -> None:
    assert isinstance(LibjpegCodec(channels=3), TellsQuantisation)
    assert not isinstance(WebPCodec(), TellsQuantisation)
    assert not isinstance(Darken(), TellsQuantisation)
