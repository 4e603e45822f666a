"""Small files of every kind that is read."""

from __future__ import annotations

import functools
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from bandwise import jpeg
from bandwise.dataset import encode_shards, encode_tree
from bandwise.encoding import ProfileEncoder
from bandwise.executors import InProcess
from bandwise.frequency.coefficients import Subsampling
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import TableSet, flat
from bandwise.profile import Profile, RateDistortion
from bandwise.results import SCHEMA

PROFILE = Profile(name="fuzz", tables=TableSet(luma=flat(9), chroma=flat(21)))
ENCODER = ProfileEncoder(PROFILE)
OTHER_PROFILE = Profile(name="other", tables=TableSet.ijg(30), subsampling="4:4:4")


def pixels(height: int = 9, width: int = 11, *, grey: bool = False) -> NDArray[np.uint8]:
    """Smooth pixels."""
    rows, columns = np.mgrid[:height, :width]
    values = np.stack([20 * rows, 255 - 15 * columns, 9 * (rows + columns)], axis=-1)
    whole = values.astype(np.uint8)
    return np.ascontiguousarray(whole[..., 0]) if grey else whole


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """File of an image."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def jpegs() -> list[bytes]:
    """Baseline and progressive, grey and colour, with and without metadata."""
    schemes: tuple[Subsampling, ...] = ("4:4:4", "4:2:2", "4:2:0", "4:4:0")
    exif = Image.Exif()
    exif[0x0112] = 6
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tables = TableSet.ijg(50)
    return [
        *(jpeg.encode(pixels(), tables, subsampling=s, progressive=False) for s in schemes),
        saved(Image.fromarray(pixels(17, 18)), "JPEG", restart_marker_blocks=1),
        jpeg.encode(pixels(), tables, icc=icc[:200], exif=exif.tobytes()),
        jpeg.encode(pixels(grey=True), tables),
        jpeg.encode(pixels(grey=True), tables, progressive=False, jfif=False),
        saved(Image.fromarray(pixels()).convert("CMYK"), "JPEG"),
    ]


def pictures() -> list[bytes]:
    """A small image in every format, of many kinds."""
    colour, grey = Image.fromarray(pixels()), Image.fromarray(pixels(grey=True))
    deep = Image.fromarray(pixels(grey=True).astype(np.uint16) * 257)
    clear = colour.convert("RGBA")
    clear.putalpha(grey)
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return [
        *jpegs()[2:8:3],
        *(saved(colour, kind) for kind in ("PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF")),
        *(
            saved(each, "PNG")
            for each in (grey, deep, clear, colour.convert("P"), clear.convert("LA"))
        ),
        *(saved(each, "TIFF") for each in (deep, clear, grey.convert("1"), colour.convert("CMYK"))),
        *(
            saved(colour, "TIFF", compression=name)
            for name in ("tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg")
        ),
        saved(grey.convert("1"), "TIFF", compression="group4"),
        saved(colour, "PNG", icc_profile=icc, compress_level=9),
        saved(clear, "WEBP", lossless=True),
        saved(grey, "PPM"),
        saved(deep, "PPM"),
        saved(colour.convert("P"), "BMP"),
        saved(colour.convert("P"), "GIF", save_all=True, append_images=[colour, colour]),
        saved(colour, "TIFF", save_all=True, append_images=[colour]),
    ]


def profiles() -> list[bytes]:
    """Profiles of each schema."""
    grey = TableSet(luma=flat(9))
    every = [
        PROFILE,
        Profile(
            name="optimised",
            tables=grey,
            rate_distortion=RateDistortion(lagrangian=0.5, sensitivity={"luma": np.ones((8, 8))}),
            provenance={"seed": 1},
            curve=[{"bytes": 10}],
        ),
        PROFILE.keeping(Frequencies((0, 1, 8, 64, 128))),
    ]
    return [json.dumps(each.to_json()).encode() for each in every]


def tars() -> list[bytes]:
    """Archives of samples, with long names as POSIX and GNU have them."""

    def archive(form: int, members: Sequence[tuple[str, bytes]]) -> bytes:
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=form) as tar:
            for name, data in members:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
            link = tarfile.TarInfo("link.png")
            link.type, link.linkname = tarfile.SYMTYPE, "a.png"
            tar.addfile(link)
        return file.getvalue()

    image = saved(Image.fromarray(pixels(3, 3)), "PNG")
    short = [("a.png", image), ("a.cls", b"1"), ("b/c.left.png", image), ("b/c.json", b"{}")]
    long = [*short, ("n" * 120 + "/é.png", image)]
    return [
        archive(tarfile.USTAR_FORMAT, short),
        archive(tarfile.PAX_FORMAT, long),
        archive(tarfile.GNU_FORMAT, long),
    ]


def lists() -> list[bytes]:
    """Lists of paths and URLs."""
    return [b"a.png\nb/c.jpg\t3\r\n\n/d e.png\n", b"memory://x/a.png\t0\nh.tar\n", b"x.parquet\n"]


def tables() -> list[bytes]:
    """Parquet files as Hugging Face has them, and with plain binary."""
    import pyarrow
    from pyarrow import parquet

    image = saved(Image.fromarray(pixels(3, 3)), "PNG")
    rows = [
        [{"image": {"bytes": image, "path": "a.png"}, "label": 1}] * 3,
        [{"img": image, "cls": 2, "text": "é", "at": 1.5, "more": [1, None]}, {"img": None}],
    ]
    found = []
    for each, compression in zip(rows, ("none", "snappy"), strict=True):
        file = io.BytesIO()
        table = pyarrow.Table.from_pylist(each)
        parquet.write_table(table, file, compression=compression, row_group_size=2)
        found.append(file.getvalue())
    return found


def idx_files() -> list[bytes]:
    """Arrays of bytes with up to three dimensions."""
    return [
        b"\0\0\x08\x03\0\0\0\2\0\0\0\2\0\0\0\1abcd",
        b"\0\0\x08\x01\0\0\0\3abc",
        b"\0\0\x08\x02" + bytes(8),
    ]


def results() -> list[bytes]:
    """Rows of an experiment, as `Ledger` has them."""
    experiment = {
        "record": "experiment",
        "schema": SCHEMA,
        "recipe": "evaluate",
        "created": "2026-01-01T00:00:00Z",
        "dataset": {
            "name": "d",
            "source": "s",
            "sha256": "0",
            "classes": ["a", "b"],
            "image_shape": [3, 8, 8],
            "validation": 2,
            "test": 2,
        },
        "networks": {"n": "1"},
        "settings": {},
        "versions": {},
        "machine": {},
    }
    point = {
        "record": "point",
        "codec": "libjpeg",
        "family": "quality",
        "label": "50",
        "setting": {"quality": 50},
        "split": "test",
        "protocol": "frozen",
        "network": "n",
        "seed": 0,
        "images": 2,
        "pixels": 128,
        "bytes": 400,
        "payload_bytes": 100,
        "accuracy": 0.5,
        "agreement": 0.5,
        "divergence": 0.1,
        "image_bytes": [200, 200],
        "image_correct": "01",
    }
    return [b"".join(json.dumps(row).encode() + b"\n" for row in (experiment, point))]


def reported() -> list[bytes]:
    """One row of each kind of every experiment that has a report."""
    from bandwise.results import Record
    from tests.report.synthetic import RESULTS

    experiments = ([record.to_row() for record in make().of(Record)] for make in RESULTS.values())
    kinds = ({row["record"]: row for row in reversed(rows)} for rows in experiments)
    return [
        b"".join(json.dumps(row).encode() + b"\n" for row in of_kind.values()) for of_kind in kinds
    ]


def models() -> list[bytes]:
    """Models on pixels and on coefficients, and a bare checkpoint."""
    import torch

    from bandwise.checkpoint import save_tensors
    from bandwise.models.model import Model
    from bandwise.models.networks.registry import build_network

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "model.safetensors"

        def stored(save: Callable[[Path], None]) -> bytes:
            save(path)
            return path.read_bytes()

        model = Model(
            network="small-cnn",
            reads="pixels",
            classes=("a", "b"),
            channels=1,
            grid=(2, 2),
            module=build_network("small-cnn", num_classes=2, channels=1),
        )
        tensors = {"a": torch.zeros(2), "b": torch.zeros(1, 1, dtype=torch.int64)}
        return [
            stored(lambda path: save_tensors(path, tensors, {"epoch": 1, "history": []})),
            stored(model.save),
        ]


@functools.cache
def folders() -> tuple[tuple[dict[str, bytes], dict[str, bytes]], Path]:
    """Files of an output of shards and of a tree, and the source of both."""
    keep = tempfile.TemporaryDirectory(prefix="bandwise-fuzz-")
    _KEPT.append(keep)
    folder = Path(keep.name)
    source = folder / "source"
    for number in range(3):
        path = source / f"class{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(saved(Image.fromarray(pixels(4 + number, 5)), "PNG"))
    (source / "class0/x.png").write_bytes(b"no image")
    encode_shards(str(source), folder / "shards", ENCODER, shard_images=2)
    encode_tree(source, folder / "tree", ENCODER, executor=InProcess())
    return (dict(_files(folder / "shards")), dict(_files(folder / "tree"))), source


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def records(folder: dict[str, bytes]) -> list[bytes]:
    """Each file of an output behind its number."""
    return [bytes([number]) + data for number, data in enumerate(folder.values())]
