"""The ``bandwise`` command and how it reports errors."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import Annotated

import typer
from rich.console import Console

from bandwise.errors import BandwiseError

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130

LIST_OPTIONS = frozenset({"--seeds", "--variants"})
"""Options that take several values after one name: ``--seeds 0 1 2``."""

app = typer.Typer(
    name="bandwise",
    help="Learn which image frequencies a network needs, and stop paying for the rest.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


@app.callback()
def _options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Print the traceback of an error.")
    ] = False,
) -> None:
    """Learn which image frequencies a network needs, and stop paying for the rest."""
    _state["debug"] = debug


_state = {"debug": False}


def application() -> typer.Typer:
    """Return ``app`` with all commands, whose modules register themselves when imported."""
    from bandwise.cli import report, reproduce  # noqa: F401

    return app


def main() -> None:
    """Run the command line; errors become one message and a non-zero exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line with ``arguments`` and return its exit code."""
    try:
        application()(spread(arguments, LIST_OPTIONS), prog_name="bandwise")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BandwiseError as error:
        return _failed(error, f"error: {error}")
    except Exception as error:  # the last line of defence: no traceback without --debug
        kind = type(error).__name__
        return _failed(error, f"internal error ({kind}): {error}\nRun with --debug for details.")
    return 0


def spread(arguments: Sequence[str], options: Collection[str]) -> list[str]:
    """Repeat the name of a list option before each of its values, as click reads them.

    >>> spread(["--seeds", "0", "1", "--out", "x"], {"--seeds"})
    ['--seeds', '0', '--seeds', '1', '--out', 'x']
    """
    result: list[str] = []
    current: str | None = None
    for argument in arguments:
        if argument.startswith("-"):
            current = argument if argument in options else None
        elif current is not None and result[-1] != current:
            result.append(current)
        result.append(argument)
    return result


def _failed(error: Exception, message: str) -> int:
    if _state["debug"]:
        raise error
    _say(message)
    return EXIT_ERROR


def _say(message: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(message, markup=False)
