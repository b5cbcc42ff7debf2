"""Where the numbers of a result vary, in the same words in every medium."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len
from rich.console import Console

import stratoperf as sp
from stratoperf.cli.run_command import _without_samples
from stratoperf.presentation.terminal.results_view import show_results
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.presentation.variation_words import scope_of, usual_speed, variation_words
from stratoperf.results import SCHEMA, Result
from stratoperf.results.schema import Metric, MetricSummary, Process, Variation
from stratoperf.statistics import Estimate
from wording import mentions

MARK = "…"


def around(value: float, *, is_open: bool = False) -> Estimate:
    side = None if is_open else 1.01 * value
    return Estimate(value, None if is_open else 0.99 * value, side, 0.95, "any")


def result(
    processes: int | None = 8,
    *,
    variation: Variation | None = None,
    at_reference_speed: float | None = None,
    disturbed: str | None = None,
    better: Any = "lower",
    size: int = 64,
    is_open: bool = False,
) -> Result:
    scope = None if processes is None else f"{processes} processes"
    estimate = around(4310.0, is_open=is_open)
    summary = MetricSummary(
        count=1000,
        p50=estimate,
        p95=estimate,
        p99=estimate,
        processes=processes,
        scope="this process" if processes == 1 else scope,
        at_reference_speed=None if at_reference_speed is None else around(at_reference_speed),
    )
    return Result(
        key=f"kv.put[backend=cpu,size={size}]",
        benchmark="kv.put",
        backend="cpu",
        status="ok",
        params={"size": size},
        metrics={"latency": Metric(unit="ns", better=better, primary=True, summary=summary)},
        variation=variation,
        disturbed=disturbed,
    )


def calm(**changes: Any) -> Variation:
    return msgspec.structs.replace(Variation(between=0.01, extent=0.02), **changes)


SAYS: list[tuple[Result, list[str]]] = [
    (result(variation=calm()), []),
    (result(1), []),
    (result(None), []),
    (result(variation=calm(extent=0.187)), ["between processes 19 %"]),
    (result(variation=calm(extent=0.099)), []),
    (
        result(variation=calm(extent=0.53, slow_processes=2, slower_by=0.5)),
        ["between processes 53 %", "2 of 8 processes 50 % slower"],
    ),
    (
        result(variation=calm(drift=0.12, drift_chance=0.001)),
        ["12 % slower in the last process than in the first"],
    ),
    (
        result(variation=calm(drift=-0.12, drift_chance=0.001)),
        ["12 % faster in the last process than in the first"],
    ),
    (
        result(variation=calm(drift=0.12, drift_chance=0.001), better="higher"),
        ["12 % faster in the last process than in the first"],
    ),
    (result(variation=calm(drift=0.12, drift_chance=0.2)), []),
    (result(variation=calm(drift=0.012, drift_chance=0.0)), []),
    (result(at_reference_speed=4300.0), []),
    (result(at_reference_speed=3800.0), ["at reference speed 3.80 [3.76, 3.84] µs"]),
    (result(disturbed="the hypervisor took the CPU"), ["disturbed"]),
]


@pytest.mark.parametrize(("one", "words"), SAYS, ids=range(len(SAYS)))
def test_words_stand_only_where_the_value_does_not_say_all(one: Result, words: list[str]) -> None:
    assert variation_words(one) == words


def at_speed(step_ns: Any, size: int) -> Result:
    """Return a result of three processes, in one of which the machine was slow for a moment."""
    processes = tuple(
        Process(environment={"reference": {"integer_ns": each, "integer_change": 0.01}})
        for each in (step_ns, step_ns, 2 * step_ns)
    )
    return msgspec.structs.replace(result(3, size=size), processes=processes)


def test_a_result_says_whether_the_machine_had_another_speed() -> None:
    run = [at_speed(step, size) for size, step in enumerate((1.0, 1.12, 1.0, 0.8, 1.0))]
    usual = usual_speed(run)
    assert [variation_words(result, usual) for result in run] == [
        [],
        ["machine 12 % slower than usual in this run"],
        [],
        ["machine 25 % faster than usual in this run"],
        [],
    ]
    assert all(variation_words(entry) == [] for entry in run)


@pytest.mark.parametrize("reference", [None, 3, {}, {"integer_ns": "x"}, {"integer_ns": 0}])
def test_a_file_may_hold_anything_for_a_speed(reference: object) -> None:
    odd = msgspec.structs.replace(result(1), environment={"reference": reference})
    assert usual_speed([odd]) == []
    assert variation_words(odd, usual_speed([odd, at_speed(1.0, 2)])) == []


def test_the_scope_is_what_the_intervals_speak_of() -> None:
    assert scope_of(result(8)) == "8 processes"
    assert scope_of(result(1)) == "this process"
    assert scope_of(result(None)) is None
    assert scope_of(msgspec.structs.replace(result(), metrics={})) is None


def run_of(*results: Result) -> sp.Run:
    trees: list[dict[str, Any]] = []
    for result in results:
        tree = msgspec.to_builtins(msgspec.structs.replace(result, series=()))
        trees.append(tree)
    document = {"schema": SCHEMA, "id": "x", "created": "2026-01-01T00:00:00Z", "systems": {}}
    return sp.Run({**document, "results": trees})


def shown(run: sp.Run, width: int, *, terminal: bool = True) -> str:
    raw = io.StringIO()
    console = Console(file=raw, force_terminal=terminal, width=width, color_system=None)
    show_results(Screen(console), run)
    return raw.getvalue()


@pytest.fixture(autouse=True)
def usual_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("LC_ALL", raising=False)


TWO_MODES = result(variation=calm(extent=0.53, slow_processes=2, slower_by=0.5))
RUNS = {
    "this process": run_of(result(1, size=1), result(1, size=2)),
    "8 processes": run_of(result(8, size=1), TWO_MODES),
}


@pytest.mark.parametrize("width", range(20, 201, 4))
@pytest.mark.parametrize("scope", RUNS)
def test_the_scope_stands_with_the_numbers_in_terminals_of_every_width(
    scope: str, width: int
) -> None:
    text = shown(RUNS[scope], width)
    assert max(map(cell_len, text.splitlines())) <= width
    words = " ".join(text.split())
    assert f"kv.put on cpu, {scope}" in words
    assert ("size=64: between processes 53 %, 2 of 8 processes 50 % slower" in words) == (
        scope != "this process"
    )
    assert MARK not in text


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_rows_of_different_scope_have_it_in_a_column(width: int) -> None:
    text = shown(run_of(result(1, size=1), result(8, size=2), result(None, size=3)), width)
    words = " ".join(text.split())
    assert mentions(words, "kv.put", "size") or "kv.put on cpu" in words
    assert "this process" in words
    assert "8 processes" in words


def test_a_row_in_a_pipe_says_all_of_itself() -> None:
    text = shown(RUNS["8 processes"], 80, terminal=False)
    (row,) = [line for line in text.splitlines() if line.startswith("kv.put") and " 64 " in line]
    assert "8 processes; between processes 53 %; 2 of 8 processes 50 % slower" in row


def test_an_open_side_names_what_there_is_too_little_of() -> None:
    assert "too few processes" in shown(run_of(result(3, is_open=True)), 80)
    assert "too few samples" in shown(run_of(result(1, is_open=True)), 80)
    assert "too few samples" in shown(run_of(result(None, is_open=True)), 80)
    assert "too few" not in shown(run_of(result(3)), 80)


def test_a_notebook_and_json_use_the_same_words() -> None:
    run = RUNS["8 processes"]
    html = " ".join(ElementTree.fromstring(run._repr_html_()).itertext())
    assert "8 processes; between processes 53 %; 2 of 8 processes 50 % slower" in html
    remarks = [tree["remarks"] for tree in _without_samples(run)["results"]]
    assert remarks == [[], ["between processes 53 %", "2 of 8 processes 50 % slower"]]
    html = " ".join(ElementTree.fromstring(RUNS["this process"]._repr_html_()).itertext())
    assert html.count("this process") == 2
