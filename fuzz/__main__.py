"""Run targets with atheris and count what was tried.

    python -m fuzz [TARGET ...] [--runs 50000] [--seconds 300] [--work FOLDER]

A target is a process of its own under libFuzzer, with 2 GiB of memory and 20 seconds an input at
most; Python is watched, native code is not. What ends a target early, an error that none of its
callers is told of, a hang, a crash, is left in FOLDER/TARGET with the bytes that did it, and fails
the whole. Prints Markdown. Needs atheris (pip install atheris), which the tests do not.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

MEMORY_MIB, SECONDS_AN_INPUT = 2048, 20
OWN_CHANGES = 0.6
"""Share of inputs that are changed as their format wants it, not by libFuzzer."""


def fuzz(name: str, arguments: list[str]) -> None:
    """Become libFuzzer on a target; never returns."""
    import atheris

    with atheris.instrument_imports(include=["bandwise", "PIL", "tarfile"]):
        from fuzz.targets import TARGETS
    target = TARGETS[name]

    def changed(data: bytes, limit: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < OWN_CHANGES:
            return target.change(data, chance)[:limit]
        own: bytes = atheris.Mutate(data, limit)
        return own

    corpus = Path(arguments[0])
    for data in target.seeds():
        (corpus / hashlib.sha256(data).hexdigest()).write_bytes(data)
    options = [*arguments, f"-max_len={target.limit}"]
    atheris.Setup([sys.argv[0], *options], target, custom_mutator=changed)
    atheris.Fuzz()


def run(name: str, *, runs: int, seconds: int, work: Path) -> bool:
    """Fuzz a target in a process of its own; whether it did no harm."""
    folder = work / name
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    limits = {
        "runs": runs,
        "max_total_time": seconds,
        "rss_limit_mb": MEMORY_MIB,
        "timeout": SECONDS_AN_INPUT,
        "print_final_stats": 1,
        "artifact_prefix": f"{folder}/",
    }
    with (folder / "log.txt").open("w") as log:
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "fuzz", name, "--inside", f"{folder / 'corpus'}"),
                *(f"-{option}={value}" for option, value in limits.items()),
            ],
            stdout=log,
            stderr=log,
            check=False,
        )
    told = dict(re.findall(r"^stat::(\w+):\s+(\d+)", (folder / "log.txt").read_text(), re.M))
    counts = [int(told.get(f, 0)) for f in ("number_of_executed_units", "average_exec_per_sec")]
    outcome = "nothing" if ended.returncode == 0 else f"see {folder}"
    memory = told.get("peak_rss_mb", "?")
    print(f"| {name} | {counts[0]:,} | {counts[1]:,} | {memory} | {outcome} |", flush=True)
    return ended.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all if none is given")
    parser.add_argument("--runs", type=int, default=50_000, help="of each target")
    parser.add_argument("--seconds", type=int, default=300, help="for each target at most")
    parser.add_argument("--work", type=Path, help="folder for inputs and logs; kept if given")
    parser.add_argument("--inside", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        fuzz(asked.targets[0], asked.inside)
    from fuzz.targets import TARGETS

    if unknown := set(asked.targets) - TARGETS.keys():
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    print("| target | executions | a second | peak MiB | found |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as temporary:
        work = (asked.work or Path(temporary)).absolute()
        outcomes = [
            run(name, runs=asked.runs, seconds=asked.seconds, work=work)
            for name in asked.targets or TARGETS
        ]
    sys.exit(not all(outcomes))


if __name__ == "__main__":
    main()
