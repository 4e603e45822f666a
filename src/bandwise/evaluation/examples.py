"""A few test images as the files that the codecs make of them: rows "example"."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from PIL import Image

from bandwise.data import LabelledImages
from bandwise.errors import ConfigurationError
from bandwise.evaluation.codecs import Codec, Setting, as_array
from bandwise.measures import (
    GUIDED,
    LEARNED,
    LIBJPEG,
    ORIGINAL,
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
        shared = {
            "record": "example",
            "index": index,
            "label": classes[int(images.labels[index])],
        }
        stream = io.BytesIO()
        Image.fromarray(pixels_u8).save(stream, "PNG", optimize=True)
        png = stream.getvalue()
        yield {
            **shared,
            "codec": ORIGINAL,
            "family": ORIGINAL,
            "setting_label": ORIGINAL,
            "size_bytes": len(png),
            "correct": bool(original.image_correct[index]),
            "png_base64": base64.b64encode(png).decode(),
        }
        for codec, setting, tested in chosen:
            file = codec.encode(pixels_u8, setting)
            yield {
                **shared,
                "codec": codec.name,
                "family": setting.family,
                "setting_label": setting.label,
                "size_bytes": len(file),
                "correct": bool(tested.image_correct[index]),
                "jpeg_base64": base64.b64encode(file).decode(),
            }
