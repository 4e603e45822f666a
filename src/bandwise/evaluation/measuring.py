"""Real files, decoded, judged by a network: one measurement a setting.

pixels ──encode──→ bytes ──decode──→ pixels ──network──→ logits ──→ accuracy, divergence
         threads                                 in batches
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bandwise import jpeg
from bandwise.data import LabelledImages
from bandwise.errors import ConfigurationError, EvaluationError
from bandwise.evaluation.codecs import Codec, Pixels, Setting, as_array
from bandwise.models.classification import divergences, logits_of
from bandwise.progress import Progress, ProgressCallback, ignore_progress
from bandwise.results import ORIGINAL, Measurement, Protocol, Split
from bandwise.system import available_cores

_JPEG_START = b"\xff\xd8\xff"


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What a setting is measured under: fields of its `Measurement`.

    `seed` is that of the network's training, or of its fine-tuning where retrained.
    """

    split: Split
    network: str
    seed: int = 0
    protocol: Protocol = "frozen"

    def key_of(self, codec: str, family: str, label: str) -> tuple[str | int, ...]:
        """Identity of the measurement of a setting (`bandwise.results.Results.find`)."""
        return codec, family, label, self.split, self.protocol, self.network, self.seed


class _File(NamedTuple):
    size_bytes: int
    payload_bytes: int | None
    pixels_u8: Pixels


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
    progress: ProgressCallback = ignore_progress,
) -> Iterator[Measurement]:
    """Yield the measurement of each setting as soon as it is done.

    Files are encoded and decoded on `threads` (None: one a core) while the network works on those
    before. `original_logits` (N, classes) are the same network's on the originals; settings that
    decode to the same pixels cost one pass of the network. `payload_bytes` counts entropy-coded
    data, for JPEG files alone.

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
    arrays = [as_array(each) for each in images.pixels_u8]
    known: dict[bytes, Tensor] = {}
    pool = ThreadPoolExecutor(threads or available_cores())
    try:
        for setting in settings:
            sizes: list[int] = []
            payloads: list[int | None] = []
            logits: list[Tensor] = []
            for files in _coded(pool, codec, setting, arrays, conditions.split, batch_size):
                decoded = np.stack([file.pixels_u8 for file in files])
                key = hashlib.sha256(decoded.data).digest()
                if key not in known:
                    planes = _planes(decoded)
                    known[key] = logits_of(network, planes, batch_size=batch_size, device=device)
                logits.append(known[key])
                sizes += [file.size_bytes for file in files]
                payloads += [file.payload_bytes for file in files]
                stage = f"measuring {setting.family} {setting.label}"
                progress(Progress(stage=stage, done=len(sizes), total=len(images)))
            yield _measurement(
                images,
                conditions,
                codec=codec.name,
                setting=setting,
                sizes=sizes,
                payloads=payloads,
                logits=torch.cat(logits),
                original_logits=original_logits,
            )
    finally:
        pool.shutdown(cancel_futures=True)


def measure_original(images: LabelledImages, logits: Tensor, conditions: Conditions) -> Measurement:
    """Measurement of the uncompressed reference, of which bytes are not counted."""
    return _measurement(
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
    arrays = [as_array(each) for each in images.pixels_u8]
    with ThreadPoolExecutor(threads or available_cores()) as pool:
        coded = _coded(pool, codec, setting, arrays, "the images", 64)
        decoded = np.stack([file.pixels_u8 for files in coded for file in files])
    return LabelledImages(_planes(decoded).contiguous(), images.labels)


def _planes(arrays: NDArray[np.uint8]) -> Tensor:
    """(N, H, W) or (N, H, W, 3) as a view (N, C, H, W): channels last, as networks read them."""
    pixels_u8 = torch.from_numpy(arrays)
    return pixels_u8[:, None] if arrays.ndim == 3 else pixels_u8.permute(0, 3, 1, 2)


def _coded(
    pool: ThreadPoolExecutor,
    codec: Codec,
    setting: Setting,
    arrays: Sequence[Pixels],
    split: str,
    count: int,
) -> Iterator[list[_File]]:
    """Files of all images, `count` at a time; those after the ones in hand are being coded."""

    def one(index: int) -> _File:
        original = arrays[index]
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
        return _File(len(data), payload, decoded)

    coding: list[Future[_File]] = []
    for start in range(0, len(arrays), count):
        ahead = [pool.submit(one, index) for index in range(start, min(start + count, len(arrays)))]
        if coding:
            yield [future.result() for future in coding]
        coding = ahead
    yield [future.result() for future in coding]


def _measurement(
    images: LabelledImages,
    conditions: Conditions,
    *,
    codec: str,
    setting: Setting,
    sizes: list[int] | None,
    payloads: Sequence[int | None],
    logits: Tensor,
    original_logits: Tensor,
) -> Measurement:
    decided = logits.argmax(dim=1)
    correct = (decided == images.labels).double()
    count, _, height, width = images.pixels_u8.shape
    nats = divergences(logits.double(), original_logits.double()).mean().clamp(min=0)
    return Measurement(
        codec=codec,
        family=setting.family,
        label=setting.label,
        setting=dict(setting.options),
        split=conditions.split,
        protocol=conditions.protocol,
        network=conditions.network,
        seed=conditions.seed,
        images=count,
        pixels=count * height * width,
        size_bytes=None if sizes is None else sum(sizes),
        payload_bytes=None if None in payloads else sum(filter(None, payloads)),
        accuracy=float(correct.mean()),
        agreement=float((decided == original_logits.argmax(dim=1)).double().mean()),
        divergence=float(nats),
        image_bytes=None if sizes is None else np.array(sizes, np.int64),
        image_correct=correct.numpy(),
    )
