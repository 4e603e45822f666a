"""Shards as other programs read them."""

import gc
import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bandwise import jpeg
from bandwise.dataset import encode_shards, transcode
from tests.dataset.datasets import ENCODER, put_images

webdataset = pytest.importorskip("webdataset")


COUNT = 12


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, tuple[bytes, bytes]]:
    put_images(tmp_path / "in", COUNT)
    encode_shards(str(tmp_path / "in"), tmp_path / "out", ENCODER, shard_images=3)
    return {
        path.relative_to(tmp_path / "in").with_suffix("").as_posix(): (
            transcode(path.read_bytes(), ENCODER).data,
            b"0" if path.parent.name == "cat" else b"1",
        )
        for path in (tmp_path / "in").rglob("*.png")
    }


def read(shards: Path, *, workers: int = 0, raw: bool = True) -> list[dict[str, Any]]:
    """Samples as `webdataset` reads them, which leaves files for the collector to close."""
    from torch.utils.data import DataLoader, get_worker_info

    def told(sample: Any) -> Any:
        worker = get_worker_info()
        return sample | {"worker": -1 if worker is None else worker.id}

    dataset = webdataset.WebDataset(str(shards), shardshuffle=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        warnings.filterwarnings("ignore", "This DataLoader will create")  # more than cores
        samples = list(
            DataLoader(
                dataset if raw else dataset.decode("rgb8"),
                batch_size=None,
                num_workers=workers,
                collate_fn=told,
            )
        )
        del dataset
        gc.collect()
    return samples


def contents(samples: Iterable[dict[str, Any]]) -> list[tuple[str, tuple[bytes, bytes]]]:
    return [(one["__key__"], (one["jpg"], one["cls"])) for one in samples]


@pytest.mark.parametrize("workers", [0, 3])
def test_webdataset_reads_every_sample_once_in_loaders_of_any_size(
    expected: dict[str, tuple[bytes, bytes]], tmp_path: Path, workers: int
) -> None:
    samples = read(tmp_path / "out/shard-{000000..000003}.tar", workers=workers)
    assert {one["worker"] for one in samples} == (set(range(workers)) or {-1})
    assert len(samples) == COUNT
    assert dict(contents(samples)) == expected


def test_webdataset_decodes_images_and_labels(
    expected: dict[str, tuple[bytes, bytes]], tmp_path: Path
) -> None:
    samples = read(tmp_path / "out/shard-{000000..000003}.tar", raw=False)
    assert len(samples) == COUNT
    for one in samples:
        data, label = expected[one["__key__"]]
        assert one["cls"] == int(label)
        np.testing.assert_array_equal(one["jpg"], jpeg.decode(data))


def test_shards_that_webdataset_wrote_are_a_source(tmp_path: Path) -> None:
    put_images(tmp_path / "in", 3)
    paths = sorted((tmp_path / "in").rglob("*.png"))
    with webdataset.TarWriter(str(tmp_path / "a.tar")) as sink:
        for number, path in enumerate(paths):
            sink.write(
                {"__key__": f"k{number}", "png": path.read_bytes(), "cls": number, "json": {"n": 1}}
            )
    encode_shards(str(tmp_path / "a.tar"), tmp_path / "out", ENCODER)
    samples = read(tmp_path / "out/shard-000000.tar")
    assert contents(samples) == [
        (f"k{number}", (transcode(path.read_bytes(), ENCODER).data, str(number).encode()))
        for number, path in enumerate(paths)
    ]
    assert [json.loads(one["json"]) for one in samples] == [{"n": 1}] * 3


def test_shards_are_a_source_of_shards(tmp_path: Path) -> None:
    put_images(tmp_path / "images", 4)
    encode_shards(str(tmp_path / "images"), tmp_path / "once", ENCODER, shard_images=2)
    encode_shards(str(tmp_path / "once"), tmp_path / "twice", ENCODER)
    once, twice = (
        contents(read(tmp_path / out / "shard-{000000..000001}.tar")) for out in ("once", "twice")
    )
    assert [(key, label) for key, (_, label) in once] == [(key, label) for key, (_, label) in twice]
