"""Pairs of processes, judged while they come in: a pre-planned group-sequential design.

Each pair ran both sides now, in random order, so drift between moments cancels within it, and the
logarithm of its ratio is symmetric about that of the true one. `signed_rank` bounds the center.

Looking several times spends the admissible error: by the time that a share ``t`` of the budget is
used, ``error * t**1.5`` of it (a spending function, Lan & DeMets 1983; the power family is that of
Kim & DeMets 1987). Each look gets what has become due since the one before; their sum bounds the
error of all looks together (Bonferroni), whatever their correlation, so nothing is assumed but
symmetry. When to look follows from the clock, never from who was faster, so it does not bias the
test.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from stratoperf.analysis.comparison import Verdict
from stratoperf.analysis.verdicts import check_threshold, verdict_of
from stratoperf.errors import InvalidParameter
from stratoperf.statistics import Estimate, signed_rank
from stratoperf.statistics.signed_rank import least_differences

LOOKS = (0.05, 0.1, 0.2, 0.35, 0.55, 0.75, 1.0)
"""Shares of the budget after which the interval is formed.

Close together where little time is lost by waiting and few where each costs error: a clear case
ends after a twentieth of the budget, a close one keeps a third of the error for the end.
"""

SPENDING_EXPONENT = 1.5

MOST_PAIRS = 2000
"""Pairs that one interval rests on at most; it forms all their pairwise means (16 MB)."""


class Look(msgspec.Struct, frozen=True):
    """What the pairs say at one moment.

    Attributes
    ----------
    ratio
        Current over baseline; its confidence is that of all looks together.
    verdict
        By the threshold.
    effect
        The share of pairs in which the current side was slower, ties counted half.
    pairs
        How many there are.
    """

    ratio: Estimate
    verdict: Verdict
    effect: float
    pairs: int


class Design:
    """Spends the admissible error on looks at pairs; what it makes of a pair is up to subclasses.

    Parameters
    ----------
    threshold
        As a fraction.
    error
        The probability with which any of the looks may miss the true ratio.

    Raises
    ------
    InvalidParameter
        For a threshold or an error out of range.
    """

    METHOD = ""
    """What bounds the ratio, in words."""

    def __init__(self, threshold: float, error: float) -> None:
        check_threshold(threshold)
        if not 0 < error < 1:
            raise InvalidParameter(f"error: must lie between 0 and 1, got {error}; 1 % is 0.01")
        self.threshold = threshold
        self.error = error
        self.pairs = 0
        self._spent = 0.0
        self._looks = 0

    @property
    def units(self) -> int:
        """How many units there are whose signs are independent: pairs, or groups of pairs."""
        return self.pairs

    def center(self, confidence: float) -> Estimate:
        """Return the logarithm of the ratio by all pairs so far, at least one."""
        raise NotImplementedError

    def effect(self) -> float:
        """Return the share of units in which the current side was slower, ties counted half."""
        raise NotImplementedError

    def least_pairs(self) -> int:
        """Return how many pairs an interval needs, if no look before it had one."""
        return least_differences(1 - self.error)

    def look(self, used: float) -> Look:
        """Form the interval, and spend the error that has become due.

        A look at too few pairs for an interval spends nothing: the error stays for later ones.

        Parameters
        ----------
        used
            The share of the budget used, in (0, 1]; it never falls.

        Raises
        ------
        InvalidParameter
            Before the first pair.
        """
        if not self.pairs:
            raise InvalidParameter("pairs: expected at least one pair, got none; add one first")
        due = self._due(used)
        center = self.center(1 - due)
        self._looks += 1
        if center.low is not None:
            self._spent += due
        ratio = Estimate(
            math.exp(center.value),
            None if center.low is None else math.exp(center.low),
            None if center.high is None else math.exp(center.high),
            1 - self.error,
            f"{center.method}, group-sequential, look {self._looks}",
        )
        return Look(ratio, verdict_of(ratio, self.threshold), self.effect(), self.pairs)

    def _due(self, used: float) -> float:
        if not 0 < used <= 1:
            raise InvalidParameter(f"used: must lie in (0, 1], got {used}")
        # Two looks at the same share leave nothing for the second; a tiny tail is never reached.
        return max(self.error * math.pow(used, SPENDING_EXPONENT) - self._spent, 1e-15)


class PairedDesign(Design):
    """Judges pairs by one value of either side, such as the medians of two processes.

    Parameters
    ----------
    threshold, error
        As for `Design`, errors too.
    """

    METHOD = "signed ranks of the log ratios (Hollander & Wolfe, sections 3.2 and 3.3)"

    def __init__(self, threshold: float, error: float) -> None:
        super().__init__(threshold, error)
        self._log_ratios: list[float] = []

    def add(self, baseline: float, current: float) -> None:
        """Add a pair: one value per side, both finite and above 0, lower is better.

        Raises
        ------
        InvalidParameter
            For a value that is not finite or not above 0.
        """
        for name, value in (("baseline", baseline), ("current", current)):
            if not (math.isfinite(value) and value > 0):
                raise InvalidParameter(f"{name}: must be finite and above 0, got {value}")
        self._log_ratios.append(math.log(current / baseline))
        self.pairs += 1

    def center(self, confidence: float) -> Estimate:
        """Return the center of the logarithms of the ratios; see `Design`."""
        center = signed_rank(np.asarray(self._log_ratios[-MOST_PAIRS:]), confidence)
        method = f"signed ranks of {self.pairs} pairs"
        return Estimate(center.value, center.low, center.high, confidence, method)

    def effect(self) -> float:
        """Return the share of pairs in which the current side was slower; see `Design`."""
        return share_above(np.asarray(self._log_ratios))


def share_above(differences: NDArray[np.float64]) -> float:
    """Return the share above 0, zeros counted half."""
    return float(np.mean((np.sign(differences) + 1) / 2))
