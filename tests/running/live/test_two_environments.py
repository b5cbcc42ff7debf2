"""Pairs of workers: one benchmark in two environments."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.running.live.pair_source import SIDES, SideFailed
from stratoperf.running.live.two_environments import (
    COARSER,
    LEAST_SLICES,
    LONGEST_SAMPLE_S,
    MOST_SAMPLES,
    SLICE_S,
    TAIL_SLICES,
    WorkerPairs,
    slicing,
)
from stratoperf.running.workers.answers import Ready
from stratoperf.running.workers.guard import MARK
from stratoperf.running.workers.protocol import SLICES
from wording import says

EnvironmentOf = Callable[..., sp.Environment]

PATIENCE_S = 100.0
NEVER = math.inf

COUNTED = """
    @sp.benchmark("counted", params={"n": [100]}, items="n", item_unit="numbers")
    def counted(n):
        def verify():
            return 3
        yield sp.Operation(lambda: sum(range(n)), verify=verify)
    """


def pairs(
    baseline: sp.Environment, current: sp.Environment, benchmark: str, **params: Any
) -> WorkerPairs:
    """Return pairs of a benchmark; a parameter that is a dict has a value for each side."""
    sides = {"baseline": baseline, "current": current}
    questions = {
        side: {
            "modules": list(sides[side].modules),
            "benchmark": benchmark,
            "backend": "cpu",
            "params": {
                name: value[side] if isinstance(value, dict) else value
                for name, value in params.items()
            },
        }
        for side in SIDES
    }
    return WorkerPairs({side: sides[side] for side in SIDES}, questions, PATIENCE_S)


@pytest.mark.parametrize("number", ["-1", "2.5", "True", "'many'", "2**63"])
def test_a_check_that_returns_no_count_is_refused_as_by_measure(
    environment_of: EnvironmentOf, number: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match="number of outcomes") as here:
        sp.measure(
            sp.Operation(lambda: None, verify=lambda: eval(number)), warmup_s=0, max_duration_s=1e-3
        )
    side = environment_of(COUNTED.replace("return 3", f"return {number}"))
    with pytest.raises(SideFailed) as there:
        pairs(side, side, "counted", n=50).measure("baseline", 1, verify=True, deadline=NEVER)
    assert str(here.value) in str(there.value)


def test_a_pair_has_samples_of_a_fresh_process_on_either_side(
    environment_of: EnvironmentOf,
) -> None:
    side = environment_of(COUNTED)
    source = pairs(side, side, "counted", n=50)
    arms = source.measure("baseline", 7, verify=True, deadline=NEVER)
    assert arms["baseline"].batch == arms["current"].batch
    for arm in arms.values():
        assert len(arm.latency) >= SLICES
        assert (arm.latency > 0).all()
        assert (arm.items, arm.item_unit, arm.checked) == (50.0, "numbers", 3)
        assert arm.warmup is not None
        assert arm.warmup["iterations"] > 0
        assert arm.started_ns > 0
    others = source.measure("current", 8, verify=False, deadline=NEVER)
    assert others["current"].checked is None
    assert len({arm.process for pair in (arms, others) for arm in pair.values()}) == 4


def test_nothing_differs_between_the_sides_but_what_is_compared(
    environment_of: EnvironmentOf, tmp_path: Path
) -> None:
    side = environment_of(
        f"""
        import json, resource
        @sp.benchmark("telling", params={{"side": [""]}})
        def telling(side):
            facts = {{
                "environ": dict(os.environ),
                "affinity": sorted(os.sched_getaffinity(0)),
                "nice": os.nice(0),
                "directory": os.getcwd(),
                "path": sys.path,
                "executable": sys.executable,
                "flags": repr(sys.flags),
                "hash": hash("any"),
                "umask": os.umask(0o22),
                "limits": [resource.getrlimit(which) for which in range(10)],
                "signals": sorted(map(str, signal.pthread_sigmask(signal.SIG_BLOCK, []))),
                "descriptors": len(os.listdir("/proc/self/fd")),
            }}
            with open({str(tmp_path)!r} + f"/facts-{{side}}.json", "w") as file:
                json.dump(facts, file)
            return lambda: None
        """
    )
    pairs(side, side, "telling", side=dict(zip(SIDES, SIDES, strict=True))).measure(
        "current", 5, verify=True, deadline=NEVER
    )
    baseline, current = (
        json.loads((tmp_path / f"facts-{side}.json").read_text()) for side in SIDES
    )
    assert baseline == current
    # And both are as the caller is.
    assert baseline["affinity"] == sorted(os.sched_getaffinity(0))
    assert baseline["environ"].pop("PYTHONHASHSEED") == "5"
    assert baseline["environ"].pop(MARK)
    assert baseline["environ"].items() <= os.environ.items()
    assert baseline["directory"] == str(Path.cwd())


def test_the_current_directory_shadows_nothing_that_is_installed(
    environment_of: EnvironmentOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "checkout"
    for package in ("stratoperf", "numpy"):
        (checkout / package).mkdir(parents=True)
        (checkout / package / "__init__.py").write_text("raise ImportError('a checkout')")
    monkeypatch.chdir(checkout)
    side = environment_of(COUNTED)
    arms = pairs(side, side, "counted", n=10).measure("baseline", 1, verify=False, deadline=NEVER)
    assert len(arms["current"].latency) >= SLICES


def test_a_long_operation_gets_fewer_slices_so_that_there_are_many_pairs(
    environment_of: EnvironmentOf,
) -> None:
    side = environment_of(
        """
        @sp.benchmark("slow")
        def slow():
            return lambda: time.sleep(0.15)
        """
    )
    arms = pairs(side, side, "slow").measure("baseline", 1, verify=False, deadline=NEVER)
    for arm in arms.values():
        assert len(arm.latency) == LEAST_SLICES
        assert arm.latency.min() >= 0.15e9


def test_a_worker_has_torn_down_before_the_pair_is_over(
    environment_of: EnvironmentOf, tmp_path: Path
) -> None:
    side = environment_of(
        f"""
        @sp.benchmark("tidy")
        def tidy():
            path = {str(tmp_path)!r} + f"/scratch-{{os.getpid()}}"
            open(path, "w").close()
            yield lambda: None
            time.sleep(0.2)
            os.remove(path)
        """
    )
    pairs(side, side, "tidy").measure("baseline", 1, verify=False, deadline=NEVER)
    assert list(tmp_path.glob("scratch-*")) == []


def ready(batch: int, iteration_ns: float, left: int | None = None) -> Ready:
    warmup = {"seconds": 0.0, "iterations": 0}
    return Ready(batch, iteration_ns, 1.0, "iterations", warmup, left)


@pytest.mark.parametrize(
    ("baseline", "current", "expected"),
    [
        # The usual case: microseconds.
        (ready(10, 1e3), ready(12, 1e3), (12, SLICES)),
        (ready(1, 1e6), ready(1, 2e6), (1, SLICES)),
        # A hundred times slower: the batch of the fast side does no harm yet.
        (ready(1000, 10), ready(10, 1e3), (1000, SLICES)),
        # A million times slower.
        (ready(1000, 10), ready(1, 1e7), (int(LONGEST_SAMPLE_S / 10e-3), LEAST_SLICES)),
        (ready(1000, 10), ready(1, 1e10), (1, LEAST_SLICES)),
        # Long on both sides.
        (ready(1, 30e6), ready(1, 30e6), (1, 6)),
        (ready(1, 50e6), ready(1, 50e6), (1, 4)),
        (ready(1, 1e9), ready(1, 1e9), (1, LEAST_SLICES)),
        # Where only so many iterations may be done.
        (ready(1, 1e3, left=1000), ready(1, 1e3), (1, SLICES)),
        (ready(1, 1e3, left=13), ready(1, 1e3), (1, 6)),
        (ready(1, 1e3, left=4), ready(1, 1e3, left=40), (1, LEAST_SLICES)),
        (ready(100, 10, left=40), ready(1, 10), (10, LEAST_SLICES)),
        (ready(1, 1e3, left=1), ready(1, 1e3), (1, LEAST_SLICES)),
    ],
)
def test_batches_and_slices_suit_the_slower_side(
    baseline: Ready, current: Ready, expected: tuple[int, int]
) -> None:
    assert slicing([baseline, current]) == slicing([current, baseline]) == (*expected, SLICE_S)


@pytest.mark.parametrize(
    ("one", "batch", "slices"),
    [
        # Long enough for the clock: single iterations, and more of them.
        (ready(1, 40e3), 1, TAIL_SLICES),
        (ready(COARSER, 600), 1, TAIL_SLICES),
        # Too short for the clock: fewer in a sample than usual.
        (ready(COARSER + 1, 500), 2, TAIL_SLICES),
        (ready(300, 10), 60, TAIL_SLICES),
        # Long, or only so many.
        (ready(1, 30e6), 1, 6),
        (ready(1, 1e9), 1, LEAST_SLICES),
        (ready(1, 1e3, left=1000), 1, SLICES),
        (ready(1, 1e3, left=4), 1, LEAST_SLICES),
    ],
)
def test_for_high_quantiles_iterations_are_timed_singly_where_the_clock_can(
    one: Ready, batch: int, slices: int
) -> None:
    plan = slicing([one, one], singly=True)
    assert (plan.batch, plan.slices) == (batch, slices)
    # However short the iterations are, a run file can hold them.
    assert plan.seconds <= MOST_SAMPLES * batch * one.iteration_ns * 1e-9 * (1 + 1e-9)
    assert plan.seconds <= SLICE_S


@pytest.mark.parametrize("python", ["", None, 3])
def test_an_environment_needs_an_interpreter(python: Any) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("python:", "path")):
        sp.Environment(python)


@pytest.mark.parametrize("modules", ["kv_benchmarks.py", (1,)])
def test_modules_are_a_sequence_of_names(modules: Any) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("modules:", "sequence")):
        sp.Environment(sys.executable, {}, modules)
