"""Models by name: a function of one's own, timm, torchvision, or an ONNX file.

    package.module:function     returns an ``nn.Module`` or a `Model`
    path/to/file.py:function    the same, of a file
    timm:NAME                   with timm's published weights and preprocessing
    torchvision:NAME            with torchvision's
    onnx:FILE                   run by ONNX Runtime

The preprocessing is the model's own where it has one, and what is given otherwise.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from bandwise.errors import ConfigurationError
from bandwise.models.adapters import CallableModel, Model, OnnxModel, TorchModel
from bandwise.models.preprocessing import Interpolation, Preprocessing

if TYPE_CHECKING:
    from torch import nn

_HOW = (
    "give it, such as --resize 256 --crop 224 --mean 0.485 0.456 0.406 --std 0.229 0.224 0.225, or "
    "--mean 0 --std 1 for a model that takes values in [0, 1] at any size"
)


@dataclass(frozen=True, kw_only=True)
class PreprocessingOptions:
    """Preprocessing as far as it is given; what is None is the model's own."""

    resize: int | None = None
    crop: int | None = None
    interpolation: Interpolation | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    scale: float | None = None

    def applied(self, own: Preprocessing | None, name: str) -> Preprocessing:
        """The model's own preprocessing with what is given; `ConfigurationError` for neither."""
        given = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) is not None
        }
        if own is None and not given:
            raise ConfigurationError(f"the preprocessing of the model {name} is not known; {_HOW}")
        if "crop" in given:
            given["crop"] = (given["crop"], given["crop"])
        return replace(own or Preprocessing(), **given)


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """A model by name and how to load it: a value that other processes can be sent.

    Attributes
    ----------
    name
        As in this module's description.
    weights
        Safetensors, or a PyTorch file of tensors (``.pt``, ``.pth``), in place of the model's own.
    """

    name: str
    weights: Path | None = None
    preprocessing: PreprocessingOptions = PreprocessingOptions()
    device: str = "cpu"

    def load(self) -> Model:
        """Load the model; raises `ConfigurationError` for what is missing or does not fit."""
        kind, _, rest = self.name.partition(":")
        if not rest:
            raise ConfigurationError(
                f"the model {self.name!r} is not known; use package.module:function, "
                "file.py:function, timm:NAME, torchvision:NAME or onnx:FILE"
            )
        if kind == "onnx":
            if self.weights is not None:
                raise ConfigurationError("an ONNX file holds its weights; leave out --weights")
            path = Path(rest)
            own = _huggingface_preprocessing(path.parent / "preprocessor_config.json")
            return OnnxModel(path, self.preprocessing.applied(own, self.name), name=self.name)
        pretrained = self.weights is None
        if kind == "timm":
            found, own = _timm(rest, pretrained=pretrained)
        elif kind == "torchvision":
            found, own = _torchvision(rest, pretrained=pretrained)
        else:
            found, own = _own(kind, rest, self.name)
            if isinstance(found, Model):
                return found
        if self.weights is not None:
            load_weights(found, self.weights)
        preprocessing = self.preprocessing.applied(own, self.name)
        return TorchModel(found, preprocessing, name=self.name, device=self.device)


def load_weights(module: nn.Module, path: Path) -> None:
    """Load tensors into a module; `ConfigurationError` names what does not fit.

    A dictionary that holds them as ``state_dict`` or ``model`` is looked into, and a prefix that
    all keys share (``module.``) is left out.
    """
    import torch

    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of a damaged file nearly any type
        first = str(error).partition("\n")[0]
        raise ConfigurationError(
            f"{path} cannot be read as weights ({first}); give safetensors, or a PyTorch file that "
            "holds tensors alone (torch.save(model.state_dict(), ...))"
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping):
        raise ConfigurationError(f"{path} holds {type(state).__name__}, not a state dictionary")
    wanted = module.state_dict()
    prefix = next(iter(state), "").partition(".")[0] + "."
    if not set(state) & set(wanted) and all(key.startswith(prefix) for key in state):
        state = {key.removeprefix(prefix): value for key, value in state.items()}
    missing, strange = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    misfit = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(wanted[key].shape)}"
        for key in wanted.keys() & state.keys()
        if state[key].shape != wanted[key].shape
    ]
    if missing or strange or misfit:
        told = [f"lacks {missing[0]} and {len(missing) - 1} more"] if missing else []
        told += [f"has {strange[0]} and {len(strange) - 1} more, unknown"] if strange else []
        raise ConfigurationError(
            f"the weights {path} do not fit {type(module).__name__}: {'; '.join(told + misfit[:3])}"
        )
    module.load_state_dict(dict(state))


