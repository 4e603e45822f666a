"""The targets of fuzz/ on their seeds and on seeded changes of them; atheris goes much further."""

import os
import random

import pytest

from fuzz.targets import TARGETS, Target

CHANGES = int(os.environ.get("BANDWISE_FUZZ_CHANGES", "60"))


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_documented_errors_comes_out(name: str) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow")
    target, chance = TARGETS[name], random.Random(name)
    seeds = target.seeds()
    outcomes = {target(data) for data in seeds}
    assert True in outcomes
    for _ in range(CHANGES):
        data = chance.choice(seeds)
        for _ in range(chance.choice((1, 1, 3))):
            data = target.change(data, chance)[: target.limit]
        outcomes.add(target(data))
    target(b"")
    assert outcomes == ({True, False} if target.errors else {True})


def test_what_is_not_documented_is_found() -> None:
    def read(data: bytes) -> None:
        raise KeyError(data)

    target = Target(read=read, errors=(ValueError,), seeds=list)
    with pytest.raises(KeyError):
        target(b"x")
