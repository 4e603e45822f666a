"""Profiles: what is written is what is read, and nothing wrong gets in."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bandwise.errors import OutputError, ProfileError
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import QuantTable, TableSet, flat, ijg_luma
from bandwise.profile import Profile, RateDistortion

sensitivities = hnp.arrays(np.float64, (8, 8), elements=st.floats(0, 1e30))


def colour_profile(**changes: Any) -> Profile:
    sensitivity = {name: np.full((8, 8), 0.1) for name in ("luma", "cb", "cr")}
    settings: dict[str, Any] = {
        "name": "scenes",
        "tables": TableSet.ijg(50),
        "subsampling": "4:2:0",
        "rate_distortion": RateDistortion(lagrangian=0.01, sensitivity=sensitivity),
        "provenance": {"network": {"sha256": "ab"}},
        "curve": [{"bytes": 1200, "accuracy": 0.9}],
    }
    return Profile(**(settings | changes))


@given(
    steps=st.lists(st.integers(1, 255), min_size=64, max_size=64),
    slope=st.floats(0, 1e6),
    sensitivity=sensitivities,
)
@settings(deadline=None, derandomize=True, max_examples=20)
def test_json_gives_back_every_number_exactly(
    steps: list[int], slope: float, sensitivity: Any
) -> None:
    profile = Profile(
        name="grey",
        tables=TableSet(luma=QuantTable(tuple(steps))),
        rate_distortion=RateDistortion(lagrangian=slope, sensitivity={"luma": sensitivity}),
    )
    back = Profile.from_json(json.loads(json.dumps(profile.to_json())))
    assert back.tables == profile.tables
    assert back.rate_distortion is not None
    assert back.rate_distortion.lagrangian == slope
    np.testing.assert_array_equal(back.rate_distortion.sensitivity["luma"], sensitivity)
    assert back.sha256 == profile.sha256


def test_a_saved_profile_is_read_back_whole(tmp_path: Path) -> None:
    profile = colour_profile()
    profile.save(tmp_path / "sub" / "p.json")
    assert Profile.load(tmp_path / "sub" / "p.json").to_json() == profile.to_json()
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["p.json"]


def test_the_smallest_file_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(
        json.dumps(
            {
                "format": "bandwise-profile",
                "schema": 1,
                "name": "n",
                "tables": {"luma": flat(3).to_json()},
                "subsampling": "4:4:4",
            }
        )
    )
    profile = Profile.load(path)
    assert profile.tables == TableSet(luma=flat(3))
    assert profile.components == ("luma",)
    assert (profile.rate_distortion, profile.curve, profile.provenance) == (None, (), {})


def test_the_hash_is_of_what_determines_the_bytes_alone() -> None:
    profile = colour_profile()
    assert replace(profile, name="other", provenance={}, curve=()).sha256 == profile.sha256
    assert profile.rate_distortion is not None
    others = (
        replace(profile, tables=TableSet.ijg(51)),
        replace(profile, subsampling="4:4:4"),
        replace(profile, rate_distortion=None),
        replace(profile, rate_distortion=replace(profile.rate_distortion, lagrangian=0.02)),
        profile.keeping(Frequencies((0, 1))),
        profile.keeping(Frequencies((0, 2))),
    )
    assert len({profile.sha256, *(other.sha256 for other in others)}) == 7


def test_a_profile_that_keeps_everything_is_written_as_ever() -> None:
    profile = Profile(name="n", tables=TableSet(luma=flat(3)))
    assert profile.to_json().keys() == {
        "format",
        "schema",
        "name",
        "tables",
        "subsampling",
        "rate_distortion",
        "provenance",
        "curve",
    }
    assert profile.to_json()["schema"] == 1
    assert profile.sha256 == "e2a207565f7877650e472f857a60cdf020ea3bc78b017b89deb23090367f4296"
    assert Profile.from_json(profile.to_json() | {"schema": 2}).sha256 == profile.sha256


def test_kept_frequencies_are_read_back(tmp_path: Path) -> None:
    profile = colour_profile()
    some = profile.keeping(Frequencies((0, 9, 64, 191)))
    some.save(tmp_path / "p.json")
    back = Profile.load(tmp_path / "p.json")
    assert some.to_json() == profile.to_json() | {"schema": 2, "frequencies": [0, 9, 64, 191]}
    assert back.to_json() == some.to_json()
    assert (back.frequencies, back.sha256) == (some.frequencies, some.sha256)
    assert profile.frequencies is None


def test_a_profile_does_not_change_with_what_it_was_made_of() -> None:
    sensitivity, provenance = np.ones((8, 8)), {"settings": {"lr": 1}}
    profile = colour_profile(
        tables=TableSet(luma=flat(2)),
        rate_distortion=RateDistortion(lagrangian=1, sensitivity={"luma": sensitivity}),
        provenance=provenance,
    )
    before = json.dumps(profile.to_json())
    sensitivity[0, 0] = 9
    provenance["settings"]["lr"] = 2
    assert json.dumps(profile.to_json()) == before


def set_entry(*keys: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(entry: Any) -> None:
        for key in keys[:-1]:
            entry = entry[key]
        entry[keys[-1]] = to

    return change


def drop(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda entry: entry.pop(key)


SENSITIVITY = ("rate_distortion", "sensitivity")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_entry("tables", "luma", 0, 0, to=0), r"tables, the step .*v=0, u=0\) is 0"),
        (set_entry("tables", "chroma", 7, 6, to=256), r"tables, the step .*v=7, u=6\) is 256"),
        (set_entry("tables", "luma", 0, 0, to=True), "is True"),
        (set_entry("tables", "luma", to=[[1] * 8] * 7), "list of 8 rows"),
        (set_entry("tables", "alpha", to=[]), "tables"),
        (set_entry("tables", "chroma", to=None), "tables are for luma, the sensitivity is for"),
        (set_entry("schema", to=3), "schema 3, .* reads up to 2"),
        (set_entry("schema", to=0), "schema"),
        (set_entry("format", to="gimp-palette"), "this is no profile"),
        (set_entry("name", to=""), "name"),
        (set_entry("subsampling", to="4:1:1"), "subsampling is '4:1:1'; use one of 4:4:4"),
        (set_entry("provenance", to=[1]), "provenance is an object"),
        (set_entry("curve", to=["a"]), "curve is a list of objects"),
        (set_entry("qulaity", to=90), "unknown entry 'qulaity'"),
        (drop("tables"), "lacks tables"),
        (set_entry("rate_distortion", to=[]), "rate_distortion is an object"),
        (set_entry("rate_distortion", to={"slope": 1}), "lacks sensitivity"),
        (set_entry("rate_distortion", "slope", to=-1), "slope.* got -1"),
        (set_entry("rate_distortion", "slope", to=True), "slope"),
        (set_entry("rate_distortion", "slope", to=float("nan")), "NaN"),
        (set_entry(*SENSITIVITY, to={"luma": [[1] * 8] * 8}), "for the same components"),
        (set_entry(*SENSITIVITY, to={"luma": [[1] * 8] * 8, "cb": []}), 'give "luma" for grey'),
        (set_entry(*SENSITIVITY, "cb", to=[[1] * 8] * 7), r"of cb .* \(7, 8\)"),
        (set_entry(*SENSITIVITY, "cb", 3, 3, to=-0.1), "of cb has a value that is negative"),
        (set_entry(*SENSITIVITY, "cb", 3, 3, to=None), "of cb is 8 rows of 8"),
        (set_entry(*SENSITIVITY, "cb", 3, 3, to=float("inf")), "Infinity"),
        (set_entry(*SENSITIVITY, "cb", 3, 3, to=10**400), "of cb is 8 rows of 8"),
    ],
)
def test_a_wrong_entry_is_an_error_that_names_the_file(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    entry = json.loads(json.dumps(colour_profile().to_json()))
    change(entry)
    path = tmp_path / "p.json"
    path.write_text(json.dumps(entry))
    with pytest.raises(ProfileError, match=rf"p\.json.*{message}"):
        Profile.load(path)


@pytest.mark.parametrize(
    ("frequencies", "tables", "message"),
    [
        ("0, 1", TableSet.ijg(50), "frequencies are a list of integers"),
        ([0, True], TableSet.ijg(50), "frequencies are a list of integers"),
        ([0, 192], TableSet.ijg(50), "in its frequencies, .* 0 to 191 in ascending order"),
        ([1, 0], TableSet.ijg(50), "in its frequencies, .* ascending"),
        ([0, 0], TableSet.ijg(50), "in its frequencies, .* ascending"),
        ([64, 65], TableSet.ijg(50), "at least one frequency of luma"),
        ([0, 64], TableSet(luma=flat(3)), "chroma are kept, and the tables are for grey"),
    ],
)
def test_wrong_frequencies_are_errors_that_name_the_file(
    tmp_path: Path, frequencies: object, tables: TableSet, message: str
) -> None:
    path = tmp_path / "p.json"
    entry = Profile(name="n", tables=tables).to_json()
    path.write_text(json.dumps(entry | {"schema": 2, "frequencies": frequencies}))
    with pytest.raises(ProfileError, match=rf"p\.json.*{message}"):
        Profile.load(path)


def test_the_first_schema_has_no_frequencies() -> None:
    entry = colour_profile().to_json()
    with pytest.raises(ProfileError, match="unknown entry 'frequencies'"):
        Profile.from_json(entry | {"frequencies": [0]})


def test_nothing_waits_for_pytorch_where_everything_is_kept(tmp_path: Path) -> None:
    colour_profile().save(tmp_path / "p.json")
    code = (
        "import sys; from pathlib import Path; from bandwise.profile import Profile;"
        "Profile.load(Path(sys.argv[1])).masks; sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "p.json")], check=False)
    assert done.returncode == 0


def test_a_file_that_ends_early_is_an_error_wherever_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    text = json.dumps(colour_profile().to_json())
    for length in range(0, len(text), 7):
        path.write_text(text[:length])
        with pytest.raises(ProfileError, match="not JSON, or only the beginning"):
            Profile.load(path)


@pytest.mark.parametrize(
    "content", [b"\xff\xd8\xff\xe0", b"[" * 100_000, b"7", b"null", b"[]", b"{}", b"1" * 10_000]
)
def test_other_files_are_errors(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(content)
    with pytest.raises(ProfileError, match=r"p\.json"):
        Profile.load(path)


def test_a_missing_file_or_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"p\.json: No such file"):
        Profile.load(tmp_path / "p.json")
    with pytest.raises(ProfileError, match="directory"):
        Profile.load(tmp_path)


def test_a_value_that_json_lacks_is_refused_before_anything_is_written() -> None:
    for provenance in ({"date": object()}, {"loss": float("nan")}):
        with pytest.raises(ProfileError, match="provenance"):
            colour_profile(provenance=provenance)
    with pytest.raises(ProfileError, match="not finite"):
        RateDistortion(lagrangian=1, sensitivity={"luma": np.full((8, 8), np.inf)})


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        Profile(name="n", tables=TableSet(luma=ijg_luma(50))).save(tmp_path / "file" / "p.json")
