"""Files of a profile: exactly its tables, the promised integers, the smallest container."""

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import simplejpeg
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from bandwise import jpeg
from bandwise.data.files import read_batch
from bandwise.encoding import CONTAINERS, Container, encode_pixels, requantise
from bandwise.errors import EncodingError, JpegError
from bandwise.frequency.coefficients import LUMA_SAMPLING, Coefficients, Subsampling
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import QuantTable, TableSet, flat, ijg_luma
from bandwise.models.networks.convolutional import CoefficientResNet
from bandwise.profile import Profile, RateDistortion
from tests.jpeg.images import ICC, exif_block, picture, pillow_pixels, same

TABLES = TableSet.ijg(60)
SCHEMES: tuple[Subsampling, ...] = tuple(LUMA_SAMPLING)
containers = st.sampled_from(tuple(CONTAINERS))
selections = st.builds(
    lambda first, others: Frequencies(tuple(sorted({first, *others}))),
    st.integers(0, 63),
    st.sets(st.integers(0, 191)),
)


def profile_of(
    tables: TableSet = TABLES, *, slope: float | None = None, subsampling: Subsampling = "4:2:0"
) -> Profile:
    """A profile whose task sees a squared step of each table alike; no `slope`: rounds."""
    sensitivity: dict[Any, Any] = {"luma": 1.0 / tables.luma.array**2}
    if tables.chroma is not None:
        sensitivity |= dict.fromkeys(("cb", "cr"), 1.0 / tables.chroma.array**2)
    return Profile(
        name="test",
        tables=tables,
        subsampling=subsampling,
        rate_distortion=(
            None if slope is None else RateDistortion(lagrangian=slope, sensitivity=sensitivity)
        ),
    )


def distortion(data: bytes, pixels: NDArray[np.uint8], profile: Profile) -> float:
    """½ Σ F (x − x̂)² of a file."""
    assert profile.rate_distortion is not None
    exact = TableSet(luma=flat(1), chroma=flat(1))
    original = jpeg.pixels_to_coefficients(pixels, exact, subsampling=profile.subsampling)
    pairs = zip(original.dequantised(), jpeg.read_coefficients(data).dequantised(), strict=True)
    return sum(
        0.5 * float((profile.rate_distortion.sensitivity[name] * (x - y) ** 2).sum())
        for name, (x, y) in zip(profile.components, pairs, strict=False)
    )


def noisy_picture() -> NDArray[np.uint8]:
    pixels = picture(96, 96, seed=5).copy()
    pixels ^= np.random.default_rng(5).integers(0, 32, pixels.shape, np.uint8)
    return pixels


def kind_of(data: bytes) -> str:
    if "progressive" in Image.open(io.BytesIO(data)).info:
        return "progressive"
    return "shared" if data.count(b"\xff\xc4") == 2 else "own"


@given(st.integers(1, 40), st.integers(1, 40), st.booleans(), st.sampled_from(SCHEMES), containers)
def test_without_optimisation_files_are_those_of_the_encoder(
    height: int, width: int, grey: bool, scheme: Subsampling, container: Container
) -> None:
    pixels = picture(height, width, grey=grey)
    ways: Sequence[dict[str, Any]] = CONTAINERS[container]
    candidates = [jpeg.encode(pixels, TABLES, subsampling=scheme, **way) for way in ways]
    for slope in (None, 0.0):
        profile = profile_of(slope=slope, subsampling=scheme)
        assert encode_pixels(pixels, profile, container=container) == min(candidates, key=len)


@pytest.mark.parametrize(
    ("slope", "side", "kind"),
    [
        (None, 32, "shared"),
        (None, 96, "own"),
        (None, 192, "progressive"),
        (0.05, 32, "shared"),
        (0.05, 128, "own"),
        (0.05, 192, "progressive"),
    ],
)
def test_the_smallest_container_depends_on_the_image(
    slope: float | None, side: int, kind: str
) -> None:
    profile = profile_of(slope=slope)
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    smallest = encode_pixels(noise, profile)
    others = [encode_pixels(noise, profile, container=container) for container in CONTAINERS]
    assert kind_of(smallest) == kind
    assert len(smallest) == min(map(len, others))
    assert np.array_equal(jpeg.decode(smallest), jpeg.decode(others[0]))


