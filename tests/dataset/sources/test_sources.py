"""Sources of every kind: which files are in which part, what a sample is, what is refused."""

import base64
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bandwise.dataset.sources import (
    Archives,
    ImageFiles,
    Sample,
    Source,
    Tables,
    key_of,
    open_source,
)
from bandwise.dataset.sources import locations as locations_module
from bandwise.errors import (
    BandwiseError,
    ConfigurationError,
    CorruptDataError,
    DataNotFoundError,
    SourceChangedError,
)
from tests.dataset.datasets import image_file, put_images, put_tar

IMAGE = image_file()


def samples(source: Source) -> list[Sample]:
    return [sample for part in source.parts() for sample in source.read(part)]


def names(source: Source) -> list[list[str]]:
    return [[file.location for file in part.files] for part in source.parts()]


def problems(found: Iterable[Sample]) -> dict[str, str]:
    return {sample.name: sample.problem for sample in found if sample.problem is not None}


@given(st.text(max_size=30))
def test_keys_are_relative_and_have_no_dot_in_their_last_part(name: str) -> None:
    key = key_of(name)
    assert key
    assert not key.startswith("/")
    assert ".." not in key.split("/")
    assert "." not in key.rpartition("/")[2]


def test_a_tree_is_cut_into_parts_by_name_and_labelled_by_folder(tmp_path: Path) -> None:
    put_images(tmp_path, 5)
    (tmp_path / "loose.png").write_bytes(IMAGE)
    (tmp_path / ".hidden").mkdir()
    source = open_source(str(tmp_path), shard_images=4)
    assert names(source) == [
        ["cat/00.png", "cat/02.png", "cat/04.png", "dog/01.png"],
        ["dog/03.png", "loose.png"],
    ]
    assert source.settings == {"kind": "files", "shard_images": 4, "classes": ["cat", "dog"]}
    labels = [sample.others.get("cls") for sample in samples(source)]
    assert labels == [b"0", b"0", b"0", b"1", b"1", None]
    assert samples(source)[0].images == {"jpg": (tmp_path / "cat/00.png").read_bytes()}
    assert samples(source)[0].key == "cat/00"


def test_splits_are_no_classes(tmp_path: Path) -> None:
    put_images(tmp_path / "train", 2)
    put_images(tmp_path / "test", 1, classes=("emu",))
    (tmp_path / "notes").mkdir()
    source = open_source(str(tmp_path))
    assert source.settings["classes"] == ["cat", "dog", "emu"]
    assert [sample.others["cls"] for sample in samples(source)] == [b"2", b"0", b"1"]


def test_one_image_is_a_source(tmp_path: Path) -> None:
    put_images(tmp_path, 1)
    source = open_source(str(tmp_path / "cat/00.png"))
    assert names(source) == [["00.png"]]
    assert [(one.key, one.others) for one in samples(source)] == [("00", {})]


def test_a_list_names_paths_beside_it_urls_and_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec = pytest.importorskip("fsspec")
    put_images(tmp_path / "in", 2)
    with fsspec.open("memory://bucket/x.png", "wb") as stream:
        stream.write(IMAGE)
    absolute = tmp_path / "in/dog/01.png"
    lines = f"in/cat/00.png\t3\r\n\n{absolute}\nmemory://bucket/x.png\t1\nmemory://bucket/no.png\n"
    (tmp_path / "list.txt").write_text(lines)
    monkeypatch.chdir("/")
    source = open_source(str(tmp_path / "list.txt"), shard_images=3)
    assert source == ImageFiles(path=tmp_path / "list.txt", shard_images=3, is_list=True)
    assert [len(part) for part in names(source)] == [3, 1]
    found = samples(source)
    assert [one.others for one in found] == [{"cls": b"3"}, {}, {"cls": b"1"}, {}]
    assert found[2].images == {"jpg": IMAGE}
    assert found[2].key == "bucket/x"
    assert "the URL cannot be read" in problems(found)["memory://bucket/no.png"]


def test_a_list_with_a_label_that_is_no_number_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.png\nb.png\tcat\n")
    with pytest.raises(CorruptDataError, match=r"line 2: behind the tab stands 'cat'"):
        list(open_source(str(tmp_path / "list.txt")).parts())
    (tmp_path / "list.txt").write_text("a.png\t" + "9" * 5000)
    with pytest.raises(CorruptDataError, match=r"line 1: behind the tab stands '9{40}'"):
        list(open_source(str(tmp_path / "list.txt")).parts())


