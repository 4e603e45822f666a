"""Progress on a terminal and in a log."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from bandwise.cli.progress import ProgressDisplay, progress_text
from bandwise.dataset import Totals
from bandwise.progress import Progress
from bandwise.results import Epoch, Run


def epoch(number: int, *, weights: tuple[float, ...] = (0.75, 0.25)) -> Epoch:
    return Epoch(
        variant="adaptive",
        seed=0,
        epoch=number,
        train_loss=0.5,
        train_task_loss=0.4,
        validation_loss=0.25,
        validation_task_loss=0.25,
        validation_accuracy=0.875,
        band_weights=weights,
        train_seconds=2.0,
        images=1000,
    )


RUN = Run(
    variant="adaptive",
    seed=3,
    epochs=12,
    best_epoch=7,
    stopped_early=True,
    test_accuracy=0.8625,
    test_per_class=(0.8625,),
    band_weights=(0.75, 0.25),
    train_seconds=24.0,
    images_per_second=500.0,
    provenance={},
)


@pytest.mark.parametrize(
    ("progress", "seconds", "text"),
    [
        (
            Progress(stage="x", done=300, total=1200),
            2.0,
            "x 300/1,200, 150 images/s, 0:00:06 left",
        ),
        (Progress(stage="x", done=9, total=18, unit="files"), 4.0, "x 9/18, 2.2 files/s, 0:00:04"),
        (Progress(stage="x", done=1, total=3, unit="runs"), 4.0, "x 1/3, 15.0 runs/min, 0:00:08"),
        (Progress(stage="x", done=5, total=None), 1.0, "x 5, 5.0 images/s"),
        (Progress(stage="x", done=0, total=3), 4.0, "x 0/3"),
        (Progress(stage="x", done=10**6, total=None, unit="bytes"), 1.0, "x 1,000,000, 1.0 MB/s"),
        (Progress(stage="x", done=1, total=2, detail=0.25), 1.0, "x 1/2, loss 0.250, 1.0 images/s"),
        (
            Progress(stage="x", done=1, total=2, unit="epochs", detail=epoch(1)),
            3.0,
            "x 1/2, 500 images/s, loss 0.500, validation 87.50%, █▃, 0:00:03 left",
        ),
        (
            Progress(stage="x", done=1, total=2, unit="epochs", detail=epoch(1, weights=(1, 1))),
            3.0,
            "x 1/2, 500 images/s, loss 0.500, validation 87.50%, 0:00:03 left",
        ),
        (
            Progress(stage="runs", done=1, total=1, unit="runs", detail=RUN),
            30.0,
            "runs 1/1, adaptive seed 3: test accuracy 86.25% at epoch 7 of 12, 24 s",
        ),
        (
            Progress(
                stage="encoding",
                done=30,
                total=40,
                detail=Totals(planned=40, encoded=20, kept=10, bytes_in=2000, bytes_out=500),
            ),
            2.0,
            "encoding 30/40, 2.0 kB → 500 bytes (75% saved), 10 images/s, 0:00:01 left",
        ),
    ],
)
def test_a_line_has_count_result_rate_and_time_left(
    progress: Progress, seconds: float, text: str
) -> None:
    assert progress_text(progress, seconds).startswith(text)


def clock(*times: float) -> Iterator[float]:
    yield from times


def test_without_a_terminal_a_line_is_printed_now_and_then_and_for_each_epoch() -> None:
    file = io.StringIO()
    times = clock(0.0, 4.0, 10.0, 12.0, 20.0, 21.0, 22.0)
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
