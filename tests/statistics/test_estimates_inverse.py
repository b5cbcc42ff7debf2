"""The estimate of an inverse."""

from __future__ import annotations

import stratoperf as sp
from stratoperf.statistics.estimates import inverse


def test_the_bounds_of_an_inverse_change_places() -> None:
    assert inverse(sp.Estimate(2.0, 1.0, 4.0, 0.95, "any")) == sp.Estimate(
        0.5, 0.25, 1.0, 0.95, "any"
    )


def test_a_bound_of_zero_or_none_leaves_its_side_open() -> None:
    assert inverse(sp.Estimate(2.0, 0.0, None, 0.95, "any")) == sp.Estimate(
        0.5, None, None, 0.95, "any"
    )
