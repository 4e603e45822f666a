"""docs/api.md: the public names with their signatures, from the docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

MODULES = (
    "bandwise",
    "bandwise.bands",
    "bandwise.compressors",
    "bandwise.training",
    "bandwise.tasks",
    "bandwise.tasks.networks",
    "bandwise.data",
    "bandwise.data.epochs",
    "bandwise.data.files",
    "bandwise.data.coefficients",
    "bandwise.dct_domain",
    "bandwise.frequencies",
    "bandwise.tables",
    "bandwise.coefficients",
    "bandwise.jpeg",
    "bandwise.transform",
    "bandwise.profile",
    "bandwise.encoding",
    "bandwise.progress",
    "bandwise.executors",
    "bandwise.pipeline",
    "bandwise.rate",
    "bandwise.learning",
    "bandwise.guidance",
    "bandwise.evaluation",
    "bandwise.inference",
    "bandwise.results",
    "bandwise.statistics",
    "bandwise.report",
    "bandwise.errors",
)
"""In the order of the page; a name is described where it is listed first."""


class _Plain(str):
    """Text that is shown as it is, without quotation marks."""

    __slots__ = ()
    __repr__ = str.__str__


def api_reference() -> str:
    """Markdown of every public name of ``MODULES``."""
    parts = ["# Python API", "", "Generated from the docstrings by `docs/generate.py`.", ""]
    described: set[int] = set()
    for module_name in MODULES:
        module = import_module(module_name)
        summary = (inspect.getdoc(module) or "").splitlines()[0]
        parts += [f"## {module_name}", "", summary, ""]
        for name, value in _public(module):
            if id(value) not in described:
                described.add(id(value))
                parts += _entry(name, value)
    return "\n".join(parts)


def _public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Classes and functions in ``__all__``, or else those that the module defines."""
    for name in getattr(module, "__all__", vars(module)):
        value = getattr(module, name)
        own = hasattr(module, "__all__") or getattr(value, "__module__", "") == module.__name__
        describable = inspect.isclass(value) or inspect.isroutine(value)
        if own and describable and not name.startswith("_"):
            yield name, value


def _entry(name: str, value: Any) -> list[str]:
    summary, _, rest = (inspect.getdoc(value) or "").partition("\n")
    parts = [f"### {name}", ""]
    if signature := _signature(value):
        parts += ["```python", f"{name}{signature}", "```", ""]
    parts += [summary, ""]
    if rest.strip():
        parts += ["```text", rest.strip("\n"), "```", ""]
    if members := [*_members(value)] if inspect.isclass(value) else []:
        parts += [*members, ""]
    return parts


def _members(value: type) -> Iterator[str]:
    for name, member in vars(value).items():
        documented = inspect.getdoc(member) if not name.startswith("_") else None
        if not documented or isinstance(member, str | int | float | tuple):
            continue
        function = getattr(member, "__func__", member)
        signature = " ".join(_signature(function).split()) if inspect.isfunction(function) else ""
        yield f"- `{name}{signature}`: {documented.splitlines()[0]}"


def _signature(value: Any) -> str:
    """Signature, one line a parameter where it is long; none of exceptions and named tuples."""
    if inspect.isclass(value) and issubclass(value, BaseException | tuple):
        return ""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    parameters = [
        parameter.replace(
            annotation=_plain(parameter.annotation), default=_default(parameter.default)
        )
        for name, parameter in signature.parameters.items()
        if name not in ("self", "cls")
    ]
    returns = _plain(signature.return_annotation)
    if inspect.isclass(value):
        returns = inspect.Signature.empty
    text = str(inspect.Signature(parameters, return_annotation=returns))
    if len(text) <= 80:
        return text
    listed = str(inspect.Signature(return_annotation=returns)).removeprefix("()")
    star = inspect.Parameter.KEYWORD_ONLY
    lines: list[str] = []
    for number, parameter in enumerate(parameters):
        if parameter.kind is star and (not number or parameters[number - 1].kind is not star):
            lines.append("*")
        lines.append(str(parameter))
    return "(\n" + "".join(f"    {line},\n" for line in lines) + f"){listed}"


def _plain(annotation: Any) -> Any:
    return _Plain(annotation) if isinstance(annotation, str) else annotation


def _default(value: Any) -> Any:
    """Name a function, whose representation has an address; a lambda is an ellipsis."""
    if not inspect.isfunction(value):
        return value
    return _Plain("..." if value.__name__ == "<lambda>" else value.__name__)