def _timm(name: str, *, pretrained: bool) -> tuple[nn.Module, Preprocessing]:
    timm = _imported("timm", "timm")
    try:
        module = timm.create_model(name, pretrained=pretrained)
    except Exception as error:  # of its own kinds, and the network's
        first = str(error).partition("\n")[0]
        raise ConfigurationError(f"timm cannot make the model {name!r}: {first}") from error
    return module, timm_preprocessing(timm.data.resolve_model_data_config(module))


def timm_preprocessing(config: Mapping[str, Any]) -> Preprocessing:
    """Preprocessing of timm's ``pretrained_cfg``, as its evaluation transform resizes and crops."""
    channels, height, width = config["input_size"]
    crop_pct, squash = config.get("crop_pct", 0.875), config.get("crop_mode") == "squash"
    resize: int | tuple[int, int] = math.floor(min(height, width) / crop_pct)
    if squash or height != width:
        resize = (math.floor(height / crop_pct), math.floor(width / crop_pct))
    return Preprocessing(
        resize=resize,
        crop=(height, width),
        interpolation=config.get("interpolation", "bilinear"),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        channels=channels,
    )


def _torchvision(name: str, *, pretrained: bool) -> tuple[nn.Module, Preprocessing]:
    models = _imported("torchvision.models", "torchvision")
    try:
        weights = models.get_model_weights(name).DEFAULT
        module = models.get_model(name, weights=weights if pretrained else None)
    except Exception as error:  # of its own kinds, and the network's
        first = str(error).partition("\n")[0]
        raise ConfigurationError(f"torchvision cannot make the model {name!r}: {first}") from error
    return module, torchvision_preprocessing(weights.transforms())


def torchvision_preprocessing(transform: Any) -> Preprocessing:
    """Preprocessing of a ``torchvision.transforms._presets.ImageClassification``."""
    (resize,), (crop,) = transform.resize_size, transform.crop_size
    return Preprocessing(
        resize=resize,
        crop=(crop, crop),
        interpolation=transform.interpolation.value,
        mean=tuple(transform.mean),
        std=tuple(transform.std),
    )


def _huggingface_preprocessing(path: Path) -> Preprocessing | None:
    """Preprocessing of a ``preprocessor_config.json``, None where there is none."""
    if not path.is_file():
        return None
    try:
        config = json.loads(path.read_bytes())
        size, crop = config.get("size"), config.get("crop_size")
        if isinstance(size, Mapping):
            size = size.get("shortest_edge") or (size["height"], size["width"])
        elif size is not None and not config.get("do_center_crop"):
            size = (size, size)
        if isinstance(crop, int):
            crop = {"height": crop, "width": crop}
        filters: tuple[Interpolation, ...] = ("nearest", "lanczos", "bilinear", "bicubic")
        normalise = config.get("do_normalize", True)
        return Preprocessing(
            resize=size if config.get("do_resize", True) else None,
            crop=(crop["height"], crop["width"]) if crop and config.get("do_center_crop") else None,
            interpolation=filters[config.get("resample", 2)],
            scale=config.get("rescale_factor", 1 / 255) if config.get("do_rescale", True) else 1.0,
            mean=tuple(config["image_mean"]) if normalise else (0.0,),
            std=tuple(config["image_std"]) if normalise else (1.0,),
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ConfigurationError(f"{path} describes no preprocessing ({error!r})") from error


def _own(module_name: str, function: str, name: str) -> tuple[Any, Preprocessing | None]:
    module = _module(module_name, name)
    if not hasattr(module, function):
        raise ConfigurationError(f"{module_name} has no {function!r}, which {name} names")
    made = getattr(module, function)()
    if isinstance(made, Model):
        return made, None
    torch_nn = importlib.import_module("torch.nn")
    if isinstance(made, torch_nn.Module):
        config = getattr(made, "pretrained_cfg", None)
        return made, timm_preprocessing(config) if isinstance(config, Mapping) else None
    if callable(made):
        return CallableModel(made, name), None
    raise ConfigurationError(
        f"{name} returned {type(made).__name__}; return an nn.Module, a bandwise.Model, or a "
        "function of a list of images"
    )


def _module(module_name: str, name: str) -> ModuleType:
    """Import a module, looked for in the current folder too, or the file of one."""
    if module_name.endswith(".py"):
        path = Path(module_name)
        spec = importlib.util.spec_from_file_location(path.stem, path) if path.is_file() else None
        if spec is None or spec.loader is None:
            raise ConfigurationError(f"there is no file {module_name}, which {name} names")
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(path.stem, module)
        spec.loader.exec_module(module)
        return module
    here = str(Path.cwd())
    sys.path.append(here)
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{name} cannot be imported: {error}; is its folder the current one, or on PYTHONPATH?"
        ) from error
    finally:
        sys.path.remove(here)


def _imported(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigurationError(
            f"{package} cannot be imported ({error}); install it with pip install {package}"
        ) from error
