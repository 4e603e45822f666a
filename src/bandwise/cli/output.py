"""What commands print when they are done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from bandwise.results import Measurement, Results


def say(text: str, *, error: bool = False) -> None:
    """Print lines as they are: not wrapped, and no markup in them."""
    console = Console(stderr=error, highlight=False, soft_wrap=True)
    console.print(text, markup=False)


def printable(name: str) -> str:
    """Show a name that is no valid UTF-8, too."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def print_results(
    results: Results, *, bound: float | None = None, page_in: Path | None = None
) -> None:
    """Print a run's `bandwise.report.summary`, write its page, and say where its files are."""
    from bandwise.report import summary, write_report

    for item in summary(results) if bound is None else summary(results, bound=bound):
        if isinstance(item, str):
            say(item)
        else:
            Console(highlight=False).print(item.to_terminal())
    say(f"results {results.path}")
    if page_in is not None:
        say(f"report  {write_report(results, page_in)}")


def warn_of_chance(original: Measurement | None, labels: Sequence[int]) -> None:
    """Warn where a network is no more accurate on the originals than the commonest class alone.

    Within two standard errors: what such a network answers says nothing about files.

    Parameters
    ----------
    original
        The network's measurement on the uncompressed test images, if there is one.
    labels
        Those of the same images.
    """
    if original is None:
        return
    commonest = max(Counter(labels).values()) / len(labels)
    accuracy = original.accuracy
    if accuracy - commonest > 2 * (accuracy * (1 - accuracy) / len(labels)) ** 0.5:
        return
    say(
        f"note: the network's accuracy on the original test images is {accuracy:.2%}, and that of "
        f"the commonest class for all is {commonest:.2%}. A network at chance loses nothing to "
        "compression, so that the sizes here mean little; train it longer or give better weights."
    )
