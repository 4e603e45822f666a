"""Whether a run that is disturbed ends with the same bytes as one that is not.

    python benchmarks/faults.py [--kills 100] [--images 240] [--work FOLDER]

A data set is encoded once undisturbed. Then, again and again until it is finished: SIGKILL of the
driver or of a worker at random moments of a run; workers that find no memory; a disk that is full
and grows a little (a tmpfs, which root can mount); an output that can only be read; a source file
that is removed or changed in the middle. After each, the folder is compared byte by byte, records
and all, and verified. Prints Markdown, and fails where anything differs.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from PIL import Image

from bandwise.dataset import encode_shards, verify
from bandwise.encoding import ProfileEncoder
from bandwise.errors import BandwiseError, OutputError
from bandwise.executors import Executor, InProcess, Processes
from bandwise.frequency.tables import TableSet
from bandwise.profile import Profile

ENCODER = ProfileEncoder(Profile(name="faults", tables=TableSet.ijg(50)))
SHARD_IMAGES = 12


def write_source(folder: Path, count: int) -> Path:
    """Smooth random images in two classes, one in fifty of them broken."""
    noise = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"class{number % 2}" / f"{number:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(noise.integers(0, 256, (12, 16, 3), np.uint8))
        file = io.BytesIO()
        coarse.resize((160, 120), Image.Resampling.BICUBIC).save(file, "PNG", compress_level=1)
        path.write_bytes(file.getvalue()[: 1000 if number % 50 == 49 else None])
    return folder


def encode(source: Path, out: Path, executor: Executor) -> None:
    encode_shards(
        str(source),
        out,
        ENCODER,
        shard_images=SHARD_IMAGES,
        resume=True,
        executor=executor,
        max_error_rate=1,
    )


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


class Scene:
    """A source, and what an undisturbed run makes of it."""

    def __init__(self, folder: Path, images: int) -> None:
        self.folder = folder
        self.source = write_source(folder / "source", images)
        self.forked(folder / "undisturbed").wait()
        self.expected = contents(folder / "undisturbed")

    def forked(self, out: Path, executor: Executor = InProcess()) -> Driver:  # noqa: B008
        """Start a run in a process of its own."""
        sys.stdout.flush()
        pid = os.fork()
        if not pid:
            os.setpgid(0, 0)
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
            code = 1
            with suppress(Exception):  # or else this copy of the benchmark would go on
                encode(self.source, out, executor)
                code = 0
            os._exit(code)
        return Driver(pid)

    def check(self, out: Path) -> None:
        """Fail where a finished output is another than the undisturbed one."""
        found = contents(out)
        names = {**found, **self.expected}
        differ = [name for name in names if found.get(name) != self.expected.get(name)]
        if differ or verify(out).problems:
            raise SystemExit(f"{out} is not what an undisturbed run makes: {differ}")
        shutil.rmtree(out)


class Driver:
    """A run in a process of its own."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def has_ended(self) -> bool:
        """Whether it is over, so that there is nothing to kill."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def wait(self) -> bool:
        """Wait for the end, of its workers too; whether it did all."""
        _, status = os.waitpid(self.pid, 0)
        while self._group_lives():
            time.sleep(0.002)
        return os.waitstatus_to_exitcode(status) == 0

    def workers(self) -> list[int]:
        """Process numbers of the workers that it has."""
        with suppress(OSError):
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            return [int(each) for each in children if self._works(each)]
        return []

    @staticmethod
    def _works(pid: str) -> bool:
        with suppress(OSError):
            return "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()
        return False

    def _group_lives(self) -> bool:
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        return True


def expect(words: str, error: BandwiseError) -> None:
    if words not in str(error):
        raise SystemExit(f"expected was {words!r}, said was: {error}")


def kills(scene: Scene, count: int, executor: Executor) -> list[int]:
    """Kill the driver or one of its workers at random moments of runs."""
    chance = random.Random(0)
    killed = finished = 0
    seconds = 0.0
    while killed < count:
        out, done = scene.folder / "killed", False
        while not done:
            started = time.monotonic()
            run = scene.forked(out, executor)
            if seconds and killed < count:
                time.sleep(chance.uniform(0, seconds))
                victims = [run.pid, *run.workers()]
                if not run.has_ended():
                    with suppress(ProcessLookupError):
                        os.kill(chance.choice(victims), signal.SIGKILL)
                        killed += 1
            done = run.wait()
            if not seconds:
                seconds = time.monotonic() - started
        scene.check(out)
        finished += 1
    return [killed, finished]


def out_of_memory(scene: Scene, count: int) -> list[int]:
    """Bound what a worker may allocate to what it has and little more, at random moments."""
    chance, stops, finished = random.Random(2), 0, 0
    seconds = 0.0
    while stops < count:
        out, done = scene.folder / "starved", False
        while not done:
            started = time.monotonic()
            run = scene.forked(out, Processes(2))
            if seconds and stops < count:
                time.sleep(chance.uniform(0, seconds))
                for worker in run.workers():
                    with suppress(OSError, StopIteration):
                        taken = next(
                            1024 * int(line.split()[1])
                            for line in Path(f"/proc/{worker}/status").read_text().splitlines()
                            if line.startswith("VmSize")
                        )
                        bound = taken + chance.randrange(2**21)
                        resource.prlimit(worker, resource.RLIMIT_AS, (bound, bound))
            done = run.wait()
            stops += not done
            if not seconds:
                seconds = time.monotonic() - started
        scene.check(out)
        finished += 1
    return [stops, finished]


@contextmanager
def small_disk(folder: Path, size_kib: int) -> Iterator[Callable[[str], None]]:
    """A tmpfs of so many KiB; gives what mounts it again with other options."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", folder], check=True)
    try:
        yield lambda options: subprocess.run(
            ["mount", "-o", f"remount,{options}", folder], check=True
        ).check_returncode()
    finally:
        subprocess.run(["umount", folder], check=True)


