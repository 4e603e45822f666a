"""What ONNX Runtime says of an exported file is what PyTorch says."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor

from bandwise.errors import ConfigurationError
from bandwise.frequency.dct_domain import CoefficientBatch
from bandwise.frequency.selection import Frequencies
from bandwise.models.model import Model
from bandwise.models.onnx import export_onnx
from tests.jpeg.images import jpeg_file
from tests.models.trained import CLASSES, coefficient_model, own_model, pixel_model

SUBSET = Frequencies.zigzag(24, channels=3)
FILES = [jpeg_file(seed=seed) for seed in range(5)]


def session_of(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def named(inputs: Tensor | CoefficientBatch) -> dict[str, np.ndarray]:
    if isinstance(inputs, Tensor):
        return {"pixels": inputs.numpy()}
    planes = {"luma": inputs.luma, "chroma": inputs.chroma}
    return {name: plane.numpy() for name, plane in planes.items() if plane is not None}


@pytest.mark.parametrize(
    "model",
    [coefficient_model(frequencies=SUBSET), coefficient_model("vit", channels=1), pixel_model()],
    ids=lambda model: f"{model.network} {model.reads} {model.channels}",
)
def test_logits_are_those_of_the_network(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with torch.no_grad():
        shapes = export_onnx(model, path)
    session = session_of(path)
    assert {each.name: tuple(each.shape) for each in session.get_inputs()} == shapes
    for count in (1, 5):
        inputs = model.read(FILES[:count])
        with torch.inference_mode():
            expected = model.module(inputs).numpy()
        (logits,) = session.run(["logits"], named(inputs))
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-4)
        assert count == 1 or expected.std(0).min() > 1e-3  # files differ


def test_the_file_says_what_it_is_and_the_model_stays_as_it_was(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.onnx"
    model = own_model()
    model.module.train().requires_grad_(False)
    assert export_onnx(model, path) == {"luma": ("N", 64, 4, 6)}
    assert capfd.readouterr() == ("", "")
    facts = session_of(path).get_modelmeta().custom_metadata_map
    assert json.loads(facts["classes"]) == list(CLASSES)
    assert {name: json.loads(fact) for name, fact in facts.items()} == model.description
    assert b".py" not in path.read_bytes()
    assert model.module.training
    assert not any(values.requires_grad for values in model.module.parameters())


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ConfigurationError, match=r"install bandwise\[onnx\]"):
        export_onnx(own_model(), tmp_path / "model.onnx")
