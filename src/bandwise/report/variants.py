"""The variants of the experiment, in the order in which they are shown, and how they look.

Colours are those of Okabe and Ito ("Color Universal Design", 2008), which readers with any common
colour vision tell apart; line styles and markers differ too, for print without colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LineStyle = Literal["solid", "dashed"] | tuple[int, tuple[float, ...]]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A way to weigh bands.

    Attributes
    ----------
    label, meaning
        In words: for axes and tables, and as an explanation.
    colour, line, marker
        How it is drawn, the same in every figure.
    learned
        Whether its band weights change in training.
    comparable
        Whether its accuracy belongs on the same axis as the others'.
    """

    label: str
    meaning: str
    colour: str
    line: LineStyle
    marker: str
    learned: bool = True
    comparable: bool = True


VARIANTS: dict[str, Variant] = {
    "static": Variant(
        label="static",
        meaning="Uniform weights that stay at 1/K, which divides every coefficient by K. "
        "The paper's baseline.",
        colour="#d55e00",
        line="dashed",
        marker="s",
        learned=False,
    ),
    "adaptive": Variant(
        label="adaptive",
        meaning="Weights by softmax, learned with the network on the joint loss. "
        "The paper's method.",
        colour="#0072b2",
        line="solid",
        marker="o",
    ),
    "task-only": Variant(
        label="task only",
        meaning="As adaptive with λ = 0: only the task moves the weights.",
        colour="#009e73",
        line=(0, (6, 1.5, 1, 1.5)),
        marker="^",
    ),
    "reconstruction-only": Variant(
        label="reconstruction only",
        meaning="As adaptive, but the task's loss does not reach the weights. What moves them is "
        "the reconstruction term, which favours bands of high energy whatever the task is.",
        colour="#cc79a7",
        line=(0, (1, 1.2)),
        marker="v",
    ),
    "mean-one": Variant(
        label="mean one",
        meaning="As adaptive, with the weights multiplied by K so that their mean is 1: importance "
        "moves between bands and the scale of the input stays.",
        colour="#56b4e9",
        line=(0, (8, 2)),
        marker="D",
    ),
    "none": Variant(
        label="no weighting",
        meaning="The coefficients as they are.",
        colour="#1b1f24",
        line="solid",
        marker="X",
        learned=False,
    ),
    "shuffled": Variant(
        label="shuffled labels",
        meaning="As adaptive, trained on labels in random order: what the weights do when the "
        "labels say nothing about the images.",
        colour="#e69f00",
        line=(0, (2, 3)),
        marker="P",
        comparable=False,
    ),
    "edges": Variant(
        label="edge-adaptive",
        meaning="As adaptive, and the edges of the bands and the exponent of their distance are "
        "learned too.",
        colour="#6a3d9a",
        line=(0, (4, 1.5)),
        marker="p",
    ),
    "input": Variant(
        label="input-adaptive",
        meaning="As adaptive, with a small network that adds to the weights of each image what its "
        "band energies say.",
        colour="#7a6a00",
        line=(0, (5, 1.2, 1, 1.2, 1, 1.2)),
        marker="h",
    ),
}
"""By the name that result rows carry: the paper's, then the controls, then the extensions."""

PAPER = ("static", "adaptive")
EXTENSIONS = ("edges", "input")
CONTROLS = tuple(name for name in VARIANTS if name not in (*PAPER, *EXTENSIONS))