@given(st.integers(1, 50), st.integers(1, 50), st.booleans(), st.sampled_from(SCHEMES), containers)
def test_optimised_files_are_standard_and_have_the_tables_of_the_profile(
    height: int, width: int, grey: bool, scheme: Subsampling, container: Container
) -> None:
    tables = TableSet(
        luma=QuantTable(tuple(range(1, 65))), chroma=QuantTable(tuple(range(192, 256)))
    )
    profile = profile_of(tables, slope=0.1, subsampling=scheme)
    data = encode_pixels(picture(height, width, grey=grey), profile, container=container)
    image = jpeg.read_coefficients(data)
    assert image.subsampling == ("grey" if grey else scheme)
    expected = [tables.luma] if grey else [tables.luma, tables.chroma, tables.chroma]
    assert [plane.table for plane in image.planes] == expected
    decoded = pillow_pixels(data)
    assert np.array_equal(jpeg.decode(data), decoded)
    colorspace = "GRAY" if grey else "RGB"
    other = simplejpeg.decode_jpeg(data, colorspace=colorspace).reshape(decoded.shape)
    assert np.array_equal(other, decoded)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("slope", [0.02, 0.1])
def test_optimising_pays_in_its_own_measure(slope: float, grey: bool) -> None:
    pixels = picture(96, 96, grey=grey, seed=5)
    pixels = pixels ^ np.random.default_rng(5).integers(0, 32, pixels.shape, np.uint8)
    profile = profile_of(slope=slope)
    optimised = encode_pixels(pixels, profile, container="baseline")
    plain = encode_pixels(pixels, profile_of(), container="baseline")
    assert len(optimised) < 0.95 * len(plain)
    costs = [
        distortion(data, pixels, profile) + slope * 8 * len(data) for data in (optimised, plain)
    ]
    assert costs[0] < costs[1]


def test_chroma_planes_are_weighed_by_their_own_sensitivity() -> None:
    pixels = picture(64, 64, seed=6)
    weights = {"luma": np.ones((8, 8)), "cb": np.zeros((8, 8)), "cr": np.ones((8, 8))}
    choice = RateDistortion(lagrangian=1e-9, sensitivity=weights)
    profile = Profile(name="no cb", tables=TABLES, rate_distortion=choice)
    planes = jpeg.read_coefficients(encode_pixels(pixels, profile)).planes
    ac_counts = [np.count_nonzero(plane.blocks.reshape(-1, 64)[:, 1:]) for plane in planes]
    assert ac_counts[1] == 0
    assert ac_counts[0] > 0
    assert ac_counts[2] > 0


@pytest.mark.parametrize("slope", [None, 0.05])
@pytest.mark.parametrize("container", CONTAINERS)
def test_metadata_is_written(container: Container, slope: float | None) -> None:
    profile = profile_of(slope=slope)
    exif = exif_block()
    data = encode_pixels(picture(20, 20), profile, container=container, icc=ICC, exif=exif)
    info = Image.open(io.BytesIO(data)).info
    assert (info["icc_profile"], info["exif"]) == (ICC, exif)


def test_colour_pixels_need_a_profile_for_colour() -> None:
    profile = profile_of(TableSet(luma=flat(9)), slope=0.1)
    assert jpeg.decode(encode_pixels(picture(9, 9, grey=True), profile)).shape == (9, 9)
    with pytest.raises(EncodingError, match=r"'test' for grey images; convert them to grey"):
        encode_pixels(picture(9, 9), profile)


def requantised(image: Coefficients, tables: TableSet) -> list[NDArray[np.float64]]:
    """Integers by the definition: dequantised ÷ step, halves away from zero."""
    steps = (tables.luma, tables.chroma, tables.chroma)
    ratios = [
        x.astype(np.float64) / table.array
        for x, table in zip(image.dequantised(), steps, strict=False)
        if table is not None
    ]
    return [np.copysign(np.floor(np.abs(ratio) + 0.5), ratio) for ratio in ratios]


@given(st.sampled_from(SCHEMES), st.booleans(), st.integers(1, 100), containers)
def test_requantising_rounds_the_coefficients_of_the_file(
    scheme: Subsampling, grey: bool, quality: int, container: Container
) -> None:
    pixels = picture(41, 27, grey=grey, seed=quality)
    source = jpeg.encode(pixels, TableSet.ijg(85), subsampling=scheme, icc=ICC, exif=exif_block())
    tables = TableSet.ijg(quality)
    result = requantise(source, profile_of(tables, subsampling=scheme), container=container)
    image, before = jpeg.read_coefficients(result), jpeg.read_coefficients(source)
    assert all(map(np.array_equal, [p.blocks for p in image.planes], requantised(before, tables)))
    assert image.planes[0].table == tables.luma
    assert grey or image.planes[2].table == tables.chroma
    assert (image.icc, image.exif) == (ICC, exif_block())
    assert (image.subsampling, image.width, image.height) == (before.subsampling, 27, 41)


def test_requantising_to_odd_multiples_is_encoding_the_original() -> None:
    pixels = picture(80, 64, seed=1)
    source = jpeg.encode(pixels, TableSet(luma=flat(7), chroma=flat(5)))
    tables = TableSet(luma=flat(21), chroma=flat(25))
    result = requantise(source, profile_of(tables), container="progressive")
    direct = jpeg.read_coefficients(jpeg.encode(pixels, tables))
    assert same(jpeg.read_coefficients(result), direct)


