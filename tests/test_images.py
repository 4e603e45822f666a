"""Opening image files, and decoding them to a size."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bandwise import images
from bandwise.errors import UnreadableImageError
from bandwise.images import (
    Colour,
    decode_file,
    from_planes,
    on_white,
    open_image,
    short_side,
    to_planes,
    turn,
    upright,
)
from tests.jpeg.images import saved


def loaded(data: bytes) -> Image.Image:
    with open_image(io.BytesIO(data), "it") as image:
        return upright(image, "it")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF"])
def test_every_format_with_exif_is_turned_once(kind: str) -> None:
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise: what is left comes to the top
    turned = np.asarray(loaded(saved(Image.fromarray(pixels), kind, exif=exif)))
    assert turned.shape == (32, 16, 3)
    assert turned[:14].min() > 250
    assert turned[18:].max() < 5


@pytest.mark.parametrize("block", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"?"])
def test_damaged_exif_is_no_reason_to_refuse_pixels(block: bytes) -> None:
    data = saved(Image.new("RGB", (8, 8), "red"), exif=block)
    with open_image(io.BytesIO(data), "it") as image:
        assert turn(image) is None
        assert upright(image, "it").getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("1", "L"), ("L", "L"), ("LA", "L"), ("P", "RGB"), ("RGB", "RGB"), ("RGBA", "RGB")],
)
def test_opaque_images_lose_their_alpha_and_grey_stays_grey(mode: str, expected: str) -> None:
    assert loaded(saved(Image.new("RGBA", (8, 8), "white").convert(mode), "PNG")).mode == expected


def test_one_transparent_pixel_is_enough_to_keep_alpha() -> None:
    for mode, clear, white in (("LA", (7, 0), 255), ("RGBA", (7, 8, 9, 0), (255, 255, 255))):
        image = Image.new(mode, (8, 8), "black")
        image.putpixel((3, 4), clear)
        found = loaded(saved(image, "PNG"))
        assert found.mode == mode
        image.putpixel((3, 4), (*clear[:-1], 254))
        assert loaded(saved(image, "PNG")).mode == mode
        assert on_white(found).getpixel((3, 4)) == white
        assert on_white(found).mode == mode[:-1]


def test_sixteen_bits_are_scaled_and_their_transparent_value_kept() -> None:
    values = np.array([[0, 300, 65535]], np.uint16).repeat(2, axis=0)
    found = loaded(saved(Image.fromarray(values), "PNG", transparency=300))
    assert found.mode == "LA"
    np.testing.assert_array_equal(np.asarray(found)[0], [[0, 255], [1, 0], [255, 255]])


@pytest.mark.parametrize("maxval", [1023, 65535])
def test_a_pgm_of_more_than_8_bits_is_scaled(maxval: int) -> None:
    header = f"P5 2 1 {maxval}\n".encode()
    data = header + (maxval // 3).to_bytes(2, "big") + maxval.to_bytes(2, "big")
    np.testing.assert_array_equal(np.asarray(loaded(data)), [[85, 255]])


def test_the_message_begins_with_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def message(content: bytes) -> str:
        path = tmp_path / "a"
        path.write_bytes(content)
        with pytest.raises(UnreadableImageError) as caught, open_image(path, "photo 7") as image:
            upright(image, "photo 7")
        return str(caught.value)

    whole = saved(Image.effect_noise((32, 32), 50), "PNG")
    assert message(b"text").startswith("photo 7 is not an image of an accepted format (PNG, JPEG")
    assert message(whole[:400]).startswith("photo 7 cannot be decoded (")
    monkeypatch.setattr(images, "MAX_PIXELS", 1023)
    assert message(whole).startswith("photo 7 has 32×32 pixels, more than the limit of 1023")


Bytes = npt.NDArray[np.uint8]


def noise(height: int, width: int, channels: int = 3) -> Bytes:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def written(path: Path, pixels: Bytes, **options: Any) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def test_exact_size_is_exact_pixels(tmp_path: Path) -> None:
    pixels = noise(12, 10)
    path = written(tmp_path / "a.png", pixels)
    decoded = decode_file(path, height=12, width=10, colour="rgb")
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, pixels.transpose(2, 0, 1))


@given(
    source=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    wanted=st.tuples(st.integers(1, 24), st.integers(1, 24)),
)
def test_scaling_covers_the_size_and_keeps_the_aspect_ratio(
    tmp_path_factory: pytest.TempPathFactory, source: tuple[int, int], wanted: tuple[int, int]
) -> None:
    """A picture of its own coordinates shows afterwards which part is seen, and how large."""
    (source_h, source_w), (height, width) = source, wanted
    rows, columns = np.mgrid[:source_h, :source_w]
    pixels = np.stack([rows * 5, columns * 5, rows * 0], axis=-1).astype(np.uint8)
    path = written(tmp_path_factory.mktemp("cover") / "a.png", pixels)
    decoded = decode_file(path, height=height, width=width, colour="rgb").astype(float) / 5
    assert decoded.shape == (3, height, width)
    scale = max(height / source_h, width / source_w)

    def position(index: int, size: int, source_size: int) -> float:
        return (index + 0.5 - size / 2) / scale + source_size / 2 - 0.5

    # Inside the picture, away from where the filter's support is cut, Lanczos keeps a ramp.
    reach = 3 * max(1.0, 1 / scale) + 1
    for index in range(height):
        expected = position(index, height, source_h)
        if reach < expected < source_h - 1 - reach:
            assert decoded[0, index, 0] == pytest.approx(expected, abs=0.7)
    for index in range(width):
        expected = position(index, width, source_w)
        if reach < expected < source_w - 1 - reach:
            assert decoded[1, 0, index] == pytest.approx(expected, abs=0.7)


def test_grey_is_bt_601_luma(tmp_path: Path) -> None:
    pixels = noise(9, 9)
    decoded = decode_file(written(tmp_path / "a.png", pixels), height=9, width=9, colour="grey")
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    assert decoded.shape == (1, 9, 9)
    assert np.abs(decoded[0] - luma).max() < 1


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda p: p),
        (2, np.fliplr),
        (3, lambda p: np.rot90(p, 2)),
        (4, np.flipud),
        (5, lambda p: np.transpose(p, (1, 0, 2))),
        (6, lambda p: np.rot90(p, -1)),
        (7, lambda p: np.rot90(np.transpose(p, (1, 0, 2)), 2)),
        (8, np.rot90),
    ],
)
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, upright: object) -> None:
    assert callable(upright)
    pixels = noise(8, 16)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = written(tmp_path / "a.png", pixels, exif=exif)
    expected = upright(pixels)
    decoded = decode_file(path, height=expected.shape[0], width=expected.shape[1], colour="rgb")
    np.testing.assert_array_equal(decoded, expected.transpose(2, 0, 1))


@pytest.mark.parametrize("colour", ["rgb", "grey"])
def test_transparent_palette_entries_are_white(tmp_path: Path, colour: Colour) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(0, (0, 0, 4, 8))
    image.save(tmp_path / "a.gif", transparency=0)
    decoded = decode_file(tmp_path / "a.gif", height=8, width=8, colour=colour)
    assert (decoded[:, :, :4] == 255).all()
    assert decoded[:, 0, 7].tolist() == ([0, 0, 255] if colour == "rgb" else [29])


@pytest.mark.parametrize("name", ["a.gif", "a.tiff", "a.webp", "a.png"])
def test_the_first_frame_is_taken(tmp_path: Path, name: str) -> None:
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("black", "white"))
    first.save(tmp_path / name, save_all=True, append_images=[second], lossless=True)
    assert decode_file(tmp_path / name, height=8, width=8, colour="grey").max() == 0


@pytest.mark.parametrize(
    "name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tif", "a.gif", "a.ppm", "a.avif"]
)
def test_accepted_formats(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, np.full((8, 8, 3), 128, dtype=np.uint8))
    assert short_side(path) == 8
    decoded = decode_file(path, height=8, width=8, colour="rgb")
    assert np.abs(decoded.astype(int) - 128).max() <= 2


@pytest.mark.parametrize("channels", [1, 3])
def test_planes_and_pixels_are_views_of_each_other(channels: int) -> None:
    pixels = noise(5, 7, channels)
    planes = to_planes(pixels)
    assert planes.shape == (channels, 5, 7)
    assert np.shares_memory(planes, pixels)
    back = from_planes(np.ascontiguousarray(planes))
    assert back.flags.c_contiguous
    np.testing.assert_array_equal(back, pixels)
