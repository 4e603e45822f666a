"""The results file of an evaluation: what is there, and what is added."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from bandwise.errors import ConfigurationError, OutputError, ResultsError
from bandwise.evaluation.codecs import Codec, Setting
from bandwise.evaluation.points import Conditions
from bandwise.measures import ORIGINAL
from bandwise.results import RESULTS_NAME, Row, read_rows, write_rows

_WRITING_SHARE = 0.05

_Key = tuple[Any, ...]


class Ledger:
    """Rows of one experiment; every row has a key, and a row replaces that of the same key.

    The file is whole at every moment. It is written again when a row comes, or, where there are so
    many rows that this would take over a twentieth of the time, a little later.
    """

    def __init__(self, path: Path, rows: Iterable[Row]) -> None:
        self.path = path
        self._rows = {_key(row): row for row in rows}
        self._due = 0.0

    @classmethod
    def open(cls, out: Path, experiment: Row, *, beside: Collection[str] = ()) -> Self:
        """Start a results file in `out`, or go on with the one of the same experiment.

        A new file may lie beside files and folders named in `beside`, but no others. Raises
        `OutputError` for a folder with something else in it, `ConfigurationError` for another
        recipe or data set, or a network of the same name with other weights.
        """
        path = out / RESULTS_NAME
        if path.exists():
            rows = read_rows(path)
            try:
                merged = _merged(path, rows[0], experiment)
                ledger = cls(path, [merged, *rows[1:]])
            except (AttributeError, TypeError) as error:
                raise ResultsError(
                    f"{path} has rows with other entries than an evaluation writes ({error}); "
                    "choose another output folder"
                ) from error
        else:
            check_folder(out, beside=beside)
            ledger = cls(path, [experiment])
        ledger.flush()
        return ledger

    def has(self, codec: Codec, setting: Setting, conditions: Conditions) -> bool:
        """Whether a setting with the same options was measured under the same conditions."""
        found = self._point(codec.name, setting.family, setting.label, conditions)
        return found is not None and found.get("setting") == dict(setting.options)

    def has_original(self, conditions: Conditions) -> bool:
        """Whether the uncompressed reference was measured under the same conditions."""
        return self._point(ORIGINAL, ORIGINAL, ORIGINAL, conditions) is not None

    def _point(self, codec: str, family: str, label: str, conditions: Conditions) -> Row | None:
        names = {"codec": codec, "family": family, "label": label, **asdict(conditions)}
        return self._rows.get(_key({"record": "point", **names}))

    def rows(self) -> list[Row]:
        """Every row, in order."""
        return list(self._rows.values())

    def add(self, *rows: Row) -> None:
        """Take in rows and, unless the file was written a moment ago, write it."""
        self._rows.update((_key(row), row) for row in rows)
        if time.monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Write the file."""
        started = time.monotonic()
        write_rows(self.path, self._rows.values())
        ended = time.monotonic()
        self._due = ended + (ended - started) / _WRITING_SHARE


def check_folder(out: Path, *, beside: Collection[str] = ()) -> None:
    """Raise `OutputError` for a folder without results that holds more than names in `beside`."""
    if (out / RESULTS_NAME).exists() or not out.exists():
        return
    if not out.is_dir() or any(entry.name not in beside for entry in out.iterdir()):
        raise OutputError(
            f"{out} is not empty and holds no bandwise results; choose a new or empty output folder"
        )


def _key(row: Mapping[str, Any]) -> _Key:
    names = {
        "point": ("codec", "family", "label", "split", "protocol", "network", "seed"),
        "profile": ("family", "label", "network"),
        "example": ("index", "codec"),
        "learning": ("family", "network"),
        "codebook": ("family", "seed"),
        "choices": ("family", "label", "split", "seed"),
    }.get(row["record"], ())
    return row["record"], *(row.get(name) for name in names)


def _merged(path: Path, found: Row, wanted: Row) -> Row:
    """The experiment's row there, with the networks of both, where the two fit together."""
    differences = []
    if (recipe := found.get("recipe")) != wanted["recipe"]:
        differences.append(f"recipe: {recipe} there, {wanted['recipe']} asked for")
    there, here = found.get("dataset", {}), wanted["dataset"]
    if there.get("sha256") != here["sha256"]:
        differences.append(f"data set: {there.get('name')} there, {here['name']} asked for")
    networks = found.get("networks", {})
    differences += [
        f"network {name} with other weights"
        for name, sha256 in wanted["networks"].items()
        if networks.get(name, sha256) != sha256
    ]
    if differences:
        raise ConfigurationError(
            f"{path.parent} holds another experiment ({'; '.join(differences)}); choose another "
            "output folder, or the same data and network to resume"
        )
    return {**found, "networks": {**networks, **wanted["networks"]}}
