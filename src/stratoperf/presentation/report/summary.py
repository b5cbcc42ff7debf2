"""The first screen: verdicts, claims, counts and a small picture of each case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from stratoperf.analysis.comparison import metrics_with_verdicts
from stratoperf.presentation.charts.cases import comparison_chart
from stratoperf.presentation.charts.samples import Sampled, primary
from stratoperf.presentation.charts.trend import spark
from stratoperf.presentation.comparison_words import change_text, closing, remarks
from stratoperf.presentation.elements import Markup, element, joined
from stratoperf.presentation.report.subject import Case, Subject
from stratoperf.presentation.report.tables import Cell, Row, chip, figure, items, sortable
from stratoperf.running.claims_table import ClaimRow
from stratoperf.text.units import NOTHING, interval, quantity

_MOST_RATIOS = 12
"""Of the figure on the first screen; its table has all."""

_STATUSES = ("ok", "failed", "interrupted", "skipped")
_CHANGES = ("slower", "inconclusive", "faster", "same")
_CLAIMS = ("missed", "inconclusive", "met", "not-measured")


def counts(subject: Subject) -> Markup:
    """Return how many cases have which status, change and claim."""
    statuses: Counter[str] = Counter(case.result.status for case in subject.cases)
    groups = [("results", statuses, [name for name in _STATUSES if statuses[name]])]
    if subject.comparison is not None:
        compared = metrics_with_verdicts(subject.comparison)
        changes: Counter[str] = Counter(metric.verdict for metric in compared)
        names = [name for name in _CHANGES if changes[name]]
        groups.append(("against the baseline", changes, names))
    verdicts: Counter[str] = Counter(row.verdict for row in subject.claims)
    if verdicts:
        groups.append(("claims", verdicts, [name for name in _CLAIMS if verdicts[name]]))
    return element(
        "div",
        [
            element(
                "div",
                element("h3", title),
                [
                    element(
                        "p",
                        element("b", own[name]),
                        " ",
                        chip(name.replace("-", " ")),
                        class_="count",
                    )
                    for name in names
                ]
                or element("p", "none"),
            )
            for title, own, names in groups
        ],
        class_="counts",
    )


def claims_section(rows: Sequence[ClaimRow]) -> Markup | None:
    """Return the claims with a verdict, and behind a click those that were not measured."""
    if not rows:
        return None
    judged = [row for row in rows if row.verdict != "not-measured"]
    rest = [row for row in rows if row.verdict == "not-measured"]
    title = f"{len(rest)} claims without a verdict" if judged else "why no claim has a verdict"
    return element(
        "section",
        element("h2", "Claims"),
        _claims_table("Published claims, judged by this run", judged) if judged else None,
        element(
            "details", element("summary", title), _claims_table("Claims without a verdict", rest)
        )
        if rest
        else None,
        id="claims",
    )


def _claims_table(caption: str, rows: Sequence[ClaimRow]) -> Markup:
    return sortable(
        caption,
        ("component", "metric", "target", "published", "measured", "verdict", "why"),
        (False, False, False, False, True, False, False),
        [
            Row(
                [
                    Cell(row.component),
                    Cell(row.metric),
                    Cell(row.target),
                    Cell(row.published),
                    Cell(interval(row.measured, row.unit or ""), row.measured.value)
                    if row.measured
                    else Cell(NOTHING),
                    Cell(chip(row.verdict.replace("-", " "))),
                    Cell(row.why),
                ]
            )
            for row in rows
        ],
    )


def comparison_section(subject: Subject) -> Markup | None:
    """Return the comparison with the baseline: the ratios, and the reasons of all verdicts."""
    comparison = subject.comparison
    if comparison is None:
        return None
    chart = comparison_chart(comparison, _MOST_RATIOS)
    notes = list(remarks(comparison))
    return element(
        "section",
        element("h2", "Comparison"),
        element("p", " → ".join(dict.fromkeys((comparison.baseline, comparison.current)))),
        figure(chart) if chart else element("p", "Nothing was compared."),
        element("details", element("summary", f"reasons and notes ({len(notes)})"), items(notes))
        if notes
        else None,
        element("p", closing(comparison), class_="note"),
        id="comparison",
    )


def grid(cases: Sequence[tuple[Case, Sampled | None]]) -> Markup:
    """Return a small picture of each measured case, with its median and a link."""
    cards = [_card(case, sampled) for case, sampled in cases if case.result.status != "skipped"]
    return (
        element("ul", cards, class_="grid", aria_label="Results at a glance")
        if cards
        else joined(element("p", "No case was measured."))
    )


def _card(case: Case, sampled: Sampled | None) -> Markup:
    result = case.result
    named = primary(result)
    median = named[1].statistic("p50") if named else None
    value = NOTHING
    if named is not None and median is not None:
        value = quantity(median.value, named[1].unit)
    elif named is not None and named[1].summary and named[1].summary.mean is not None:
        value = f"mean {quantity(named[1].summary.mean, named[1].unit)}"
    elif case.compared:
        value = change_text(case.compared[0].ratio)
    chips = [text for text in (case.verdict, *_target_verdicts(case)) if text]
    if result.status != "ok":
        chips = [result.status]
    return element(
        "li",
        element(
            "a",
            element("span", result.benchmark, class_="bench"),
            element("span", case.text, class_="case"),
            element("b", value),
            [chip(text) for text in dict.fromkeys(chips)],
            _spark(case, sampled),
            href=f"#{case.id}",
        ),
        class_=classes(case),
        data_f=filter_text(case),
    )


def _target_verdicts(case: Case) -> list[str]:
    verdicts = [metric.target.verdict for metric in case.result.metrics.values() if metric.target]
    return [verdict for verdict in verdicts if verdict in ("missed", "met")]


def _spark(case: Case, sampled: Sampled | None) -> Markup | None:
    if case.trend is not None and len(case.trend.values) > 1:
        return spark(case.trend.values, "history, the oldest run first")
    if sampled is None or sampled.missing:
        return None
    return spark(np.concatenate(sampled.processes), "samples in the order taken")


def classes(case: Case) -> str | None:
    """Return the classes by which the switches hide a case."""
    own = ["quiet"] if case.is_quiet else []
    if case.verdict == "slower":
        own.append("slower")
    return " ".join(own) or None


def filter_text(case: Case) -> str:
    """Return the text that the filter looks into."""
    return f"{case.result.benchmark} {case.text}".lower()
