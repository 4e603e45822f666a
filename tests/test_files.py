import errno
import json
from pathlib import Path
from typing import Any

import pytest

from bandwise.errors import OutputError
from bandwise.files import (
    checked_entries,
    parse_json,
    remove_temporaries,
    write_atomically,
    write_json,
)


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.bin"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_json_is_readable_and_refuses_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"weights": [0.5]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"weights": [0.5]}
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "b.json", float("nan"))


def test_a_full_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.bin"
    write_atomically(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match=r"file\.bin.*No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another output folder"):
        write_atomically(tmp_path / "file" / "below", b"")


def test_an_interrupted_write_leaves_no_final_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", b"data")
    assert not (tmp_path / "file").exists()


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    names = (".a.jpg.12.tmp", ".b.jpg.3.tmp", ".theirs.tmp", "a.jpg", ".a.jpg.x.tmp")
    for name in names:
        (tmp_path / name).touch()
    remove_temporaries(tmp_path, {"a.jpg"})
    assert {path.name for path in tmp_path.iterdir()} == {*names[1:]}
    remove_temporaries(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*names[2:]}


def test_what_cannot_be_removed_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".a.1.tmp").touch()

    def read_only(path: Path, missing_ok: bool) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(OutputError, match=r"cannot remove .*\.a\.1\.tmp: Read-only file system"):
        remove_temporaries(tmp_path)


@pytest.mark.parametrize("text", [b"", b"\xff", "[NaN]", "[-Infinity]", "[1e999]", "[" * 100_000])
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(text)
    assert parse_json('{"a": [1, 0.5, "NaN"]}') == {"a": [1, 0.5, "NaN"]}


def test_entries_are_of_their_kind() -> None:
    kinds = {"name": str, "size": int, "label": int | None}
    whole = {"name": "a", "size": 1, "label": None}
    assert checked_entries(whole, kinds) == whole
    wrongs: tuple[object, ...] = (
        *(None, [], {}, {"name": "a"}, whole | {"more": 1}),
        *(whole | {"size": value} for value in ("1", 1.0, True, None, 2**63, -(2**63) - 1)),
        whole | {"label": "a"},
    )
    for wrong in wrongs:
        with pytest.raises(ValueError):
            checked_entries(wrong, kinds)
