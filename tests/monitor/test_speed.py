from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from stratoperf.monitor.reference import Reading, between
from stratoperf.monitor.speed import references, speed, speed_warnings


def reference(
    integer: float = 2.0,
    memory: float | None = 100.0,
    *,
    changes: tuple[float, float] = (0.0, 0.0),
    buffer: int = 8,
) -> dict[str, Any]:
    """Return what a process records."""
    return {
        "integer_ns": integer,
        "memory_ns": memory,
        "integer_change": changes[0],
        "memory_change": None if memory is None else changes[1],
        "memory_bytes": 0 if memory is None else buffer,
    }


def test_a_machine_at_its_usual_speed_raises_no_warning() -> None:
    run = [reference() for _ in range(30)]
    judged = speed(run[:6], run, run)
    assert judged.integer == (2.0, 0.0, 1.0, 1.0)
    assert judged.memory == (100.0, 0.0, 1.0, 1.0)
    assert speed_warnings(judged) == []


@pytest.mark.parametrize(
    ("slow", "subject"), [(reference(2.5), "the CPU"), (reference(memory=125.0), "the memory")]
)
def test_a_case_on_a_slow_machine_is_warned_of(slow: dict[str, Any], subject: str) -> None:
    case = [slow] * 6
    (warning,) = speed_warnings(speed(case, [*case, *[reference()] * 24]))
    assert subject in warning
    assert "25 % slower" in warning
    assert "run" in warning


def test_a_case_on_a_fast_machine_is_warned_of() -> None:
    case = [reference(1.6)] * 6
    (warning,) = speed_warnings(speed(case, [*case, *[reference()] * 24]))
    assert "the CPU" in warning
    assert "25 % faster" in warning


def test_a_run_on_a_slow_machine_is_warned_of_where_earlier_runs_are_known() -> None:
    run = [reference(3.0)] * 12
    assert speed_warnings(speed(run[:6], run)) == []
    (warning,) = speed_warnings(speed(run[:6], run, [reference()] * 5))
    assert "50 % slower" in warning
    assert "earlier" in warning


def test_a_speed_that_moved_is_warned_of() -> None:
    case = [reference(2.0), reference(2.6), reference(2.0)]
    judged = speed(case, case)
    assert judged.integer is not None
    assert judged.integer.moved == pytest.approx(0.3)
    (warning,) = speed_warnings(judged)
    assert "the CPU" in warning
    assert "30 %" in warning


def test_a_speed_that_moved_within_a_process_is_warned_of() -> None:
    case = [between(Reading(2.0, 100.0, 8, ""), Reading(2.0, 140.0, 8, ""))]
    (warning,) = speed_warnings(speed(case, case))
    assert "the memory" in warning
    assert "40 %" in warning


def test_one_slow_process_of_eight_is_no_slow_machine_and_the_move_is_told() -> None:
    case = [reference()] * 7 + [reference(3.0)]
    judged = speed(case, case)
    assert judged.integer is not None
    assert judged.integer.of_run == 1.0
    (warning,) = speed_warnings(judged)
    assert "50 %" in warning


@pytest.mark.parametrize("missing", [[], [{}], [reference(math.nan, math.nan)]])
def test_what_was_not_read_is_unknown(missing: list[dict[str, Any]]) -> None:
    judged = speed(missing, [*missing, reference()], [reference()])
    assert (judged.integer, judged.memory) == (None, None)
    assert speed_warnings(judged) == []


def test_memory_that_was_not_read_leaves_the_integer_speed() -> None:
    judged = speed([reference(memory=None)], [reference(memory=None)])
    assert judged.integer is not None
    assert judged.memory is None


def test_times_over_buffers_of_different_length_are_not_compared() -> None:
    case = [reference(memory=50.0, buffer=4)] * 3
    judged = speed([*case, reference()], [*case, *[reference()] * 9], [reference()] * 9)
    assert judged.memory == (50.0, 0.0, 1.0, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"integer_ns": "2"},
        {"integer_ns": True},
        {"integer_ns": 0},
        {"integer_ns": -1.0},
        {"integer_ns": math.inf},
        {"integer_ns": 10**400},
        {"integer_change": None},
        {"integer_change": -1.0},
        {"integer_change": math.inf},
        {"integer_change": []},
        {"memory_bytes": "8"},
        {"memory_bytes": None},
        {"memory_ns": {}},
    ],
)
def test_a_file_that_holds_anything_is_no_reference(wrong: dict[str, Any]) -> None:
    name = next(iter(wrong)).partition("_")[0]
    judged = speed([reference() | wrong], [reference()])
    assert getattr(judged, name) is None
    speed([reference()], [reference() | wrong], [reference() | wrong])


def test_the_references_of_a_result_are_those_of_its_processes() -> None:
    one, other = reference(2.0), reference(3.0)
    first, second = ({"environment": {"reference": each}} for each in (one, other))
    assert references(first) == [one]
    assert references(second | {"processes": [first, {}]}) == [one]
    assert references({"environment": {}, "processes": [first, second]}) == [one, other]


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"environment": None},
        {"environment": {"reference": 5}},
        {"processes": [1, None, {"environment": {"reference": []}}]},
    ],
)
def test_a_result_without_references_has_none(result: dict[str, Any]) -> None:
    assert references(result) == []


def test_the_noise_of_the_readings_alone_raises_hardly_any_warning() -> None:
    generator = np.random.default_rng(1)
    warned = 0
    for _ in range(300):
        # A few steps of the clock, and the measured noise of both readings.
        clock = 2.0 * (1 + 0.035 * generator.integers(0, 4, (60, 2)))
        clock *= np.exp(0.005 * generator.standard_normal((60, 2)))
        memory = 100 * np.exp(0.025 * generator.standard_normal((60, 2)))
        run = [
            between(Reading(i, m, 8, ""), Reading(j, n, 8, ""))
            for (i, j), (m, n) in zip(clock.tolist(), memory.tolist(), strict=True)
        ]
        warned += bool(speed_warnings(speed(run[:10], run)))
    assert warned <= 6
