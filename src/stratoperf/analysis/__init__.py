"""Compare measurements: verdicts whose error rates are known, on machines that are not quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratoperf.lazy import lazy_names

if TYPE_CHECKING:
    from stratoperf.analysis.comparison import (
        ComparedMetric,
        Comparison,
        Difference,
        Failure,
        Verdict,
    )
    from stratoperf.analysis.gate import Decision, decide
    from stratoperf.analysis.paired_design import PairedDesign
    from stratoperf.analysis.thresholds import Thresholds, load_thresholds

__all__ = [
    "ComparedMetric",
    "Comparison",
    "Decision",
    "Difference",
    "Failure",
    "PairedDesign",
    "Thresholds",
    "Verdict",
    "decide",
    "load_thresholds",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ComparedMetric": "comparison",
        "Comparison": "comparison",
        "Decision": "gate",
        "Difference": "comparison",
        "Failure": "comparison",
        "PairedDesign": "paired_design",
        "Thresholds": "thresholds",
        "Verdict": "comparison",
        "decide": "gate",
        "load_thresholds": "thresholds",
    },
)
