"""The documentation says what the code and the results say."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from bandwise import jpeg
from bandwise.cli.main import all_commands
from bandwise.report import Table, summary
from bandwise.results import Record, write_rows
from bandwise.training.config import TrainingConfig
from tests.report.synthetic import RESULTS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
COMPRESSION = (ROOT / "docs" / "compression.md").read_text()
SCALE = (ROOT / "docs" / "scale.md").read_text()
STRAIGHT = (ROOT / "docs" / "straight-from-jpeg.md").read_text()


def examples(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


ASKING, TRAINING, JPEG = examples(README)

PART = "before\n<!-- generated: clothing128 -->\nold\n<!-- end -->\nafter\n"
"""A README with a place for rate-accuracy results."""


def test_generated_parts_are_current(documents: dict[Path, str]) -> None:
    stale = [path.name for path, text in documents.items() if path.read_text() != text]
    assert not stale, "run: python docs/generate.py"


def test_the_training_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    shorter = TRAINING.replace("validation=validation)", "validation=validation, config=config)")
    assert shorter != TRAINING
    exec(shorter, {"config": TrainingConfig(epochs=8)})
    accuracy = float(capsys.readouterr().out.split("%")[0])
    assert accuracy > 80


@pytest.mark.skipif(not jpeg.available(), reason="the native JPEG extension is not built")
def test_the_example_that_asks_a_model_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(ASKING, {})
    size_bytes, distance, kept = capsys.readouterr().out.split()
    assert 200 < int(size_bytes) < 64 * 96 * 3
    assert float(distance) <= 0.2
    assert kept == "True"


@pytest.mark.skipif(not jpeg.available(), reason="the native JPEG extension is not built")
def test_the_learning_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = examples(COMPRESSION)
    torch.manual_seed(0)
    exec(example, {})
    sizes = [int(line.split()[-1]) for line in capsys.readouterr().out.splitlines()]
    assert len(sizes) == 2
    assert sizes[0] > sizes[1] > 100


@pytest.mark.skipif(not jpeg.available(), reason="the native JPEG extension is not built")
@pytest.mark.parametrize(
    ("example", "shown"),
    [
        (JPEG, "(4, 6, 8, 8)"),
        (examples(STRAIGHT)[0], "torch.Size([4, 10])\n"),
        (examples(SCALE)[0], "6 3 0\n"),
    ],
    ids=["jpeg", "coefficients", "shards"],
)
def test_an_example_shows_what_it_says(
    example: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(example, {})
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        *(
            f"docs/{name}.md"
            for name in ("asking", "compression", "data", "scale", "straight-from-jpeg")
        ),
    ],
)
def test_commands_and_options_on_the_page_exist(page: str) -> None:
    text = (ROOT / page).read_text().replace("\\\n", " ")
    shown = re.findall(r"^    (?:\.venv/bin/)?bandwise (.*)$", text, re.MULTILINE)
    assert shown
    for line in shown:
        command = next(each for name, each in all_commands() if f"{line} ".startswith(f"{name} "))
        known = {option for each in command.params for option in each.opts}
        assert set(re.findall(r"--[a-z-]+", line)) <= known, line


def test_every_command_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "cli.md").read_text()
    assert all(f"## bandwise {name}\n" in reference for name, _ in all_commands())


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "docs")
    return import_module("generate")


@pytest.mark.parametrize(
    ("name", "kind", "first", "figure"),
    [
        ("clothing128", "rate_accuracy", "Bytes an image", "clothing128-rate"),
        ("straight-from-jpeg", "training", "Networks on", "straight-from-jpeg-training"),
        ("mnist", "paper", "Test accuracy by variant", None),
    ],
)
def test_results_fill_their_part_of_a_page(
    generate: Any, tmp_path: Path, name: str, kind: str, first: str, figure: str | None
) -> None:
    results = RESULTS[kind]()
    path = tmp_path / "results.jsonl"
    write_rows(path, (record.to_row() for record in results.of(Record)))
    text = generate.readme(PART.replace("clothing128", name), {name: path})
    assert text.startswith(f"before\n<!-- generated: {name} -->\n{first}")
    assert text.endswith("\n<!-- end -->\nafter\n")
    assert (figure is None) == ("![" not in text)
    assert figure is None or f"(docs/figures/{figure}.png)" in text
    assert "\nold\n" not in text
    for item in summary(results)[1:]:
        assert (item.to_markdown() if isinstance(item, Table) else item) in text


def test_without_results_a_part_stays_as_it_is(generate: Any) -> None:
    assert generate.readme(PART, {}) == PART


def test_results_without_a_place_in_the_readme_are_an_error(generate: Any, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="generated: other"):
        generate.readme(PART, {"other": ROOT / "results" / "mnist" / "results.jsonl"})


def test_commands_of_the_readme_exist() -> None:
    for script in ("demo", "test", "setup"):
        assert f"scripts/{script}" in README
        assert (ROOT / "scripts" / script).stat().st_mode & 0o111


PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]


def anchors(text: str) -> set[str]:
    """Names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings(page: str) -> None:
    path = ROOT / page
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)]*)\)", path.read_text()):
        if not target.startswith("http"):
            linked = path.parent / target if target else path
            assert linked.exists(), target
            assert not anchor or anchor in anchors(linked.read_text()), f"{target}#{anchor}"


def test_every_page_is_linked_from_the_readme() -> None:
    assert [page for page in PAGES[1:] if f"]({page})" not in README] == []
