"""Write a report: one file, or a page with its styles and its script beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from stratoperf import media
from stratoperf.errors import InvalidParameter
from stratoperf.paths import is_directory, user_path
from stratoperf.presentation.report.page import Assets, page, script, styles
from stratoperf.presentation.report.subject import Source, Subject, subject_of
from stratoperf.results import Run
from stratoperf.results.files import atomic_file, check_directory, check_no_run

_CSS, _JS = "stratoperf-report.css", "stratoperf-report.js"


class Written(NamedTuple):
    """A report that was written: its files, and what it shows."""

    path: Path
    assets: tuple[Path, ...]
    subject: Subject


@media.report.shows(Run)
def report_run(
    run: Run,
    path: str | os.PathLike[str],
    baseline: Source | None = None,
    split: str | os.PathLike[str] | None = None,
) -> Path:
    """Write the report of one run; see `Run.report`."""
    folder = None if split is None else user_path("split", split)
    return write_report([run], user_path("path", path), baseline, folder).path


def write_report(
    sources: Iterable[Source],
    path: Path,
    baseline: Source | None = None,
    split: Path | None = None,
    names: tuple[str, str] = ("path", "split"),
) -> Written:
    """Write the report of some runs.

    Parameters
    ----------
    sources, baseline
        As `subject_of` takes them.
    path
        The page. It appears whole or not at all.
    split
        The directory for the styles and the script; ``None`` for within the page.
    names
        How the user calls `path` and `split`, for messages.

    Raises
    ------
    InvalidParameter
        For a path that cannot be written, and as `subject_of` does.
    SchemaError
        When a run cannot be read.
    StratoperfError
        When a file cannot be written.
    """
    _check(path, split, names)
    subject = subject_of(sources, baseline)
    if split is None:
        _write(path, page(subject))
        return Written(path, (), subject)
    assets = (split / _CSS, split / _JS)
    links = Assets(*(_address(path, asset) for asset in assets))
    text = page(subject, links)
    for asset, content in zip(assets, (styles(), script()), strict=True):
        _write(asset, content)
    _write(path, text)
    return Written(path, assets, subject)


def _check(path: Path, split: Path | None, names: tuple[str, str]) -> None:
    """Make sure, before anything is read, that the files can be written."""
    if is_directory(path):
        raise InvalidParameter(
            f"{names[0]}: {path} is a directory; name a file in it, such as {path / 'report.html'}"
        )
    if str(path) == "-":
        raise InvalidParameter(f"{names[0]}: a report is a file; name one, such as report.html")
    check_no_run(path, names[0])
    check_directory(path.absolute().parent, names[0])
    if split is not None:
        page_path, folder = (given.resolve() for given in (path, split))
        if page_path in (folder, *folder.parents, folder / _CSS, folder / _JS):
            raise InvalidParameter(
                f"{names[1]}: the files in {split} and the page {path} would be in each other's "
                "place; name another folder, such as parts"
            )
        check_directory(split, names[1])


def _address(path: Path, asset: Path) -> str:
    """Return the address of a file as the page calls it."""
    relative = os.path.relpath(asset.absolute(), path.absolute().parent)
    return quote(Path(relative).as_posix())


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as file:
        file.write(text.encode())
