"""Profiles with a codebook: files are those of the rung that was chosen, and JSON keeps it all."""

import io
import json
from itertools import chain
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bandwise import jpeg
from bandwise.adaptive import AdaptiveProfile, load_profile
from bandwise.encoding import encode_pixels
from bandwise.errors import EncodingError, OutputError, ProfileError
from bandwise.frequencies import Frequencies
from bandwise.pipeline import encode_shards, encode_tree, transcode, verify
from bandwise.pipeline.manifest import Run
from bandwise.pipeline.transcoding import DEFAULT_OPTIONS
from bandwise.profile import Profile
from bandwise.tables import TableSet, flat
from tests.jpeg.images import picture
from tests.test_policy import BIASES, policy

needs_jpeg = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)


def book(channels: int = 3, **changes: Any) -> AdaptiveProfile:
    """Two ladders of three rungs, every table another step."""
    steps = ((3, 30, 90), (5, 50, 150))
    values: dict[str, Any] = {
        "name": "book",
        "codebook": tuple(
            tuple(
                TableSet(luma=flat(step), chroma=flat(step + 1) if channels == 3 else None)
                for step in ladder
            )
            for ladder in steps
        ),
        "policy": policy(channels, ladders=2, rungs=3, output_bias=BIASES),
        "slope": 1e-5,
        "provenance": {"num_classes": 3},
        "curve": [{"label": "a"}],
    }
    return AdaptiveProfile(**(values | changes))


