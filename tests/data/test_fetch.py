import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bandwise.data.fetch import PublishedDataset, cache_dir, locate, read_verified
from bandwise.errors import CorruptDataError, DataNotFoundError, OutputError
from bandwise.progress import Progress

from .published import publish, tiny_contents, write_files

CONTENTS = tiny_contents()
FIRST = "train-images-idx3-ubyte"


class Mirror:
    """A web server on this machine that serves ``files`` by path and counts what was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.announced_extra_bytes = 0
        self.requests: list[str] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.requests.append(self.path)
                body = mirror.files.get(self.path.removeprefix("/"))
                if body is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body) + mirror.announced_extra_bytes))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def serve(self, contents: dict[str, bytes]) -> None:
        self.files = {f"{name}.gz": gzip.compress(data) for name, data in contents.items()}

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setenv("no_proxy", "*")
    mirror = Mirror()
    mirror.serve(CONTENTS)
    yield mirror
    mirror.close()


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()} - {".lock"}


def assert_contents(paths: list[Path], wanted: PublishedDataset) -> None:
    for path, file in zip(paths, wanted.files, strict=True):
        assert read_verified(path, file) == CONTENTS[file.name]


ADDRESSES = {f"/{name}.gz" for name in CONTENTS}


@pytest.mark.parametrize("sub_folder", ["tiny", ""])
@pytest.mark.parametrize("compressed", [True, False])
def test_a_data_folder_serves_in_both_layouts(
    tmp_path: Path, sub_folder: str, compressed: bool
) -> None:
    wanted = publish("tiny", CONTENTS)
    write_files(tmp_path / sub_folder, CONTENTS, compressed=compressed)
    paths, place = locate(wanted, data_dir=tmp_path)
    assert place == "data folder"
    assert_contents(paths, wanted)


def test_an_explicit_data_folder_is_the_only_place(
    tmp_path: Path, cache: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path / "environment", CONTENTS)
    write_files(cache / "tiny", CONTENTS)
    monkeypatch.setenv("BANDWISE_DATA", str(tmp_path / "environment"))
    given = tmp_path / "given"
    write_files(given / "tiny", CONTENTS)
    (given / "tiny" / f"{FIRST}.gz").unlink()
    with pytest.raises(DataNotFoundError) as caught:
        locate(publish("tiny", CONTENTS, mirror.url), data_dir=given)
    message = str(caught.value)
    assert f"{FIRST} not found in {given / 'tiny'} or {given}" in message
    assert "t10k" not in message
    assert mirror.requests == []


def test_the_environment_comes_before_the_cache_and_the_cache_before_a_download(
    tmp_path: Path, cache: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = publish("tiny", CONTENTS, mirror.url)
    monkeypatch.setenv("BANDWISE_DATA", str(tmp_path))
    assert locate(wanted)[1] == "downloaded"
    downloads = len(mirror.requests)
    assert downloads == len(CONTENTS)
    assert locate(wanted)[1] == "cache"
    write_files(tmp_path, CONTENTS)
    paths, place = locate(wanted)
    assert place == "BANDWISE_DATA"
    assert {path.parent for path in paths} == {tmp_path}
    assert len(mirror.requests) == downloads


def test_a_download_is_verified_and_leaves_only_final_files(cache: Path, mirror: Mirror) -> None:
    wanted = publish("tiny", CONTENTS, mirror.url)
    seen: list[Progress] = []
    paths, _ = locate(wanted, progress=seen.append)
    assert files_in(cache) == {*CONTENTS}
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o644}
    assert_contents(paths, wanted)
    for name in CONTENTS:
        size_bytes = len(mirror.files[f"{name}.gz"])
        stage = f"downloading {mirror.url}{name}.gz"
        assert Progress(stage=stage, done=size_bytes, total=size_bytes, unit="bytes") in seen


def test_only_missing_files_are_downloaded(cache: Path, mirror: Mirror) -> None:
    write_files(cache / "tiny", {FIRST: CONTENTS[FIRST]})
    paths, _ = locate(publish("tiny", CONTENTS, mirror.url))
    assert {*mirror.requests} == ADDRESSES - {f"/{FIRST}.gz"}
    assert_contents(paths, publish("tiny", CONTENTS))


def test_the_second_mirror_serves_when_the_first_is_down(cache: Path, mirror: Mirror) -> None:
    dead = Mirror()
    dead.close()
    assert locate(publish("tiny", CONTENTS, dead.url, mirror.url))[1] == "downloaded"
    assert files_in(cache) == {*CONTENTS}


def other_contents(data: bytes) -> bytes:
    return gzip.compress(data[:-1] + bytes([data[-1] ^ 1]))


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (other_contents, "hash"),
        (lambda data: gzip.compress(data)[:-40], "end-of-stream|hash"),
        (lambda data: gzip.compress(data[:-1]), "hash"),
        (lambda data: gzip.compress(data + bytes(1 << 24)), "hash"),
        (lambda data: bytes(1 << 18), "sends more than"),
        (lambda data: b"<html>log in to this network</html>" + bytes(9), "hash"),
        (lambda data: b"\x1f\x8b" + data, "gzip|compression|decompress"),
        (lambda data: b"", "hash"),
    ],
    ids=["bit", "truncated", "short", "long", "endless", "page", "garbage", "empty"],
)
def test_a_bad_download_is_refused_and_the_next_mirror_asked(
    cache: Path, mirror: Mirror, damage: object, why: str
) -> None:
    assert callable(damage)
    bad = Mirror()
    try:
        bad.files = {f"{name}.gz": damage(data) for name, data in CONTENTS.items()}
        with pytest.raises(DataNotFoundError, match=why) as caught:
            locate(publish("tiny", CONTENTS, bad.url))
        assert f"{bad.url}{FIRST}.gz" in str(caught.value)
        assert files_in(cache) == set()
        locate(publish("tiny", CONTENTS, bad.url, mirror.url))
        assert files_in(cache) == {*CONTENTS}
    finally:
        bad.close()


def test_a_connection_that_ends_early_is_refused(cache: Path, mirror: Mirror) -> None:
    mirror.files = {name: body[:-8] for name, body in mirror.files.items()}
    mirror.announced_extra_bytes = 8
    with pytest.raises(DataNotFoundError, match=r"IncompleteRead|broken"):
        locate(publish("tiny", CONTENTS, mirror.url))
    assert files_in(cache) == set()


def test_an_interrupted_download_leaves_nothing_behind(cache: Path, mirror: Mirror) -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        locate(publish("tiny", CONTENTS, mirror.url), progress=interrupt)
    assert files_in(cache) == set()
    assert locate(publish("tiny", CONTENTS, mirror.url))[1] == "downloaded"


def test_two_downloads_at_once_do_not_disturb_each_other(cache: Path, mirror: Mirror) -> None:
    wanted = publish("tiny", CONTENTS, mirror.url)
    with ThreadPoolExecutor(4) as pool:
        places = [place for _, place in pool.map(locate, [wanted] * 4)]
    assert "downloaded" in places
    assert sorted(mirror.requests) == sorted(ADDRESSES)
    assert files_in(cache) == {*CONTENTS}


def test_a_cache_that_cannot_be_written_is_said(
    tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BANDWISE_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match=r"file.tiny cannot be written.*BANDWISE_CACHE"):
        locate(publish("tiny", CONTENTS, mirror.url))


def test_a_damaged_file_in_a_data_folder_is_named(tmp_path: Path) -> None:
    wanted = publish("tiny", CONTENTS)
    write_files(tmp_path, CONTENTS)
    path = tmp_path / f"{FIRST}.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CorruptDataError, match=rf"{FIRST}\.gz is damaged.*fetch it anew"):
        read_verified(path, wanted.files[0])


def test_cache_folder_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANDWISE_CACHE", "/own")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.setenv("HOME", "/home/someone")
    assert cache_dir() == Path("/own")
    monkeypatch.delenv("BANDWISE_CACHE")
    assert cache_dir() == Path("/xdg/bandwise")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_dir() == Path("/home/someone/.cache/bandwise")
