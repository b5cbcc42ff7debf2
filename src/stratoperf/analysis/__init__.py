"""Compare measurements: verdicts whose error rates are known, on machines that are not quiet."""

from stratoperf.analysis.comparison import ComparedMetric, Comparison, Difference, Failure, Verdict
from stratoperf.analysis.paired import PairedDesign

__all__ = ["ComparedMetric", "Comparison", "Difference", "Failure", "PairedDesign", "Verdict"]
