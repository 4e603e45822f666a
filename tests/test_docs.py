"""The documentation says what the code and the results say."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from bandwise import jpeg
from bandwise.cli.main import COMMANDS, load_command
from bandwise.results import write_rows
from tests.report.adaptive.synthetic import adaptive_rows
from tests.report.conftest import synthetic_rows
from tests.report.rate_accuracy.synthetic import rate_rows
from tests.report.straight.synthetic import straight_rows

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
COMPRESSION = (ROOT / "docs" / "compression.md").read_text()
SCALE = (ROOT / "docs" / "scale.md").read_text()
STRAIGHT = (ROOT / "docs" / "straight-from-jpeg.md").read_text()


def examples(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


EXAMPLES = examples(README)

PART = "before\n<!-- generated: clothing128 -->\nold\n<!-- end -->\nafter\n"
"""A README with a place for rate-accuracy results."""


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


@pytest.mark.skipif(not jpeg.available(), reason="the native JPEG extension is not built")
def test_the_learning_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = examples(COMPRESSION)
    torch.manual_seed(0)
    exec(example, {})
    sizes = [int(line.split()[-1]) for line in capsys.readouterr().out.splitlines()]
    assert len(sizes) == 2
    assert sizes[0] > sizes[1] > 100


@pytest.mark.skipif(not jpeg.available(), reason="the native JPEG extension is not built")
def test_the_example_on_coefficients_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = examples(STRAIGHT)
    exec(example, {})
    assert capsys.readouterr().out == "torch.Size([4, 10])\n"


@pytest.mark.skipif(not jpeg.available(), reason="the native JPEG extension is not built")
def test_the_example_of_shards_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(examples(SCALE)[0], {})
    assert capsys.readouterr().out == "6 3 0\n"


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        *(f"docs/{name}.md" for name in ("compression", "data", "scale", "straight-from-jpeg")),
    ],
)
def test_commands_and_options_on_the_page_exist(page: str) -> None:
    text = (ROOT / page).read_text().replace("\\\n", " ")
    shown = re.findall(r"^    (?:\.venv/bin/)?bandwise (\S+)(.*)$", text, re.MULTILINE)
    assert shown
    for name, rest in shown:
        known = {option for each in load_command(name).params for option in each.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, (name, rest)


def test_every_command_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "cli.md").read_text()
    assert all(f"## bandwise {name}\n" in reference for name in COMMANDS)


def test_the_reference_says_the_same_in_every_process() -> None:
    assert not re.search(r" at 0x[0-9a-f]+", (ROOT / "docs" / "api.md").read_text())


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "docs")
    return import_module("generate")


def test_results_fill_their_part_of_the_readme(generate: Any, tmp_path: Path) -> None:
    write_rows(tmp_path / "results.jsonl", rate_rows(images=120, profiles=False, examples=0))
    text = generate.readme(PART, {"clothing128": tmp_path / "results.jsonl"})
    assert text.startswith("before\n<!-- generated: clothing128 -->\n| codec |")
    assert text.endswith("(docs/figures/clothing128-rate.png)\n<!-- end -->\nafter\n")
    rows = {line.split(" |")[0][2:]: line for line in text.splitlines() if line.startswith("| ")}
    assert {"bandwise", "libjpeg", "WebP", "AVIF"} <= rows.keys()
    assert all(line.count(" |") == 4 for line in rows.values())
    assert re.search(
        r"\*\*bandwise\*\* needs \d+\.\d % fewer bytes \(95 % interval \d+\.\d to \d+\.\d %\) than "
        r"libjpeg at ≤ 1 point lost, \d+\.\d % fewer at equal divergence",
        text,
    )
    assert "old" not in text


def test_a_bound_that_is_missed_on_test_is_marked(generate: Any, tmp_path: Path) -> None:
    tables = import_module("result_tables")
    rows = rate_rows(images=120, profiles=False, examples=0, transfer=False)
    for row in rows:
        if row["record"] == "point" and row["split"] == "test" and row["codec"] == "webp":
            row["image_correct"] = "0" * row["images"]
            row["accuracy"] = 0.0
    lines = tables.results_part("clothing128", rows).splitlines()
    (webp,) = (line for line in lines if line.startswith("| WebP"))
    (sentence,) = (line for line in lines if "than WebP" in line)
    assert webp.count("†") == 3
    assert re.search(r"† \(points lost on test: .*WebP \d\d\.\d\d\)", sentence)


def test_results_of_training_on_files_make_three_tables(generate: Any, tmp_path: Path) -> None:
    part = PART.replace("clothing128", "straight-from-jpeg")
    write_rows(tmp_path / "results.jsonl", straight_rows()[:-1])
    text = generate.readme(part, {"straight-from-jpeg": tmp_path / "results.jsonl"})
    networks, accuracies, sizes = (
        table.splitlines() for table in text.split("\n\n") if "| --- |" in table
    )
    assert any(line.startswith("| resnet on pixels | 3 | 7") for line in networks)
    assert [line.split(" |")[0] for line in accuracies[2:]] == ["| 64", "| 24", "| 12"]
    assert re.search(r"\| 7\d\.\d\d% ± \d\.\d\d% \(-\d\.\d\d, -\d\.\d\d to ", accuracies[4])
    assert "| 1,264 B (59.4 %) |" in sizes[4]
    assert "less than whole files of 3,114 B" in text
    assert "1.50 times as many images a second" in text
    assert "(docs/figures/straight-from-jpeg-training.png)" in text


def test_gains_of_the_extensions_are_over_adaptive(generate: Any) -> None:
    tables = import_module("result_tables")
    rows = synthetic_rows(variants=["static", "adaptive", "edges", "input"], epochs=1)
    *_, first, second, third = tables.results_part("mnist", rows).split("\n\n")
    assert first.startswith("gain adaptive - static: ")
    assert second.startswith("gain edges - adaptive: ")
    assert third.startswith("gain input - adaptive: ")


def test_results_of_tables_for_each_image_make_a_table_and_a_verdict(
    generate: Any, tmp_path: Path
) -> None:
    assert generate.PAGES["adaptive"] == "docs/compression.md"
    write_rows(tmp_path / "results.jsonl", adaptive_rows())
    text = generate.readme(
        PART.replace("clothing128", "adaptive"), {"adaptive": tmp_path / "results.jsonl"}
    )
    rows = {line.split(" |")[0][2:]: line for line in text.splitlines() if line.startswith("| ")}
    saved = "9.0 % (6.5 to 11.5)"
    assert rows["rate"] == (
        f"| rate | 3 | 5,824 ± 64 B, 79.00% ± 0.00% | {saved} | {saved} | {saved} |"
    )
    assert rows["oracle"].endswith("| 50.0 % | 50.0 % | – |")
    assert rows["one table"].endswith("|  |  |  |")
    assert "[results/adaptive](../results/adaptive/results.jsonl)" in text
    assert "frozen network resnet, originals 80.00%" in text
    assert "The target of 15 % fewer bytes at ≤ 1 point is met by codebook of 2 + rate" in text
    assert "(figures/adaptive-savings.png)" in text
    assert "(figures/adaptive-divergence.png)" in text


def test_without_results_a_part_stays_as_it_is(generate: Any) -> None:
    assert generate.readme(PART, {}) == PART


def test_results_without_a_place_in_the_readme_are_an_error(generate: Any, tmp_path: Path) -> None:
    write_rows(tmp_path / "results.jsonl", synthetic_rows(variants=["static"], seeds=[0], epochs=1))
    with pytest.raises(SystemExit, match="generated: other"):
        generate.readme(PART, {"other": tmp_path / "results.jsonl"})


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
