"""A network that guesses is named as one."""

import io

import numpy as np
import pytest
from rich.console import Console

from bandwise.cli.chance import warn_of_chance
from bandwise.measures import Point


def said(right: int, labels: list[int]) -> str:
    stream = io.StringIO()
    point = Point(
        codec="original",
        family="original",
        label="original",
        split="test",
        image_bytes=None,
        image_correct=(np.arange(len(labels)) < right).astype(np.float64),
        divergence=0.0,
        agreement=1.0,
        seeds=(0,),
    )
    warn_of_chance(Console(file=stream), point, labels)
    return stream.getvalue()


@pytest.mark.parametrize("right", [0, 50, 60, 69])
def test_no_better_than_the_commonest_class_is_said(right: int) -> None:
    assert f"names {right}.00% of the original" in said(right, [0] * 60 + [1] * 40)
    assert "for all would be right for 60.00%" in said(right, [0] * 60 + [1] * 40)


@pytest.mark.parametrize("right", [70, 90, 100])
def test_a_network_that_knows_its_images_is_left_alone(right: int) -> None:
    assert said(right, [0] * 60 + [1] * 40) == ""


def test_without_originals_nothing_is_said() -> None:
    stream = io.StringIO()
    warn_of_chance(Console(file=stream), None, [0, 1])
    assert stream.getvalue() == ""