def test_a_list_that_is_no_text_is_an_error_or_has_problems(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"a\0b.png\n\xff\xfe\n")
    found = problems(samples(open_source(str(path))))
    assert set(found.values()) == {"the file is a link to nothing, or no ordinary file"}
    path.write_bytes(b"\n" + bytes(2**20))
    with pytest.raises(CorruptDataError, match="line 2 has 65536 characters or more"):
        list(open_source(str(path)).parts())


def test_what_is_no_file_is_a_problem_and_no_change(tmp_path: Path) -> None:
    (tmp_path / "gone.png").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.png")
    found = problems(samples(open_source(str(tmp_path))))
    assert found == dict.fromkeys(
        ("gone.png", "pipe.png"), "the file is a link to nothing, or no ordinary file"
    )


@pytest.mark.parametrize("change", ["removed", "changed", "touched"])
@pytest.mark.parametrize("kind", ["tree", "list", "tar", "parquet"])
def test_a_file_that_is_another_than_when_planned_is_an_error(
    tmp_path: Path, kind: str, change: str
) -> None:
    path = tmp_path / "in/cat/00.png"
    if kind in ("tree", "list"):
        put_images(tmp_path / "in", 1)
        (tmp_path / "list.txt").write_text("in/cat/00.png\n")
    elif kind == "tar":
        path = put_tar(tmp_path / "in/a.tar", {"a.png": IMAGE})
    else:
        path = put_table(tmp_path / "in/a.parquet", [{"image": IMAGE}])
    source = open_source(str(tmp_path / ("list.txt" if kind == "list" else "in")))
    parts = list(source.parts())
    if change == "removed":
        path.unlink()
    elif change == "changed":
        path.write_bytes(path.read_bytes() + b"x")
    else:
        os.utime(path, ns=(1, 1))
    with pytest.raises(SourceChangedError, match=r"is not what it was when the run began"):
        [list(source.read(part)) for part in parts]


def test_samples_of_an_archive_keep_what_travels_with_them(tmp_path: Path) -> None:
    put_tar(
        tmp_path / "in/b.tar",
        {
            "x/a.b.cls": b"3",
            "x/a.PNG": IMAGE,
            "x/a.json": b"{}",
            "x/.hidden": b"",
            "two.left.png": IMAGE,
            "two.right.jpeg": image_file(1, "JPEG"),
        },
    )
    put_tar(tmp_path / "in/a.tar", {"z.webp": image_file(2, "WEBP")})
    (tmp_path / "in/README.md").write_text("about")
    source = open_source(str(tmp_path / "in"))
    assert source == Archives(above=tmp_path / "in", names=("a.tar", "b.tar"))
    first, second, third = samples(source)
    assert (first.key, list(first.images)) == ("z", ["jpg"])
    assert (second.key, second.images) == ("x/a", {"jpg": IMAGE})
    assert second.others == {"b.cls": b"3", "json": b"{}"}
    assert list(third.images) == ["left.jpg", "right.jpg"]


def test_hostile_members_are_problems_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bandwise.dataset.sources.archives.MAX_FILE_BYTES", len(IMAGE) + 100)
    path = put_tar(
        tmp_path / "a.tar",
        {
            "../up.png": IMAGE,
            "/etc/abs.png": IMAGE,
            "twice.png": IMAGE,
            "twice.jpg": IMAGE,
            "text.txt": b"",
            "big.png": bytes(len(IMAGE) + 101),
            "a/./b.png": IMAGE,
        },
    )
    found = samples(open_source(str(path)))
    assert [one.key for one in found if one.problem is None] == ["a/./b"]
    reasons = problems(found)
    assert "'../up' leads out of the archive" in reasons["a.tar/../up"]
    assert "leads out of the archive" in reasons["a.tar//etc/abs"]
    assert reasons["a.tar/twice"] == "the archive holds twice.jpg twice"
    assert reasons["a.tar/text"] == "there is no image among txt"
    assert "larger than the limit" in reasons["a.tar/big"]