def test_grey_files_use_the_luma_table_of_a_colour_profile() -> None:
    source = jpeg.encode(picture(24, 24, grey=True), TableSet(luma=flat(3)))
    for profile in (profile_of(slope=0.05), profile_of(TableSet(luma=ijg_luma(60)), slope=0.05)):
        image = jpeg.read_coefficients(requantise(source, profile))
        assert [plane.table for plane in image.planes] == [ijg_luma(60)]


def test_files_that_do_not_fit_the_profile_are_refused() -> None:
    source = jpeg.encode(picture(24, 24), TABLES, subsampling="4:4:4")
    with pytest.raises(EncodingError, match=r"4:4:4 with the profile 'test' at 4:2:0; decode"):
        requantise(source, profile_of())
    with pytest.raises(EncodingError, match="for grey images; learn"):
        requantise(source, profile_of(TableSet(luma=flat(3)), subsampling="4:4:4"))
    with pytest.raises(JpegError):
        requantise(source[:-40], profile_of(subsampling="4:4:4"))


@given(st.integers(1, 40), st.integers(1, 40), st.booleans(), selections, st.booleans(), containers)
def test_dropped_frequencies_are_zero_and_the_others_as_ever(
    height: int, width: int, grey: bool, kept: Frequencies, again: bool, container: Container
) -> None:
    pixels = picture(height, width, grey=grey)
    source = jpeg.encode(pixels, TableSet.ijg(90))
    plain, some = (
        requantise(source, profile, container=container)
        if again
        else encode_pixels(pixels, profile, container=container)
        for profile in (profile_of(), profile_of().keeping(kept))
    )
    images = jpeg.read_coefficients(plain), jpeg.read_coefficients(some)
    for name, before, after in zip(("luma", "cb", "cr"), *(i.planes for i in images), strict=False):
        assert np.array_equal(after.blocks, before.blocks * kept.mask(name))
        assert after.table == before.table


@given(selections, st.booleans())
def test_optimising_leaves_dropped_frequencies_zero(kept: Frequencies, again: bool) -> None:
    pixels = picture(40, 40, seed=3)
    profile = profile_of(slope=0.05).keeping(kept)
    encode: Callable[..., bytes] = requantise if again else encode_pixels
    data = encode(jpeg.encode(pixels, TableSet.ijg(95)) if again else pixels, profile)
    for plane, mask in zip(
        jpeg.read_coefficients(data).planes, profile.masks.values(), strict=True
    ):
        assert not plane.blocks[:, :, ~mask].any()


def test_optimising_knows_what_is_dropped() -> None:
    """Integers that are set to zero afterwards would have cost more in the same measure."""
    pixels = noisy_picture()
    profile = profile_of(slope=0.05).keeping(Frequencies.zigzag(40, channels=3))
    image = jpeg.read_coefficients(encode_pixels(pixels, profile_of(slope=0.05)))
    planes = [
        replace(plane, blocks=plane.blocks * mask)
        for plane, mask in zip(image.planes, profile.masks.values(), strict=True)
    ]
    afterwards = jpeg.write_coefficients(replace(image, planes=tuple(planes)), progressive=False)
    before = encode_pixels(pixels, profile, container="baseline")
    costs = [
        distortion(data, pixels, profile) + 0.05 * 8 * len(data) for data in (before, afterwards)
    ]
    assert costs[0] < costs[1]


@pytest.mark.parametrize("slope", [None, 0.05])
@pytest.mark.parametrize("grey", [False, True])
def test_keeping_everything_changes_no_byte(slope: float | None, grey: bool) -> None:
    pixels = picture(50, 30, grey=grey)
    profile = profile_of(slope=slope)
    whole = profile.keeping(Frequencies.whole(3))
    assert encode_pixels(pixels, whole) == encode_pixels(pixels, profile)
    source = jpeg.encode(pixels, TableSet.ijg(95))
    assert requantise(source, whole) == requantise(source, profile)


@pytest.mark.parametrize("kept", [Frequencies.zigzag(24, channels=3), Frequencies((0, 1, 8))])
def test_a_network_reads_the_same_in_a_file_of_what_it_reads(kept: Frequencies) -> None:
    torch.manual_seed(0)
    network = CoefficientResNet(3, frequencies=kept, width=8).eval()
    pictures = [picture(48, 64, seed=seed) for seed in range(4)]
    with torch.no_grad():
        whole, truncated = (
            network(read_batch([encode_pixels(each, profile) for each in pictures]))
            for profile in (profile_of(), profile_of().keeping(kept))
        )
    assert torch.equal(whole, truncated)
    assert whole.std(dim=0).min() > 0
