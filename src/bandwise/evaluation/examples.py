"""A few test images as the files that the codecs make of them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from PIL import Image

from bandwise.data import LabelledImages
from bandwise.errors import ConfigurationError
from bandwise.evaluation.codecs import Codec, Pixels, Setting, as_array
from bandwise.results import GUIDED, LEARNED, LIBJPEG, Example, Measurement, Results
from bandwise.statistics import best_point, find_original, merge_seeds

SHOWN = (LIBJPEG, LEARNED, GUIDED)
"""Codecs whose files are shown, as far as they were measured."""


def examples(
    results: Results,
    codecs: Sequence[tuple[Codec, Sequence[Setting]]],
    images: LabelledImages,
    *,
    network: str,
    bound: float = 1.0,
    shown: Sequence[str] = SHOWN,
    count: int = 4,
) -> Iterator[Example]:
    """Yield images at even distances: the original, then each codec's setting for the bound.

    Parameters
    ----------
    results
        Measurements of the frozen `network` on both splits, by which settings are chosen on
        validation and by which each test image's decision is known.
    codecs
        With their settings, those named in `shown` among them; they write JPEG files.
    images
        The test images that were measured.
    bound
        Percentage points of accuracy that a setting may lose on validation.

    Raises
    ------
    ConfigurationError
        If the originals were not measured on as many test images.
    """
    measured = merge_seeds(results.of(Measurement), network=network)
    original = find_original(measured, "test")
    if original is None or original.images != len(images):
        raise ConfigurationError(
            f"examples need the originals' decisions on the {len(images)} test images, got "
            f"{'none' if original is None else original.images}"
        )
    chosen: list[tuple[Codec, Setting, Measurement]] = []
    for codec, settings in codecs:
        best = best_point(measured, codec.name, bound) if codec.name in shown else None
        chosen += [
            (codec, setting, tested)
            for setting in settings
            for tested in measured
            if best is not None
            and (setting.family, setting.label) == (best.family, best.label)
            and tested.split == "test"
            and tested.setting_key == best.setting_key
        ]
    classes = results.experiment.dataset.classes
    for order in range(min(count, len(images))):
        index = (2 * order + 1) * len(images) // (2 * min(count, len(images)))
        pixels_u8, class_name = as_array(images.pixels_u8[index]), classes[images.labels[index]]
        yield _example(index, class_name, original, _png(pixels_u8))
        for codec, setting, tested in chosen:
            yield _example(index, class_name, tested, codec.encode(pixels_u8, setting))


def _example(index: int, class_name: str, measured: Measurement, data: bytes) -> Example:
    return Example(
        index=index,
        class_name=class_name,
        codec=measured.codec,
        family=measured.family,
        setting_label=measured.label,
        size_bytes=len(data),
        correct=bool(measured.image_correct[index]),
        data=data,
    )


def _png(pixels_u8: Pixels) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels_u8).save(stream, "PNG", optimize=True)
    return stream.getvalue()
