"""Command lines and what they return to the shell: 0 done, 1 error, 2 usage, 3 skipped, 4 stopped.

Each case is commands that run one after another, with their codes. Messages are not compared.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bandwise.cli.main import run
from tests.pins.sources import (
    gradient,
    smooth,
    write_ladder,
    write_model,
    write_profile,
    write_weights,
)

ENCODE = "encode {images} {out} --workers 1 --profile"
PLAIN = f"{ENCODE} {{plain}}"
LADDER = f"{ENCODE} {{ladder}} --network small-cnn --weights {{weights}}"
RATES = "experiment rate-accuracy --out {out}"
DIGITS = "learn digits --network small-cnn --out {out}.json --work {out}"

CASES: dict[str, list[tuple[int, str]]] = {
    "version": [(0, "--version")],
    "help": [(0, "--help"), (0, "encode --help")],
    "unknown command": [(2, "no-such-command"), (2, "--no-such-option")],
    # encode
    "encode": [(0, PLAIN)],
    "encode one image": [(0, "encode {images}/a.png {out} --profile {plain}")],
    "encode without a profile": [(2, "encode {images} {out}")],
    "encode without an output": [(2, "encode {images} --profile {plain}")],
    "encode with an unknown option": [(2, f"{PLAIN} --no-such-option")],
    "encode with an unknown container": [(2, f"{PLAIN} --container zip")],
    "encode what is missing": [(1, "encode {out}/none {out} --profile {plain}")],
    "encode an empty folder": [(1, "encode {empty} {out} --profile {plain}")],
    "encode into the input": [(2, "encode {images} {images}/out --profile {plain}")],
    "encode into a file": [(1, "encode {images} {plain} --profile {plain}")],
    "encode into what is there": [(0, PLAIN), (1, PLAIN)],
    "encode resumes": [(0, PLAIN), (0, f"{PLAIN} --resume")],
    "encode resumes with another profile": [(0, PLAIN), (1, f"{ENCODE} {{grey}} --resume")],
    "encode resumes with other options": [(0, PLAIN), (1, f"{PLAIN} --resume --alpha refuse")],
    "encode resumes as shards": [(0, PLAIN), (1, f"{PLAIN} --resume --shards")],
    "encode skips transparency": [(3, f"{PLAIN} --alpha refuse")],
    "encode skips what a profile is not for": [(3, f"{ENCODE} {{grey}}")],
    "encode skips bad files": [(3, "encode {some_bad} {out} --profile {plain}")],
    "encode stops at many bad files": [(4, "encode {bad} {out} --profile {plain}")],
    "encode goes on past many bad files": [
        (4, "encode {bad} {out} --profile {plain}"),
        (3, "encode {bad} {out} --profile {plain} --resume --workers 1 --max-error-rate 1"),
    ],
    "encode with a share of errors that is none": [(2, f"{PLAIN} --max-error-rate 7")],
    "encode with no workers": [(2, "encode {images} {out} --profile {plain} --workers 0")],
    "encode with a profile that is missing": [(1, f"{ENCODE} {{out}}.json")],
    "encode with a profile that is cut off": [(1, f"{ENCODE} {{cut_off}}")],
    "encode with a profile of a newer version": [(1, f"{ENCODE} {{newer}}")],
    "encode with a profile of steps of 0": [(1, f"{ENCODE} {{zero}}")],
    "encode with something else for a profile": [(1, f"{ENCODE} {{other}}")],
    "encode with a folder without profiles": [(2, f"{ENCODE} {{empty}}")],
    "encode with a ladder": [(0, LADDER), (0, f"{LADDER} --resume")],
    "encode with a ladder without network": [(2, f"{ENCODE} {{ladder}}")],
    "encode with a ladder without weights": [(2, f"{ENCODE} {{ladder}} --network small-cnn")],
    "encode with a ladder and weights alone": [(2, f"{ENCODE} {{ladder}} --weights {{weights}}")],
    "encode with a ladder and requantise": [(2, f"{LADDER} --requantise")],
    "encode with a ladder of two kinds": [(2, f"{LADDER} --profile {{grey}}")],
    "encode with a tolerance below 0": [(2, f"{LADDER} --tolerance -1")],
    "encode with an unknown network": [(2, f"{LADDER} --network magic")],
    "encode with weights of another network": [(1, f"{LADDER} --network resnet")],
    "encode with weights that are missing": [(1, f"{LADDER} --weights {{out}}/none")],
    "encode with a network for one profile": [(2, f"{PLAIN} --network small-cnn")],
    "encode with a tolerance for one profile": [(2, f"{PLAIN} --tolerance 0.1")],
    "encode for a model": [(0, f"{PLAIN} --for-model {{model}}")],
    "encode resumes for a model": [(0, PLAIN), (1, f"{PLAIN} --resume --for-model {{model}}")],
    "encode for a model of pixels": [(2, f"{PLAIN} --for-model {{pixel_model}}")],
    "encode for a model at 4:4:4": [(2, f"{ENCODE} {{full}} --for-model {{model}}")],
    "encode for a model that is missing": [(1, f"{PLAIN} --for-model {{out}}/none")],
    "encode for what is no model": [(1, f"{PLAIN} --for-model {{weights}}")],
    # encode --shards
    "shards": [(0, f"{PLAIN} --shards"), (0, f"{PLAIN} --shards --resume")],
    "shards into what is there": [(0, f"{PLAIN} --shards"), (1, f"{PLAIN} --shards")],
    "shards resume with another size": [
        (0, f"{PLAIN} --shards"),
        (1, f"{PLAIN} --shards --resume --shard-images 2"),
    ],
    "shards resume as a tree": [(0, f"{PLAIN} --shards"), (1, f"{PLAIN} --resume")],
    "shards skip bad files": [
        (3, "encode {some_bad} {out} --profile {plain} --shards --workers 1")
    ],
    "shards stop at many bad files": [
        (4, "encode {bad} {out} --profile {plain} --shards --workers 1"),
        (
            3,
            "encode {bad} {out} --profile {plain} --shards --resume --workers 1 --max-error-rate 1",
        ),
    ],
    "shards of no images": [(2, f"{PLAIN} --shards --shard-images 0")],
    "shards of what is missing": [(1, "encode {out}/none.txt {out} --profile {plain} --shards")],
    "a list without shards": [(2, "encode {out}/none.txt {out} --profile {plain}")],
    "a URL without shards": [(2, "encode s3://bucket/a.tar {out} --profile {plain}")],
    "an engine without shards": [(2, f"{PLAIN} --engine ray")],
    "a column without shards": [(2, f"{PLAIN} --image-column image")],
    # verify
    "verify": [(0, PLAIN), (0, "verify {out}")],
    "verify shards": [(0, f"{PLAIN} --shards"), (0, "verify {out} --workers 1 --json")],
    "verify what is missing": [(1, "verify {out}")],
    "verify what is no output": [(1, "verify {images}")],
    "verify without a folder": [(2, "verify")],
    # report
    "report of nothing": [(1, "report {empty}"), (1, "report {out}")],
    "report of half a line": [(1, "report {half}")],
    "report of an empty file": [(1, "report {no_rows}")],
    "report without a folder": [(2, "report")],
    # what trains, where it ends before any training
    "reproduce an unknown data set": [(1, "reproduce --dataset no-such-data --out {out}")],
    "reproduce without data": [(1, "reproduce --data-dir {empty} --dataset mnist --out {out}")],
    "reproduce into something else": [(1, "reproduce --dataset digits --out {images}")],
    "reproduce into a file": [
        (1, "reproduce --dataset digits --out {plain}"),
        (1, "reproduce --dataset digits --out {plain}/below"),
    ],
    "reproduce wrongly": [
        (2, f"reproduce --dataset digits --out {{out}} {options}")
        for options in (
            *("--bands 60", "--epochs 0", "--seeds 0 0", "--seeds zero", "--variants magic"),
            *("--workers -3", "--device tpu", "--reconstruction-weight -1"),
            "--no-such-option",
        )
    ],
    "learn from an unknown data set": [(1, "learn no-such-data --out {out}.json")],
    "learn wrongly": [
        (2, f"{DIGITS} {options}")
        for options in (
            *("--target-bpp 1 --target-bytes 9", "--target-bytes -1", "--target-bpp nan"),
            *("--slopes 0", "--images 0", "--epochs 0", "--network magic", "--method magic"),
            *("--subsampling 4:1:1", "--slopes 1.01e-6 1.02e-6"),
        )
    ],
    "learn into something else": [(1, "learn digits --out {out}.json --work {images}")],
    "learn with weights that are missing": [(1, f"{DIGITS} --weights {{out}}/none")],
    "learn with weights of another network": [(1, f"{DIGITS} --weights {{weights}}")],
    "evaluate without weights": [(2, "evaluate digits")],
    "evaluate with weights that are missing": [(1, "evaluate digits --weights {out}/none")],
    "evaluate with a profile that is missing": [
        (1, "evaluate digits --weights {weights} --profile {out}.json --out {out}")
    ],
    "evaluate wrongly": [
        (2, f"evaluate digits --weights {{weights}} --network small-cnn --out {{out}} {options}")
        for options in (
            *("--codecs gif", "--every 0", "--split train", "--bound -1", "--network magic"),
        )
    ],
    "rate-accuracy of an unknown data set": [(1, f"{RATES} no-such-data")],
    "rate-accuracy wrongly": [
        (2, f"{RATES} digits --network small-cnn --transfer none {options}")
        for options in (
            *("--network magic", "--transfer magic", "--codecs magic", "--methods magic"),
            *("--transfer plain-cnn", "--transfer small-cnn", "--slopes 1e-6 1e-6"),
        )
    ],
    "rate-accuracy into something else": [(1, "experiment rate-accuracy digits --out {images}")],
    "rate-accuracy with weights that are missing": [
        (1, f"{RATES} digits --network small-cnn --weights {{out}}/none")
    ],
    "jpeg-training of what is missing": [(1, "experiment jpeg-training {out}/none --out {out}")],
    "jpeg-training into something else": [(1, "experiment jpeg-training {jpegs} --out {images}")],
    "jpeg-training wrongly": [
        (2, f"experiment jpeg-training {{jpegs}} --out {{out}} {options}")
        for options in (
            *("--seeds zero", "--keep 24 500", "--keep 0", "--workers 0", "--epochs 0"),
            *("--twins magic", "--network magic", "--image-size 20"),
        )
    ],
    "train on what is missing": [(1, "train {out}/none")],
    "train wrongly": [
        (2, f"train {{jpegs}} --out {{out}} {options}")
        for options in (
            *("--keep 0", "--keep 500", "--by importance --keep 9", "--by magic", "--epochs 0"),
            *("--band-dropout 1", "--keep 9 --input pixels", "--network magic", "--image-size 20"),
            *("--by importance", "--band-dropout 0.1 --input pixels"),
        )
    ],
    "train with a model that is missing": [(1, "train {jpegs} --out {out} --whole {out}/none")],
    # models
    "predict with what is no model": [(1, "predict {plain} {images}/b.jpg")],
    "predict with a model that is missing": [(1, "predict {out}/none {images}/b.jpg")],
    "predict nothing": [(2, "predict {plain}"), (1, "predict {plain} {empty}")],
    "predict no classes": [(2, "predict {plain} {images}/b.jpg --top 0")],
    "export what is no model": [(1, "export {weights} {out}.onnx")],
    "export a model that is missing": [(1, "export {out}/none {out}.onnx")],
    "export to nowhere": [(2, "export {weights}")],
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("inputs")
    places = {name: folder / name for name in ("images", "empty", "bad", "some_bad", "jpegs")}
    for path in places.values():
        path.mkdir()
    photograph = Image.fromarray(smooth("photograph", 24, 40))
    photograph.save(places["images"] / "a.png")
    photograph.save(places["images"] / "b.jpg", quality=95)
    Image.new("RGBA", (16, 16)).save(places["images"] / "clear.png")
    photograph.save(places["some_bad"] / "a.png")
    (places["some_bad"] / "bad.png").write_bytes((places["images"] / "a.png").read_bytes()[:80])
    for number in range(14):
        (places["bad"] / f"{number}.txt").touch()
    photograph.save(places["bad"] / "a.png")
    for number in range(12):
        split, label = ("train", "test")[number % 2], f"{number % 3}"
        path = places["jpegs"] / split / label / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(gradient(32, 32 + number)).resize((32, 32)).save(path)
    plain = write_profile(folder / "plain.json")
    profile = json.loads(plain.read_text())
    tables = profile["tables"]
    damaged = {
        "cut_off": plain.read_text()[:200],
        "newer": json.dumps({**profile, "schema": 99}),
        "zero": json.dumps({**profile, "tables": {**tables, "luma": 8 * [8 * [0]]}}),
        "other": json.dumps({"format": "else"}),
    }
    for name, text in damaged.items():
        (folder / f"{name}.json").write_text(text)
    for name, text in (("half", '{"record": "experiment"'), ("no_rows", "")):
        (folder / name).mkdir()
        (folder / name / "results.jsonl").write_text(text)
    return {
        **places,
        **{name: folder / f"{name}.json" for name in damaged},
        "half": folder / "half",
        "no_rows": folder / "no_rows",
        "plain": plain,
        "grey": write_profile(folder / "grey.json", grey=True),
        "full": write_profile(folder / "full.json", subsampling="4:4:4"),
        "model": write_model(folder / "model.safetensors"),
        "pixel_model": write_model(folder / "pixels.safetensors", reads="pixels", frequencies=None),
        "ladder": write_ladder(folder / "ladder"),
        "weights": write_weights(folder / "weights.safetensors"),
    }


def outcome(command: str, inputs: dict[str, Path], out: Path) -> int:
    return run([word.format(out=out, **inputs) for word in command.split()])


@pytest.mark.parametrize("name", CASES)
def test_commands_end_with_their_exit_codes(
    name: str, inputs: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    for expected, command in CASES[name]:
        assert outcome(command, inputs, out) == expected, command
        err = capfd.readouterr().err
        assert "Traceback" not in err
        if expected == 2:
            assert "Usage: " in err or (err.startswith("error: ") and err.count("\n") == 1)
            assert not out.exists()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def change(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [cut, change, Path.unlink])
@pytest.mark.parametrize(
    ("options", "damaged"),
    [
        ("", "a.jpg"),
        ("", ".bandwise/run.json"),
        ("--shards", "shard-000000.tar"),
        ("--shards", "shard-000000.json"),
        ("--shards", "manifest.json"),
    ],
)
def test_verify_finds_damage(
    options: str,
    damaged: str,
    damage: Callable[[Path], None],
    inputs: dict[str, Path],
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    assert outcome(f"{PLAIN} {options}", inputs, out) == 0
    assert outcome("verify {out} --workers 1", inputs, out) == 0
    damage(out / damaged)
    assert outcome("verify {out} --workers 1", inputs, out) == 1
