"""``bandwise straight-from-jpeg`` as a person uses it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bandwise import jpeg
from bandwise.cli.main import run
from bandwise.recipes import straight_from_jpeg
from bandwise.results import read_rows
from tests.cli.terminal import said
from tests.data.jpeg_tree import write_digits
from tests.recipes.test_straight_from_jpeg import in_this_process

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

QUICK = [
    *("--twins", "resnet-small", "--network", "resnet-small", "--keep", "24", "8"),
    *("--seeds", "0", "--epochs", "1", "--workers", "1"),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    splits = {"train": 6, "validation": 2, "test": 2}
    return write_digits(tmp_path_factory.mktemp("tree") / "digits", splits)


def test_an_experiment_ends_with_a_page_and_resumes(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(straight_from_jpeg, "work_through", in_this_process)
    out = tmp_path / "out"
    command = ["straight-from-jpeg", str(root), "--out", str(out), *QUICK]
    assert run(command) == 0
    text, err = said(capfd)
    assert err == ""
    for words in (f"digits, into {out}", "training 8/8", f"results {out / 'results.jsonl'}"):
        assert words in text
    rows = read_rows(out / "results.jsonl")
    assert len([row for row in rows if row["record"] == "trained"]) == 8
    page = (out / "report.html").read_text()
    assert "resnet-small" in page
    for loads in ('src="http', 'href="http', "@import", "url(http"):
        assert loads not in page
    monkeypatch.setattr("bandwise.report.write_report", lambda *_: out / "report.html")
    assert run(command) == 0
    assert "training 8" not in said(capfd)[0]
    assert read_rows(out / "results.jsonl") == rows


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--twins", "magic"], 2, "unknown network 'magic'"),
        (["--network", "magic"], 2, "unknown network 'magic'"),
        (["--keep", "24", "65"], 2, "1 to 64 can be kept, not 65"),
        (["--seeds", "zero"], 2, "--seeds"),
        (["--workers", "0"], 2, "--workers"),
        (["--image-size", "20"], 2, "multiples of 16"),
        (["--epochs", "0"], 2, "--epochs"),
    ],
)
def test_bad_input_is_one_message(
    options: list[str],
    code: int,
    message: str,
    root: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert run(["straight-from-jpeg", str(root), "--out", str(out), *options]) == code
    err = said(capfd)[1]
    assert message in " ".join(err.split())
    if not err.startswith("Usage: "):
        assert err.startswith("error: ")
        assert err.count("\n") == 1
    assert not out.exists()


def test_a_folder_with_something_else_is_left_alone(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").touch()
    assert run(["straight-from-jpeg", str(root), "--out", str(tmp_path), *QUICK]) == 1
    assert "not empty" in said(capfd)[1]
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_interruption_says_how_to_go_on(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], interrupt: Callable[[str], None]
) -> None:
    interrupt("bandwise.recipes.straight_from_jpeg.run")
    assert run(["straight-from-jpeg", str(root), "--out", str(tmp_path / "out")]) == 130
    assert "finished runs and epochs are kept, the same command resumes" in said(capfd)[1]
