"""Finding published files: a given folder, BANDWISE_DATA, the cache, then public mirrors.

Whatever the place, a file is used only if the SHA-256 of its uncompressed bytes is the known one,
so that a recompressed ``.gz`` or a bare file serves as well as the published one. Pooch downloads
to a temporary name, checks the bytes, and only then renames them into the cache.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import filelock
import pooch
import requests

from bandwise.errors import CorruptDataError, DataNotFoundError, OutputError
from bandwise.progress import Progress, ProgressCallback, ignore_progress

TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 16
GZIP_MAGIC = b"\x1f\x8b"

pooch.get_logger().setLevel("ERROR")  # progress and errors are reported here


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """One file of a data set, named and measured without its ``.gz``."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class PublishedFiles:
    """The files of a data set and the base addresses that serve them as ``NAME.gz``."""

    name: str
    files: tuple[PublishedFile, ...]
    mirrors: tuple[str, ...]


def environment_data_dir() -> Path | None:
    """Folder that the environment variable BANDWISE_DATA names, or None."""
    folder = os.environ.get("BANDWISE_DATA")
    return Path(folder).expanduser() if folder else None


def cache_dir() -> Path:
    """BANDWISE_CACHE, else XDG_CACHE_HOME/bandwise, else ~/.cache/bandwise."""
    if own := os.environ.get("BANDWISE_CACHE"):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "bandwise"


def locate(
    wanted: PublishedFiles,
    *,
    data_dir: Path | None = None,
    progress: ProgressCallback = ignore_progress,
) -> tuple[list[Path], str]:
    """Find all files of a data set in one place, downloading them if no place has them.

    A folder serves as ``FOLDER/<data set>/`` or as ``FOLDER/`` itself. With ``data_dir`` no other
    place is looked at and nothing is downloaded.

    Returns
    -------
    The files' paths in their order, and the place in words.

    Raises
    ------
    DataNotFoundError
        When ``data_dir`` lacks a file, or no mirror gave a valid one.
    OutputError
        When the cache cannot be written.
    """
    cache = cache_dir() / wanted.name
    if data_dir is not None:
        places = [("data folder", data_dir / wanted.name), ("data folder", data_dir)]
    else:
        places = [("cache", cache)]
        if (environment := environment_data_dir()) is not None:
            own = [("BANDWISE_DATA", environment / wanted.name), ("BANDWISE_DATA", environment)]
            places = [*own, *places]
    lacking: list[list[str]] = []
    for place, folder in places:
        found = [_find(folder, file) for file in wanted.files]
        paths = [path for path in found if path is not None]
        if len(paths) == len(found):
            return paths, place
        lacking.append(
            [file.name for file, path in zip(wanted.files, found, strict=True) if path is None]
        )
    if data_dir is not None:
        fewest = min(lacking, key=len)
        raise DataNotFoundError(
            f"data set {wanted.name!r}: {', '.join(fewest)} not found in "
            f"{data_dir / wanted.name} or {data_dir}; put the files there, with or without .gz, "
            "or name no data folder to have them downloaded"
        )
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(cache / ".lock"):  # one process at a time downloads
            paths = [
                _find(cache, file) or _download(wanted, file, cache, progress)
                for file in wanted.files
            ]
    except OSError as error:
        raise OutputError(
            f"the cache {cache} cannot be written: {error.strerror or error}; "
            "name another with BANDWISE_CACHE"
        ) from error
    return paths, "downloaded"


def read_verified(path: Path, file: PublishedFile) -> bytes:
    """Uncompressed bytes of a published file, compressed or not on disk.

    Raises
    ------
    CorruptDataError
        When the file is truncated, too long or has another checksum.
    DataNotFoundError
        When it cannot be opened.
    """
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            stream = gzip.GzipFile(fileobj=raw) if compressed else raw
            data = stream.read(file.size_bytes + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CorruptDataError(
            f"{path} is damaged ({error}); delete it and fetch it anew"
        ) from error
    except OSError as error:
        raise DataNotFoundError(f"{path} cannot be read: {error.strerror}") from error
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != file.sha256:
        size = f"more than {file.size_bytes}" if len(data) > file.size_bytes else str(len(data))
        raise CorruptDataError(
            f"{path} is not the published {file.name}: {size} bytes uncompressed with SHA-256 "
            f"{sha256}, expected {file.size_bytes} bytes with {file.sha256}; "
            "delete it and fetch it anew"
        )
    return data


def _find(folder: Path, file: PublishedFile) -> Path | None:
    candidates = (folder / file.name, folder / f"{file.name}.gz")
    return next((path for path in candidates if path.is_file()), None)


def _download(
    wanted: PublishedFiles, file: PublishedFile, cache: Path, progress: ProgressCallback
) -> Path:
    """Ask one mirror after the other; the cached file is uncompressed."""

    def download(url: str, temporary: str, _pooch: object) -> None:
        with Path(temporary).open("wb") as target:
            transfer = _Transfer(target, file.size_bytes, url, progress)
            get = pooch.HTTPDownloader(transfer, chunk_size=CHUNK_BYTES, timeout=TIMEOUT_S)
            get(url, transfer, None)

    failures = []
    for mirror in wanted.mirrors:
        url = f"{mirror}{file.name}.gz"
        try:
            path = Path(
                pooch.retrieve(
                    url, f"sha256:{file.sha256}", fname=file.name, path=cache, downloader=download
                )
            )
        except (requests.RequestException, ValueError, zlib.error) as error:
            failures.append(f"{url}: {error}")
            continue
        path.chmod(0o644)  # temporary files are their owner's alone
        return path
    raise DataNotFoundError(
        f"data set {wanted.name!r}: {file.name}.gz was not found in {cache} or a folder that "
        "BANDWISE_DATA names, and no mirror gave it:\n  "
        + "\n  ".join(failures)
        + "\nconnect to the network, or put the file into one of these folders"
    )


class _Transfer:
    """What Pooch writes a download to, and its progress bar: uncompresses what arrives.

    Raises `ValueError` where that is more than the file has, so that no mirror can fill the disk.
    """

    def __init__(
        self, target: BinaryIO, size_bytes: int, url: str, progress: ProgressCallback
    ) -> None:
        self._target, self._left, self._url, self._progress = target, size_bytes, url, progress
        self._inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self._compressed: bool | None = None
        self._received = 0
        self.total = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes as they were sent."""
        if self._compressed is None:
            self._compressed = data.startswith(GZIP_MAGIC)
        plain = self._inflate.decompress(data, self._left + 1) if self._compressed else data
        self._left -= len(plain)
        if self._left < 0 or self._inflate.unused_data:
            raise ValueError("sends more bytes than the file has")
        self._target.write(plain)
        self._received += len(data)
        self._progress(
            Progress(
                stage=f"downloading {self._url}",
                done=self._received,
                total=self.total or None,
                unit="bytes",
            )
        )

    def update(self, count: int) -> None:
        """Pooch counts whole chunks; `write` counts bytes."""

    def flush(self) -> None:
        """Nothing waits to be written."""

    def reset(self) -> None:
        """Nothing is shown."""

    def close(self) -> None:
        """Nothing is shown."""
