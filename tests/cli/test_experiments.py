"""What the commands for whole experiments have in common."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bandwise import jpeg
from bandwise.cli.main import run
from tests.cli import test_adaptive, test_rate_accuracy
from tests.cli.terminal import said

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

experiments = pytest.mark.parametrize(
    ("command", "recipe"),
    [(test_adaptive.QUICK, "adaptive"), (test_rate_accuracy.QUICK, "rate_accuracy")],
    ids=["adaptive", "rate-accuracy"],
)


@experiments
def test_a_folder_with_something_else_is_left_alone(
    command: Sequence[str], recipe: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "precious.txt").touch()
    assert run([*command, "--out", str(tmp_path)]) == 1
    assert "not empty" in said(capfd)[1]
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


@experiments
def test_an_interruption_says_how_to_go_on(
    command: Sequence[str],
    recipe: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    interrupt: Callable[[str], None],
) -> None:
    interrupt(f"bandwise.recipes.{recipe}.run")
    assert run([*command, "--out", str(tmp_path / "out")]) == 130
    assert "the same command resumes" in said(capfd)[1]
