"""The documentation states the same numbers of the committed results as when they were recorded.

    BANDWISE_REGENERATE_PINS=1 python -m pytest tests/pins    records them anew

Each generated part is made again from its results. Sentences and columns' names may change, and
lines may move; numbers may not, within a line.
"""

import json
import os
import re
from collections import Counter
from pathlib import Path

PINS = Path(__file__).with_name("results_numbers.json")
REGENERATE = os.environ.get("BANDWISE_REGENERATE_PINS") == "1"

NUMBER = re.compile(
    r"(?<![\w.])([-−+]?)(\d[\d,]*(?:\.\d+)?)(?: %? ?(fewer|more|less|above|below))?"
)
"""A number that is no part of a word or path, and what says that it is one more or one less."""

LEFT_OUT = dict.fromkeys(("mnist", "fashion-mnist"), r"\| (edges|input) |gain (edges|input) ")
"""Lines that are not pinned, by results: those of variants that are no part of the package."""

Lines = list[list[str]]


def numbers_of(line: str) -> list[str]:
    """Numbers of a line in order: those with a fraction, and whole ones from 100."""
    found = []
    for sign, digits, word in NUMBER.findall(re.sub(r"\]\(.*?\)|†|\*", "", line)):
        value = digits.strip(",").replace(",", "")
        if "." in value or float(value) >= 100:
            sign = {"−": "-", "+": ""}.get(sign, sign)
            found.append(f"{sign}{value}{' ' * bool(word)}{word}")
    return found


def parts(text: str) -> dict[str, Lines]:
    """Numbers of each generated part of a page, line by line, in an order that is always one."""
    found = re.findall(r"<!-- generated: (\S+) -->\n(.*?)<!-- end -->", text, re.DOTALL)
    pinned = {}
    for name, body in found:
        left_out = re.compile(LEFT_OUT.get(name, "(?!)"))
        lines = [numbers_of(line) for line in body.splitlines() if not left_out.match(line)]
        pinned[name] = sorted(filter(None, lines))
    return {name: lines for name, lines in pinned.items() if lines}


def test_numbers_of_the_documentation_are_those_that_were_recorded(
    documents: dict[Path, str],
) -> None:
    found = {name: each for text in documents.values() for name, each in parts(text).items()}
    if REGENERATE:
        body = ",\n".join(
            f"{json.dumps(name)}: [\n"
            + ",\n".join(f" {json.dumps(line)}" for line in lines)
            + "\n]"
            for name, lines in sorted(found.items())
        )
        PINS.write_text(f"{{\n{body}\n}}\n")
    pins: dict[str, Lines] = json.loads(PINS.read_text())
    assert found.keys() == pins.keys()
    for name, lines in pins.items():
        before, after = (Counter(map(tuple, each)) for each in (lines, found[name]))
        assert not before - after, f"{name}: lines with these numbers are no longer there"
        assert not after - before, f"{name}: lines with these numbers are new"


def test_numbers_are_read_with_their_signs_and_not_from_names() -> None:
    line = "| 1,165 B (−2.7 to +8.9 %), 3.4 % more on clothing128 ![x](docs/300.png) at 95 % |"
    assert numbers_of(line) == ["1165", "-2.7", "8.9", "3.4 more"]
