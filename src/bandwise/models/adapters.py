"""Models as bandwise asks them: pixels in, one row of scores an image out.

    pixels ──Preprocessing──→ batch ──PyTorch | ONNX Runtime | a function──→ (N, classes) float32

A model owns its preprocessing. It is never trained here: modules are set to evaluation and asked
without gradients.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bandwise.errors import ConfigurationError, ModelError
from bandwise.models.preprocessing import Pixels, Preprocessing

if TYPE_CHECKING:
    from torch import nn

Scores = NDArray[np.float32]
"""(N, classes): one row of logits an image."""


class Model(ABC):
    """Scores of images of any size. Subclasses compute; this class checks.

    Attributes
    ----------
    name
        What messages and records call it.
    reading_side
        Pixels of the short side to which images are scaled first; None where that is not known.
    """

    name: str
    reading_side: int | None = None

    def __call__(self, images_u8: Sequence[Pixels]) -> Scores:
        """Scores (N, classes) of images (height, width) or (height, width, 3).

        Raises
        ------
        ModelError
            When the model fails, or returns something else than one finite row an image.
        """
        try:
            scores = np.asarray(self._scores(images_u8))
        except ModelError:
            raise
        except Exception as error:  # a model raises what it likes
            sizes = ", ".join(sorted({f"{i.shape[1]}×{i.shape[0]}" for i in images_u8}))
            first = str(error).partition("\n")[0]
            raise ModelError(
                f"the model {self.name} failed on images of {sizes} "
                f"({type(error).__name__}: {first})"
            ) from error
        if scores.ndim != 2 or len(scores) != len(images_u8) or scores.shape[1] < 2:
            raise ModelError(
                f"the model {self.name} is asked for class scores (images, classes), at least two "
                f"classes; for {len(images_u8)} images it returned shape {scores.shape}"
            )
        if not np.isfinite(scores).all():
            raise ModelError(f"the model {self.name} returned scores that are not finite")
        return scores.astype(np.float32, copy=False)

    @abstractmethod
    def _scores(self, images_u8: Sequence[Pixels]) -> Any: ...

    @property
    def identity(self) -> dict[str, Any]:
        """JSON values that tell this model from others: what a record of a run compares."""
        return {"name": self.name}


class CallableModel(Model):
    """A function of a list of images that returns their scores: another framework, a service."""

    def __init__(self, function: Callable[[Sequence[Pixels]], Any], name: str = "") -> None:
        self._function = function
        self.name = name or getattr(function, "__name__", type(function).__name__)

    def _scores(self, images_u8: Sequence[Pixels]) -> Any:
        return self._function(images_u8)


class TorchModel(Model):
    """A PyTorch module behind its preprocessing.

    Parameters
    ----------
    module
        Maps (N, C, H, W) to logits (N, classes). Its parameters are not touched.
    """

    def __init__(
        self,
        module: nn.Module,
        preprocessing: Preprocessing,
        *,
        name: str = "",
        device: str = "cpu",
    ) -> None:
        self._module = module.eval().to(device)
        self._device = device
        self.preprocessing = preprocessing
        self.reading_side = preprocessing.reading_side
        self.name = name or type(module).__name__

    def _scores(self, images_u8: Sequence[Pixels]) -> Any:
        import torch

        with torch.inference_mode():
            rows = [
                self._module(torch.from_numpy(batch).to(self._device)).float().cpu()
                for batch in _batches(self.preprocessing, images_u8)
            ]
        return torch.cat(rows).numpy()

    @property
    def identity(self) -> dict[str, Any]:
        """Name, preprocessing, and the SHA-256 of parameters and buffers."""
        digest = hashlib.sha256()
        for key, value in sorted(self._module.state_dict().items()):
            digest.update(key.encode())
            digest.update(value.detach().cpu().contiguous().flatten().view(-1).numpy().tobytes())
        return _identity(self.name, self.preprocessing, digest.hexdigest())


class OnnxModel(Model):
    """An ONNX file, run by ONNX Runtime on one thread; nothing but a forward pass is asked of it.

    Parameters
    ----------
    output
        Name of the output with the class scores; the first if not given.

    Raises
    ------
    ConfigurationError
        When ONNX Runtime is missing, the file cannot be loaded, or it has several inputs.
    """

    def __init__(
        self,
        path: Path,
        preprocessing: Preprocessing,
        *,
        output: str | None = None,
        name: str = "",
    ) -> None:
        self._session = open_session(path)
        self._path = path
        self.preprocessing = preprocessing
        self.reading_side = preprocessing.reading_side
        self.name = name or path.name
        inputs = self._session.get_inputs()
        outputs = [each.name for each in self._session.get_outputs()]
        if len(inputs) != 1:
            raise ConfigurationError(
                f"{path} has the inputs {', '.join(i.name for i in inputs)}; a model with one "
                "image input is needed"
            )
        if output is not None and output not in outputs:
            raise ConfigurationError(f"{path} has the outputs {', '.join(outputs)}, no {output!r}")
        self._input, self._output = inputs[0], output or outputs[0]
        batch = self._input.shape[0] if self._input.shape else None
        self._batch = batch if isinstance(batch, int) else None
        self._dtype = {"tensor(float)": np.float32, "tensor(float16)": np.float16}.get(
            self._input.type
        )
        if self._dtype is None:
            raise ConfigurationError(
                f"the input of {path} is {self._input.type}; float and float16 are supported"
            )

    def _scores(self, images_u8: Sequence[Pixels]) -> Any:
        rows = []
        for batch in _batches(self.preprocessing, images_u8, self._batch):
            values = batch.astype(self._dtype)
            rows.append(self._session.run([self._output], {self._input.name: values})[0])
        return np.concatenate(rows).astype(np.float32)

    @property
    def identity(self) -> dict[str, Any]:
        """Name, preprocessing, and the SHA-256 of the file."""
        with self._path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        return _identity(self.name, self.preprocessing, sha256)


def open_session(path: Path) -> Any:
    """ONNX Runtime session of a file on one thread; raises `ConfigurationError`."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ConfigurationError(
            "asking an ONNX model needs ONNX Runtime; install bandwise[onnx]"
        ) from error
    if not path.is_file():
        raise ConfigurationError(f"there is no ONNX file {path}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(
            str(path), options, providers=onnxruntime.get_available_providers()
        )
    except Exception as error:  # of its own kinds
        first = str(error).partition("\n")[0]
        raise ConfigurationError(f"{path} cannot be loaded as an ONNX model: {first}") from error


def _batches(
    preprocessing: Preprocessing, images_u8: Sequence[Pixels], fixed: int | None = None
) -> list[NDArray[np.float32]]:
    """Inputs in batches of one shape each, in order; of ``fixed`` images, filled up, if given."""
    prepared = [preprocessing(image) for image in images_u8]
    groups: list[list[NDArray[np.float32]]] = []
    for one in prepared:
        full = fixed is not None and groups and len(groups[-1]) == fixed
        if not groups or groups[-1][0].shape != one.shape or full:
            groups.append([])
        groups[-1].append(one)
    if fixed not in (None, 1) and any(len(group) != fixed for group in groups):
        raise ModelError(
            f"the model reads batches of {fixed} images; export it with a batch of 1, or with a "
            "dynamic one"
        )
    return [np.stack(group) for group in groups]


def _identity(name: str, preprocessing: Preprocessing, sha256: str) -> dict[str, Any]:
    return {"name": name, "preprocessing": preprocessing.to_json(), "sha256": sha256}