@needs_jpeg
@pytest.mark.parametrize("positions", [1, 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_tables_in_the_file_are_those_that_were_chosen(channels: int, positions: int) -> None:
    seen = set()
    for seed in range(15):
        ours = book(channels, positions=positions).at((0, 2e-6, 6e-6, 2e-5, 1e-3)[seed % 5])
        pixels = picture(40, 48, grey=channels == 1, seed=seed)
        ladder, rung = ours.choice(pixels)
        data = encode_pixels(pixels, ours.profile_for(pixels))
        below, above = (ours.codebook[ladder][each] for each in (floor(rung), ceil(rung)))
        share = rung - floor(rung)
        for index, plane in enumerate(jpeg.read_coefficients(data).planes):
            ends = [(each.chroma if index else each.luma) for each in (below, above)]
            first, last = (np.array(each.values if each else ()) for each in ends)
            assert plane.table.values == tuple(np.rint(first ** (1 - share) * last**share))
        seen.add((ladder, rung))
    assert len(seen) > 2
    assert any(rung % 1 for _, rung in seen) == (positions > 1)


@needs_jpeg
def test_the_pipeline_takes_it_as_a_chooser() -> None:
    stream = io.BytesIO()
    pixels = picture(40, 48)
    Image.fromarray(pixels).save(stream, "PNG")
    ours = book()
    assert transcode(stream.getvalue(), ours).data == encode_pixels(
        pixels, ours.profile_for(pixels)
    )


def test_a_grey_image_is_chosen_for_as_if_in_colour() -> None:
    grey = picture(40, 48, grey=True)
    assert book().choice(grey) == book().choice(np.repeat(grey[..., None], 3, axis=2))


def test_a_colour_image_is_refused_where_tables_are_for_grey() -> None:
    with pytest.raises(EncodingError, match="for grey images"):
        book(1).profile_for(picture(40, 48))


def test_every_rung_is_a_profile() -> None:
    ours = book().keeping(Frequencies((0, 1, 64)))
    assert [each.tables for each in ours.profiles] == list(chain(*ours.codebook))
    assert ours.rung(1, 2).tables == ours.codebook[1][2]
    assert all(each.frequencies == Frequencies((0, 1, 64)) for each in ours.profiles)
    assert ours.components == ("luma", "cb", "cr")


def test_between_two_rungs_lies_a_profile_of_its_own() -> None:
    ours = book(positions=2).keeping(Frequencies((0, 1, 64)))
    between = ours.rung(0, 1.5)
    assert between.tables == TableSet(luma=flat(52), chroma=flat(53))  # √(30 · 90), √(31 · 91)
    assert between.frequencies == Frequencies((0, 1, 64))
    assert between.name == "book, ladder 1, rung 2.5"
    assert between in ours.profiles
    assert len(ours.profiles) == 2 * 5
    assert ours.rung(0, 2.0).tables == ours.codebook[0][2]
    assert ours.rung(1, 0.0).tables == ours.codebook[1][0]
    assert ours.rung(1, 2.0) is ours.profiles[-1]


@needs_jpeg
@pytest.mark.parametrize("shards", [True, False])
def test_files_with_tables_between_rungs_are_verified_and_kept(
    tmp_path: Path, shards: bool
) -> None:
    (tmp_path / "in").mkdir()
    ours = book(positions=8).at(6e-6)
    for seed in range(6):
        Image.fromarray(picture(40, 48, seed=seed)).save(tmp_path / "in" / f"{seed}.png")
    assert any(ours.choice(picture(40, 48, seed=seed))[1] % 1 for seed in range(6))
    if shards:
        encode_shards(str(tmp_path / "in"), tmp_path / "out", ours)
    else:
        encode_tree(tmp_path / "in", tmp_path / "out", ours)
        assert encode_tree(tmp_path / "in", tmp_path / "out", ours, resume=True).kept == 6
    found = verify(tmp_path / "out")
    assert (found.images, found.problems) == (6, [])


def test_the_hash_is_of_what_determines_the_bytes() -> None:
    ours = book()
    assert book(name="other", curve=()).sha256 == ours.sha256
    others = (
        ours.at(2e-5),
        ours.keeping(Frequencies((0,))),
        book(subsampling="4:4:4"),
        book(policy=policy(3, hidden_bias=np.zeros(5))),
        book(positions=2),
    )
    assert len({ours.sha256, *(other.sha256 for other in others)}) == 6


def test_a_saved_profile_is_read_back_whole(tmp_path: Path) -> None:
    ours = book(positions=4).keeping(Frequencies((0, 9)))
    ours.save(tmp_path / "book.json")
    back = load_profile(tmp_path / "book.json")
    assert isinstance(back, AdaptiveProfile)
    assert back.to_json() == ours.to_json()
    assert back.frequencies == ours.frequencies
    assert back.positions == 4
    assert back.to_json()["schema"] == 3


def test_a_profile_of_one_set_of_tables_is_read_as_ever(tmp_path: Path) -> None:
    Profile(name="plain", tables=TableSet.ijg(50)).save(tmp_path / "plain.json")
    assert isinstance(load_profile(tmp_path / "plain.json"), Profile)


def test_one_set_of_tables_is_asked_for_in_words(tmp_path: Path) -> None:
    book().save(tmp_path / "book.json")
    with pytest.raises(ProfileError, match=r"book\.json: it holds a codebook"):
        Profile.load(tmp_path / "book.json")


@pytest.mark.parametrize(
    ("entry", "value", "said"),
    [
        ("codebook", {}, "codebook is a list of lists"),
        ("codebook", [[{"luma": [[0] * 8] * 8}]], "in its codebook, "),
        ("codebook", [], "0 ladders, the policy is for 2"),
        ("slope", "dear", "slope is a number"),
        ("slope", 10**400, "slope is a number"),
        ("provenance", None, "the provenance is an object"),
        ("curve", [1], "the curve is a list of objects"),
        ("slope", -1, "slope is a number ≥ 0"),
        ("positions", 0, "positions from one rung to the next are 1 to 256, got 0"),
        ("positions", 257, "1 to 256, got 257"),
        ("positions", 2.0, "1 to 256, got 2.0"),
        ("policy", {}, "a policy is an object"),
        ("more", 1, "unknown entry 'more'"),
    ],
)
def test_a_wrong_entry_is_an_error(tmp_path: Path, entry: str, value: Any, said: str) -> None:
    path = tmp_path / "book.json"
    path.write_text(json.dumps(book().to_json() | {entry: value}))
    with pytest.raises(ProfileError, match=said):
        load_profile(path)


def test_tables_and_policy_are_for_the_same_images() -> None:
    with pytest.raises(ProfileError, match="another number of components"):
        book(3, policy=policy(1, ladders=2, rungs=3))


def test_a_run_with_other_tables_is_told_without_naming_them_all(tmp_path: Path) -> None:
    before, now = (
        Run.of("tree", ours, DEFAULT_OPTIONS, {}) for ours in (book(positions=8), book(positions=9))
    )
    before.record(tmp_path)
    before.record(tmp_path)
    told = (
        r"profiles: book, ladder 1, rung 1 \(\w+\) and 33 others \(\w+\) then, "
        r"book, .* and 37 others \(\w+\) now"
    )
    with pytest.raises(OutputError, match=told):
        now.record(tmp_path)
