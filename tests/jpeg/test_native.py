"""The extension: what it says of itself, and what is said where it is missing."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from bandwise import jpeg
from bandwise.errors import JpegError, JpegUnavailableError
from bandwise.frequency.tables import TableSet
from bandwise.jpeg.native import extension
from tests.jpeg.images import picture


@pytest.fixture
def no_extension(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    extension.cache_clear()
    monkeypatch.setitem(sys.modules, "bandwise.jpeg._turbo", None)
    yield
    extension.cache_clear()


def test_version_names_the_library() -> None:
    assert jpeg.available()
    assert jpeg.library_version().startswith("libjpeg")


@pytest.mark.usefixtures("no_extension")
def test_without_the_extension_the_error_says_what_to_install() -> None:
    assert not jpeg.available()
    with pytest.raises(JpegUnavailableError) as caught:
        jpeg.encode(picture(8, 8), TableSet.ijg(75))
    for words in ("libjpeg62-turbo-dev", "libjpeg-turbo-devel", "brew", "pip install -e ."):
        assert words in str(caught.value)
    with pytest.raises(JpegUnavailableError):
        jpeg.decode(b"")


@pytest.mark.usefixtures("no_extension")
def test_markers_need_no_extension() -> None:
    assert jpeg.payload_bytes(b"\xff\xd8\xff\xd9") == 0


def test_importing_does_not_load_the_extension() -> None:
    program = "import sys, bandwise.jpeg; print('bandwise.jpeg._turbo' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"


def test_libjpeg_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    data = jpeg.encode(picture(32, 32), TableSet.ijg(75))
    with pytest.raises(JpegError):
        jpeg.read_coefficients(data[:-40])
    assert capfd.readouterr() == ("", "")
