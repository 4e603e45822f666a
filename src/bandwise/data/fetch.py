"""Finding published files: a given folder, BANDWISE_DATA, the cache, then public mirrors.

Whatever the place, a file is used only if the SHA-256 of its uncompressed bytes is the known one,
so that a recompressed ``.gz`` or a bare file serves as well as the published one. A download is
checked under a temporary name and only then renamed into the cache.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import http.client
import os
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bandwise.data.types import Progress
from bandwise.errors import CorruptDataError, DataNotFoundError, OutputError

TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 16
GZIP_MAGIC = b"\x1f\x8b"
GZIP_OVERHEAD_BYTES = 1 << 16
"""More than gzip adds to incompressible data of the sizes downloaded here."""


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


@dataclass(frozen=True)
class Located:
    """Where the files were found: a path a file, and the place in words."""

    paths: dict[str, Path]
    place: str


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
    wanted: PublishedFiles, *, data_dir: Path | None = None, progress: Progress | None = None
) -> Located:
    """Find all files of a data set in one place, downloading them if no place has them.

    A folder serves as ``FOLDER/<data set>/`` or as ``FOLDER/`` itself. With ``data_dir`` no other
    place is looked at and nothing is downloaded.

    Raises
    ------
    DataNotFoundError
        When ``data_dir`` lacks a file, or no mirror gave a valid one.
    OutputError
        When the cache cannot be written.
    """
    places = _places(wanted.name, data_dir)
    for place, folder in places:
        paths = {file.name: _find(folder, file) for file in wanted.files}
        found = {name: path for name, path in paths.items() if path is not None}
        if len(found) == len(wanted.files):
            return Located(found, place)
    searched = [folder for _, folder in places]
    if data_dir is not None:
        raise DataNotFoundError(_missing_message(wanted, searched))
    return Located(_download_all(wanted, searched, progress), "downloaded")


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


def _places(name: str, data_dir: Path | None) -> list[tuple[str, Path]]:
    if data_dir is not None:
        return [("data folder", data_dir / name), ("data folder", data_dir)]
    places = [("cache", cache_dir() / name)]
    if (environment := environment_data_dir()) is not None:
        places = [("BANDWISE_DATA", environment / name), ("BANDWISE_DATA", environment), *places]
    return places


def _find(folder: Path, file: PublishedFile) -> Path | None:
    candidates = (folder / file.name, folder / f"{file.name}.gz")
    return next((path for path in candidates if path.is_file()), None)


def _missing_message(wanted: PublishedFiles, searched: list[Path]) -> str:
    nearest = max(searched, key=lambda folder: sum(bool(_find(folder, f)) for f in wanted.files))
    missing = [f"{file.name}.gz" for file in wanted.files if _find(nearest, file) is None]
    places = " and ".join(str(folder) for folder in searched)
    return (
        f"data set {wanted.name!r}: {', '.join(missing)} not found (looked in {places}); "
        "put the files there, with or without .gz, or name no data folder to have them downloaded"
    )


def _download_all(
    wanted: PublishedFiles, searched: list[Path], progress: Progress | None
) -> dict[str, Path]:
    cache = cache_dir() / wanted.name
    with _writing_to(cache), _locked(cache):
        return {
            file.name: _find(cache, file) or _download(wanted, file, cache, searched, progress)
            for file in wanted.files
        }


def _download(
    wanted: PublishedFiles,
    file: PublishedFile,
    cache: Path,
    searched: list[Path],
    progress: Progress | None,
) -> Path:
    target = cache / f"{file.name}.gz"
    partial = cache / f"{file.name}.gz.part"
    failures = []
    try:
        for mirror in wanted.mirrors:
            url = f"{mirror}{file.name}.gz"
            try:
                limit_bytes = file.size_bytes + GZIP_OVERHEAD_BYTES
                _stream(url, partial, limit_bytes=limit_bytes, progress=progress)
                read_verified(partial, file)
            except (_DownloadError, CorruptDataError) as error:
                failures.append(f"{url}: {error}")
                continue
            partial.replace(target)
            return target
    finally:
        partial.unlink(missing_ok=True)
    raise DataNotFoundError(
        f"data set {wanted.name!r}: {file.name}.gz was not found in "
        f"{', '.join(map(str, searched))} and no mirror gave it:\n  "
        + "\n  ".join(failures)
        + f"\nconnect to the network, or put the file into {cache} or into a folder that "
        "BANDWISE_DATA names"
    )


class _DownloadError(Exception):
    """One mirror did not deliver; the next may."""


def _stream(url: str, partial: Path, *, limit_bytes: int, progress: Progress | None) -> None:
    """Write what ``url`` serves to ``partial``; only network failures become _DownloadError."""
    what = f"downloading {url}"
    done = 0
    with partial.open("wb") as out:
        for total, chunk in _chunks(url):
            out.write(chunk)
            done += len(chunk)
            if done > limit_bytes:
                raise _DownloadError(f"sends more than {limit_bytes} bytes")
            if progress is not None:
                progress(what, done, total)
        out.flush()
        os.fsync(out.fileno())


def _chunks(url: str) -> Iterator[tuple[int, bytes]]:
    """Yield (announced size in bytes or 0, next chunk)."""
    request = urllib.request.Request(url, headers={"User-Agent": "bandwise"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            total = int(response.headers.get("Content-Length") or 0)
            while chunk := response.read(CHUNK_BYTES):
                yield total, chunk
    except urllib.error.HTTPError as error:
        error.close()
        raise _DownloadError(f"HTTP {error.code} {error.reason}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _DownloadError(str(error) or type(error).__name__) from error


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise OutputError(
            f"the cache {folder} cannot be written: {error.strerror or error}; "
            "name another with BANDWISE_CACHE"
        ) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time download into ``folder``; the lock ends with its holder."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
