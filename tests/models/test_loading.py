import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bandwise.errors import ConfigurationError
from bandwise.models.adapters import CallableModel, TorchModel
from bandwise.models.loading import (
    ModelSource,
    PreprocessingOptions,
    load_weights,
    timm_preprocessing,
    torchvision_preprocessing,
)

ADAPTER = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(3, 5)

    def forward(self, pixels):
        return self.head(pixels.mean((2, 3)))

def build():
    torch.manual_seed(0)
    return Net()

def build_timm():
    net = build()
    net.pretrained_cfg = {
        "input_size": (3, 16, 16), "crop_pct": 0.5, "interpolation": "bicubic",
        "mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25),
    }
    return net

def function():
    return lambda images: [[0.0, float(image.mean())] for image in images]

def nothing():
    return 3
"""
AS_IT_IS = PreprocessingOptions(mean=(0.0,), std=(1.0,))


@pytest.fixture
def adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a module in the current folder."""
    (tmp_path / "adapter_of_test.py").write_text(ADAPTER)
    monkeypatch.chdir(tmp_path)
    return "adapter_of_test"


def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def test_a_function_of_the_current_folder_or_of_a_file(adapter: str) -> None:
    by_module = ModelSource(name=f"{adapter}:build", preprocessing=AS_IT_IS).load()
    by_file = ModelSource(name=f"{adapter}.py:build", preprocessing=AS_IT_IS).load()
    assert np.array_equal(by_module([image()]), by_file([image()]))
    assert by_module([image()]).shape == (1, 5)


def test_a_network_of_timm_brings_its_preprocessing(adapter: str) -> None:
    model = ModelSource(name=f"{adapter}:build_timm").load()
    assert isinstance(model, TorchModel)
    assert model.preprocessing.resize == 32
    assert model.preprocessing.crop == (16, 16)
    assert model.preprocessing.interpolation == "bicubic"
    changed = ModelSource(
        name=f"{adapter}:build_timm", preprocessing=PreprocessingOptions(crop=24)
    ).load()
    assert isinstance(changed, TorchModel)
    assert changed.preprocessing.crop == (24, 24)
    assert changed.preprocessing.resize == 32


def test_a_function_of_images_is_a_model(adapter: str) -> None:
    model = ModelSource(name=f"{adapter}:function").load()
    assert isinstance(model, CallableModel)
    assert model([image()])[0, 1] == pytest.approx(image().mean())


@pytest.mark.parametrize(
    "name",
    [
        "resnet",
        "adapter_of_test:missing",
        "adapter_of_test:nothing",
        "adapter_of_test:build",  # without preprocessing
        "no_such_module_here:build",
        "no_such_file.py:build",
        "onnx:missing.onnx",
    ],
)
def test_what_cannot_be_loaded_is_refused(adapter: str, name: str) -> None:
    with pytest.raises(ConfigurationError):
        ModelSource(name=name).load()


@pytest.mark.parametrize("kind", ["safetensors", "pt", "nested", "prefixed"])
def test_weights_of_every_kind_of_file(adapter: str, kind: str) -> None:
    state = {"head.weight": torch.full((5, 3), 2.0), "head.bias": torch.arange(5.0)}
    path = Path("weights.safetensors" if kind == "safetensors" else "weights.pth")
    if kind == "safetensors":
        save_file(state, path)
    elif kind == "prefixed":
        torch.save({f"module.{key}": value for key, value in state.items()}, path)
    else:
        torch.save({"state_dict": state, "epoch": 3} if kind == "nested" else state, path)
    source = ModelSource(name=f"{adapter}:build", weights=path, preprocessing=AS_IT_IS)
    mean = image().mean((0, 1)) / 255
    assert np.allclose(source.load()([image()])[0], 2 * mean.sum() + np.arange(5), atol=1e-5)


def test_weights_that_do_not_fit_say_which(tmp_path: Path) -> None:
    module, path = torch.nn.Linear(3, 5), tmp_path / "w.pt"
    torch.save({"weight": torch.zeros(4, 3), "bias": torch.zeros(5)}, path)
    with pytest.raises(ConfigurationError, match=r"\(4, 3\).*\(5, 3\)"):
        load_weights(module, path)
    torch.save({"weight": torch.zeros(5, 3), "scale": torch.zeros(5)}, path)
    with pytest.raises(ConfigurationError, match=r"bias.*scale"):
        load_weights(module, path)


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save(SimpleNamespace(weight=1), path)
    with pytest.raises(ConfigurationError):
        load_weights(torch.nn.Linear(3, 5), path)


def test_preprocessing_of_published_configurations() -> None:
    timm = timm_preprocessing(
        {
            "input_size": (3, 224, 224),
            "crop_pct": 0.875,
            "interpolation": "bicubic",
            "mean": (0.485, 0.456, 0.406),
            "std": (0.229, 0.224, 0.225),
        }
    )
    torchvision = torchvision_preprocessing(
        SimpleNamespace(
            resize_size=[256],
            crop_size=[224],
            interpolation=SimpleNamespace(value="bicubic"),
            mean=[0.485, 0.456, 0.406],
            std=[0.229, 0.224, 0.225],
        )
    )
    assert timm == torchvision


def test_preprocessing_beside_an_onnx_file(tmp_path: Path) -> None:
    config = {
        "size": {"shortest_edge": 256},
        "crop_size": {"height": 224, "width": 224},
        "do_center_crop": True,
        "resample": 3,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    path = tmp_path / "preprocessor_config.json"
    path.write_text(json.dumps(config))
    from bandwise.models.loading import _huggingface_preprocessing

    found = _huggingface_preprocessing(path)
    assert found is not None
    assert (found.resize, found.crop, found.interpolation) == (256, (224, 224), "bicubic")
    path.write_text("{}")
    with pytest.raises(ConfigurationError):
        _huggingface_preprocessing(path)
