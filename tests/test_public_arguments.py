"""Every public function refuses wrong numbers with a sentence, at once, whatever they are."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.running import Registry

SAMPLES = np.arange(1.0, 40.0)
TABLE = sp.synthesis.encode("x = f(1)\n")


def in_memory(method: str, **given: Any) -> object:
    """Call a method of a manager with one tier, after its positional arguments."""
    with sp.memory.TierManager(use="cpu") as manager:
        call: Callable[..., object] = getattr(manager, method)
        return call(
            **{name: "cpu" for name in ("tier", "source", "target") if name in given} | given
        )


def run(**given: Any) -> object:
    """Measure the one benchmark, briefly."""
    options: dict[str, Any] = {"preset": "ci", "warmup_s": 0, "duration_s": 0.01}
    return sp.run("one", **options | given)


def measure(**given: Any) -> object:
    """Measure briefly."""
    return sp.measure(lambda: None, **{"warmup_s": 0, "max_duration_s": 0.01} | given)


def recorded(value: Any) -> object:
    sp.Histogram().record(value)
    return None


FACES: Mapping[str, tuple[Callable[..., object], tuple[str, ...]]] = {
    "measure": (
        measure,
        (
            "warmup_s",
            "min_iterations",
            "max_duration_s",
            "precision",
            "quantile",
            "batch",
        ),
    ),
    "run": (run, ("iterations", "duration_s", "warmup_s")),
    "Operation": (lambda **given: sp.Operation(list, **given), ("items", "max_iterations")),
    "Histogram": (sp.Histogram, ("lowest", "highest", "digits")),
    "Histogram.record": (recorded, ("value",)),
    "Histogram.quantile": (lambda q: full_histogram().quantile(q), ("q",)),
    "Histogram.estimate": (
        lambda **given: full_histogram().estimate(**{"q": 0.5} | given),
        ("q", "confidence"),
    ),
    "Histogram.summary": (lambda **given: full_histogram().summary(**given), ("confidence",)),
    "statistics.quantile": (
        lambda **given: sp.statistics.quantile(SAMPLES, **{"q": 0.5} | given),
        ("q", "confidence"),
    ),
    "statistics.mean": (lambda **given: sp.statistics.mean(SAMPLES, **given), ("confidence",)),
    "statistics.summarize": (
        lambda **given: sp.statistics.summarize(SAMPLES, **given),
        ("confidence",),
    ),
    "statistics.signed_rank": (
        lambda **given: sp.statistics.signed_rank(SAMPLES, **given),
        ("confidence",),
    ),
    "statistics.autocorrelation": (
        lambda **given: sp.statistics.autocorrelation(SAMPLES, **given),
        ("max_lag",),
    ),
    "statistics.bootstrap": (
        lambda **given: sp.statistics.bootstrap(SAMPLES, **{"resamples": 99} | given),
        ("resamples", "confidence", "block", "seed"),
    ),
    "statistics.bootstrap_ratio": (
        lambda **given: sp.statistics.bootstrap_ratio(
            SAMPLES, SAMPLES, **{"resamples": 99} | given
        ),
        ("resamples", "confidence", "block", "seed"),
    ),
    "Measurement.quantile": (
        lambda **given: sp.Measurement("x", SAMPLES).quantile(**{"q": 0.5} | given),
        ("q", "confidence"),
    ),
    "VoteBatch.generate": (
        lambda **given: sp.consensus.VoteBatch.generate(**{"votes": 10} | given),
        ("votes", "nodes", "byzantine", "proposals", "values", "round", "seed"),
    ),
    "VoteBatch.shuffled": (
        lambda **given: sp.consensus.VoteBatch.generate(5).shuffled(**given),
        ("seed",),
    ),
    "Round": (
        lambda **given: sp.consensus.Round(**{"backend": "cpu"} | given),
        ("nodes", "proposals", "values", "round", "quorum", "threads", "capacity"),
    ),
    "tolerated_faults": (sp.consensus.tolerated_faults, ("nodes",)),
    "default_quorum": (sp.consensus.default_quorum, ("nodes",)),
    "Matcher": (
        lambda **given: sp.synthesis.Matcher(TABLE, "f($x)", **{"backend": "cpu"} | given),
        ("threads", "max_bytes"),
    ),
    "match": (
        lambda **given: sp.synthesis.match(TABLE, "f($x)", **{"backend": "cpu"} | given),
        ("threads", "max_bytes"),
    ),
    "Expander": (
        lambda **given: sp.synthesis.Expander("$x", [{"x": "1"}], **{"backend": "cpu"} | given),
        ("threads",),
    ),
    "Transformer": (
        lambda **given: sp.synthesis.Transformer(TABLE, "f($x)", "$x", "cpu", **given),
        ("threads",),
    ),
    "decode": (lambda **given: sp.synthesis.decode(TABLE, **given), ("row",)),
    "Matches.of": (lambda **given: sp.synthesis.match(TABLE, "f($x)").of(**given), ("pattern",)),
    "Matches.bindings": (
        lambda **given: sp.synthesis.match(TABLE, "f($x)").bindings(**given),
        ("hit",),
    ),
    "TierManager": (
        lambda **given: sp.memory.TierManager(**{"use": "cpu"} | given).close(),
        ("share", "budget_bytes"),
    ),
    "TierManager.allocate": (
        lambda size: in_memory("allocate", size=size, tier="cpu"),
        ("size",),
    ),
    "TierManager.calibrate": (
        lambda size: in_memory("calibrate", size=size, source="cpu", target="cpu"),
        ("size",),
    ),
    "TierManager.tuning": (
        lambda size: in_memory("tuning", size=size, source="cpu", target="cpu"),
        ("size",),
    ),
    "compare": (lambda **given: sp.compare(one_run(), one_run(), **given), ("threshold",)),
    "Target": (lambda value: sp.Target("latency.p95", "<", value, "us"), ("value",)),
}


class Odd:
    """A number that is none."""

    def __index__(self) -> int:
        raise ZeroDivisionError

    def __float__(self) -> float:
        raise ZeroDivisionError

    def __repr__(self) -> str:
        raise ZeroDivisionError


VALUES: tuple[Any, ...] = (
    -1,
    0,
    2**31,
    2**32,
    10**12,
    2**63 - 1,
    2**63,
    2**64,
    2**64 + 1,
    -(2**63) - 1,
    10**30,
    10**400,
    10**5000,
    1.5,
    -0.5,
    1e300,
    math.nan,
    math.inf,
    -math.inf,
    True,
    "5",
    b"5",
    "",
    [],
    {},
    1j,
    np.int64(-3),
    np.uint64(2**64 - 1),
    np.float32(2.5),
    np.bool_(True),
    np.array([1, 2]),
    np.array(3),
    Odd(),
)

LASTING = {"warmup_s", "max_duration_s", "duration_s", "batch"}
"""What may be large, and then takes long."""

PROMPT_S = 10
"""Far more than any refusal takes, also on a busy machine."""


def full_histogram() -> sp.Histogram:
    full = sp.Histogram()
    full.record_many(np.arange(1, 1000))
    return full


def one_run() -> sp.Run:
    return sp.run("one", preset="ci", warmup_s=0, duration_s=0.01)


@pytest.fixture
def one(benchmarks: Registry) -> None:
    sp.benchmark("one")(lambda: lambda: None)


@pytest.mark.usefixtures("one")
@pytest.mark.parametrize("face", FACES)
def test_wrong_numbers_are_refused_by_name(face: str) -> None:
    call, names = FACES[face]
    for name in names:
        for value in VALUES:
            if (
                name in LASTING
                and isinstance(value, int | float | np.number)
                and (1 <= value < math.inf)
            ):
                continue
            begin = time.monotonic()
            try:
                call(**{name: value})
            except sp.StratoperfError as error:
                sentence = str(error)
            # Some of them are right.
            else:
                sentence = name
            assert time.monotonic() - begin < PROMPT_S, (name, value)
            assert name in sentence, (name, value, sentence)
            assert "std::" not in sentence
            assert len(sentence) < 600
