"""What a comparison writes beside the text: Markdown, JUnit XML, annotations, JSON."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratoperf.cli.comparison_options import Reports
from stratoperf.errors import StratoperfError

if TYPE_CHECKING:
    from stratoperf.analysis.comparison import Comparison
    from stratoperf.analysis.gate import Decision
    from stratoperf.cli.exits import ExitCode

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""Names the file whose Markdown GitHub Actions shows on the page of a job; steps append to it."""


def check_places(reports: Reports) -> None:
    """Make sure, before anything is measured, that the files can be written.

    Raises
    ------
    InvalidParameter
        For a folder that cannot be written to, a file that holds a run, and one file for two
        reports.
    """
    from stratoperf.errors import InvalidParameter
    from stratoperf.results.files import check_directory, check_no_run

    for name, path in (("--markdown", reports.markdown), ("--junit", reports.junit)):
        if path is None:
            continue
        check_no_run(path, name)
        if not path.exists():
            check_directory(path.parent, name)
    if reports.markdown is not None and _same(reports.markdown, reports.junit):
        raise InvalidParameter(
            f"--junit: --markdown writes to {reports.junit} too; give another file"
        )


def publish(
    comparison: Comparison,
    decision: Decision,
    code: ExitCode,
    reports: Reports,
    *,
    is_gate: bool,
) -> None:
    """Show the comparison, and write the reports.

    Raises
    ------
    StratoperfError
        When a file cannot be written.
    """
    from stratoperf.presentation.terminal.comparison_view import (
        show_comparison,
        show_decision,
        show_place,
        show_verdict,
    )
    from stratoperf.presentation.terminal.screen import Screen
    from stratoperf.presentation.terminal.streams import OutputLost

    screen = Screen.stderr() if reports.as_json else Screen.stdout()
    try:
        show_comparison(screen, comparison)
        if is_gate:
            show_decision(screen, decision)
        else:
            show_verdict(screen, comparison)
        show_place(screen, comparison)
        _print_annotations(comparison, decision, reports, is_gate=is_gate)
        if reports.as_json:
            _print_json(comparison, code, decision if is_gate else None)
    except (OutputLost, BrokenPipeError):
        if comparison.run_path is not None:
            Screen.stderr().line(f"saved: {comparison.run_path}")
        raise
    finally:
        # Even if the reader of the output is gone.
        _write_files(comparison, decision, reports, is_gate=is_gate)


def _write_files(
    comparison: Comparison, decision: Decision, reports: Reports, *, is_gate: bool
) -> None:
    """Write the files that were asked for, and as a gate in GitHub Actions the step's summary."""
    from stratoperf.presentation.junit import comparison_junit
    from stratoperf.presentation.markdown import comparison_markdown

    summary = comparison_markdown(comparison, decision if is_gate else None)
    step = os.environ.get(STEP_SUMMARY)
    if step and is_gate:
        _append_summary(Path(step), summary)
    if reports.markdown is not None and not (step and is_gate and _same(reports.markdown, step)):
        _write(reports.markdown, summary)
    if reports.junit is not None:
        _write(reports.junit, comparison_junit(comparison, decision))


def _append_summary(path: Path, summary: str) -> None:
    """Write the step's summary where that is possible: in a container the file may be missing."""
    from stratoperf.presentation.terminal.screen import Screen

    try:
        _write(path, summary, mode="a")
    except StratoperfError as error:
        Screen.stderr().paragraph(f"warning: {STEP_SUMMARY}: {error}", "yellow")


def _print_annotations(
    comparison: Comparison, decision: Decision, reports: Reports, *, is_gate: bool
) -> None:
    """Print annotations where they were asked for, or as a gate in GitHub Actions.

    GitHub reads them on either stream; under ``--json`` stdout is not theirs.
    """
    from stratoperf.presentation.annotations import github_annotations
    from stratoperf.presentation.terminal.screen import print_annotation

    if reports.annotations or (is_gate and os.environ.get("GITHUB_ACTIONS") == "true"):
        for line in github_annotations(comparison, decision):
            print_annotation(line, beside_json=reports.as_json)


def _print_json(comparison: Comparison, code: ExitCode, decision: Decision | None) -> None:
    """Print all of it as JSON."""
    from stratoperf.presentation.terminal.screen import print_json
    from stratoperf.results.storage import finite

    document: dict[str, Any] = comparison.to_dict()
    if decision is not None:
        document["decision"] = decision.to_dict()
    document["exit_code"] = int(code)
    print_json(finite(document))


def _write(path: Path, text: str, mode: str = "w") -> None:
    from stratoperf.results.files import describe_failure

    # What is written to an existing name stays that file, which may be a device or a pipe.
    with describe_failure(path), path.open(mode, encoding="utf-8") as file:
        file.write(text)


def _same(path: Path, other: str | Path | None) -> bool:
    return other is not None and path.resolve() == Path(other).resolve()
