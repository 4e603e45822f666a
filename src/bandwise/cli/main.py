"""The ``bandwise`` command: its commands, how it ends, and how it reports errors."""

from __future__ import annotations

import signal
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module, metadata
from types import FrameType
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from bandwise.cli.output import say
from bandwise.errors import BandwiseError, ConfigurationError, ErrorRateError

COMMANDS = {
    "encode": "Encode images as the smallest standard JPEG files that keep a model's answer.",
    "evaluate": "Measure accuracy against real bytes, for profiles and for other codecs.",
    "experiment": "Run an experiment that compares methods, and write its report.",
    "export": "Write a trained model as an ONNX file, for programs without PyTorch.",
    "learn": "Learn quantisation tables for a network and keep those that meet a target.",
    "predict": "Classify JPEG files with a trained model.",
    "report": "Redraw every figure and report.html from results.jsonl alone.",
    "reproduce": "Run the paper's experiment: static against learned band weights.",
    "train": "Train a network on a folder of JPEG files.",
    "verify": "Check what `encode` has written: every hash, every table, every image.",
}
"""Every command with its line in ``bandwise --help``, which is how its own help begins.

``NAME`` is the function ``NAME`` of ``bandwise.cli.NAME``, or a group of commands there. That
module is imported only when its command is used, so that help, usage errors and light commands do
not wait for PyTorch.
"""

LIST_OPTIONS = frozenset(
    f"--{name}"
    for name in ("codecs", "keep", "retrained-seeds", "seeds", "slopes", "twins", "variants")
)
"""Options that take several values after one name, ``--seeds 0 1 2``, in commands where they do."""

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_SKIPPED = 3
EXIT_TOO_MANY_ERRORS = 4
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

EXIT_CODES = {
    0: "done",
    EXIT_ERROR: "an error, said in one message",
    EXIT_USAGE: "wrong usage, or a setting that cannot work",
    EXIT_SKIPPED: "done, but something was skipped",
    EXIT_TOO_MANY_ERRORS: "stopped, since too much was skipped",
    EXIT_INTERRUPTED: "interrupted (Ctrl-C)",
    EXIT_TERMINATED: "terminated (SIGTERM)",
}
"""What ``bandwise`` returns to the shell."""


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived; whatever handles Ctrl-C handles it too."""


class CommandGroup(typer.core.TyperGroup):
    """Lists commands without importing them, and says in one line that one was interrupted.

    A command that can be resumed adds a note to the ``KeyboardInterrupt`` that says so.
    """

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that ``args`` begin with, and import it."""
        name, _, rest = super().resolve_command(ctx, args)
        if not name:
            return name, None, rest
        command = load_command(name)
        options = [each for _, leaf in leaves(name, command) for each in leaf.params]
        lists = {each.opts[0] for each in options if getattr(each, "multiple", False)}
        return name, command, spread(rest, LIST_OPTIONS & lists)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            terminated = isinstance(stop, Terminated)
            notes = getattr(stop, "__notes__", [])
            say("; ".join(["terminated" if terminated else "interrupted", *notes]), error=True)
            raise typer.Exit(EXIT_TERMINATED if terminated else EXIT_INTERRUPTED) from None


app = typer.Typer(
    name="bandwise",
    cls=CommandGroup,
    help="Learn which image frequencies a network needs, and stop paying for the rest.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog="Exit codes: " + "; ".join(f"{code} {why}" for code, why in EXIT_CODES.items()) + ".",
)

_state = {"debug": False}


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"bandwise {metadata.version('bandwise')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print the traceback of an error.")
    ] = False,
) -> None:
    _state["debug"] = debug


def application() -> typer.Typer:
    """Return ``app`` with every command listed."""
    if not app.registered_commands:
        for name, summary in COMMANDS.items():
            app.command(name, help=summary)(_listed)
    return app


def _listed() -> None:
    """Stand in the list for a command that is not imported yet."""


def load_command(name: str) -> Any:
    """Import a command of ``COMMANDS`` and return what parses its options."""
    found = getattr(import_module(f"bandwise.cli.{name}"), name)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    alone = typer.Typer(add_completion=False, rich_markup_mode="markdown")
    alone.command(name)(found)
    return typer.main.get_command(alone)


def leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield a command, or those of a group, by the words that call it: ``experiment NAME``."""
    group = getattr(command, "commands", None)
    if group is None:
        yield name, command
    else:
        for below, each in group.items():
            yield from leaves(f"{name} {below}", each)


def all_commands() -> Iterator[tuple[str, Any]]:
    """Import every command, and yield it by the words that call it."""
    for name in COMMANDS:
        yield from leaves(name, load_command(name))


def main() -> None:
    """Run the command line; errors become one message and a non-zero exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line with ``arguments`` and return its exit code."""
    try:
        with _sigterm_as_interrupt():
            application()(arguments, prog_name="bandwise")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except ConfigurationError as error:
        return _failed(error, f"error: {error}", EXIT_USAGE)
    except ErrorRateError as error:
        return _failed(error, f"error: {error}", EXIT_TOO_MANY_ERRORS)
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


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _failed(error: Exception, message: str, code: int = EXIT_ERROR) -> int:
    if _state["debug"]:
        raise error
    say(message, error=True)
    return code
