from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bandwise.errors import ResultsError
from bandwise.results import Example, Experiment, Measurement, Results, Trained, TrainedSetting
from bandwise.results.records import KINDS
from tests.results.rows import (
    EPOCH,
    EXAMPLE,
    EXPERIMENT,
    LEARNING,
    OF_EXPERIMENT,
    OF_REPRODUCE,
    POINT,
    PROFILE,
    REPRODUCE,
    RUN,
    SAMPLE,
    TRAINED,
)

COMMITTED = sorted(Path(__file__).parents[2].glob("results/*/results.jsonl"))


@pytest.mark.parametrize(
    "row", [EXPERIMENT, REPRODUCE, *OF_EXPERIMENT, *OF_REPRODUCE], ids=lambda row: row["record"]
)
def test_a_row_is_written_as_it_was_read(row: dict[str, Any]) -> None:
    assert KINDS[row["record"]].from_row(row).to_row() == row


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.parent.name)
def test_committed_results_are_read_whole(path: Path) -> None:
    results = Results.load(path)
    read = sum(len(results.of(kind)) for kind in KINDS.values())
    assert read == len(path.read_bytes().splitlines())


def test_an_original_has_no_size() -> None:
    row = {**POINT, "codec": "original", "bytes": None, "image_bytes": None, "payload_bytes": None}
    original = Measurement.from_row(row)
    assert original.mean_bytes == original.bits_per_pixel == np.inf
    assert original.seeds == (0,)


def test_a_measurement_counts_an_image() -> None:
    measured = Measurement.from_row(POINT)
    assert (measured.mean_bytes, measured.bits_per_pixel) == (20, 2.5)
    assert measured.image_correct.tolist() == [1, 0, 1]
    assert measured.named("webp")
    assert not measured.named(["avif"])


def test_an_example_is_a_jpeg_or_a_png() -> None:
    png = {**EXAMPLE, "png_base64": "iVBORw0KGgo="}
    del png["jpeg_base64"]
    assert Example.from_row(png).media_type == "image/png"
    assert Example.from_row(png).to_row() == png
    assert Example.from_row(EXAMPLE).media_type == "image/jpeg"


def test_a_trained_network_is_named_by_what_it_reads() -> None:
    trained = Trained.from_row(TRAINED)
    assert trained.setting.name == "cnn on 2 frequencies by energy"
    assert TrainedSetting("cnn", "pixels").inputs == "pixels"
    assert trained.mean_file_bytes == 101


@pytest.mark.parametrize(
    ("row", "change", "field"),
    [
        (EXPERIMENT, {"recipe": 3}, "recipe"),
        (EXPERIMENT, {"dataset": {"name": "made"}}, "dataset.sha256"),
        (EXPERIMENT, {"dataset": {**EXPERIMENT["dataset"], "image_shape": [1]}}, "image_shape"),
        (EXPERIMENT, {"networks": {"cnn": 1}}, "networks.cnn"),
        (REPRODUCE, {"bands": None}, "bands"),
        (REPRODUCE, {"bands": {**REPRODUCE["bands"], "height": 5000}}, "bands"),
        (REPRODUCE, {"bands": {**REPRODUCE["bands"], "kind": "zigzag"}}, "bands"),
        (REPRODUCE, {"bands": {"kind": "radial"}}, "bands"),
        (REPRODUCE, {"bands": []}, "bands"),
        (POINT, {"seed": True}, "seed"),
        (POINT, {"seed": 2**63}, "seed"),
        (POINT, {"split": "train"}, "split"),
        (POINT, {"protocol": ["frozen"]}, "protocol"),
        (POINT, {"setting": [1]}, "setting"),
        (POINT, {"bytes": None}, "bytes"),
        (POINT, {"bytes": 0}, "size_bytes"),
        (POINT, {"accuracy": 1.5}, "accuracy"),
        (POINT, {"divergence": None}, "divergence"),
        (POINT, {"divergence": 10**400}, "divergence"),
        (POINT, {"image_bytes": [1, 2]}, "image_bytes"),
        (POINT, {"image_bytes": [1, 2, "3"]}, "image_bytes"),
        (POINT, {"image_bytes": [1, 2, 2**64]}, "image_bytes"),
        (POINT, {"image_correct": "10"}, "image_correct"),
        (POINT, {"image_correct": "1x1"}, "image_correct"),
        (PROFILE, {"tables": {"luma": [[0] * 8] * 8}}, "tables"),
        (PROFILE, {"importance": {"luma": [[1.0]]}}, "importance"),
        (PROFILE, {"importance": [1]}, "importance"),
        (PROFILE, {"frequencies": [1.5]}, "frequencies"),
        (LEARNING, {"seconds": "1"}, "seconds"),
        (EXAMPLE, {"jpeg_base64": None}, "data"),
        (EXAMPLE, {"jpeg_base64": "AAAA"}, "data"),
        (EXAMPLE, {"jpeg_base64": "é"}, "data"),
        (SAMPLE, {"pixels_u8": [[[1], [2, 3]]]}, "pixels_u8"),
        (SAMPLE, {"pixels_u8": [[[256]]]}, "pixels_u8"),
        (SAMPLE, {"pixels_u8": [[[1]]]}, "pixels_u8"),
        (EPOCH, {"band_weights": [0.5]}, "band_weights"),
        (EPOCH, {"band_weights": [0.5, None]}, r"band_weights\[1\]"),
        (EPOCH, {"test_accuracy": -1}, "test_accuracy"),
        (RUN, {"epochs": 0}, "epochs"),
        (RUN, {"stopped_early": 1}, "stopped_early"),
        (RUN, {"test_per_class": []}, "test_per_class"),
        (TRAINED, {"reads": "files"}, "reads"),
        (TRAINED, {"validation_curve": [0.5]}, "validation_curve"),
        (TRAINED, {"train_seconds": [0.0, 1.0]}, "train_seconds"),
        (TRAINED, {"test_bytes": []}, "test_bytes"),
        (TRAINED, {"frequencies": [1, 0]}, "frequencies"),
    ],
)
def test_a_field_that_cannot_be_is_named(
    row: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    head = REPRODUCE if row in OF_REPRODUCE else EXPERIMENT
    rows = [row | change] if row["record"] == "experiment" else [head, row | change]
    with pytest.raises(ResultsError, match=rf"made\.jsonl, line {len(rows)}, field '.*{field}"):
        Results.from_rows(rows, path=Path("made.jsonl"))


@pytest.mark.parametrize(
    ("row", "name"),
    [(EXPERIMENT, "recipe"), (POINT, "image_correct"), (PROFILE, "tables"), (EPOCH, "train_loss")],
)
def test_a_missing_field_is_named(row: dict[str, Any], name: str) -> None:
    without = {key: value for key, value in row.items() if key != name}
    with pytest.raises(ResultsError, match=f"'{name}': missing"):
        KINDS[row["record"]].from_row(without)


def test_what_may_be_missing_is_none() -> None:
    without = {key: value for key, value in PROFILE.items() if key != "frequencies"}
    for row in (without, {**without, "frequencies": None}):
        assert KINDS["profile"].from_row(row).to_row() == without


def test_a_type_is_told_apart() -> None:
    with pytest.raises(ResultsError, match="expected int of 64 bits, got str 'one'"):
        Measurement.from_row({**POINT, "seed": "one"})
    assert Experiment.from_row(EXPERIMENT).dataset.image_shape == (1, 8, 8)
