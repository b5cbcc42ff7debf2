"""From records to rates."""

from __future__ import annotations

import pytest
from scipy import stats

from gate.plan import Trial
from gate.rates import BOTH, Cell, cells, clopper_pearson, tail_cells
from gate.records import Record
from gate.simulated import live_record


def found(records: list[Record], gate: str, operation: str = BOTH, slowdown: float = 0.0) -> Cell:
    (cell,) = (
        cell
        for cell in cells(records)
        if (cell.gate, cell.operation, cell.slowdown) == (gate, operation, slowdown)
    )
    return cell


def test_no_alarm_in_300_checks_leaves_room_for_less_than_one_percent() -> None:
    # The rule of three in its exact form: (1 - p) ** 300 = 0.05.
    cell = found([live_record(0.0, "same", number) for number in range(300)], "live")
    assert cell.rate == 0
    assert cell.at_most == pytest.approx(1 - 0.05 ** (1 / 300))
    assert cell.at_most < 0.01
    assert cell.low == 0
    assert cell.high == pytest.approx(1 - 0.025 ** (1 / 300))


@pytest.mark.parametrize(("hits", "checks"), [(0, 1), (3, 60), (30, 60), (60, 60)])
def test_the_interval_leaves_out_rates_that_make_the_count_improbable(
    hits: int, checks: int
) -> None:
    low, high = clopper_pearson(hits, checks, 0.95)
    if hits > 0:
        assert stats.binom.sf(hits - 1, checks, low) == pytest.approx(0.025)
    else:
        assert low == 0
    if hits < checks:
        assert stats.binom.cdf(hits, checks, high) == pytest.approx(0.025)
    else:
        assert high == 1


def test_only_slower_is_an_alarm_or_a_detection() -> None:
    verdicts = ["slower", "faster", "same", "inconclusive", "inconclusive"]
    cell = found([live_record(0.0, verdict) for verdict in verdicts], "live")
    assert (cell.checks, cell.slower, cell.faster, cell.inconclusive) == (5, 1, 1, 2)
    assert cell.rate == pytest.approx(0.2)


def test_operations_are_counted_apart_and_together() -> None:
    other = Trial("live", "gate.python", 0.0, 0.05).name
    records = [live_record(0.0, "same"), live_record(0.0, "slower", trial=other)]
    assert found(records, "live").rate == 0.5
    assert found(records, "live", "gate.native").rate == 0
    assert found(records, "live", "gate.python").rate == 1


def test_slow_downs_are_counted_apart() -> None:
    records = [live_record(0.0, "same"), live_record(0.1, "slower")]
    assert found(records, "live").rate == 0
    assert found(records, "live", slowdown=0.1).rate == 1


def test_one_check_serves_all_rules_that_judged_it() -> None:
    record = {
        "trial": Trial("rules", "gate.native", 0.0, 0.05).name,
        "verdicts": {"medians": "slower", "criterion": "same", "criterion-floor": "faster"},
        "criterion": {"mean": 0.0, "low": -0.02, "high": 0.02, "p_value": 0.5},
        "decided_s": 10.0,
    }
    assert found([record], "medians").slower == 1
    assert found([record], "criterion").slower == 0
    assert found([record], "criterion-floor").faster == 1


def test_precision_sessions_are_no_checks() -> None:
    record = live_record(0.0, "slower", trial=Trial("precision", "gate.native", 0.0, 0.05).name)
    assert cells([record]) == []


def test_the_half_width_is_relative_and_the_time_a_median() -> None:
    records = [
        live_record(0.0, "same", low=1 / 1.02, high=1.02, decided_s=5.0),
        live_record(0.0, "same", low=1 / 1.04, high=1.04, decided_s=7.0),
        live_record(0.0, "inconclusive", low=None, high=None, decided_s=10.0),
    ]
    cell = found(records, "live")
    assert cell.half_width == pytest.approx(0.03)
    assert cell.seconds == 7.0


def test_tails_are_counted_apart_from_medians_with_exact_bounds() -> None:
    trial = Trial("p95", "gate.planted", 0.06, 0.2).name
    identical = Trial("p99", "gate.locked", 0.0, 0.2).name
    records = [
        live_record(0.0, "same"),
        *(live_record(0.06, "slower", trial=trial) for _ in range(9)),
        live_record(0.06, "same", trial=trial),
        *(live_record(0.0, "inconclusive", trial=identical) for _ in range(300)),
    ]
    assert found(records, "live").checks == 1
    apart = {(cell.gate, cell.operation): cell for cell in tail_cells(records)}
    assert set(apart) == {
        (gate, operation)
        for gate, operation in (("p95", "gate.planted"), ("p99", "gate.locked"))
        for operation in (BOTH, operation)
    }
    assert (apart["p95", "gate.planted"].slower, apart["p95", "gate.planted"].checks) == (9, 10)
    assert apart["p99", BOTH].at_most < 0.01
