"""How fast the machine was beside each process of a case, and values at its usual speed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from stratoperf.results.combined_environment import plausible_reading, reference_reading
from stratoperf.results.process_result import ProcessResult
from stratoperf.results.ranges import LARGEST, SMALLEST
from stratoperf.statistics.estimates import Estimate, inverse
from stratoperf.statistics.next_run import movement
from stratoperf.statistics.scaling import at_speed


class Speeds:
    """How fast the machine was while each part was measured, against its usual speed.

    Attributes
    ----------
    moved
        How far its speed moves; ``None`` where too little is known.
    """

    def __init__(
        self,
        parts: Sequence[ProcessResult],
        reading: str,
        usual: float | None,
        earlier: Sequence[float],
    ) -> None:
        self._name = reading
        self._readings = {
            id(part.tree): reference_reading(part.result.environment, reading) for part in parts
        }
        own = [reading for reading in self._readings.values() if reading is not None]
        self._usual = plausible_reading(float(np.median(own)) if usual is None and own else usual)
        others = [step for step in map(plausible_reading, earlier) if step is not None]
        self.moved = movement(own, others)

    def over(self, name: str, parts: Sequence[ProcessResult]) -> Estimate | None:
        """Return the location of the medians at the usual speed.

        There is none where a reading is unknown, or where the medians do not follow the speed.
        """
        if self._usual is None:
            return None
        values, readings = [], []
        for part in parts:
            metric = part.result.metrics[name]
            median = None if metric.summary is None else metric.summary.p50
            reading = self._readings[id(part.tree)]
            if median is None or reading is None or not median.value > 0:
                return None
            values.append(median.value)
            readings.append(reading)
        unit = parts[0].result.metrics[name].unit
        estimate = None
        if unit == "ns":
            estimate = at_speed(values, readings, self._usual, moved=self.moved)
        elif unit.endswith("/s"):
            times = [1 / value for value in values]
            time = at_speed(times, readings, self._usual, moved=self.moved)
            estimate = None if time is None else inverse(time)
        estimate = storable(estimate)
        return None if estimate is None else self._named(estimate)

    def _named(self, estimate: Estimate) -> Estimate:
        method = (
            f"{estimate.method}, to that at which a step of the {self._name} reference takes "
            f"{self._usual:.4g} ns"
        )
        return msgspec.structs.replace(estimate, method=method)


def storable(estimate: Estimate | None) -> Estimate | None:
    """Return the estimate without what no run file holds: bounds of absurd sizes bound nothing."""
    if estimate is None or not abs(estimate.value) <= LARGEST:
        return None
    value, low, high = (
        None
        if number is None or abs(number) > LARGEST
        else 0.0
        if abs(number) < SMALLEST
        else number
        for number in (estimate.value, estimate.low, estimate.high)
    )
    return msgspec.structs.replace(estimate, value=value, low=low, high=high)
