"""The command line: parse, call, print."""

from bandwise.cli.main import app, main

__all__ = ["app", "main"]
