"""`bandwise encode` writes the same bytes as when the pins were recorded.

    BANDWISE_REGENERATE_PINS=1 python -m pytest tests/pins    records them anew

The bytes depend on the JPEG library that the extension is linked with, and inputs on Pillow's, so
the pins name both, and hold for those versions alone.
"""

import hashlib
import json
import os
from importlib import metadata
from pathlib import Path

import pytest
import torch

from bandwise import jpeg
from bandwise.cli.main import run
from tests.pins.sources import (
    make_archive,
    make_sources,
    rate_distortion,
    write_ladder,
    write_model,
    write_profile,
    write_weights,
)

PINS = Path(__file__).with_name("encoded_bytes.json")
REGENERATE = os.environ.get("BANDWISE_REGENERATE_PINS") == "1"


LADDER = "--profile {ladder} --network small-cnn --weights {weights} --tolerance 0.0001"
LADDER_WIDE = LADDER.replace("0.0001", "0.00105")

COMMANDS = {
    "tree": "{images} {out} --profile {plain}",
    "tree baseline": "{images} {out} --profile {plain} --container baseline",
    "tree progressive": "{images} {out} --profile {plain} --container progressive",
    "tree 4:4:4": "{images} {out} --profile {full}",
    "tree 4:2:2 baseline": "{images} {out} --profile {half} --container baseline",
    "tree of few frequencies": "{images} {out} --profile {few}",
    "tree grey": "{grey_images} {out} --profile {grey}",
    "one image": "{images}/made/rgba.png {out} --profile {plain}",
    "requantise": "{images}/made {out} --profile {plain} --requantise",
    "requantise 4:4:4": "{images}/made {out} --profile {full} --requantise --container baseline",
    "rate-distortion": "{images} {out} --profile {rdo}",
    "rate-distortion high": "{images}/made {out} --profile {rdo_high} --container baseline",
    "requantise rate-distortion": "{images}/made {out} --profile {rdo} --requantise",
    "for a model": "{images} {out} --profile {plain} --for-model {model}",
    "for a model rate-distortion": "{images} {out} --profile {rdo} --for-model {model}",
    "ladder": f"{{large_images}} {{out}} {LADDER}",
    "ladder wide": f"{{large_images}} {{out}} {LADDER_WIDE}",
    "ladder for a model": f"{{large_images}} {{out}} {LADDER_WIDE} --for-model {{model}}",
    "shards": "{images} {out} --profile {plain} --shards --shard-images 8",
    "shards rate-distortion": "{images} {out} --profile {rdo} --shards --shard-images 30",
    "shards requantise": "{images}/made {out} --profile {plain} --shards --requantise",
    "shards of an archive": "{archive} {out} --profile {plain} --shards",
    "shards of a ladder": f"{{large_images}} {{out}} {LADDER_WIDE} --shards --shard-images 5",
}
"""Arguments of `bandwise encode` by name."""


def versions() -> dict[str, str]:
    """What the bytes of outputs and inputs depend on."""
    return {"codec": jpeg.library_version(), "pillow": metadata.version("pillow")}


def recorded() -> dict[str, dict[str, str]]:
    return json.loads(PINS.read_text()) if PINS.exists() else {}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pins")
    images = make_sources(folder / "images")
    large, grey = folder / "large", folder / "grey"
    large.mkdir()
    grey.mkdir()
    for path in images.rglob("*.*"):
        if path.parent.name != "made" or path.stem in ("smooth", "noise", "jpeg-turned"):
            (large / f"{path.parent.name}-{path.name}").symlink_to(path)
        if "grey" in path.name:
            (grey / path.name).symlink_to(path)
    return {
        "images": images,
        "large_images": large,
        "grey_images": grey,
        "archive": make_archive(folder / "archive.tar", images),
        "plain": write_profile(folder / "plain.json", percent=150),
        "full": write_profile(folder / "full.json", percent=40, subsampling="4:4:4"),
        "half": write_profile(folder / "half.json", percent=800, subsampling="4:2:2"),
        "few": write_profile(folder / "few.json", frequencies=[0, 1, 8, 9, 64, 128]),
        "grey": write_profile(folder / "grey.json", grey=True),
        "rdo": write_profile(folder / "rdo.json", rate_distortion=rate_distortion(0.05)),
        "rdo_high": write_profile(folder / "rdo-high.json", rate_distortion=rate_distortion(0.5)),
        "ladder": write_ladder(folder / "ladder"),
        "weights": write_weights(folder / "weights.safetensors"),
        "model": write_model(folder / "model.safetensors"),
    }


def hashes(out: Path) -> dict[str, str]:
    """SHA-256 of every file but the record of the run, which names versions and places."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and ".bandwise" not in path.parts
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_encoded_bytes_are_those_that_were_recorded(
    name: str, inputs: dict[str, Path], tmp_path: Path
) -> None:
    pins = recorded()
    if not REGENERATE and pins["versions"] != versions():
        pytest.skip(f"the pins were recorded with {pins['versions']}, and here are {versions()}")
    torch.set_num_threads(1)
    out = tmp_path / "out"
    arguments = [word.format(out=out, **inputs) for word in COMMANDS[name].split()]
    assert run(["encode", *arguments, "--workers", "1"]) == 0
    found = hashes(out)
    if REGENERATE:
        kept = {each: pins[each] for each in COMMANDS if each in pins}
        pins = {"versions": versions(), **kept, name: found}
        PINS.write_text(json.dumps(pins, indent=1) + "\n")
    assert found == pins[name]


def test_pins_differ_where_commands_do() -> None:
    """Options that change nothing would pin nothing."""
    pins = recorded()
    assert pins.keys() == {"versions", *COMMANDS}
    cases = [tuple(sorted(pins[name].items())) for name in COMMANDS]
    assert len(set(cases)) == len(cases)
    assert all(len(set(pins[name].values())) > 1 for name in COMMANDS if name != "one image")
