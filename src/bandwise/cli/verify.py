"""``bandwise verify``: whether the output of ``bandwise encode`` is as it was written."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bandwise.cli import options as opt
from bandwise.cli.output import printable, say
from bandwise.cli.progress import ProgressDisplay
from bandwise.dataset import Verified
from bandwise.dataset import verify as verify_output
from bandwise.errors import DamagedOutputError
from bandwise.executors import executor_of
from bandwise.wording import quantity

PROBLEMS_SHOWN = 20


def verify(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Output folder of `encode`.")],
    workers: Annotated[int | None, typer.Option(help="Processes; one a core if not given.")] = None,
    as_json: opt.Json = False,
) -> None:
    """Check what `encode` has written: every hash, every table, every image.

    Reads a tree or shards whole: each file's hash and size are those of its entry, each image has
    the tables of the run's profile and decodes, each shard accounts for all images that it was made
    from, nothing is missing and nothing else is there. What is wrong is said file by file. Exit
    code: 0 all is well, 1 something is wrong or there is nothing to check, 2 wrong usage.

    Example: bandwise verify photos-small
    """
    with warnings.catch_warnings(), ProgressDisplay() as progress:
        warnings.simplefilter("ignore")
        executor = executor_of("local", workers)
        found = verify_output(out, executor=executor, progress=progress)
    if as_json:
        print(json.dumps(asdict(found), indent=2))
    else:
        say(_in_words(found))
    for problem in found.problems[:PROBLEMS_SHOWN]:
        say(f"{printable(problem.path)}: {problem.what}", error=True)
    if found.problems:
        raise DamagedOutputError(
            f"{quantity(len(found.problems), 'problem')} in {out}; remove the files that are named "
            "and run `encode` again with --resume"
        )


def _in_words(found: Verified) -> str:
    text = f"{quantity(found.images, 'image')} whole"
    if found.shards:
        text += f" in {quantity(found.shards, 'shard')}"
    return text + (f", {found.quarantined:,} quarantined" if found.quarantined else "")
