"""A run as CSV: one row for each result and metric."""

from __future__ import annotations

import csv
import io

from stratoperf.results import Run
from stratoperf.results.data_frame import table_rows

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Spreadsheets compute a text that begins so."""


def run_csv(run: Run) -> str:
    """Render a run as CSV (RFC 4180) with a row of titles.

    The columns are those of `Run.to_dataframe`. A text that a spreadsheet would compute has an
    apostrophe before it.
    """
    rows = list(table_rows(run.results))
    titles = list(dict.fromkeys(title for row in rows for title in row))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_cell(title) for title in titles])
    writer.writerows([_cell(row.get(title)) for title in titles] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
