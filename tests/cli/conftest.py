"""Inputs of commands."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from bandwise.frequency.tables import TableSet, flat
from bandwise.models.networks.registry import build_network
from bandwise.profile import Profile
from tests.data.jpeg_tree import write_digits
from tests.jpeg.images import picture

CLASSES = 4
STEPS = (4, 40, 160)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "profile.json"
    Profile(name="p", tables=TableSet.ijg(40)).save(path)
    return path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(picture(24, 32)).save(folder / "a.png")
    Image.fromarray(picture(24, 32, seed=1)).save(folder / "b.jpg", quality=95)
    Image.new("RGBA", (8, 8)).save(folder / "clear.png")
    return folder


@pytest.fixture
def ladder(tmp_path: Path) -> Path:
    """A folder of profiles that were learned for four classes."""
    for step in STEPS:
        tables = TableSet(luma=flat(step), chroma=flat(step))
        provenance = {"num_classes": CLASSES}
        profile = Profile(name=f"step {step}", tables=tables, provenance=provenance)
        profile.save(tmp_path / "ladder" / f"{step}.json")
    return tmp_path / "ladder"


@pytest.fixture
def network(tmp_path: Path) -> list[str]:
    """Options that name a network with random weights."""
    torch.manual_seed(0)
    state = build_network("small-cnn", num_classes=CLASSES, channels=3).state_dict()
    path = tmp_path / "weights.safetensors"
    save_file({name: 3 * value for name, value in state.items()}, path)
    return ["--network", "small-cnn", "--weights", str(path)]


@pytest.fixture(scope="session")
def jpegs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of few JPEG files by split and class."""
    splits = {"train": 6, "validation": 2, "test": 2}
    return write_digits(tmp_path_factory.mktemp("tree") / "digits", splits)
