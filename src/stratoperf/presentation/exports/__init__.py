"""Runs in the formats of other tools, as text.

`FORMATS` has a function for each format that `stratoperf export` takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from stratoperf.presentation.exports.bencher import run_bmf
from stratoperf.presentation.exports.openmetrics import run_openmetrics
from stratoperf.presentation.exports.run_csv import run_csv
from stratoperf.presentation.exports.run_junit import run_junit
from stratoperf.presentation.exports.run_markdown import run_markdown
from stratoperf.presentation.exports.trace import run_trace
from stratoperf.results import Run

FORMATS: Mapping[str, Callable[[Run], str]] = MappingProxyType(
    {
        "csv": run_csv,
        "markdown": run_markdown,
        "junit": run_junit,
        "bmf": run_bmf,
        "openmetrics": run_openmetrics,
        "trace": run_trace,
    }
)
"""By the name that the command line takes."""

__all__ = ["FORMATS"]
