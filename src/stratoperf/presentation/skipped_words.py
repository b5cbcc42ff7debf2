"""Skipped cases in words: one sentence for each reason."""

from __future__ import annotations

from collections.abc import Iterable

from stratoperf.results import Result
from stratoperf.text.alike_cases import cases_of


def skipped_texts(results: Iterable[Result]) -> list[str]:
    """Return a sentence for each reason, such as ``skipped: 39 cases of a, b and c on cuda: ...``.

    Results that were not skipped have none.
    """
    benchmarks: dict[tuple[str, str], list[str]] = {}
    for result in results:
        if result.status == "skipped":
            group = (result.backend, result.reason or "no reason given")
            benchmarks.setdefault(group, []).append(result.benchmark)
    return [
        f"skipped: {cases_of(names)} on {backend}: {reason}"
        for (backend, reason), names in benchmarks.items()
    ]
