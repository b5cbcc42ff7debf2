"""A run: many measurements, with the machines that they were taken on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from stratoperf import media
from stratoperf.paths import is_directory, user_path
from stratoperf.results import storage
from stratoperf.results.schema import System
from stratoperf.results.validation import read_document
from stratoperf.text.safety import log_line

if TYPE_CHECKING:
    import pandas


class Run:
    """The results of a run, as read from a run file or as just measured.

    Parameters
    ----------
    document
        The tree of a run file, ``stratoperf.run/1``. Columns may also be arrays. The run keeps
        it: do not change it afterwards.
    path
        The file it was read from or saved to; references to ``.npz`` files are relative to it.

    Attributes
    ----------
    id, created, preset, command, stratoperf_version
        As in the run file; `created` is ISO 8601 in UTC.
    systems
        The machines of the run, by identity.
    results
        `Result` views, in the order of the file.
    path
        The run file, or ``None``.

    Raises
    ------
    SchemaError
        When the document does not follow the schema; names the file and the key path.
    """

    def __init__(self, document: dict[str, Any], path: str | Path | None = None) -> None:
        self.path = None if path is None else user_path("path", path)
        # Columns are read later: from the same place, wherever the working directory is by then.
        self._base = None if self.path is None else self.path.parent.absolute()
        header, systems, results = read_document(document, str(path or "run"), self._base)
        self._document = document
        self.id = header.id
        self.created = header.created
        self.preset = header.preset
        self.command = tuple(header.command)
        self.stratoperf_version = header.stratoperf_version
        self.systems: Mapping[str, System] = MappingProxyType(systems)
        self.results = results

    @property
    def document(self) -> Mapping[str, Any]:
        """The JSON tree: everything in the file, including keys that this version does not know."""
        return MappingProxyType(self._document)

    def save(self, path: str | Path) -> Path:
        """Write the run as JSON, long series in an ``.npz`` beside it.

        The file appears whole or not at all. The run itself does not change, and still reads
        its samples from the old place.

        Parameters
        ----------
        path
            The run file; its directory is created if necessary.

        Returns
        -------
        pathlib.Path
            `path`.

        Raises
        ------
        StratoperfError
            When it cannot be written.
        """
        path = user_path("path", path)
        storage.save_tree(self._document, self._base, path)
        return path

    def to_dataframe(self) -> pandas.DataFrame:
        """Return one row per result and metric.

        Columns are ``key``, ``benchmark``, ``backend``, ``status``, ``reason``, the parameters as
        ``params.NAME``, ``metric``, ``unit``, ``count``, ``mean``, ``stdev``, ``min``, ``max``,
        ``processes``, ``scope``, each quantile with its interval (``p50``, ``p50_low``,
        ``p50_high``, ...) and ``verdict``. A result without metrics has one row.

        Raises
        ------
        PrerequisiteMissing
            When pandas, from the extra ``dataframe``, is not installed.
        """
        from stratoperf.results.data_frame import data_frame

        return data_frame(self.results)

    def plot(self) -> media.Picture:
        """Draw the median and p99 of each result, with the interval of the median.

        Results of another unit than that of the most are left out.

        Raises
        ------
        InvalidParameter
            When no result has a value.
        """
        return media.picture(self)

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        baseline: Run | str | os.PathLike[str] | None = None,
        split: str | os.PathLike[str] | None = None,
    ) -> Path:
        """Write a report of the run: one page of HTML that needs nothing else.

        Parameters
        ----------
        path
            The file to write, which appears whole or not at all. Its directory is created if
            necessary.
        baseline
            A run, a run file or a directory of run files to compare it with.
        split
            A directory for the styles and the script, for servers whose policy forbids them
            within a page; see ``stratoperf report --split``.

        Returns
        -------
        pathlib.Path
            `path`.

        Raises
        ------
        InvalidParameter
            For a `path` that is a directory or a run file, and a baseline without runs.
        SchemaError
            When the baseline cannot be read.
        StratoperfError
            When a file cannot be written.
        """
        return media.report(self, path=path, baseline=baseline, split=split)

    def __repr__(self) -> str:
        counts: dict[str, int] = {}
        for result in self.results:
            counts[result.status] = counts.get(result.status, 0) + 1
        tally = ", ".join(f"{count} {status}" for status, count in counts.items())
        return log_line(f"<Run {self.id} of {self.created}: {tally or 'no results'}>")

    def _repr_html_(self) -> str:
        return media.html(self)


def load(path: str | Path) -> Run:
    """Load a run file, or the journal that an interrupted run left behind.

    Parameters
    ----------
    path
        A run file (``.json``), or a journal directory (``.journal``), of which the finished
        results are read.

    Raises
    ------
    SchemaError
        When the file is missing, truncated, of another version or does not follow the schema;
        names the file and the key path.
    """
    path = user_path("path", path)
    if is_directory(path):
        from stratoperf.results.journal_lines import read_journal
        from stratoperf.results.names import HEADER

        return Run(read_journal(path), path / HEADER)
    return Run(storage.read_tree(path), path)
