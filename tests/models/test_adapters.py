from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper

from bandwise.errors import ConfigurationError, ModelError
from bandwise.models.adapters import CallableModel, OnnxModel, TorchModel
from bandwise.models.preprocessing import Preprocessing

Pixels = NDArray[np.uint8]

SIDE = 8


@pytest.fixture
def images() -> list[Pixels]:
    generator = np.random.default_rng(0)
    return [generator.integers(0, 256, (9 + i, 12, 3), dtype=np.uint8) for i in range(3)]


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )


def onnx_file(path: Path, module: torch.nn.Module, batch: int | str) -> Path:
    weight, bias = (value.detach().numpy() for value in module.parameters())
    nodes = [
        helper.make_node("Conv", ["pixels", "weight", "bias"], ["convolved"]),
        helper.make_node("ReduceMean", ["convolved"], ["scores"], axes=[2, 3], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [batch, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, 4])],
        [
            helper.make_tensor("weight", TensorProto.FLOAT, weight.shape, weight.ravel()),
            helper.make_tensor("bias", TensorProto.FLOAT, bias.shape, bias),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize("batch", [1, "images"])
def test_onnx_and_pytorch_agree(tmp_path: Path, images: list[Pixels], batch: int | str) -> None:
    module, preprocessing = network(), Preprocessing(resize=(SIDE, SIDE))
    expected = TorchModel(module, preprocessing)(images)
    seen = OnnxModel(onnx_file(tmp_path / "n.onnx", module, batch), preprocessing)(images)
    assert seen.shape == (3, 4)
    assert np.allclose(seen, expected, atol=1e-5)


def test_fixed_batches_of_several_are_refused(tmp_path: Path, images: list[Pixels]) -> None:
    path = onnx_file(tmp_path / "n.onnx", network(), 2)
    with pytest.raises(ModelError, match="batches of 2"):
        OnnxModel(path, Preprocessing(resize=(SIDE, SIDE)))(images)


def test_a_module_is_neither_trained_nor_changed(images: list[Pixels]) -> None:
    module = torch.nn.Sequential(network(), torch.nn.BatchNorm1d(4)).train()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    TorchModel(module, Preprocessing())(images)
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_images_of_different_sizes_are_asked_in_order(images: list[Pixels]) -> None:
    model = TorchModel(network(), Preprocessing())
    together = model(images)
    alone = np.concatenate([model([image]) for image in images])
    assert np.allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize(
    "returned",
    [
        np.zeros(4),
        np.zeros((2, 4)),
        np.zeros((3, 1)),
        np.zeros((3, 4, 5)),
        np.full((3, 4), np.nan),
        np.full((3, 4), np.inf),
    ],
)
def test_what_is_no_class_score_is_refused(images: list[Pixels], returned: object) -> None:
    with pytest.raises(ModelError):
        CallableModel(lambda _: returned)(images)


def test_what_a_model_raises_names_the_model_and_the_size(images: list[Pixels]) -> None:
    def fail(_: Sequence[Pixels]) -> None:
        raise RuntimeError("too small")

    with pytest.raises(ModelError, match=r"fail.*12×9.*too small"):
        CallableModel(fail)(images[:1])


def test_identity_follows_weights_and_preprocessing() -> None:
    module = network()
    first = TorchModel(module, Preprocessing()).identity
    assert TorchModel(module, Preprocessing()).identity == first
    assert TorchModel(module, Preprocessing(resize=9)).identity != first
    with torch.no_grad():
        next(module.parameters()).add_(1)
    assert TorchModel(module, Preprocessing()).identity != first


def test_onnx_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    for path in (broken, tmp_path / "missing.onnx"):
        with pytest.raises(ConfigurationError):
            OnnxModel(path, Preprocessing())
    path = onnx_file(tmp_path / "n.onnx", network(), 1)
    with pytest.raises(ConfigurationError, match="scores"):
        OnnxModel(path, Preprocessing(), output="boxes")
