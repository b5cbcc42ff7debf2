"""A comparison as text, HTML, Markdown, JUnit XML and annotations."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf.analysis import Comparison, Difference, Failure, decide
from stratoperf.presentation.annotations import annotation, github_annotations
from stratoperf.presentation.comparison_words import (
    change_text,
    difference_text,
    params_text,
    ratio_text,
    remaining_texts,
    value_text,
)
from stratoperf.presentation.junit import comparison_junit
from stratoperf.presentation.markdown import comparison_markdown
from stratoperf.text.alike_warnings import worst_of_each_kind
from stratoperf.text.safety import visible, visible_lines
from stratoperf.text.units import ratio_interval


def estimate(value: float, low: float | None = None, high: float | None = None) -> sp.Estimate:
    return sp.Estimate(value, low, high, 0.99, "any")


def metric(name: str = "kv.put", verdict: str = "slower", **changes: Any) -> sp.ComparedMetric:
    fields: dict[str, Any] = {
        "key": f"{name}[backend=cpu,size=64]",
        "benchmark": name,
        "backend": "cpu",
        "params": {"size": 64},
        "metric": "latency",
        "statistic": "p50",
        "unit": "ns",
        "better": "lower",
        "threshold": 0.05,
        "verdict": verdict,
        "why": "the interval lies above",
        "baseline": estimate(1200.0),
        "current": estimate(1440.0),
        "ratio": estimate(1.2, 1.1, 1.3),
        "pairs": 12,
        "seconds": 3.5,
    }
    return sp.ComparedMetric(**{**fields, **changes})


def comparison(*metrics: sp.ComparedMetric, **changes: Any) -> Comparison:
    fields: dict[str, Any] = {
        "mode": "live",
        "baseline": "old",
        "current": "new",
        "confidence": 0.99,
        "method": "pairs",
        "metrics": metrics,
    }
    return Comparison(**{**fields, **changes})


EVERYTHING = comparison(
    metric("slow"),
    metric("calm", "same"),
    metric("open", "inconclusive"),
    metric("better", "faster"),
    metric("broken", "inconclusive", ratio=None, baseline=None, current=None),
    differences=(
        Difference(what="only in current", key="new", current="new"),
        Difference(what="status", key="broken[backend=cpu,size=64]", current="failed: boom"),
        Difference(what="status", key="gpu", baseline="ok", current="skipped: no GPU"),
        Difference(what="preset", baseline="quick", current="ci", compared=True),
    ),
    failures=(Failure(key="broken[backend=cpu,size=64]", side="current", why="boom\nline 2"),),
    warnings=("ANOTHER MACHINE: box and case", "steal 1 %", "steal 30 %"),
    run_path="results/live.json",
)


def test_a_comparison_is_one_line_at_the_prompt() -> None:
    described = repr(EVERYTHING)
    assert described == ("<Comparison, live: 1 slower, 1 inconclusive, 1 faster, 1 same, 1 failed>")


def test_a_printed_comparison_has_a_row_for_each_result_and_all_remarks() -> None:
    lines = str(EVERYTHING).splitlines()
    row = next(line for line in lines if line.startswith("slow "))
    assert row.split() == [
        *("slow", "size=64", "latency", "p50", "1.20", "µs", "1.44", "µs"),
        *("1.200", "[1.100,", "1.300]", "5", "%", "12", "pairs", "slower"),
    ]
    text = "\n".join(lines)
    for part in ("ANOTHER MACHINE", "boom / line 2", "new: only in current", "no GPU", "live.json"):
        assert part in text
    assert text.count("boom") == 1, "a failure is told once"


@pytest.mark.parametrize(
    ("better", "shown"), [("lower", "1.250 [1.200, 1.300]"), ("higher", "0.800 [0.769, 0.833]")]
)
def test_the_ratio_is_that_of_the_two_values_as_shown_in_every_rendering(
    better: str, shown: str
) -> None:
    # The file has how many times slower the current side is.
    slow = comparison(metric(better=better, ratio=estimate(1.25, 1.2, 1.3)))
    decision = decide(slow)
    for rendering in (
        str(slow),
        slow._repr_html_(),
        comparison_markdown(slow, decision).replace("\\", ""),
        comparison_junit(slow, decision),
        "\n".join(github_annotations(slow, decision)),
    ):
        assert "current / baseline" in rendering
        assert shown in rendering


def test_a_ratio_of_zero_or_without_a_bound_is_shown_where_higher_is_better() -> None:
    assert ratio_text(metric(better="higher", ratio=estimate(0.0))) == "0 [?, ?]"
    assert ratio_text(metric(better="higher", ratio=estimate(2.0, 1.6))) == "0.500 [?, 0.625]"


def test_a_notebook_gets_escaped_html() -> None:
    html = comparison(metric("<b>&", why="'<i>"))._repr_html_()
    assert "&lt;b&gt;&amp;" in html
    assert "<i>" not in html
    HTMLParser().feed(html)
    assert html.count("<div>") == html.count("</div>")


def test_a_comparison_of_nothing_says_so_everywhere() -> None:
    nothing = comparison()
    assert "nothing was compared" in repr(nothing)
    assert "nothing was compared" in nothing._repr_html_()
    assert "nothing was compared" in comparison_markdown(nothing, decide(nothing))


@pytest.mark.parametrize(
    ("ratio", "text", "change"),
    [
        (None, "-", "not measured"),
        (estimate(1.0424, 1.03, 1.05), "1.042 [1.030, 1.050]", "4.24 % slower"),
        (estimate(0.5, None, None), "0.500 [?, ?]", "100 % faster"),
        (estimate(12.34, 11.0, None), "12.3 [11.0, ?]", "12.3 times slower"),
    ],
)
def test_a_ratio_is_shown_with_its_interval(
    ratio: sp.Estimate | None, text: str, change: str
) -> None:
    assert ratio_interval(ratio) == text
    assert change_text(ratio) == change


def test_values_have_the_unit_that_reads_best() -> None:
    assert value_text(None, "ns") == "-"
    assert value_text(estimate(1.5e6), "ns") == "1.50 ms"
    assert value_text(estimate(2.5e6), "votes/s") == "2.50 M votes/s"
    assert value_text(estimate(12.0), "bytes") == "12.0 B"


def test_parameters_of_the_two_sides_are_shown_as_a_change() -> None:
    params = {"mode": "a", "baseline.size": 64, "current.size": 128, "baseline.old": True}
    assert params_text(metric(params=params)) == "mode=a size=64→128 baseline.old=True"


def test_differences_are_told_in_sentences() -> None:
    texts = [difference_text(difference) for difference in EVERYTHING.differences]
    assert texts[0] == "new: only in current"
    assert texts[2] == "gpu: not compared (baseline: ok; current: skipped: no GPU)"
    assert texts[3].endswith("compared anyway")
    skipped = Difference(what="status", key="gpu", baseline="skipped: x", current="skipped: x")
    assert difference_text(skipped) == "gpu: not compared (both sides: skipped: x)"


def test_of_warnings_that_differ_by_a_number_the_worst_is_told() -> None:
    assert worst_of_each_kind(EVERYTHING.warnings) == [
        "ANOTHER MACHINE: box and case",
        "steal 30 % (the worst of 2)",
    ]


def test_markdown_has_the_outcome_the_table_and_the_remarks() -> None:
    lines = comparison_markdown(EVERYTHING, decide(EVERYTHING)).splitlines()
    assert lines[0].startswith("### Performance check: ❌ failed (1 slower")
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + len(EVERYTHING.metrics)
    assert rows[2].endswith("| **slower** |")
    assert any(line.startswith("- failed: broken") for line in lines)


def test_markdown_says_that_an_inconclusive_check_is_tolerated() -> None:
    undecided = comparison(metric("open", "inconclusive"))
    assert "inconclusive, tolerated" in comparison_markdown(undecided, decide(undecided))
    assert "tolerated" not in comparison_markdown(undecided, decide(undecided, "fail"))


@given(st.text(max_size=30))
def test_no_name_breaks_a_markdown_table(name: str) -> None:
    rows = [
        line
        for line in comparison_markdown(comparison(metric(name))).splitlines()
        if line.startswith("|")
    ]
    assert len(rows) == 3
    bars = {row.replace("\\\\", "").replace("\\|", "").count("|") for row in rows}
    assert len(bars) == 1


def counts(xml: str) -> dict[str, str]:
    (suite,) = ElementTree.fromstring(xml)
    return {name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")}


def test_junit_counts_a_test_for_each_result_and_what_was_not_compared() -> None:
    lenient = comparison_junit(EVERYTHING, decide(EVERYTHING))
    assert counts(lenient) == {"tests": "7", "failures": "1", "errors": "1", "skipped": "3"}
    strict = comparison_junit(EVERYTHING, decide(EVERYTHING, "fail"))
    assert counts(strict) == {"tests": "7", "failures": "3", "errors": "1", "skipped": "1"}


def test_junit_gives_the_reason_and_the_time() -> None:
    (suite,) = ElementTree.fromstring(comparison_junit(EVERYTHING, decide(EVERYTHING)))
    case = suite[0]
    assert case.attrib["classname"] == "stratoperf.slow"
    assert case.attrib["time"] == "3.500"
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("20 % slower, threshold 5 %: the interval")


@given(st.text(st.characters(), max_size=40))
def test_junit_is_well_formed_whatever_the_names_hold(name: str) -> None:
    failure = Failure(key=name, side="current", why=name)
    some = comparison(metric(name, why=name), failures=(failure,), baseline=name)
    xml = comparison_junit(some, decide(some))
    (suite,) = ElementTree.fromstring(xml.encode())
    assert len(suite.findall("testcase")) == 2


def test_junit_shows_what_xml_cannot_hold_as_an_escape() -> None:
    some = comparison(metric("a\x00b\ud800\ufffe"))
    assert r"a\x00b\ud800\ufffe" in comparison_junit(some, decide(some))


@given(st.text(max_size=40), st.text(max_size=40))
def test_an_annotation_is_one_line_and_shows_what_is_hidden(title: str, message: str) -> None:
    line = annotation("error", title, message)
    assert "\n" not in line
    assert "\r" not in line
    command, _, data = line.removeprefix("::").partition("::")
    assert unescaped(data) == visible_lines(message)
    escaped = command.removeprefix("error title=")
    assert ":" not in escaped
    assert "," not in escaped
    assert unescaped(escaped) == visible(title)


def unescaped(text: str) -> str:
    for letter, code in ((":", "%3A"), (",", "%2C"), ("\n", "%0A"), ("\r", "%0D"), ("%", "%25")):
        text = text.replace(code, letter)
    return text


def test_annotations_have_a_level_by_what_they_mean_for_the_gate() -> None:
    levels = [line.split()[0] for line in github_annotations(EVERYTHING, decide(EVERYTHING))]
    assert levels == [
        "::warning",  # another machine
        "::error",  # broken
        "::error",  # slow
        "::warning",  # open
        "::notice",  # new
        "::warning",  # gpu, skipped on the current side
        "::notice",  # better
        "::error",  # the outcome
    ]


def test_under_the_strict_policy_what_has_no_verdict_is_an_error() -> None:
    undecided = comparison(metric("open", "inconclusive"))
    for policy, level in (("pass", "::warning"), ("fail", "::error")):
        decision = decide(undecided, "pass" if policy == "pass" else "fail")
        lines = list(github_annotations(undecided, decision))
        assert [line.split()[0] for line in lines] == [level, level]


def test_cases_not_compared_for_one_reason_share_a_sentence() -> None:
    missing = [
        Difference(
            what="status", key=f"kv.put[backend=cuda,size={size}]", baseline=why, current=why
        )
        for size, why in ((1, "skipped: no GPU"), (2, "skipped: no GPU"), (3, "skipped: no room"))
    ]
    other = "skipped: no GPU"
    missing.append(Difference(what="status", key="kv.get", baseline=other, current=other))
    comparison = msgspec.structs.replace(EVERYTHING, differences=tuple(missing), failures=())
    assert remaining_texts(comparison) == [
        "3 cases of kv.put and kv.get: not compared (both sides: skipped: no GPU)",
        "kv.put[backend=cuda,size=3]: not compared (both sides: skipped: no room)",
    ]
