"""The published claims held against runs."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from rich.console import Console

import stratoperf as sp
from stratoperf.presentation.terminal.claims_view import show_claims, show_measured_claims
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.results import SCHEMA, Run
from stratoperf.running import REGISTRY
from stratoperf.running.contributions import Claim


def run_of(*results: dict[str, Any]) -> Run:
    document = {
        "schema": SCHEMA,
        "id": "x",
        "created": "2026-11-23T09:37:00Z",
        "systems": {},
        "results": list(results),
    }
    return Run(document)


def consensus(
    backend: str, p95_us: float, votes: int = 10_000, byzantine: float = 0.33, **changed: Any
) -> dict[str, Any]:
    estimate = {
        "value": p95_us * 1e3,
        "low": p95_us * 0.9e3,
        "high": p95_us * 1.1e3,
        "confidence": 0.95,
        "method": "order statistics",
    }
    return {
        "key": f"consensus.round[backend={backend},byzantine={byzantine},votes={votes}]",
        "benchmark": "consensus.round",
        "backend": backend,
        "params": {"votes": votes, "byzantine": byzantine},
        "status": "ok",
        "metrics": {
            "latency": {
                "unit": "ns",
                "better": "lower",
                "primary": True,
                "summary": {"count": 1000, "p95": estimate},
            }
        },
        **changed,
    }


def headline(*results: dict[str, Any]) -> Any:
    return sp.claims(run_of(*results)).rows[0]


@pytest.mark.parametrize(
    ("p95_us", "verdict"), [(49, "met"), (95, "inconclusive"), (150, "missed")]
)
def test_a_gpu_value_is_judged(p95_us: float, verdict: str) -> None:
    row = headline(consensus("cuda", p95_us))
    assert (row.verdict, row.unit) == (verdict, "us")
    assert row.measured.value == pytest.approx(p95_us)


def test_a_cpu_value_is_shown_and_not_judged() -> None:
    row = headline(consensus("cpu", 20))
    assert row.verdict == "not-measured"
    assert row.why == "the claim speaks of backend cuda; this is cpu"
    assert row.measured.value == pytest.approx(20)


def test_the_closest_case_is_shown_at_its_least_favorable() -> None:
    row = headline(
        consensus("cpu", 900, votes=1),
        consensus("cpu", 20, byzantine=0),
        consensus("cpu", 30, byzantine=0.33),
    )
    assert row.measured.value == pytest.approx(30)
    assert "votes=10000" in row.key


def test_the_least_favorable_gpu_value_decides() -> None:
    row = headline(consensus("cuda", 40, byzantine=0), consensus("cuda", 150), consensus("cpu", 10))
    assert row.verdict == "missed"


@pytest.mark.parametrize("status", ["skipped", "failed", "interrupted"])
def test_what_was_not_measured_says_why(status: str) -> None:
    row = headline(consensus("cuda", 1, status=status, reason="no GPU"))
    assert row.verdict == "not-measured"
    assert status in row.why
    assert "no GPU" in row.why
    # A value of the CPU says more than a skipped case.
    assert headline(
        consensus("cuda", 1, status=status, reason="no GPU", metrics={}), consensus("cpu", 20)
    ).measured.value == pytest.approx(20)


NOISE = "waited for a CPU 39.0 % of the time while other processes were running"


@pytest.mark.parametrize("p95_us", [49, 95, 150, 9010])
def test_a_claim_is_not_decided_by_disturbed_processes(p95_us: float) -> None:
    row = headline(consensus("cuda", p95_us, disturbed=NOISE))
    assert row.verdict == "inconclusive"
    assert row.why.startswith(f"disturbed: {NOISE}")
    assert row.measured.value == pytest.approx(p95_us)


def test_a_disturbed_case_does_not_hide_an_undisturbed_one_that_missed() -> None:
    row = headline(consensus("cuda", 150, byzantine=0), consensus("cuda", 9010, disturbed=NOISE))
    assert (row.verdict, row.measured.value) == ("missed", pytest.approx(150))


def test_a_claim_is_open_while_one_of_its_cases_is_disturbed() -> None:
    row = headline(consensus("cuda", 20, byzantine=0), consensus("cuda", 20, disturbed=NOISE))
    assert row.verdict == "inconclusive"
    assert row.why.startswith("disturbed: ")


@pytest.mark.parametrize(
    ("scope", "p95_us", "verdict"),
    [
        ("this process", 49, "inconclusive"),
        ("this process", 20, "met"),
        ("this process", 9010, "missed"),
        ("6 processes", 49, "met"),
        (None, 49, "met"),
    ],
)
def test_a_claim_is_decided_by_what_the_interval_speaks_of(
    scope: str | None, p95_us: float, verdict: str
) -> None:
    result = consensus("cuda", p95_us)
    result["metrics"]["latency"]["summary"]["scope"] = scope
    assert headline(result).verdict == verdict


def test_disturbance_reads_alike_in_json_the_notebook_and_the_terminal() -> None:
    table = sp.claims(run_of(consensus("cuda", 9010, disturbed=NOISE)))
    printed = io.StringIO()
    for show in (show_claims, show_measured_claims):
        show(Screen(Console(file=printed, width=200)), table)
    for shown in (table.to_json(), table._repr_html_(), printed.getvalue()):
        assert f"disturbed: {NOISE}" in shown
        assert "inconclusive" in shown


def test_the_whole_table_is_there() -> None:
    table = sp.claims(run_of())
    assert len(table.rows) == len(REGISTRY.contributed(Claim)) >= 28
    assert {row.verdict for row in table.rows} == {"not-measured"}
    reasons = {row.why for row in table.rows}
    measured = {claim.benchmark for claim in REGISTRY.contributed(Claim)} - {None}
    assert reasons == {
        "no benchmark measures it yet",
        *(f"the run does not contain {name}" for name in measured),
    }


def test_claims_name_benchmarks_that_exist() -> None:
    for claim in REGISTRY.contributed(Claim):
        assert (claim.benchmark is None) == (claim.target is None)
        if claim.benchmark is not None and claim.target is not None:
            known = {*REGISTRY.find(claim.benchmark).params, "backend"}
            assert set(claim.target.where) <= known


def test_the_words_of_a_claim_say_what_its_target_judges() -> None:
    claims = [claim for claim in REGISTRY.contributed(Claim) if claim.target is not None]
    assert claims
    for claim in claims:
        limit = re.fullmatch(r"(?:[<>]=? )?([\d.,e]+)(?: (\S+))?(?: \(.*\))?", claim.text)
        assert limit is not None, claim.text
        assert claim.target is not None
        assert float(limit[1].replace(",", "")) == claim.target.value
        if limit[2] is not None:
            assert limit[2].replace("µ", "u") == claim.target.unit


def test_the_table_renders_and_is_json() -> None:
    table = sp.claims(run_of(consensus("cpu", 20)))
    assert "&lt; 100 µs" in table._repr_html_()
    rows = json.loads(table.to_json())
    assert rows[0]["measured"]["value"] == pytest.approx(20)
    assert rows[0]["published"] == "~49 µs"
