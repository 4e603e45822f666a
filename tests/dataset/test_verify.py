"""What verification finds wrong, file by file."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bandwise.dataset import encode_shards, encode_tree, verify
from bandwise.dataset.tarfiles import TarWriter
from bandwise.encoding import ProfileEncoder
from bandwise.errors import CorruptDataError, DataNotFoundError, OutputError
from bandwise.executors import Executor
from bandwise.progress import Progress
from tests.dataset.datasets import ENCODER, OTHER, image_file, members, put_images


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    put_images(tmp_path / "in")
    (tmp_path / "in/cat/bad.png").write_bytes(b"")
    encode_shards(str(tmp_path / "in"), tmp_path / "shards", ENCODER, shard_images=3)
    return tmp_path / "shards"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    put_images(tmp_path / "in")
    encode_tree(tmp_path / "in", tmp_path / "tree", ENCODER)
    return tmp_path / "tree"


def problems(out: Path) -> dict[str, str]:
    return {one.path: one.what for one in verify(out).problems}


def test_shards_as_they_were_written_are_whole(shards: Path, executor: Executor) -> None:
    reports: list[Progress] = []
    found = verify(shards, executor=executor, progress=reports.append)
    assert (found.shards, found.images, found.quarantined, found.problems) == (5, 12, 1, [])
    assert [(one.done, one.total) for one in reports] == [(done, 5) for done in range(1, 6)]


def test_a_tree_as_it_was_written_is_whole(tree: Path, executor: Executor) -> None:
    found = verify(tree, executor=executor)
    assert (found.images, found.problems) == (12, [])


def test_images_of_a_tree_that_were_skipped_are_counted(tmp_path: Path) -> None:
    put_images(tmp_path / "in")
    for name in ("cat/bad.png", "cat/worse.png"):
        (tmp_path / "in" / name).write_bytes(b"")
    encode_tree(tmp_path / "in", tmp_path / "tree", ENCODER)
    found = verify(tmp_path / "tree")
    assert (found.images, found.quarantined, found.problems) == (12, 2, [])


def test_every_byte_of_a_shard_counts(shards: Path) -> None:
    path = shards / "shard-000001.tar"
    whole = path.read_bytes()
    for position in range(0, len(whole), 397):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        assert problems(shards).keys() == {path.name}, position
    for cut in (whole[:-1], whole[:700], b"", whole + b"\0"):
        path.write_bytes(cut)
        assert problems(shards).keys() == {path.name}


def rewritten_entry(out: Path, index: int, contents: dict[str, bytes]) -> None:
    """A shard with other contents, and an entry whose every hash fits it."""
    stream = io.BytesIO()
    tar = TarWriter(stream)
    path = out / f"shard-{index:06d}.json"
    entry = json.loads(path.read_bytes())
    for sample in entry["samples"]:
        key = sample["key"]
        extent = tar.add(key, {n.rpartition(".")[2]: d for n, d in contents.items() if key in n})
        sample |= {"offset": extent.offset, "size": extent.size, "sha256": extent.sha256}
    tar.close()
    path.with_suffix(".tar").write_bytes(stream.getvalue())
    entry |= {"size_bytes": tar.size, "sha256": tar.sha256}
    path.write_text(json.dumps(entry))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (image_file(0, "JPEG"), "quantisation tables are not those of 'scenes'"),
        (b"no image", "sample cat/00: "),
    ],
)
def test_images_are_looked_at_though_every_hash_fits(
    shards: Path, image: bytes, message: str
) -> None:
    contents = members(shards / "shard-000000.tar") | {"cat/00.jpg": image}
    rewritten_entry(shards, 0, contents)
    found = verify(shards).problems
    assert any(message in one.what for one in found)
    assert any("not what manifest.json says" in one.what for one in found)


def remove(name: str) -> Callable[[Path], None]:
    return lambda out: (out / name).unlink()


def write(name: str, data: bytes = b"") -> Callable[[Path], None]:
    def harm(out: Path) -> None:
        (out / name).write_bytes(data)

    return harm


def lose_a_sample(out: Path) -> None:
    path = out / "shard-000004.json"
    entry = json.loads(path.read_bytes())
    entry["quarantined"] = entry["quarantined"][1:]
    entry["samples"], entry["count"] = entry["samples"][1:], entry["count"] - 1
    path.write_text(json.dumps(entry))


def entry_with(**changes: object) -> Callable[[Path], None]:
    def harm(out: Path) -> None:
        path = out / "shard-000002.json"
        path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))

    return harm


@pytest.mark.parametrize(
    ("harm", "name", "what"),
    [
        (remove("shard-000002.tar"), "shard-000002.tar", "cannot be read: No such file"),
        (remove("shard-000002.json"), "shard-000002.json", "not finished; resume it"),
        (write("shard-000002.json", b"{}"), "shard-000002.json", "missing or damaged"),
        (write("shard-000002.json", b"[]"), "shard-000002.json", "missing or damaged"),
        (write("shard-000002.json", b"[" * 100_000), "shard-000002.json", "nested too deeply"),
        (entry_with(requantised="a"), "shard-000002.json", "entry 'requantised' is of another"),
        (entry_with(size_bytes=2**63), "shard-000002.json", "entry 'size_bytes' is out of range"),
        (entry_with(samples=[{}]), "shard-000002.json", "no object of key, source, offset"),
        (entry_with(quarantined=[{}]), "shard-000002.json", "no object of name, reason"),
        (write("manifest.json", b'{"shards": 3}'), "manifest.json", "is damaged"),
        (lose_a_sample, "shard-000004.json", "accounts for 0 of 1 images"),
        (remove("manifest.json"), "manifest.json", "not finished; resume it"),
        (write("manifest.json"), "manifest.json", "is damaged"),
        (write("manifest.json", b'{"shards": []}'), "manifest.json", "lists 0 shards of 5"),
        (write("shard-000005.tar"), "shard-000005.tar", "does not belong to the run"),
        (write("shard-1.tar"), "shard-1.tar", "does not belong to the run"),
        (write(".shard-000001.tar.9.tmp"), ".shard-000001.tar.9.tmp", "that was killed"),
    ],
)
def test_what_is_wrong_with_shards_is_said(
    shards: Path, harm: Callable[[Path], None], name: str, what: str
) -> None:
    harm(shards)
    assert what in problems(shards)[name]


@pytest.mark.parametrize(
    ("harm", "name", "what"),
    [
        (remove("cat/00.jpg"), "cat/00.jpg", "no ordinary file"),
        (write("cat/00.jpg", b"x"), "cat/00.jpg", "not those that were written"),
        (write("cat/new.jpg", b"x"), "cat/new.jpg", "is not listed"),
        (remove(".bandwise/files.jsonl"), ".bandwise/files.jsonl", "not finished; resume it"),
    ],
)
def test_what_is_wrong_with_a_tree_is_said(
    tree: Path, harm: Callable[[Path], None], name: str, what: str
) -> None:
    harm(tree)
    assert what in problems(tree)[name]


def test_files_of_a_tree_are_looked_at_though_their_hash_fits(tree: Path) -> None:
    other = image_file(0, "JPEG")
    (tree / "cat/00.jpg").write_bytes(other)
    path = tree / ".bandwise/files.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0] |= {"size_bytes": len(other), "sha256": hashlib.sha256(other).hexdigest()}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "quantisation tables are not those" in problems(tree)["cat/00.jpg"]


def test_a_folder_without_a_run_or_with_a_damaged_record_is_an_error(
    tmp_path: Path, shards: Path
) -> None:
    with pytest.raises(DataNotFoundError, match="holds no run"):
        verify(tmp_path)
    plan = (shards / ".bandwise/plan.jsonl").read_bytes()
    (shards / ".bandwise/plan.jsonl").write_bytes(plan[:-20])
    with pytest.raises(CorruptDataError, match=r"plan\.jsonl cannot be read"):
        verify(shards)
    first, *rest = plan.splitlines()
    part = json.loads(first)
    for wrong in (
        *({"images": "3"}, {"row_groups": [1]}, {"row_groups": [0, "1"]}, {"files": [[1]]}),
        *({"files": [[1, None, None, None]]}, {"files": [["a", "b", None, None]]}, {"more": 1}),
    ):
        lines = [json.dumps(part | wrong).encode(), *rest]
        (shards / ".bandwise/plan.jsonl").write_bytes(b"\n".join(lines))
        with pytest.raises(CorruptDataError, match=r"plan\.jsonl cannot be read"):
            verify(shards)
    path = shards / ".bandwise/run.json"
    record = json.loads(path.read_bytes())
    for key, value in (("schema", 9), ("settings", None), ("layout", "heap"), ("profiles", [])):
        path.write_text(json.dumps(record | {key: value}))
        with pytest.raises(CorruptDataError, match=r"run\.json is damaged, or of another version"):
            verify(shards)


@pytest.mark.parametrize("row", ["[]", '{"path": 1, "size_bytes": 1, "sha256": ""}', "[" * 100_000])
def test_a_damaged_list_of_a_tree_is_an_error(tree: Path, row: str) -> None:
    (tree / ".bandwise/files.jsonl").write_text(row)
    with pytest.raises(CorruptDataError, match=r"files\.jsonl is damaged"):
        verify(tree)


def test_files_of_two_runs_into_one_tree_are_listed(tree: Path, tmp_path: Path) -> None:
    put_images(tmp_path / "more", 2, classes=("emu",))
    encode_tree(tmp_path / "more", tree, ENCODER)
    assert (verify(tree).images, problems(tree)) == (14, {})
    put_images(tmp_path / "third", 1, classes=("fox",))
    with pytest.raises(OutputError, match="begun with other settings"):
        encode_tree(tmp_path / "third", tree, ProfileEncoder(OTHER))
