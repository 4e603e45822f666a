"""What `bandwise.images` does that the tests of decoding and reading do not show."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bandwise import images
from bandwise.errors import UnreadableImageError
from bandwise.images import on_white, open_image, turn, upright


def saved(image: Image.Image, kind: str, **options: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def loaded(file: io.BytesIO) -> Image.Image:
    with open_image(file, "it") as image:
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
    file = saved(Image.new("RGB", (8, 8), "red"), "PNG", exif=block)
    with open_image(file, "it") as image:
        assert turn(image) is None
        assert upright(image, "it").getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("orientation", [0, 1, 9, 65_535])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert loaded(saved(Image.new("L", (8, 16)), "PNG", exif=exif)).size == (8, 16)


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


def test_half_transparent_grey_is_mixed_with_white() -> None:
    image = Image.new("LA", (8, 8), (100, 51))
    assert on_white(loaded(saved(image, "PNG"))).getpixel((0, 0)) == round(0.2 * 100 + 0.8 * 255)


def test_sixteen_bits_are_scaled_and_their_transparent_value_kept() -> None:
    values = np.array([[0, 300, 65535]], np.uint16).repeat(2, axis=0)
    found = loaded(saved(Image.fromarray(values), "PNG", transparency=300))
    assert found.mode == "LA"
    np.testing.assert_array_equal(np.asarray(found)[0], [[0, 255], [1, 0], [255, 255]])


@pytest.mark.parametrize("maxval", [1023, 65535])
def test_a_pgm_of_more_than_8_bits_is_scaled(maxval: int) -> None:
    header = f"P5 2 1 {maxval}\n".encode()
    file = io.BytesIO(header + (maxval // 3).to_bytes(2, "big") + maxval.to_bytes(2, "big"))
    np.testing.assert_array_equal(np.asarray(loaded(file)), [[85, 255]])


def test_sixteen_bit_colour_becomes_8_bits() -> None:
    header = b"P6 1 1 65535\n"
    file = io.BytesIO(header + b"".join(v.to_bytes(2, "big") for v in (0, 32896, 65535)))
    assert loaded(file).getpixel((0, 0)) == (0, 128, 255)


def test_the_message_begins_with_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def message(content: bytes) -> str:
        path = tmp_path / "a"
        path.write_bytes(content)
        with pytest.raises(UnreadableImageError) as caught, open_image(path, "photo 7") as image:
            upright(image, "photo 7")
        return str(caught.value)

    whole = saved(Image.effect_noise((32, 32), 50), "PNG").getvalue()
    assert message(b"text").startswith("photo 7 is not an image of an accepted format (PNG, JPEG")
    assert message(whole[:400]).startswith("photo 7 cannot be decoded (")
    monkeypatch.setattr(images, "MAX_PIXELS", 1023)
    assert message(whole).startswith("photo 7 has 32×32 pixels, more than the limit of 1023")
