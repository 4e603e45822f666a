import json
from pathlib import Path

import pytest

from bandwise import results
from bandwise.errors import ResultsError

ROWS = [
    {"record": "experiment", "schema": results.SCHEMA, "recipe": "reproduce"},
    {"record": "epoch", "variant": "static", "seed": 0, "test_accuracy": 0.5},
]


def test_round_trip_is_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    results.write_rows(path, ROWS)
    assert [json.loads(line) for line in path.read_text().splitlines()] == ROWS
    assert results.read_rows(path) == ROWS


def test_any_text_is_read_back(tmp_path: Path) -> None:
    rows = [{"record": "epoch", "class": "a\x85b\u2028c\x1cd\ud800\n"}] * 2
    results.write_rows(tmp_path / "r", rows)
    assert results.read_rows(tmp_path / "r") == rows
    as_before = json.dumps(rows[0] | {"class": "a\x85b\u2028c"}, ensure_ascii=False)
    (tmp_path / "r").write_text(as_before + "\n", encoding="utf-8")
    assert results.read_rows(tmp_path / "r")[0]["class"] == "a\x85b\u2028c"


def test_not_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        results.write_rows(tmp_path / "r", [{"record": "epoch", "loss": float("nan")}])


def test_the_beginning_of_a_last_line_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "r").write_text('{"record": "epoch"}\n{"record": "epoch", "lo')
    assert results.read_rows(tmp_path / "r") == [{"record": "epoch"}]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty"),
        ('{"record"', "empty"),
        ("{}\n", "line 1"),
        ('{"record": "epoch"}\n{"record":\n', "line 2"),
        ("[1]\n", "line 1"),
        ('{"record": "experiment", "schema": 99}\n', "layout 99"),
        ('{"record": "epoch", "loss": NaN}\n', "line 1: not JSON .*NaN, which is not finite"),
        ('{"record": "epoch", "loss": 1e999}\n', "1e999, which is not finite"),
        (f'{{"record": {100_000 * "["}\n', "nested too deeply"),
        (f'{{"record": {5000 * "1"}}}\n', "line 1: not JSON"),
    ],
)
def test_damage_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(text)
    with pytest.raises(ResultsError, match=complaint):
        results.read_rows(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="nowhere"):
        results.read_rows(tmp_path / "nowhere")


def test_digest_ignores_the_order_of_keys() -> None:
    assert results.digest({"a": 1, "b": 2}) == results.digest({"b": 2, "a": 1})
    assert results.digest({"a": 1}) != results.digest({"a": 2})
