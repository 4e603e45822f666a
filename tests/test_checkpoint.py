from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bandwise.checkpoint import load_tensors, save_tensors
from bandwise.errors import CheckpointError


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    tensors = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.tensor(3)}
    save_tensors(path, tensors, {"epoch": 2, "name": "ü"})
    found, metadata = load_tensors(path)
    assert metadata == {"epoch": 2, "name": "ü"}
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_every_truncation_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    save_tensors(path, {"a": torch.zeros(3)}, {})
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match=r"state\.safetensors"):
            load_tensors(path)


def test_missing_and_foreign_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="missing"):
        load_tensors(tmp_path / "missing")
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign")
    with pytest.raises(CheckpointError, match="foreign"):
        load_tensors(tmp_path / "foreign")
    for metadata in ("[]", "null", "[" * 100_000):
        save_file({"a": torch.zeros(1)}, tmp_path / "strange", {"bandwise": metadata})
        with pytest.raises(CheckpointError, match="strange"):
            load_tensors(tmp_path / "strange")
