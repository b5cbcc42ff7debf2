"""How results render themselves in a notebook."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any, Protocol

import pytest

import stratoperf as sp
from stratoperf import consensus, statistics
from stratoperf.statistics import Estimate
from stratoperf.text.markup import html_facts, html_table
from stratoperf.text.units import interval


class Rendered(Protocol):
    def _repr_html_(self) -> str: ...


def decision() -> Rendered:
    return consensus.Round(nodes=4, proposals=1).decide(consensus.VoteBatch.generate(4, nodes=4))


def measurement() -> sp.Measurement:
    return sp.measure(lambda: None, name="<b>", warmup_s=0, max_duration_s=0.01)


@pytest.fixture(scope="module")
def run() -> sp.Run:
    return sp.run("clock.overhead", preset="ci", warmup_s=0, duration_s=0.02)


OBJECTS: dict[str, tuple[Callable[[sp.Run], Rendered], str]] = {
    "measurement": (lambda run: measurement(), "median"),
    "summary": (lambda run: statistics.summarize(range(100)), "beyond 3 sigma"),
    "run": (lambda run: run, "clock.overhead"),
    "result": (lambda run: run.results[0], "clock.overhead"),
    "claims": (lambda run: sp.claims(run), "GPU consensus"),
    "system": (lambda run: sp.system(), "clock"),
    "decision": (lambda run: decision(), "undecided"),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_every_result_object_renders_itself(run: sp.Run, name: str) -> None:
    make, word = OBJECTS[name]
    html = make(run)._repr_html_()
    # An error for what is not closed or not escaped.
    text = " ".join(ElementTree.fromstring(html).itertext())
    assert word in text
    assert "Estimate(" not in text
    assert "None" not in text


@pytest.mark.parametrize(
    ("estimate", "unit", "expected"),
    [
        ((12_300.0, 12_100.0, 12_700.0), "ns", "12.3 [12.1, 12.7] µs"),
        ((12.3, None, 12.7), "us", "12.3 [?, 12.7] µs"),
        ((2.61e9, 2.5e9, None), "votes/s", "2.61 [2.50, ?] G votes/s"),
        ((5.0, 4.0, 6.0), "votes/s", "5.00 [4.00, 6.00] votes/s"),
        ((0.5, 0.25, 1.0), "", "0.500 [0.250, 1.00]"),
        ((0.0, 0.0, 0.0), "ns", "0 [0, 0] ns"),
    ],
)
def test_an_interval_has_the_unit_that_reads_best(
    estimate: tuple[Any, Any, Any], unit: str, expected: str
) -> None:
    assert interval(Estimate(*estimate, 0.95, ""), unit) == expected


def test_what_a_table_holds_is_escaped() -> None:
    assert "<td>&lt;b&gt;</td>" in html_table(["a"], [["<b>"]])
    assert "<td>&lt;b&gt;</td>" in html_facts([("a", "<b>")], "<i>")
    assert "<caption>&lt;i&gt;</caption>" in html_facts([], "<i>")
