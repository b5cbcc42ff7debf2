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
    from stratoperf.analysis.paired import PairedDesign

__all__ = ["ComparedMetric", "Comparison", "Difference", "Failure", "PairedDesign", "Verdict"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ComparedMetric": "comparison",
        "Comparison": "comparison",
        "Difference": "comparison",
        "Failure": "comparison",
        "PairedDesign": "paired",
        "Verdict": "comparison",
    },
)
