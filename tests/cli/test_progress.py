"""Progress on a terminal and in a log."""

import io
from typing import Any

import pytest
from rich.console import Console

from bandwise.cli.progress import ProgressDisplay, progress_text
from bandwise.dataset import Totals
from bandwise.progress import Progress
from bandwise.results import Epoch, Run
from tests.results import rows


def epoch(number: int, *, weights: tuple[float, ...] = (0.75, 0.25)) -> Epoch:
    measured = {"train_loss": 0.5, "validation_accuracy": 0.875, "train_seconds": 2.0}
    changes = {"epoch": number, "images": 1000, "band_weights": [*weights], **measured}
    return Epoch.from_row(rows.EPOCH | changes)


RUN = Run.from_row(
    rows.RUN
    | {"variant": "adaptive", "seed": 3, "epochs": 12, "best_epoch": 7}
    | {"test_accuracy": 0.8625, "train_seconds": 24.0}
)


def of(done: int, total: int | None = None, *, stage: str = "x", **more: Any) -> Progress:
    return Progress(stage=stage, done=done, total=total, **more)


TOTALS = Totals(planned=40, encoded=20, kept=10, bytes_in=2000, bytes_out=500)


@pytest.mark.parametrize(
    ("progress", "seconds", "text"),
    [
        (of(300, 1200), 2.0, "x 300/1,200, 150 images/s, 0:00:06 left"),
        (of(1, 3, unit="runs"), 4.0, "x 1/3, 15.0 runs/min, 0:00:08"),
        (of(5), 1.0, "x 5, 5.0 images/s"),
        (of(0, 3), 4.0, "x 0/3"),
        (of(10**6, unit="bytes"), 1.0, "x 1,000,000, 1.0 MB/s"),
        (of(1, 2, detail=0.25), 1.0, "x 1/2, loss 0.250, 1.0 images/s"),
        (
            of(1, 2, unit="epochs", detail=epoch(1)),
            3.0,
            "x 1/2, 500 images/s, loss 0.500, validation 87.50%, █▃, 0:00:03 left",
        ),
        (
            of(1, 2, unit="epochs", detail=epoch(1, weights=(1, 1))),
            3.0,
            "x 1/2, 500 images/s, loss 0.500, validation 87.50%, 0:00:03 left",
        ),
        (
            of(1, 1, stage="runs", unit="runs", detail=RUN),
            30.0,
            "runs 1/1, adaptive seed 3: test accuracy 86.25% at epoch 7 of 12, 24 s",
        ),
        (
            of(30, 40, stage="encoding", detail=TOTALS),
            2.0,
            "encoding 30/40, 2.0 kB → 500 bytes (75% saved), 10 images/s, 0:00:01 left",
        ),
    ],
)
def test_a_line_has_count_result_rate_and_time_left(
    progress: Progress, seconds: float, text: str
) -> None:
    assert progress_text(progress, seconds).startswith(text)


def test_without_a_terminal_a_line_is_printed_now_and_then_and_for_each_epoch() -> None:
    file = io.StringIO()
    times = iter((0.0, 4.0, 10.0, 12.0, 20.0, 21.0, 22.0))
    with ProgressDisplay(Console(file=file, width=40), clock=lambda: next(times)) as display:
        for done in (4, 10, 12, 20):
            display(Progress(stage="encoding", done=done, total=40))
        for done in (1, 2):
            detail = epoch(done)
            display(Progress(stage="t", done=done, total=3, unit="epochs", detail=detail))
    shown = file.getvalue().splitlines()
    assert shown[:2] == [
        "encoding 10/40, 1.0 images/s, 0:00:30 left",
        "encoding 20/40, 1.0 images/s, 0:00:20 left",
    ]
    assert [line[:5] for line in shown[2:]] == ["t 1/3", "t 2/3"]
    assert shown[3].endswith("0:00:01 left")


def test_on_a_terminal_stages_that_are_under_way_have_a_row_each() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=120)

    def report(stage: str, done: int, detail: object = None) -> set[str]:
        display(Progress(stage=stage, done=done, total=3, unit="epochs", detail=detail))
        return {str(task.description).split(",")[0] for task in display._bars.tasks}

    with ProgressDisplay(console) as display:
        assert report("a, epoch 1", 1, 0.5) == {"a"}
        assert report("b, epoch 1", 2, 0.5) == {"a", "b"}
        assert report("b", 1, epoch(1)) == {"a", "b 1/3"}
        assert report("b", 3, epoch(3)) == {"a"}
    assert "b 3/3" in file.getvalue()
    assert file.getvalue().endswith("\x1b[2K")
