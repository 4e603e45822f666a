"""Whether a network knows its images at all: without that, no accuracy is lost by any file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console

from bandwise.measures import Point


def warn_of_chance(console: Console, original: Point | None, labels: Sequence[int]) -> None:
    """Print a note where originals are named no more rightly than by guessing.

    That is by always naming the commonest class, within two standard errors of the accuracy.

    Parameters
    ----------
    original
        What the network does on uncompressed images, if that was measured.
    labels
        Those of the same images.
    """
    if original is None:
        return
    commonest = max(Counter(labels).values()) / len(labels)
    accuracy = original.accuracy
    if accuracy - commonest > 2 * (accuracy * (1 - accuracy) / len(labels)) ** 0.5:
        return
    console.print(
        f"note: the network names {accuracy:.2%} of the original test images rightly; naming the "
        f"commonest class for all would be right for {commonest:.2%}. It knows hardly anything "
        "that files could lose, so that the sizes here mean little; train it longer or give better "
        "weights.",
        highlight=False,
        soft_wrap=True,
    )
