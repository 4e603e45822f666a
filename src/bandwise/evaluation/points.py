"""Real files, decoded, judged by a network: one row a setting.

pixels ──encode──→ bytes ──decode──→ pixels ──network──→ logits ──→ accuracy, divergence
         threads                                 in batches
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bandwise import jpeg
from bandwise.data import LabelledImages
from bandwise.errors import ConfigurationError, EvaluationError
from bandwise.evaluation.codecs import Codec, Setting, TellsQuantisation, as_array
from bandwise.evaluation.estimates import estimated_payload_bytes
from bandwise.measures import ORIGINAL
from bandwise.results import Row, available_cores
from bandwise.tasks import divergences, logits_of, planes_of

Progress = Callable[[Setting, int], None]
"""Called with a setting and how many of its images are done."""

_CHUNK = 256
_JPEG_START = b"\xff\xd8\xff"


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What a point is measured under, apart from its setting: entries of its row.

    `seed` is that of the network's training, or of its fine-tuning where retrained.
    """

    split: str
    network: str
    seed: int = 0
    protocol: str = "frozen"


class _File(NamedTuple):
    size_bytes: int
    payload_bytes: int | None
    pixels_u8: Tensor


def measure(
    codec: Codec,
    settings: Sequence[Setting],
    images: LabelledImages,
    network: nn.Module,
    *,
    original_logits: Tensor,
    conditions: Conditions,
    threads: int | None = None,
    batch_size: int = 64,
    device: torch.device | str = "cpu",
    estimates: bool = False,
    progress: Progress | None = None,
) -> Iterator[Row]:
    """Yield a row "point" for each setting, as soon as it is measured.

    Files are encoded and decoded on `threads` (None: one a core) while the network works on those
    before. `original_logits` (N, classes) are the same network's on the originals; settings that
    decode to the same pixels cost one pass of the network. `payload_bytes` counts entropy-coded
    data, for JPEG files alone; with `estimates`, `estimated_payload_bytes` says what learning would
    take it for, where the codec tells its tables: a pass of some 5 ms an image.

    Raises
    ------
    ConfigurationError
        When there is not one row of original logits an image.
    EvaluationError
        When a codec fails, or decodes to another shape.
    """
    if len(original_logits) != len(images):
        raise ConfigurationError(
            f"{len(images)} images need as many rows of original logits, got {len(original_logits)}"
        )
    known: dict[bytes, Tensor] = {}
    estimate = functools.cache(
        functools.partial(
            estimated_payload_bytes,
            pixels_u8=images.pixels_u8,
            batch_size=batch_size,
            device=device,
        )
    )
    pool = ThreadPoolExecutor(threads or available_cores())
    try:
        for setting in settings:
            sizes: list[int] = []
            payloads: list[int | None] = []
            logits: list[Tensor] = []
            for files in _coded(pool, codec, setting, images.pixels_u8, conditions.split):
                pixels_u8 = torch.stack([file.pixels_u8 for file in files])
                key = hashlib.sha256(pixels_u8.numpy().data).digest()
                if key not in known:
                    known[key] = logits_of(network, pixels_u8, batch_size=batch_size, device=device)
                logits.append(known[key])
                sizes += [file.size_bytes for file in files]
                payloads += [file.payload_bytes for file in files]
                if progress is not None:
                    progress(setting, len(sizes))
            told = (
                codec.quantisation(setting)
                if estimates and isinstance(codec, TellsQuantisation)
                else None
            )
            yield _row(
                images,
                conditions,
                codec=codec.name,
                setting=setting,
                sizes=sizes,
                payloads=payloads,
                estimated=None if told is None else estimate(told),
                logits=torch.cat(logits),
                original_logits=original_logits,
            )
    finally:
        pool.shutdown(cancel_futures=True)


def original_row(images: LabelledImages, logits: Tensor, conditions: Conditions) -> Row:
    """Row "point" of the uncompressed reference, of which bytes are not counted."""
    return _row(
        images,
        conditions,
        codec=ORIGINAL,
        setting=Setting(family=ORIGINAL, label=ORIGINAL),
        sizes=None,
        payloads=[None],
        logits=logits,
        original_logits=logits,
    )


def recode(
    codec: Codec, setting: Setting, images: LabelledImages, *, threads: int | None = None
) -> LabelledImages:
    """Images as they are after encoding and decoding; `EvaluationError` as in `measure`."""
    with ThreadPoolExecutor(threads or available_cores()) as pool:
        coded = _coded(pool, codec, setting, images.pixels_u8, "the images")
        decoded = [file.pixels_u8 for files in coded for file in files]
    return LabelledImages(torch.stack(decoded), images.labels)


def _coded(
    pool: ThreadPoolExecutor, codec: Codec, setting: Setting, pixels_u8: Tensor, split: str
) -> Iterator[list[_File]]:
    """Files of all images in chunks; the chunk after the one in hand is already being coded."""

    def one(index: int) -> _File:
        original = as_array(pixels_u8[index])
        what = f"{setting.family} {setting.label} on image {index} of {split}"
        try:
            data = codec.encode(original, setting)
            decoded = codec.decode(data, original.shape)
        except Exception as error:  # foreign libraries raise what they like
            kind = type(error).__name__
            raise EvaluationError(f"{what} failed ({kind}): {error}; leave it out") from error
        if decoded.shape != original.shape or decoded.dtype != np.uint8:
            raise EvaluationError(
                f"{what} decoded to {decoded.dtype} {decoded.shape} instead of "
                f"uint8 {original.shape}"
            )
        payload = jpeg.payload_bytes(data) if data.startswith(_JPEG_START) else None
        return _File(len(data), payload, planes_of(decoded))

    coding: list[Future[_File]] = []
    for start in range(0, len(pixels_u8), _CHUNK):
        ahead = [
            pool.submit(one, index) for index in range(start, min(start + _CHUNK, len(pixels_u8)))
        ]
        if coding:
            yield [future.result() for future in coding]
        coding = ahead
    yield [future.result() for future in coding]


def _row(
    images: LabelledImages,
    conditions: Conditions,
    *,
    codec: str,
    setting: Setting,
    sizes: list[int] | None,
    payloads: Sequence[int | None],
    logits: Tensor,
    original_logits: Tensor,
    estimated: float | None = None,
) -> Row:
    decided, before = logits.argmax(dim=1), original_logits.argmax(dim=1)
    correct = decided == images.labels
    count, _, height, width = images.pixels_u8.shape
    return {
        "record": "point",
        "codec": codec,
        "family": setting.family,
        "setting": dict(setting.options),
        "label": setting.label,
        "split": conditions.split,
        "protocol": conditions.protocol,
        "network": conditions.network,
        "seed": conditions.seed,
        "images": count,
        "pixels": count * height * width,
        "bytes": None if sizes is None else sum(sizes),
        "payload_bytes": None if None in payloads else sum(filter(None, payloads)),
        "estimated_payload_bytes": None if estimated is None else round(estimated),
        "accuracy": float(correct.double().mean()),
        "agreement": float((decided == before).double().mean()),
        "divergence": float(
            divergences(logits.double(), original_logits.double()).mean().clamp(min=0)
        ),
        "image_bytes": sizes,
        "image_correct": "".join("1" if right else "0" for right in correct.tolist()),
    }
