"""Any image file's bytes to pixels, or a reason."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from bandwise import images, jpeg
from bandwise.dataset import read_picture
from bandwise.errors import UnreadableImageError
from bandwise.frequency.coefficients import LUMA_SAMPLING, Subsampling
from bandwise.frequency.tables import TableSet
from tests.jpeg.images import picture, saved

SRGB: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF")


def with_colour_space(space: bytes) -> bytes:
    return SRGB[:16] + space + SRGB[20:]


def noise(height: int = 24, width: int = 20) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_pixels_are_exact_and_grey_stays_grey() -> None:
    pixels = noise()
    np.testing.assert_array_equal(read_picture(saved(Image.fromarray(pixels))).pixels_u8, pixels)
    grey = read_picture(saved(Image.fromarray(pixels[..., 0]))).pixels_u8
    np.testing.assert_array_equal(grey, pixels[..., 0])


@pytest.mark.parametrize(
    ("mode", "space", "kept"),
    [
        ("RGB", b"RGB ", True),
        ("L", b"GRAY", True),
        ("P", b"RGB ", True),
        ("L", b"RGB ", False),
        ("RGB", b"GRAY", False),
        ("RGB", b"CMYK", False),
    ],
)
def test_icc_is_kept_where_it_fits(mode: str, space: bytes, kept: bool) -> None:
    profile = with_colour_space(space)
    data = saved(Image.fromarray(noise()).convert(mode), icc_profile=profile)
    assert read_picture(data).icc == (profile if kept else None)


@pytest.mark.parametrize("icc", [b"", b"short", bytes(200)])
def test_what_is_no_icc_profile_is_left_out(icc: bytes) -> None:
    assert read_picture(saved(Image.fromarray(noise()), icc_profile=icc)).icc is None


def test_cmyk_is_converted_without_its_profile() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    data = saved(image, "JPEG", quality=95, icc_profile=with_colour_space(b"CMYK"))
    picture = read_picture(data)
    assert np.abs(picture.pixels_u8[4, 4].astype(int) - [255, 0, 0]).max() < 4
    assert picture.icc is None


def test_transparency_is_laid_on_white_or_refused() -> None:
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 255))
    opaque = saved(image)
    image.putpixel((1, 2), (0, 0, 0, 0))
    transparent = saved(image)
    assert read_picture(opaque, alpha="refuse").pixels_u8.max() == 0
    assert read_picture(transparent).pixels_u8[2, 1].tolist() == [255, 255, 255]
    with pytest.raises(UnreadableImageError, match="the file has transparent pixels"):
        read_picture(transparent, alpha="refuse")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_animations_and_pages_are_refused(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("black", "white", "red")]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    with pytest.raises(UnreadableImageError, match="document of several pages"):
        read_picture(data)


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_pages_are_refused_without_counting_them(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def count(file: Image.Image) -> int:
        raise AssertionError("of 16,000 pages of a TIFF that took 9 seconds, quadratic in them")

    pages = [Image.new("RGB", (8, 8), colour) for colour in ("black", "white")]
    data = saved(pages[0], kind, save_all=True, append_images=pages[1:])
    monkeypatch.setattr(
        f"PIL.{kind.title()}ImagePlugin.{kind.title()}ImageFile.n_frames", property(count)
    )
    with pytest.raises(UnreadableImageError, match="document of several pages"):
        read_picture(data)


def test_the_picture_of_a_camera_s_multi_picture_file_is_read() -> None:
    main, preview = Image.new("RGB", (16, 16), "black"), Image.new("RGB", (8, 8), "white")
    data = saved(main, "MPO", save_all=True, append_images=[preview])
    assert read_picture(data).pixels_u8.shape == (16, 16, 3)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.3, 0.6, 0.9])
def test_a_file_that_ends_early_is_refused(kind: str, kept: float) -> None:
    data = saved(Image.fromarray(noise(64, 64)), kind)
    with pytest.raises(UnreadableImageError, match=r"the file (is|cannot)"):
        read_picture(data[: int(len(data) * kept)])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"P5 0 4 255\n", "the file (is not an image|cannot)"),
        (b"hello, world", "the file is not an image of an accepted format"),
        (b"\x89PNG\r\n\x1a\n", "the file"),
        (b"%PDF-1.4", "the file is not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "the file is not an image"),
        (b"P6 9000 9000 255\n" + bytes(64), "the file has .*pixels"),
        (b"P6 60000 60000 255\n" + bytes(64), "the file has too many pixels"),
        (saved(Image.fromarray(np.zeros((8, 8), np.float32)), "TIFF"), "32-bit values"),
        (saved(Image.new("RGB", (16, 16)), "TGA"), "the file is not an image"),
    ],
)
def test_what_cannot_be_read_has_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableImageError, match=reason):
        read_picture(data)


def test_the_pixel_limit_holds_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 24 * 20 - 1)
    with pytest.raises(UnreadableImageError, match="the file has 20×24 pixels"):
        read_picture(saved(Image.fromarray(noise())))


@given(kind=st.sampled_from(FORMATS), seed=st.integers(0, 2**32))
def test_damaged_files_raise_nothing_else(kind: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    data = bytearray(saved(Image.fromarray(noise()), kind))
    for position in generator.integers(0, len(data), 4):
        data[position] = generator.integers(256)
    try:
        pixels = read_picture(bytes(data)).pixels_u8
    except UnreadableImageError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 2 or pixels.shape[2] == 3


@pytest.mark.skipif(not jpeg.available(), reason="the native JPEG extension is not built")
@pytest.mark.parametrize("subsampling", LUMA_SAMPLING)
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("grey", [False, True])
def test_jpeg_files_are_read_as_pillow_reads_them(
    subsampling: Subsampling, progressive: bool, grey: bool
) -> None:
    for height, width in ((1, 1), (17, 33), (64, 48)):
        pixels = picture(height, width, grey=grey)
        data = jpeg.encode(
            pixels, TableSet.ijg(80), subsampling=subsampling, progressive=progressive
        )
        expected = np.asarray(Image.open(io.BytesIO(data)))
        np.testing.assert_array_equal(read_picture(data).pixels_u8, expected)


def test_a_jpeg_of_rgb_values_is_read_as_such() -> None:
    pixels = picture(24, 32)
    data = saved(Image.fromarray(pixels), "JPEG", keep_rgb=True, quality=100, subsampling=0)
    assert np.abs(read_picture(data).pixels_u8.astype(int) - pixels).max() <= 2


def with_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is there many times over."""
    data = saved(Image.fromarray(noise()), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    scan = data[last:-2]
    return data[:last] + count * scan + data[-2:]


def test_a_jpeg_of_thousands_of_scans_is_refused_before_it_is_decoded() -> None:
    data = with_scans(5000)
    with pytest.raises(UnreadableImageError, match=r"JPEG of 50\d\d scans, more than the limit"):
        read_picture(data)
    with pytest.raises(UnreadableImageError, match=r"JPEG of 50\d\d scans, more than the limit"):
        read_picture(data[:-2])
    many = b"\xff\xfe\x01\x92" + b"\xff\xda" * 200
    plain = saved(Image.fromarray(noise()), "JPEG")
    assert read_picture(plain[:2] + many + plain[2:]).pixels_u8.shape == noise().shape
