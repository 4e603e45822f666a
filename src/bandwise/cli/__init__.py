"""The command line: parse, call, print."""

from bandwise.cli.main import application, main

__all__ = ["application", "main"]
