"""Deterministic pictures, coefficients and Pillow files that the tests of bandwise.jpeg share."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from bandwise import jpeg
from bandwise.frequency.coefficients import (
    LUMA_SAMPLING,
    Coefficients,
    Colour,
    Plane,
    Subsampling,
    block_grid,
)
from bandwise.frequency.tables import QuantTable, TableSet

SCHEMES: tuple[Subsampling, ...] = tuple(LUMA_SAMPLING)
PILLOW_SCHEMES: tuple[Subsampling, ...] = ("4:4:4", "4:2:2", "4:2:0")
ICC: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def picture(height: int, width: int, *, grey: bool = False, seed: int = 0) -> NDArray[np.uint8]:
    """Smooth random shapes: uint8 (height, width) or (height, width, 3)."""
    shape = (height // 8 + 2, width // 8 + 2) + (() if grey else (3,))
    coarse = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(smooth)


def jpeg_file(
    height: int = 32,
    width: int = 48,
    *,
    grey: bool = False,
    seed: int = 0,
    quality: int = 80,
    subsampling: Subsampling = "4:2:0",
) -> bytes:
    """A picture as bandwise writes it."""
    pixels_u8 = picture(height, width, grey=grey, seed=seed)
    return jpeg.encode(pixels_u8, TableSet.ijg(quality), subsampling=subsampling)


def saved(image: Image.Image | NDArray[np.uint8], kind: str = "PNG", **options: Any) -> bytes:
    """A file as Pillow writes it."""
    file = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(file, kind, **options)
    return file.getvalue()


def pillow_file(pixels_u8: NDArray[np.uint8], **options: Any) -> bytes:
    return saved(pixels_u8, "JPEG", **options)


def pillow_pixels(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)))


def exif_block() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    block: bytes = exif.tobytes()
    return block


def same(left: Coefficients, right: Coefficients) -> bool:
    """Whether two images have equal integers, tables, sampling, size and metadata."""
    facts = [
        (
            c.width,
            c.height,
            c.colour,
            c.icc,
            c.exif,
            [(p.table, p.h_samp, p.v_samp) for p in c.planes],
        )
        for c in (left, right)
    ]
    return facts[0] == facts[1] and all(
        np.array_equal(a.blocks, b.blocks) for a, b in zip(left.planes, right.planes, strict=True)
    )


@st.composite
def coefficient_images(draw: st.DrawFn) -> Coefficients:
    """Random integers over the full legal range, sparse or dense, of every scheme and odd sizes."""
    width, height = draw(st.integers(1, 70)), draw(st.integers(1, 70))
    scheme: Subsampling | None = draw(st.sampled_from([None, *SCHEMES]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    density = draw(st.sampled_from([0.0, 0.05, 1.0]))
    ceiling = draw(st.sampled_from([1, 20, 1023]))
    h_luma, v_luma = (1, 1) if scheme is None else LUMA_SAMPLING[scheme]
    colour: Colour = "grey" if scheme is None else "ycbcr"
    planes = []
    for component in range(1 if scheme is None else 3):
        h_samp, v_samp = (h_luma, v_luma) if component == 0 else (1, 1)
        grid = block_grid(width, height, h_ratio=h_luma // h_samp, v_ratio=v_luma // v_samp)
        blocks = rng.integers(-ceiling, ceiling + 1, (*grid, 8, 8))
        blocks[rng.random(blocks.shape) >= density] = 0
        blocks[:, :, 0, 0] = rng.integers(-1024, 1024, grid)
        planes.append(
            Plane(
                blocks=blocks.astype(np.int16),
                table=QuantTable(tuple(rng.integers(1, 256, 64).tolist())),
                h_samp=h_samp,
                v_samp=v_samp,
            )
        )
    return Coefficients(planes=tuple(planes), width=width, height=height, colour=colour)


def segment(marker: int, payload: bytes) -> bytes:
    """A marker segment with its length."""
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload


def insert(data: bytes, *parts: bytes) -> bytes:
    """Put segments right after the start-of-image marker."""
    return data[:2] + b"".join(parts) + data[2:]


def patched(data: bytes, marker: int, offset: int, values: Sequence[int]) -> bytes:
    """Overwrite bytes at an offset behind the first occurrence of a marker."""
    start = data.index(bytes([0xFF, marker])) + 2 + offset
    return data[:start] + bytes(values) + data[start + len(values) :]
