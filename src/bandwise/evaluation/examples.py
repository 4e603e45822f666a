"""A few test images as the files that the codecs make of them: rows "example"."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from PIL import Image

from bandwise.data import LabelledImages
from bandwise.errors import ConfigurationError
from bandwise.evaluation.codecs import AdaptiveCodec, Codec, Setting, as_array
from bandwise.evaluation.codecs.base import Pixels
from bandwise.measures import (
    GUIDED,
    LEARNED,
    LIBJPEG,
    ORIGINAL,
    Point,
    best_point,
    find_original,
    points_of,
)
from bandwise.results import Row

SHOWN = (LIBJPEG, LEARNED, GUIDED)
"""Codecs whose files are shown, as far as they were measured."""


def example_rows(
    rows: Iterable[Mapping[str, Any]],
    codecs: Sequence[tuple[Codec, Sequence[Setting]]],
    images: LabelledImages,
    classes: Sequence[str],
    *,
    network: str,
    bound: float = 1.0,
    shown: Sequence[str] = SHOWN,
    count: int = 4,
) -> Iterator[Row]:
    """Yield images at even distances: the original, then each codec's setting for the bound.

    Parameters
    ----------
    rows
        Of an experiment: points of the frozen `network` on both splits, which say what is chosen on
        validation and how each test image was decided.
    codecs
        With their settings, those named in `shown` among them; they write JPEG files.
    images, classes
        The test images of the rows, and the names of their labels.
    bound
        Percentage points of accuracy that a setting may lose on validation.

    Raises
    ------
    ConfigurationError
        If the rows hold no point of the originals on as many test images.
    """
    points = points_of(rows, network=network)
    original = find_original(points, "test")
    if original is None or len(original.image_correct) != len(images):
        raise ConfigurationError(
            f"examples need the originals' decisions on the {len(images)} test images, got "
            f"{'none' if original is None else len(original.image_correct)}"
        )
    chosen = []
    for codec, settings in codecs:
        best = best_point(points, codec.name, bound) if codec.name in shown else None
        for setting in settings:
            if best and (setting.family, setting.label) == (best.family, best.label):
                (tested,) = (
                    point
                    for point in points
                    if point.split == "test" and point.setting_key == best.setting_key
                )
                chosen.append((codec, setting, tested))
    for order in range(min(count, len(images))):
        index = (2 * order + 1) * len(images) // (2 * min(count, len(images)))
        pixels_u8 = as_array(images.pixels_u8[index])
        shared = _shared(index, images, classes)
        yield _original(shared, pixels_u8, original)
        for codec, setting, tested in chosen:
            yield _coded(shared, codec, setting, pixels_u8, tested)


def end_rows(
    rows: Iterable[Mapping[str, Any]],
    codec: AdaptiveCodec,
    setting: Setting,
    images: LabelledImages,
    classes: Sequence[str],
    *,
    network: str,
    count: int = 6,
) -> Iterator[Row]:
    """Yield the images with the lowest rungs and those with the highest: original and file.

    Parameters
    ----------
    rows
        Of one seed of learning, with the test points of the setting and of the originals.
    codec, setting
        A policy at one price of a bit.
    images, classes
        The test images of the rows, and the names of their labels.
    count
        Images of each end; of those on the same rung the first.
    """
    measured = {p.setting_key: p for p in points_of(rows, network=network) if p.split == "test"}
    original = measured[ORIGINAL, ORIGINAL, ORIGINAL]
    tested = measured[codec.name, setting.family, setting.label]
    profile = codec.profile(setting.label)
    arrays = [as_array(pixels_u8) for pixels_u8 in images.pixels_u8]
    rungs = [profile.choice(array)[1] for array in arrays]
    order = sorted(range(len(arrays)), key=rungs.__getitem__)
    ends = [*order[:count], *sorted(order, key=lambda index: -rungs[index])[:count]]
    for index in dict.fromkeys(ends):
        shared = _shared(index, images, classes)
        yield _original(shared, arrays[index], original)
        yield _coded(shared, codec, setting, arrays[index], tested)


def _shared(index: int, images: LabelledImages, classes: Sequence[str]) -> Row:
    return {"record": "example", "index": index, "label": classes[int(images.labels[index])]}


def _original(shared: Row, pixels_u8: Pixels, measured: Point) -> Row:
    stream = io.BytesIO()
    Image.fromarray(pixels_u8).save(stream, "PNG", optimize=True)
    png = stream.getvalue()
    return {
        **shared,
        "codec": ORIGINAL,
        "family": ORIGINAL,
        "setting_label": ORIGINAL,
        "size_bytes": len(png),
        "correct": bool(measured.image_correct[shared["index"]]),
        "png_base64": base64.b64encode(png).decode(),
    }


def _coded(shared: Row, codec: Codec, setting: Setting, pixels_u8: Pixels, measured: Point) -> Row:
    file = codec.encode(pixels_u8, setting)
    return {
        **shared,
        "codec": codec.name,
        "family": setting.family,
        "setting_label": setting.label,
        "size_bytes": len(file),
        "correct": bool(measured.image_correct[shared["index"]]),
        "jpeg_base64": base64.b64encode(file).decode(),
    }
