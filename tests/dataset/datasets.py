"""Small data sets that the tests of trees and shards are made of, and what was made of them."""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

from bandwise.encoding import ProfileEncoder
from bandwise.frequency.tables import TableSet, flat
from bandwise.profile import Profile
from tests.jpeg.images import picture, saved

PROFILE = Profile(name="scenes", tables=TableSet(luma=flat(9), chroma=flat(21)))
OTHER = Profile(name="other", tables=TableSet(luma=flat(9), chroma=flat(22)))
ENCODER = ProfileEncoder(PROFILE)


def image_file(seed: int = 0, kind: str = "PNG", size: tuple[int, int] = (24, 32)) -> bytes:
    return saved(picture(*size, seed=seed), kind)


def put_image(path: Path, seed: int = 0, kind: str = "PNG") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image_file(seed, kind))
    return path


def put_images(folder: Path, count: int = 12, *, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    """`count` images in turn in the folders of classes."""
    for number in range(count):
        put_image(folder / classes[number % len(classes)] / f"{number:02d}.png", number)
    return folder


def put_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def everything(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, the record of the run among them."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but the record of the run."""
    return {name: data for name, data in everything(folder).items() if ".bandwise/" not in name}


def quarantine(out: Path) -> dict[str, str]:
    rows = map(json.loads, (out / "quarantine.jsonl").read_text().splitlines())
    return {row["path"]: row["reason"] for row in rows}


def members(shard: Path) -> dict[str, bytes]:
    """Contents of a tar file by name, as Python's own reader sees them."""
    with tarfile.open(shard) as archive:
        found = {}
        for info in archive:
            file = archive.extractfile(info)
            assert file is not None
            found[info.name] = file.read()
        return found
