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

import filelock
import pooch
import requests

from bandwise.errors import CorruptDataError, DataNotFoundError, OutputError
from bandwise.progress import Progress, ProgressCallback, ignore_progress

TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 16
GZIP_MAGIC = b"\x1f\x8b"
GZIP_OVERHEAD_BYTES = 1 << 16
"""More than gzip adds to incompressible data of the sizes downloaded here."""

_BAD_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)

pooch.get_logger().setLevel("ERROR")  # progress and errors are reported here


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """One file of a data set, named and measured without its ``.gz``."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class PublishedDataset:
    """A data set of published files, with the base addresses that serve them as ``NAME.gz``."""

    name: str
    title: str
    classes: tuple[str, ...]
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
    wanted: PublishedDataset,
    *,
    data_dir: Path | None = None,
    progress: ProgressCallback = ignore_progress,
) -> tuple[list[Path], str]:
    """Find all files of a data set in one place, downloading them if no place has them.

    A folder serves as ``FOLDER/<data set>/`` or as ``FOLDER/`` itself. With ``data_dir`` no other
    place is looked at and nothing is downloaded. Raises `DataNotFoundError` when ``data_dir`` lacks
    a file, or no mirror gave a valid one; `OutputError` when the cache cannot be written. Returns
    the files' paths in their order, and the place in words.
    """
    cache = cache_dir() / wanted.name
    own = environment_data_dir() if data_dir is None else data_dir
    places = [] if own is None else [own / wanted.name, own]
    lacking: list[list[str]] = []
    for folder in [*places, cache] if data_dir is None else places:
        found = {file.name: _find(folder, file) for file in wanted.files}
        paths = [path for path in found.values() if path is not None]
        if len(paths) == len(found):
            own_place = "BANDWISE_DATA" if data_dir is None else "data folder"
            return paths, own_place if folder in places else "cache"
        lacking.append([name for name, path in found.items() if path is None])
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

    Raises `CorruptDataError` when the file is truncated, too long or has another checksum;
    `DataNotFoundError` when it cannot be opened.
    """
    try:
        data = _uncompressed(path, file)
    except _BAD_GZIP as error:
        raise CorruptDataError(
            f"{path} is damaged ({error}); delete it and fetch it anew"
        ) from error
    except OSError as error:
        raise DataNotFoundError(f"{path} cannot be read: {error.strerror}") from error
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != file.sha256:
        raise CorruptDataError(
            f"{path} is not the published {file.name}: expected {file.size_bytes} bytes "
            f"uncompressed with SHA-256 {file.sha256}, got {len(data)} or more with {sha256}; "
            "delete it and fetch it anew"
        )
    return data


def _uncompressed(path: Path, file: PublishedFile) -> bytes:
    """Contents of a file, of which at most one byte too many is read."""
    with path.open("rb") as raw:
        compressed = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        stream = gzip.GzipFile(fileobj=raw) if compressed else raw
        return stream.read(file.size_bytes + 1)


def _find(folder: Path, file: PublishedFile) -> Path | None:
    candidates = (folder / file.name, folder / f"{file.name}.gz")
    return next((path for path in candidates if path.is_file()), None)


def _download(
    wanted: PublishedDataset, file: PublishedFile, cache: Path, progress: ProgressCallback
) -> Path:
    """Ask one mirror after the other; the cached file is uncompressed."""

    def download(url: str, temporary: str, _pooch: object) -> None:
        bar = _ProgressBar(url, file.size_bytes + GZIP_OVERHEAD_BYTES, progress)
        get = pooch.HTTPDownloader(bar, chunk_size=CHUNK_BYTES, timeout=TIMEOUT_S)
        get(url, temporary, None)
        path = Path(temporary)
        path.write_bytes(_uncompressed(path, file))
        path.chmod(0o644)  # temporary files are their owner's alone

    failures = []
    for mirror in wanted.mirrors:
        url = f"{mirror}{file.name}.gz"
        try:
            found = pooch.retrieve(
                url, f"sha256:{file.sha256}", fname=file.name, path=cache, downloader=download
            )
            return Path(found)
        except (*_BAD_GZIP, requests.RequestException, ValueError) as error:
            failures.append(f"{url}: {error}")
    raise DataNotFoundError(
        f"data set {wanted.name!r}: {file.name}.gz was not found in {cache} or a folder that "
        "BANDWISE_DATA names, and no mirror gave it:\n  "
        + "\n  ".join(failures)
        + "\nconnect to the network, or put the file into one of these folders"
    )


class _ProgressBar:
    """What Pooch tells how far a download is; `ValueError` ends one that fills the disk."""

    def __init__(self, url: str, limit_bytes: int, progress: ProgressCallback) -> None:
        self._stage, self._limit_bytes, self._progress = f"downloading {url}", limit_bytes, progress
        self._done = self.total = 0

    def update(self, count: int) -> None:
        """Count bytes; Pooch counts whole chunks until the end."""
        self._done += count
        if self._done > self._limit_bytes + CHUNK_BYTES:
            raise ValueError(f"sends more than {self._limit_bytes} bytes")
        done, total = min(self._done, self.total or self._done), self.total or None
        self._progress(Progress(stage=self._stage, done=done, total=total, unit="bytes"))

    def reset(self) -> None:
        """Begin to count anew."""
        self._done = 0

    def close(self) -> None:
        """Nothing is shown here."""
