"""A row of each kind, as files have them."""

from typing import Any

EXPERIMENT: dict[str, Any] = {
    "record": "experiment",
    "schema": 1,
    "recipe": "evaluate",
    "created": "2026-01-01T00:00:00Z",
    "dataset": {
        "name": "made",
        "source": "made up",
        "sha256": "ab",
        "classes": ["a", "b"],
        "image_shape": [1, 8, 8],
        "validation": 3,
        "test": 3,
    },
    "networks": {"cnn, frozen, seed 0": "cd"},
    "settings": {"batch_size": 64, "device": "cpu"},
    "versions": {"python": "3"},
    "machine": {"cores": 2},
}
REPRODUCE: dict[str, Any] = {
    **EXPERIMENT,
    "recipe": "reproduce",
    "networks": {},
    "bands": {"kind": "radial", "count": 2, "height": 8, "width": 8},
}
POINT: dict[str, Any] = {
    "record": "point",
    "codec": "webp",
    "family": "webp",
    "setting": {"quality": 5},
    "label": "q5",
    "split": "test",
    "protocol": "frozen",
    "network": "cnn",
    "seed": 0,
    "images": 3,
    "pixels": 192,
    "bytes": 60,
    "payload_bytes": 40,
    "accuracy": 2 / 3,
    "agreement": 1.0,
    "divergence": 0.25,
    "image_bytes": [10, 20, 30],
    "image_correct": "101",
}
PLANE = [[1.0] * 8] * 8
PROFILE: dict[str, Any] = {
    "record": "profile",
    "name": "sensitivity 1e-06",
    "family": "sensitivity",
    "label": "sensitivity 1e-06",
    "network": "cnn",
    "tables": {"luma": [[3] * 8] * 8, "chroma": None},
    "subsampling": "4:2:0",
    "importance": {"luma": PLANE},
    "frequencies": [0, 1, 9],
}
LEARNING: dict[str, Any] = {
    "record": "learning",
    "family": "sensitivity",
    "network": "cnn",
    "seconds": 1.5,
    "images": 3,
    "settings": {"rdo": 0.0},
}
EXAMPLE: dict[str, Any] = {
    "record": "example",
    "index": 1,
    "label": "b",
    "codec": "libjpeg",
    "family": "libjpeg smallest",
    "setting_label": "q5",
    "size_bytes": 4,
    "correct": True,
    "jpeg_base64": "/9j/4A==",
}
SAMPLE: dict[str, Any] = {
    "record": "sample",
    "class": "a",
    "label": 0,
    "pixels_u8": [[[0, 255] * 4] * 8],
}
EPOCH: dict[str, Any] = {
    "record": "epoch",
    "variant": "static",
    "seed": 0,
    "epoch": 1,
    "learning_rate": 0.01,
    "train_loss": 2.0,
    "train_task_loss": 2.0,
    "train_reconstruction_loss": 0.0,
    "validation_loss": 2.0,
    "validation_task_loss": 2.0,
    "validation_accuracy": 0.5,
    "test_accuracy": 0.5,
    "test_per_class": [0.5, 0.5],
    "band_weights": [0.5, 0.5],
    "train_seconds": 1.0,
    "images": 100,
}
RUN: dict[str, Any] = {
    "record": "run",
    "variant": "static",
    "seed": 0,
    "epochs": 1,
    "best_epoch": 1,
    "stopped_early": False,
    "test_accuracy": 0.5,
    "test_per_class": [0.5, 0.5],
    "validation_accuracy": 0.5,
    "band_weights": [0.5, 0.5],
    "train_seconds": 1.0,
    "images_per_second": 100.0,
    "provenance": {"data_sha256": "ab"},
}
TRAINED: dict[str, Any] = {
    "record": "trained",
    "network": "cnn",
    "reads": "coefficients",
    "seed": 0,
    "kept": 2,
    "rule": "energy",
    "frequencies": [0, 1],
    "parameters": 10,
    "epochs": 2,
    "train_loss": 0.5,
    "validation_accuracy": 0.5,
    "validation_curve": [0.25, 0.5],
    "train_seconds": [1.0, 1.0],
    "images": 10,
    "test_correct": [1, 0, 1],
    "test_accuracy": 2 / 3,
    "test_bytes": [100, 101, 102],
}
OF_EXPERIMENT = [POINT, PROFILE, LEARNING, EXAMPLE, TRAINED]
OF_REPRODUCE = [SAMPLE, EPOCH, RUN]