def test_a_sample_that_grows_without_end_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = {f"many.{number}": b"" for number in range(1001)}
    path = put_tar(tmp_path / "a.tar", {**many, "good.png": IMAGE})
    (bad, good) = samples(open_source(str(path)))
    assert bad.problem is not None
    assert "over the limits of 1000 and of" in bad.problem
    assert (bad.others, good.images) == ({}, {"jpg": IMAGE})
    monkeypatch.setattr("bandwise.dataset.sources.archives.MAX_SAMPLE_BYTES", len(IMAGE) + 1)
    path = put_tar(tmp_path / "a.tar", {"a.png": IMAGE, "a.txt": b"xx", "good.png": IMAGE})
    assert set(problems(samples(open_source(str(path))))) == {"a.tar/a"}


def test_an_archive_that_is_cut_off_gives_what_is_whole_and_a_problem(tmp_path: Path) -> None:
    path = put_tar(tmp_path / "a.tar", {"a.png": IMAGE, "b.png": IMAGE})
    data = path.read_bytes()
    whole = 512 + len(IMAGE) + -len(IMAGE) % 512
    for length, keys in ((2 * whole, ["a"]), (2 * whole + 100, ["a"]), (whole, []), (100, [])):
        path.write_bytes(data[:length])
        found = samples(open_source(str(path)))
        assert [one.key for one in found if one.problem is None] == keys
        assert "cut off" in problems(found)["a.tar"]


def put_table(path: Path, rows: list[dict[str, Any]], row_group_size: int = 4) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=row_group_size)
    return path


def test_rows_of_a_hugging_face_table_are_samples_with_their_other_columns(tmp_path: Path) -> None:
    rows = [
        {
            "image": {"bytes": image_file(number), "path": f"{number}.png"},
            "label": number % 3,
            "when": datetime(2020, 1, 1, tzinfo=UTC),
            "raw": b"\xff",
            "more": [1.5, float("inf"), None],
        }
        for number in range(10)
    ]
    rows[7]["image"] = {"bytes": None, "path": "7.png"}
    put_table(tmp_path / "data/train-0.parquet", rows)
    source = open_source(str(tmp_path), shard_images=5)
    assert isinstance(source, Tables)
    parts = list(source.parts())
    assert [(part.images, part.row_groups) for part in parts] == [(8, (0, 2)), (2, (2, 3))]
    found = samples(source)
    assert problems(found) == {"data/train-0.parquet/7": "the row holds no image's bytes"}
    assert found[9].images == {"jpg": image_file(9)}
    assert found[9].key == "train-0/00000009"
    assert found[9].others["cls"] == b"0"
    assert json.loads(found[9].others["json"]) == {
        "image_path": "9.png",
        "label": 0,
        "when": "2020-01-01 00:00:00+00:00",
        "raw": base64.b64encode(b"\xff").decode(),
        "more": [1.5, "inf", None],
    }


def test_the_column_of_images_is_found_or_asked_for(tmp_path: Path) -> None:
    put_table(tmp_path / "a.parquet", [{"photo": IMAGE, "n": 1}])
    assert [one.images for one in samples(open_source(str(tmp_path)))] == [{"jpg": IMAGE}]
    put_table(tmp_path / "a.parquet", [{"left": IMAGE, "right": image_file(1)}])
    with pytest.raises(ConfigurationError, match=r"can hold images are left, right"):
        samples(open_source(str(tmp_path)))
    (found,) = samples(open_source(str(tmp_path), image_column="right"))
    assert found.images == {"jpg": image_file(1)}
    with pytest.raises(ConfigurationError, match="asked for was n"):
        samples(open_source(str(tmp_path), image_column="n"))


def test_a_table_that_is_damaged_is_an_error_or_a_problem(tmp_path: Path) -> None:
    path = put_table(tmp_path / "a.parquet", [{"image": image_file(n)} for n in range(8)])
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with pytest.raises(CorruptDataError, match=r"a\.parquet is no Parquet file, or damaged"):
        samples(open_source(str(path)))
    middle = len(whole) // 2
    path.write_bytes(whole[:8] + bytes(middle) + whole[8 + middle :])
    (reason,) = problems(samples(open_source(str(path)))).values()
    assert "is no Parquet file, or damaged" in reason
    assert "behind row 0 nothing is read" in reason
    path.write_bytes(whole.replace(b"image", b"\xffmage"))
    with pytest.raises(CorruptDataError, match="or damaged"):
        samples(open_source(str(path)))


