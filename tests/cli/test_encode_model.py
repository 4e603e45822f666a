"""``bandwise encode --for-model`` as a person uses it."""

from pathlib import Path

import pytest
import torch

from bandwise import jpeg
from bandwise.cli.main import run
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import TableSet
from bandwise.models.model import Model
from bandwise.models.networks import build_coefficient_network, build_network
from bandwise.profile import Profile
from tests.cli.conftest import CLASSES
from tests.cli.terminal import said


def saved_model(path: Path, frequencies: Frequencies | None) -> Path:
    """A model with random weights, on pixels if no frequencies are given."""
    classes = tuple("abcd")
    torch.manual_seed(0)
    Model(
        network="resnet" if frequencies else "small-cnn",
        reads="coefficients" if frequencies else "pixels",
        classes=classes,
        channels=3,
        grid=(4, 4),
        frequencies=frequencies,
        module=(
            build_coefficient_network("resnet", num_classes=CLASSES, frequencies=frequencies)
            if frequencies
            else build_network("small-cnn", num_classes=CLASSES, channels=3)
        ),
    ).save(path)
    return path


@pytest.mark.parametrize("several", [False, True])
def test_files_for_a_model_are_smaller_and_read_the_same(
    images: Path,
    profile: Path,
    ladder: Path,
    network: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    several: bool,
) -> None:
    kept = Frequencies.zigzag(9, channels=3)
    path = saved_model(tmp_path / "model.safetensors", kept)
    profiles = ["--profile", str(ladder), *network] if several else ["--profile", str(profile)]
    if several:  # so that the same file of the ladder is chosen with and without the model
        profiles += ["--tolerance", "1e6"]
    command = ["encode", str(images), *profiles]
    assert run([*command, str(tmp_path / "whole")]) == 0
    assert run([*command, str(tmp_path / "some"), "--for-model", str(path)]) == 0
    whole, some = (
        [file.read_bytes() for file in sorted((tmp_path / out).glob("*.jpg"))]
        for out in ("whole", "some")
    )
    assert sum(map(len, some)) < sum(map(len, whole))
    for data in some:
        for plane, name in zip(
            jpeg.read_coefficients(data).planes, ("luma", "cb", "cr"), strict=True
        ):
            assert not plane.blocks[..., ~kept.mask(name)].any()
    model = Model.load(path)
    assert torch.equal(model.probabilities(whole), model.probabilities(some))

    said(capfd)
    narrow = saved_model(path, Frequencies((0, 64, 128)))
    again = [*command, str(tmp_path / "some"), "--resume", "--for-model", str(narrow)]
    assert run(again) == 1
    assert "begun with other settings (profiles: " in said(capfd)[1]


def test_models_that_files_cannot_be_made_for_are_usage_errors(
    images: Path, profile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["encode", str(images), str(tmp_path / "out"), "--profile", str(profile)]

    def fails(frequencies: Frequencies | None) -> str:
        path = saved_model(tmp_path / "model.safetensors", frequencies)
        assert run([*command, "--for-model", str(path)]) == 2
        assert not (tmp_path / "out").exists()
        return " ".join(said(capfd)[1].replace("│", " ").split())

    assert "reads pixels, to which every frequency adds; give one that reads" in fails(None)
    Profile(name="full", tables=TableSet.ijg(40), subsampling="4:4:4").save(profile)
    assert "models read chroma at 4:2:0, and the profile 'full' has it" in fails(
        Frequencies.zigzag(9, channels=3)
    )
    luma_alone = saved_model(tmp_path / "model.safetensors", Frequencies((0, 1, 8)))
    assert run([*command, "--for-model", str(luma_alone)]) == 0
