"""The settings that every comparison is judged by, checked."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping

import msgspec

from stratoperf import arguments
from stratoperf.analysis.defaults import CONFIDENCE, THRESHOLD
from stratoperf.analysis.verdicts import check_threshold, check_thresholds


class ComparisonSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every comparison is judged by.

    Attributes
    ----------
    threshold
        Smallest slow-down that matters, as a fraction.
    thresholds
        Other thresholds by glob pattern of the benchmark's name; the first that matches counts.
    confidence
        Confidence of all intervals together.

    Raises
    ------
    InvalidParameter
        For a value out of range.
    """

    threshold: float = THRESHOLD
    thresholds: Mapping[str, float] | None = None
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        check_threshold(self.threshold)
        checked = check_thresholds(self.thresholds)
        msgspec.structs.force_setattr(self, "thresholds", checked)
        confidence = arguments.number("confidence", self.confidence, above=0.0, below=1.0)
        msgspec.structs.force_setattr(self, "confidence", confidence)

    def threshold_of(self, benchmark: str) -> float:
        """Return the threshold of a benchmark."""
        for pattern, threshold in (self.thresholds or {}).items():
            if fnmatch.fnmatchcase(benchmark, pattern):
                return threshold
        return self.threshold
