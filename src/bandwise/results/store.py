"""The one store of results: typed in memory, appended to one file, opened and resumed here."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

from bandwise.errors import ConfigurationError, OutputError, ResultsError
from bandwise.results.records import KINDS, Experiment, check_fits
from bandwise.results.rows import Record, line_of, read_rows, write_rows

RESULTS_NAME = "results.jsonl"

R = TypeVar("R", bound=Record)


class Results:
    """Records of one experiment in their order; a record replaces an older one of the same key.

    Records that are added are appended to the file at once, so that a killed run loses at most the
    line it was writing. Rows of kinds that are not known stay in the file and are not read.

    Parameters
    ----------
    path
        File of the results.
    records
        Those that the file holds, the experiment among them.
    """

    def __init__(self, path: Path, records: Iterable[Record]) -> None:
        self.path = path
        self._records: dict[tuple[Any, ...], Record] = {}
        for record in records:
            self._records[record.key] = record

    @classmethod
    def open(
        cls, folder: Path, experiment: Experiment, *, allowed_entries: Collection[str] = ()
    ) -> Self:
        """Start a results file in a folder, or go on with the one of the same experiment.

        A new file may lie beside the files and folders in `allowed_entries`, but no others. Half a
        line at the end of a file, which a killed run leaves, is dropped.

        Raises
        ------
        OutputError
            For a folder that holds something else, or cannot be written.
        ConfigurationError
            For results of another recipe, data set or bands, of other settings, or of a network of
            the same name with other weights.
        ResultsError
            For a file that is damaged.
        """
        path = folder / RESULTS_NAME
        check_output_folder(folder, allowed_entries=allowed_entries)
        if not path.exists():
            write_rows(path, [experiment.to_row()])
            return cls(path, [experiment])
        results = cls.load(path)
        _drop_half_line(path)
        there = results.experiment
        if differences := list(_differences(there, experiment)):
            raise ConfigurationError(
                f"{folder} holds another experiment ({'; '.join(differences)}); choose another "
                "output folder, or the same data, network and settings to resume"
            )
        results.add(replace(there, networks={**there.networks, **experiment.networks}))
        return results

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a results file, or the one in a folder; half a line at its end is left out.

        Raises `ResultsError` that names the file, the line and the field.
        """
        path = path / RESULTS_NAME if path.is_dir() else path
        return cls.from_rows(read_rows(path), path=path)

    @classmethod
    def from_rows(
        cls, rows: Iterable[Mapping[str, Any]], *, path: Path = Path(RESULTS_NAME)
    ) -> Self:
        """Read rows as `load` does; `path` is named in errors."""
        experiment: Experiment | None = None
        records: list[Record] = []
        for number, row in enumerate(rows, start=1):
            if (kind := KINDS.get(row.get("record", ""))) is None:
                continue
            where = f"{path}, line {number}"
            record = kind.from_row(row, where)
            if isinstance(record, Experiment):
                if experiment and list(_differences(experiment, record)):
                    raise ResultsError(
                        f"{where}: a second experiment; keep the results of each in a file of its "
                        "own"
                    )
                experiment = record
            elif experiment is not None:
                try:
                    check_fits(record, experiment)
                except ResultsError as error:
                    raise ResultsError(f"{where}, {error}") from error
            records.append(record)
        if experiment is None:
            raise ResultsError(
                f"{path}: no row with record 'experiment'; was the file cut or edited?"
            )
        return cls(path, records)

    @property
    def experiment(self) -> Experiment:
        """What was run."""
        return next(each for each in self._records.values() if isinstance(each, Experiment))

    def of(self, kind: type[R]) -> list[R]:
        """Records of a kind, in order."""
        return [record for record in self._records.values() if isinstance(record, kind)]

    def find(self, kind: type[R], *identity: Any) -> R | None:
        """Record of a kind with the values of its identity; None where there is none."""
        found = self._records.get((kind.kind, *identity))
        return found if isinstance(found, kind) else None

    def add(self, *records: Record) -> None:
        """Take records in and append them to the file, as far as they are not there already."""
        new: dict[tuple[Any, ...], Record] = {}
        lines = b""
        for record in records:
            row, known = record.to_row(), new.get(record.key, self._records.get(record.key))
            if known is None or known.to_row() != row:
                lines += line_of(row)
                new[record.key] = record
        if new:
            _append(self.path, lines)
            self._records.update(new)


def check_output_folder(folder: Path, *, allowed_entries: Collection[str] = ()) -> None:
    """Raise `OutputError` for a folder without results that holds more than `allowed_entries`."""
    if (folder / RESULTS_NAME).exists() or not folder.exists():
        return
    if not folder.is_dir() or any(each.name not in allowed_entries for each in folder.iterdir()):
        raise OutputError(
            f"{folder} is not empty and holds no bandwise results; "
            "choose a new or empty output folder"
        )


def _differences(there: Experiment, asked: Experiment) -> Iterable[str]:
    """What of two experiments does not fit together."""
    if there.recipe != asked.recipe:
        yield f"recipe: {there.recipe} there, {asked.recipe} asked for"
    if there.dataset.sha256 != asked.dataset.sha256:
        yield f"data set: {there.dataset.name} there, {asked.dataset.name} asked for"
    rows = [json.loads(json.dumps(each.to_row())) for each in (there, asked)]
    if rows[0].get("bands") != rows[1].get("bands"):
        yield f"bands: {rows[0].get('bands')} there, {rows[1].get('bands')} asked for"
    theirs, ours = (row["settings"] for row in rows)
    for name in (theirs.keys() & ours.keys()) - {"device"}:
        if theirs[name] != ours[name]:
            yield f"{name}: {theirs[name]} there, {ours[name]} asked for"
    for name, sha256 in asked.networks.items():
        if there.networks.get(name, sha256) != sha256:
            yield f"network {name} with other weights"


def _append(path: Path, data: bytes) -> None:
    """Append to a file; where that fails half-way, the file is as it was."""
    try:
        with path.open("ab") as stream:
            before = stream.tell()
            try:
                stream.write(data)
                stream.flush()
            except OSError:
                os.truncate(path, before)
                raise
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}; "
            "free some space or choose another output folder"
        ) from error


def _drop_half_line(path: Path) -> None:
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        os.truncate(path, data.rfind(b"\n") + 1)