def full_disk(scene: Scene) -> list[int]:
    """A disk that is full until it has grown enough, 16 KiB at a time."""
    stops, size_kib = 0, 16
    with small_disk(scene.folder / "disk", size_kib) as mount_again:
        out = scene.folder / "disk" / "out"
        while True:
            try:
                encode(scene.source, out, InProcess())
                break
            except OutputError as error:
                expect("No space left", error)
                stops += 1
                size_kib += 16
                mount_again(f"size={size_kib}k")
        scene.check(out)
    return [stops, 1]


def read_only(scene: Scene) -> list[int]:
    """An output that can only be read when a run that was killed goes on."""
    with small_disk(scene.folder / "disk", 100_000) as mount_again:
        out = scene.folder / "disk" / "out"
        run = scene.forked(out)
        while not list(out.glob("shard-*.json")):
            time.sleep(0.001)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        mount_again("ro")
        try:
            encode(scene.source, out, InProcess())
            raise SystemExit("a folder that can only be read was written")
        except OutputError as error:
            expect("Read-only", error)
        mount_again("rw")
        encode(scene.source, out, InProcess())
        scene.check(out)
    return [1, 1]


def changed_source(scene: Scene, count: int) -> list[int]:
    """Files that are gone, or others, while a run comes to them; then they are put back."""
    chance, stops = random.Random(1), 0
    for number in range(count):
        out = scene.folder / "changed"
        path = chance.choice(sorted(scene.source.rglob("*.png")))
        data, status = path.read_bytes(), path.stat()
        run = scene.forked(out)
        while not (out / ".bandwise/plan.jsonl").exists():
            time.sleep(0.001)
        if number % 2:
            path.write_bytes(data[::-1])
        else:
            path.unlink()
        stops += not run.wait()
        path.write_bytes(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        encode(scene.source, out, InProcess())
        scene.check(out)
    return [stops, count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="of runs in one process, and in two")
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--others", type=int, default=10, help="of each other fault")
    parser.add_argument("--work", type=Path, help="folder for files; a temporary one if not given")
    asked = parser.parse_args()
    print("| fault | times it struck | outputs finished, all identical |")
    print("| --- | --- | --- |")
    with tempfile.TemporaryDirectory(dir=asked.work) as name:
        scene = Scene(Path(name), asked.images)
        faults: dict[str, Callable[[], list[int]]] = {
            "source file gone or changed": lambda: changed_source(scene, asked.others),
            "no space left": lambda: full_disk(scene),
            "read-only output": lambda: read_only(scene),
            "no memory for a worker": lambda: out_of_memory(scene, asked.others),
            "SIGKILL of a run in one process": lambda: kills(scene, asked.kills, InProcess()),
            "SIGKILL of the driver or a worker": lambda: kills(scene, asked.kills, Processes(2)),
        }
        for what, strike in faults.items():
            if os.geteuid() and what in ("no space left", "read-only output"):
                print(f"| {what} | needs root, to mount a disk | |")
                continue
            struck, finished = strike()
            print(f"| {what} | {struck} | {finished} |", flush=True)


if __name__ == "__main__":
    main()
