"""Data sets as shards: the same bytes always, whatever happens on the way."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bandwise import jpeg
from bandwise.dataset import (
    EncodeOptions,
    Totals,
    dataset,
    encode_shards,
    transcode,
    verify,
)
from bandwise.encoding import EncodedImage, ProfileEncoder
from bandwise.errors import (
    ConfigurationError,
    DataNotFoundError,
    ErrorRateError,
    OutputError,
    SourceChangedError,
    WorkerError,
)
from bandwise.executors import Executor, InProcess, Processes
from bandwise.profile import Profile
from bandwise.progress import Progress
from tests.dataset.datasets import (
    ENCODER,
    OTHER,
    PROFILE,
    everything,
    image_file,
    members,
    put_images,
    put_tar,
)

SHARD_IMAGES = 3


class ByBrightness:
    """An encoder that other processes can be sent, with two profiles to choose from."""

    profiles: Sequence[Profile] = (PROFILE, OTHER)
    settings = {"container": "smallest", "threshold": 128}  # noqa: RUF012

    def encode(
        self, pixels_u8: NDArray[np.uint8], *, icc: bytes | None = None, source: bytes | None = None
    ) -> EncodedImage:
        profile = self.profiles[int(pixels_u8.mean() > 128)]
        return ProfileEncoder(profile).encode(pixels_u8, icc=icc)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return put_images(tmp_path / "in")


def run(source: Path, out: Path, **options: Any) -> Totals:
    return encode_shards(str(source), out, ENCODER, shard_images=SHARD_IMAGES, **options)


@pytest.fixture
def undisturbed(images: Path, tmp_path: Path) -> dict[str, bytes]:
    run(images, tmp_path / "undisturbed")
    return everything(tmp_path / "undisturbed")


def test_every_image_is_in_a_shard_with_its_label_and_an_entry_says_where(
    images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    reports: list[Progress] = []
    totals = run(images, out, progress=reports.append)
    assert [(one.done, one.total) for one in reports] == [(3, 12), (6, 12), (9, 12), (12, 12)]
    assert (totals.parts, totals.encoded, totals.kept, totals.skipped) == (4, 12, 0, 0)
    found: dict[str, bytes] = {}
    for index in range(4):
        contents = members(out / f"shard-{index:06d}.tar")
        assert list(contents) == sorted(contents)
        assert len(contents) == 2 * SHARD_IMAGES
        found |= contents
        entry = json.loads((out / f"shard-{index:06d}.json").read_bytes())
        whole = (out / f"shard-{index:06d}.tar").read_bytes()
        assert (entry["count"], entry["size_bytes"]) == (SHARD_IMAGES, len(whole))
        for sample in entry["samples"]:
            region = whole[sample["offset"] : sample["offset"] + sample["size"]]
            assert found[f"{sample['key']}.jpg"] in region
    for path in images.rglob("*.png"):
        key = path.relative_to(images).with_suffix("").as_posix()
        assert found[f"{key}.jpg"] == transcode(path.read_bytes(), ENCODER).data
        assert found[f"{key}.cls"] == (b"0" if key.startswith("cat") else b"1")
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert manifest["classes"] == ["cat", "dog"]
    assert [one["count"] for one in manifest["shards"]] == [SHARD_IMAGES] * 4
    assert manifest["bytes_out"] == totals.bytes_out == sum(map(len, found.values())) - 12


def test_the_bytes_are_the_same_with_every_executor(
    images: Path, tmp_path: Path, undisturbed: dict[str, bytes], executor: Executor
) -> None:
    run(images, tmp_path / "out", executor=executor)
    assert everything(tmp_path / "out") == undisturbed


def test_what_is_finished_is_kept_and_the_rest_done(
    images: Path, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    out = tmp_path / "out"

    def stop(now: Progress) -> None:
        if now.detail.parts_done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(images, out, progress=stop)
    assert not (out / "manifest.json").exists()
    (out / ".shard-000002.tar.77.tmp").write_bytes(b"left by a process that was killed")
    with pytest.raises(OutputError, match=r"is not empty; go on from there with --resume"):
        run(images, out)
    totals = run(images, out, resume=True)
    assert (totals.kept, totals.encoded) == (6, 6)
    assert everything(out) == undisturbed
    assert run(images, out, resume=True).kept == 12
    assert everything(out) == undisturbed


def test_a_shard_that_is_gone_or_shorter_is_made_again(
    images: Path, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    out = tmp_path / "out"
    run(images, out)
    (out / "shard-000001.tar").unlink()
    (out / "shard-000002.tar").write_bytes(b"")
    (out / "shard-000003.json").unlink()
    assert run(images, out, resume=True).kept == 3
    assert everything(out) == undisturbed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder": ProfileEncoder(OTHER)}, r"profiles: scenes \(\w+\) then, other \(\w+\) now"),
        ({"encoder": ProfileEncoder(PROFILE, "baseline")}, "smallest then, baseline now"),
        ({"options": EncodeOptions(requantise=True)}, "requantise: False then, True now"),
        ({"shard_images": 4}, "shard_images: 3 then, 4 now"),
        ({"encoder": ByBrightness()}, "threshold: None then, 128 now"),
    ],
)
def test_going_on_with_other_settings_is_refused(
    images: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    out = tmp_path / "out"
    run(images, out)
    before = everything(out)
    asked = {"encoder": ENCODER, "shard_images": SHARD_IMAGES, **change}
    with pytest.raises(OutputError, match=message):
        encode_shards(str(images), out, resume=True, **asked)
    assert everything(out) == before


def test_a_version_of_what_decodes_is_a_setting(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(images, tmp_path / "out")
    monkeypatch.setattr(dataset, "_versions", lambda: {"pillow": "1.0"})
    with pytest.raises(OutputError, match=r"pillow: \d.* then, 1\.0 now"):
        run(images, tmp_path / "out", resume=True)


def add(folder: Path) -> None:
    (folder / "cat/99.png").write_bytes(image_file())


def remove(folder: Path) -> None:
    (folder / "dog/11.png").unlink(missing_ok=True)


def change(folder: Path) -> None:
    (folder / "dog/09.png").write_bytes(b"another")


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (add, r"dog/01\.png .* then, cat/99\.png .* now"),
        (remove, r"dog/11\.png .* then, no further file now"),
        (change, r"dog/09\.png \(\d+ B.* then, dog/09\.png \(7 B.* now"),
    ],
)
def test_going_on_with_another_source_is_refused(
    images: Path, tmp_path: Path, alter: Callable[[Path], None], message: str
) -> None:
    run(images, tmp_path / "out")
    alter(images)
    with pytest.raises(SourceChangedError, match=message):
        run(images, tmp_path / "out", resume=True)


@pytest.mark.parametrize("alter", [remove, change])
def test_a_file_that_changes_in_the_middle_stops_the_run_until_it_is_put_back(
    images: Path, tmp_path: Path, undisturbed: dict[str, bytes], alter: Callable[[Path], None]
) -> None:
    saved = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in images.rglob("*.png")}
    with pytest.raises(SourceChangedError, match="put it back and resume"):
        run(images, tmp_path / "out", progress=lambda _: alter(images))
    for path, (data, modified) in saved.items():
        path.write_bytes(data)
        os.utime(path, ns=(modified, modified))
    run(images, tmp_path / "out", resume=True)
    assert everything(tmp_path / "out") == undisturbed


def test_too_many_bad_images_stop_the_run_which_goes_on_if_allowed(
    images: Path, tmp_path: Path
) -> None:
    for number in range(11):
        (images / f"cat/x{number}.png").write_bytes(b"")
    out = tmp_path / "out"
    with pytest.raises(ErrorRateError, match=r"11 of 23 images .* more than 0\.4 of them"):
        run(images, out, max_error_rate=0.4)
    assert len((out / "quarantine.jsonl").read_text().splitlines()) == 11
    totals = run(images, out, resume=True, max_error_rate=0.5)
    assert (totals.encoded + totals.kept, totals.skipped) == (12, 11)
    (images / "cat/x9.png").unlink()
    assert run(images, tmp_path / "ten", max_error_rate=0).skipped == 10


def test_where_the_number_of_images_is_not_known_those_that_are_done_count(tmp_path: Path) -> None:
    for name in "abcd":
        bad = {f"{number}.png": b"" for number in range(6)}
        put_tar(tmp_path / f"in/{name}.tar", {**bad, "good.png": image_file()})
    reports: list[Progress] = []
    with pytest.raises(ErrorRateError, match="12 of 14 images"):
        run(tmp_path / "in", tmp_path / "out", progress=reports.append)
    assert [(one.done, one.total) for one in reports] == [(7, 28), (14, 28)]


def test_equal_keys_are_told_apart(tmp_path: Path) -> None:
    put_images(tmp_path / "in", 1, classes=("cat",))
    for name in ("00.jpg", "00_2.png", "0.0.png", "0_0.png"):
        (tmp_path / "in/cat" / name).write_bytes(image_file())
    encode_shards(str(tmp_path / "in"), tmp_path / "out", ENCODER)
    entry = json.loads((tmp_path / "out/shard-000000.json").read_bytes())
    assert {one["source"]: one["key"] for one in entry["samples"]} == {
        "cat/0.0.png": "cat/0_0",
        "cat/00.jpg": "cat/00",
        "cat/00.png": "cat/00_2",
        "cat/00_2.png": "cat/00_2_2",
        "cat/0_0.png": "cat/0_0_2",
    }


def test_a_name_that_is_no_utf_8_is_a_key(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    (tmp_path / "in").mkdir()
    (tmp_path / f"in/{odd}.png").write_bytes(image_file())
    (tmp_path / f"in/{odd}.txt").write_bytes(b"")
    encode_shards(str(tmp_path / "in"), tmp_path / "out", ENCODER)
    assert list(members(tmp_path / "out/shard-000000.tar")) == [f"{odd}.jpg"]
    assert encode_shards(str(tmp_path / "in"), tmp_path / "out", ENCODER, resume=True).kept == 1
    found = verify(tmp_path / "out")
    assert (found.images, found.quarantined, found.problems) == (1, 1, [])


def test_an_encoder_goes_to_other_processes(images: Path, tmp_path: Path) -> None:
    for name, executor in (("a", InProcess()), ("b", Processes(2))):
        encode_shards(
            str(images), tmp_path / name, ByBrightness(), shard_images=5, executor=executor
        )
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    tables = {
        jpeg.read_coefficients(data).planes[1].table
        for index in range(3)
        for name, data in members(tmp_path / f"a/shard-{index:06d}.tar").items()
        if name.endswith(".jpg")
    }
    assert len(tables) == 2


def test_a_run_that_cannot_begin_is_an_error(images: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/else").touch()
    for source, out, kind, message in (
        (images, images / "out", ConfigurationError, "lies in the input folder"),
        (images, tmp_path / "file", OutputError, "is a file"),
        (tmp_path / "empty", tmp_path / "out", DataNotFoundError, "holds no files"),
        (images, tmp_path / "full", OutputError, "holds no run to go on with"),
    ):
        with pytest.raises(kind, match=message):
            run(source, out, resume=True)
    assert not (tmp_path / "out").exists()
    with pytest.raises(ConfigurationError, match=r"share 0\.\.1, got 2"):
        run(images, tmp_path / "out", max_error_rate=2)


def full_disk(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_an_error_and_the_run_goes_on_when_there_is_room(
    images: Path, tmp_path: Path, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for left in range(11):  # a flush for each file that a run writes
        allowed = iter([True] * left)
        fsync = os.fsync
        with monkeypatch.context() as patch:
            patch.setattr(
                "os.fsync", lambda fd, a=allowed, f=fsync: f(fd) if next(a, 0) else full_disk(fd)
            )
            with pytest.raises(OutputError, match="No space left"):
                run(images, tmp_path / "out", resume=True)
        assert not list((tmp_path / "out").rglob("*.tmp"))
        run(images, tmp_path / "out", resume=True)
        assert everything(tmp_path / "out") == undisturbed
        for path in (tmp_path / "out").rglob("*"):
            if path.is_file():
                path.unlink()


def without_memory(*_: object, **__: object) -> None:
    raise MemoryError


@pytest.mark.parametrize(
    ("name", "instead", "content"),
    [("PIL.Image.open", without_memory, None), ("bandwise.images.MAX_PIXELS", 2**50, b"broken")],
)
def test_memory_that_runs_out_is_no_images_fault(
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    instead: object,
    content: bytes | None,
) -> None:
    if content is not None:
        (images / "cat/00.png").write_bytes(content)
    with monkeypatch.context() as patch:
        patch.setattr(name, instead)
        with pytest.raises(WorkerError, match=r"out of memory at cat/00\.png; resume with fewer"):
            run(images, tmp_path / "out")
    assert run(images, tmp_path / "out", resume=True).skipped == (content is not None)


DRIVER = """
import sys
from pathlib import Path
from bandwise.executors import Processes
from bandwise.dataset import encode_shards
from tests.dataset.datasets import ENCODER
if __name__ == "__main__":
    encode_shards(sys.argv[1], Path(sys.argv[2]), ENCODER, shard_images=3, resume=True,
                  executor=Processes(2))
"""


def test_a_run_whose_processes_are_killed_goes_on_to_the_same_bytes(
    images: Path, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    """The short form of benchmarks/faults.py: the driver, then a worker, killed in the middle."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])}
    for index, victim in enumerate(("driver", "worker")):
        out = tmp_path / f"out{index}"
        run_of = subprocess.Popen(
            [sys.executable, script, images, out],
            cwd=Path(__file__).parents[2],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not list(out.glob("shard-*.tar")) and run_of.poll() is None:
            time.sleep(0.005)
        children = children_of(run_of.pid)
        os.kill(run_of.pid if victim == "driver" else children[0], signal.SIGKILL)
        _, told = run_of.communicate(timeout=60)
        assert run_of.returncode != 0 or (out / "manifest.json").exists()
        if victim == "worker" and run_of.returncode:
            assert "resume the run" in told
        deadline = time.monotonic() + 20
        while any(map(is_alive, children)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not any(map(is_alive, children)), "workers outlive their driver"
        run(images, out, resume=True)
        assert everything(out) == undisturbed


def children_of(pid: int) -> list[int]:
    """Worker processes; the tracker of resources, which multiprocessing starts, is none."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
            found.append(int(child))
    return found


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
