"""The documentation says what the code and the results say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bandwise import jpeg

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_generated_parts_are_current() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_training_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    exec(EXAMPLES[0], {})
    accuracy = float(capsys.readouterr().out.split("%")[0])
    assert accuracy > 90


@pytest.mark.skipif(not jpeg.available(), reason="the native JPEG extension is not built")
def test_the_jpeg_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(EXAMPLES[1], {})
    assert "(4, 6, 8, 8)" in capsys.readouterr().out


def test_commands_of_the_readme_exist() -> None:
    for script in ("demo", "test", "setup"):
        assert f"scripts/{script}" in README
        assert (ROOT / "scripts" / script).stat().st_mode & 0o111


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))])
def test_links_lead_to_files(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#]+)", path.read_text()):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target
