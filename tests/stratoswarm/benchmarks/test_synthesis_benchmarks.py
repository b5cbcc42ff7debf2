"""The benchmarks of synthesis, run for real."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.results import SCHEMA, Run
from stratoperf.running import REGISTRY
from stratoperf.stratoswarm.synthesis import (
    Expander,
    Matcher,
    Pattern,
    Transformer,
    corpora,
    encode,
    mixed,
    synthetic,
)
from wording import says

PAIR = ("$x == None", "$x is None")


@pytest.mark.parametrize(
    ("name", "unit"), [("match", "operations"), ("expand", "expansions"), ("transform", "nodes")]
)
def test_a_benchmark_is_measured_and_verified_on_every_level(name: str, unit: str) -> None:
    run = sp.run(f"synthesis.{name}", preset="ci", backend="cpu")
    assert [result.status for result in run.results] == ["ok"] * 3
    assert [result.params["level"] for result in run.results] == list(synthetic.LEVELS)
    for result in run.results:
        assert result.verification is not None
        assert result.verification.passed
        assert result.verification.checked > 0
        assert result.item_unit == unit
        assert result.metrics["throughput"].unit == f"{unit}/s"


def test_the_reference_is_measured_when_it_is_asked_for() -> None:
    run = sp.run("synthesis.expand", preset="ci", backend="reference", params={"level": "simple"})
    assert [(result.backend, result.status) for result in run.results] == [("reference", "ok")]


@pytest.mark.parametrize("name", ["match", "expand", "transform"])
def test_an_unknown_level_fails_by_its_name(name: str) -> None:
    run = sp.run(f"synthesis.{name}", preset="ci", backend="cpu", params={"level": "hard"})
    (result,) = run.results
    assert result.status == "failed"
    assert str(result.reason).startswith("level: 'hard' is unknown; known: complex, medium, simple")


def test_another_corpus_than_that_of_this_python_fails_by_its_name() -> None:
    params = {"corpus": "stdlib-3.0.0-000000000000"}
    (result,) = sp.run("synthesis.mixed", preset="ci", backend="cpu", params=params).results
    assert result.status == "failed"
    assert str(result.reason).startswith("corpus: 'stdlib-3.0.0-000000000000' is not here; the st")


def test_mixed_results_over_different_corpora_have_different_keys() -> None:
    benchmark = REGISTRY.find("synthesis.mixed")
    here = f"stdlib-{corpora.standard_library_digest()}"
    assert benchmark.params["corpus"] == (here,)
    other = benchmark.key({"corpus": "stdlib-3.0.0-000000000000"}, "cpu")
    assert benchmark.key({"corpus": here}, "cpu") != other


def parts(backend: str) -> list[Any]:
    table = encode(corpora.generated_source(10))
    return [
        Matcher(table, ["$x == None", "f($...args)", "$x + $y"], backend),
        Transformer(table, *PAIR, backend=backend),
        Expander("f($x)", [{"x": "a"}, {"x": "b"}], backend),
    ]


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_a_mix_counts_comparisons_and_verifies_all_its_parts(backend: str) -> None:
    operation = mixed(parts(backend))
    measured = sp.measure(operation, warmup_s=0, max_duration_s=0.2, min_iterations=3)
    nodes = len(encode(corpora.generated_source(10)))
    assert measured.items >= 4 * nodes
    assert measured.item_unit == "operations"
    if backend == "cpu":
        assert measured.verification is not None
        assert measured.verification.checked > 3 + 2


def plant_hit(matcher: Matcher) -> None:
    """Let the reference of a matcher find one hit more."""
    matcher.patterns = (*matcher.patterns[:-1], Pattern())


def plant_template(transformer: Transformer) -> None:
    """Let the reference of a transformer write something else."""
    transformer.template = Pattern.parse("$x is Nothing")


def plant_comparison(transformer: Transformer) -> None:
    """Let more comparisons be counted than the transformer makes."""
    transformer._comparisons += 1


def plant_text(expander: Expander) -> None:
    """Let the reference of an expander write something else."""
    expander._texts[-1] = ["c"]


@pytest.mark.parametrize(
    ("part", "plant", "message"),
    [
        (0, plant_hit, says("differs", "reference")),
        (1, plant_template, says("transformation", "reference")),
        (1, plant_comparison, says("transformation", "comparisons")),
        (2, plant_text, says("expansion 1", "'f(b)'", "'f(c)'")),
    ],
)
@pytest.mark.parametrize("is_mixed", [False, True])
def test_a_wrong_outcome_of_each_part_fails_the_verification(
    part: int, plant: Callable[[Any], None], message: str, is_mixed: bool
) -> None:
    made = parts("cpu")
    operation = mixed(made) if is_mixed else made[part].operation()
    verify, operation.verify = operation.verify, None
    assert verify is not None
    sp.measure(operation, warmup_s=0, max_duration_s=0.2, min_iterations=3)
    plant(made[part])
    with pytest.raises(sp.VerificationFailed, match=message):
        verify()


def test_a_rate_of_comparisons_that_were_not_made_fails_the_verification(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    matcher = parts("cpu")[0]
    matches = matcher.match()
    more = dataclasses.replace(matches, comparisons=matches.comparisons + 1)
    monkeypatch.setattr(matcher, "match", lambda: more)
    operation = matcher.operation()
    with pytest.raises(sp.VerificationFailed, match=r"comparisons: \d+, but \d+ are counted"):
        sp.measure(operation, warmup_s=0, max_duration_s=0.2, min_iterations=3)


@pytest.mark.slow("verifies the whole standard library in the slow reference")
@pytest.mark.timeout(900)
def test_the_mix_over_the_standard_library_is_measured_and_verified() -> None:
    (result,) = sp.run("synthesis.mixed", preset="ci", backend="cpu").results
    assert result.status == "ok"
    assert result.verification is not None
    assert result.verification.passed


def claim(backend: str, level: str, rate: float) -> Any:
    estimate = {
        "value": rate,
        "low": rate * 0.9,
        "high": rate * 1.1,
        "confidence": 0.95,
        "method": "ratio of means",
    }
    result = {
        "key": f"synthesis.match[backend={backend},level={level}]",
        "benchmark": "synthesis.match",
        "backend": backend,
        "params": {"level": level},
        "status": "ok",
        "metrics": {
            "throughput": {
                "unit": "operations/s",
                "better": "higher",
                "primary": False,
                "summary": {"count": 1000, "mean": rate},
                "mean": estimate,
            }
        },
    }
    document = {
        "schema": SCHEMA,
        "id": "x",
        "created": "2026-11-24T09:37:00Z",
        "systems": {},
        "results": [result],
    }
    rows = {row.component: row for row in sp.claims(Run(document)).rows}
    return rows["GPU synthesis"]


@pytest.mark.parametrize(
    ("rate", "verdict"), [(5e12, "met"), (2.7e9, "inconclusive"), (1e9, "missed")]
)
def test_the_published_rate_is_judged_on_a_gpu(rate: float, verdict: str) -> None:
    row = claim("cuda", "simple", rate)
    assert (row.verdict, row.unit) == (verdict, "operations/s")


@pytest.mark.parametrize(("backend", "level"), [("cpu", "simple"), ("cuda", "complex")])
def test_the_published_rate_is_not_judged_elsewhere(backend: str, level: str) -> None:
    assert claim(backend, level, 1e9).verdict == "not-measured"