def test_a_page_that_unpacks_to_too_much_is_a_problem_behind_what_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"image": IMAGE}, {"image": IMAGE}, {"image": bytes(2**20)}, {"image": IMAGE}]
    put_table(tmp_path / "a.parquet", rows, row_group_size=2)
    source = open_source(str(tmp_path))
    assert [len(one.images["jpg"]) for one in samples(source)][2:] == [2**20, len(IMAGE)]
    monkeypatch.setattr("bandwise.dataset.sources.parquet.LARGE_PAGE_BYTES", 100)
    assert len(samples(source)) == 4
    monkeypatch.setattr("bandwise.dataset.sources.parquet.MAX_PAGE_BYTES", 2**20)
    *whole, last = samples(source)
    assert [one.images for one in whole] == [{"jpg": IMAGE}] * 2
    assert last.problem is not None
    assert "more than the limit of 1048576; behind row 2 nothing is read" in last.problem


def test_metadata_at_which_pyarrow_would_end_the_process_is_a_problem(tmp_path: Path) -> None:
    """Its `RowGroupMetaData.column` lets an exception of C++ go where nobody catches it."""
    path = put_table(tmp_path / "a.parquet", [{"image": IMAGE}] * 3)
    histogram = b"\x19\x06\x19\x26\x00\x06"  # of definition levels: 0 and 3
    damaged = path.read_bytes().replace(histogram, b"\x19\x06\x19\x16\x80\x06")
    if damaged == path.read_bytes():
        pytest.skip("this pyarrow writes no histograms of levels")
    path.write_bytes(damaged)
    (reason,) = problems(samples(open_source(str(path)))).values()
    assert "or damaged (Definition level histogram size mismatch" in reason


def test_a_column_of_structures_within_structures_holds_no_images(tmp_path: Path) -> None:
    put_table(tmp_path / "a.parquet", [{"image": {"bytes": {"bytes": IMAGE}}}])
    with pytest.raises(ConfigurationError, match="can hold images are none"):
        samples(open_source(str(tmp_path)))


def test_archives_by_url_are_sources(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    path = put_tar(tmp_path / "a.tar", {"a.png": IMAGE})
    with fsspec.open("memory://urls/a.tar", "wb") as stream:
        stream.write(path.read_bytes())
    (tmp_path / "list.txt").write_text("memory://urls/a.tar\na.tar\n")
    for name, count in (("memory://urls/a.tar", 1), (str(tmp_path / "list.txt"), 2)):
        assert [one.images for one in samples(open_source(name))] == [{"jpg": IMAGE}] * count
    with pytest.raises(DataNotFoundError, match=r"memory://urls/b\.tar cannot be opened"):
        samples(open_source("memory://urls/b.tar"))


def mixed(folder: Path) -> str:
    put_tar(folder / "a.tar", {})
    put_images(folder, 1)
    return str(folder)


@pytest.mark.parametrize(
    ("name_of", "kind", "message"),
    [
        (lambda folder: str(folder / "no"), DataNotFoundError, "does not exist"),
        (mixed, ConfigurationError, r"has a\.tar and cat/00\.png; give files of one kind"),
        (lambda folder: "s3://bucket/photos", ConfigurationError, "put URLs into a list"),
    ],
)
def test_what_is_no_source_is_an_error(
    tmp_path: Path, name_of: Any, kind: type[BandwiseError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        open_source(name_of(tmp_path))


def test_settings_that_cannot_work_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="at least one image, got 0"):
        open_source(str(tmp_path), shard_images=0)
    with pytest.raises(ConfigurationError, match="which alone has columns"):
        open_source(str(tmp_path), image_column="image")
    assert isinstance(open_source(str(tmp_path)), ImageFiles)


def test_urls_need_fsspec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    (tmp_path / "list.txt").write_text("memory://a.png\n")
    with pytest.raises(ConfigurationError, match=r"install bandwise\[urls\]"):
        samples(open_source(str(tmp_path / "list.txt")))


def test_a_url_beyond_the_limit_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://big/x.png", "wb") as stream:
        stream.write(IMAGE)
    monkeypatch.setattr(locations_module, "MAX_FILE_BYTES", len(IMAGE) - 1)
    (tmp_path / "list.txt").write_text("memory://big/x.png\n")
    found = problems(samples(open_source(str(tmp_path / "list.txt"))))
    assert "larger than the limit" in found["memory://big/x.png"]
