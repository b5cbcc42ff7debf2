"""The whole page."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, NamedTuple

from stratoperf.commands import command_text
from stratoperf.presentation.charts.distribution import MOST_POINTS
from stratoperf.presentation.charts.picture import chart_css
from stratoperf.presentation.charts.samples import Sampled
from stratoperf.presentation.elements import Child, Markup, element
from stratoperf.presentation.report.benchmark_section import benchmark_section
from stratoperf.presentation.report.case_section import plain
from stratoperf.presentation.report.subject import Subject
from stratoperf.presentation.report.summary import (
    claims_section,
    comparison_section,
    counts,
    grid,
)
from stratoperf.presentation.report.tables import facts, items
from stratoperf.presentation.skipped_words import skipped_texts
from stratoperf.results.schema import System
from stratoperf.text.safety import one_line

_FEW = 6
"""Up to this many cases are open at first."""

_ALL_POINTS = 8_000
"""Points of all curves together, so that the report of a full suite stays below 2 MB."""
_FEWEST_POINTS = 24

_ICON = "data:,"
"""Else browsers ask the server for one."""


class Assets(NamedTuple):
    """Where the page finds its styles and its script: addresses, or nothing for within it."""

    css: str | None = None
    js: str | None = None


@functools.cache
def styles() -> str:
    """Return the style sheet."""
    return chart_css() + _own("report.css")


@functools.cache
def script() -> str:
    """Return the script."""
    return _own("report.js")


def _own(name: str) -> str:
    return (files("stratoperf.presentation.report") / name).read_text(encoding="utf-8")


def page(subject: Subject, assets: Assets | None = None) -> str:
    """Return the report as an HTML document.

    Parameters
    ----------
    subject
        What it shows.
    assets
        Where styles and script are; ``None`` for within the page, which then needs nothing else.
    """
    title = f"stratoperf report, {subject.newest.created[:10]}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        _policy() if assets is None else None,
        element("title", title),
        element("link", rel="icon", href=_ICON),
        # This program's own files.
        element("style", Markup(styles()))
        if assets is None
        else element("link", rel="stylesheet", href=assets.css),
    )
    ending = (
        element("script", Markup(script()))
        if assets is None
        else element("script", src=assets.js, defer=True)
    )
    body = element("body", _content(subject), ending)
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en').text}\n"


def _policy() -> Markup:
    """Return the policy under which a browser loads nothing, and runs nothing but this script."""
    return element(
        "meta",
        http_equiv="Content-Security-Policy",
        content=(
            f"default-src 'none'; img-src data:; style-src '{_hash(styles())}'; "
            f"script-src '{_hash(script())}'; base-uri 'none'; form-action 'none'"
        ),
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _content(subject: Subject) -> Iterator[Child]:
    measured = [(case, case.sampled) for case in subject.cases if case.result.status != "skipped"]
    samples = {case.id: sampled for case, sampled in measured}
    curves = max(1, len(measured)) * (1 if subject.comparison is None else 2)
    points = min(MOST_POINTS, max(_FEWEST_POINTS, _ALL_POINTS // curves))
    yield element("a", "Skip to the results", href="#results", class_="skip")
    yield element("header", _header(subject))
    yield element(
        "main",
        counts(subject),
        claims_section(subject.claims),
        comparison_section(subject),
        element(
            "section", element("h2", "Results"), _controls(subject), grid(measured), id="results"
        ),
        _benchmarks(subject, samples, points),
        _skipped(subject),
        _machines(subject),
    )
    version = subject.newest.stratoperf_version or "an unknown version"
    yield element(
        "footer",
        element("p", f"Measured with stratoperf {version}. Intervals are of 95 % unless said."),
    )


def _header(subject: Subject) -> list[Child]:
    newest = subject.newest
    about: list[tuple[str, Child]] = [("run", f"{newest.created}")]
    if len(subject.runs) > 1:
        about = [("runs", f"{len(subject.runs)}, {subject.runs[0].created} to {newest.created}")]
    if newest.preset:
        about.append(("preset", newest.preset))
    if newest.command:
        about.append(("command", element("code", command_text(*newest.command))))
    if newest.path is not None:
        about.append(("file", element("code", str(newest.path))))
    machines = [_cpu(system) for run in subject.runs for system in run.systems.values()]
    about.append(("machine", "; ".join(dict.fromkeys(machines)) or "unknown"))
    left_out = [f"left out: {entry.what}: {entry.why}" for entry in subject.left_out]
    warnings = [one_line(text) for text in (*left_out, *subject.warnings)]
    return [element("h1", "Benchmark report"), facts(about), items(warnings, "remarks")]


def _cpu(system: System) -> str:
    if isinstance(system.cpu, Mapping):
        cores = system.cpu.get("logical_cores")
        return f"{system.cpu.get('model') or 'unknown CPU'}" + (f", {cores} CPUs" if cores else "")
    return system.cpu or "unknown CPU"


def _controls(subject: Subject) -> Markup:
    """Return the switches, which work without the script, and the filter, which needs it."""
    switches = [("relevant", "relevant only", True)]
    if subject.comparison is not None:
        switches.append(("regressions", "regressions only", False))
    return element(
        "div",
        element(
            "label",
            "filter ",
            element("input", type="search", id="filter", autocomplete="off"),
            class_="scripted",
        ),
        [
            element(
                "label",
                element("input", type="checkbox", id=name, checked=checked, autocomplete="off"),
                f" {text}",
            )
            for name, text, checked in switches
        ],
        element(
            "label",
            element("input", type="checkbox", id="zero", autocomplete="off"),
            " axes from zero",
            class_="scripted",
        ),
        element("span", id="shown", role="status", aria_live="polite"),
        class_="controls",
        role="group",
        aria_label="What is shown",
    )


def _benchmarks(
    subject: Subject, samples: Mapping[str, Sampled | None], points: int
) -> Iterator[Markup]:
    for number, (name, cases) in enumerate(subject.benchmarks().items(), start=1):
        shown = [(case, samples[case.id]) for case in cases if case.id in samples]
        if shown:
            yield benchmark_section(
                name,
                f"benchmark-{number}",
                shown,
                compared=subject.comparison is not None,
                opened=len(samples) <= _FEW,
                points=points,
            )


def _skipped(subject: Subject) -> Markup | None:
    texts = [one_line(text) for text in skipped_texts(case.result for case in subject.cases)]
    if not texts:
        return None
    return element("section", element("h2", "Skipped"), items(texts), id="skipped")


def _machines(subject: Subject) -> Markup:
    systems = {name: system for run in subject.runs for name, system in run.systems.items()}
    return element(
        "section",
        element("h2", "Machines"),
        [_machine(name, system) for name, system in systems.items()] or element("p", "unknown"),
        id="machines",
    )


def _machine(name: str, system: System) -> Markup:
    parts: dict[str, Any] = {
        "CPU": system.cpu,
        "memory": system.memory,
        "GPU": list(system.gpus),
        "kernel": system.kernel,
        "system": system.os,
        "Python": system.python,
        "clock": system.clock,
        "virtualization": system.virtualization,
    }
    return element(
        "div",
        element("h3", f"{_cpu(system)} ({name})"),
        items([f"noise: {one_line(text)}" for text in system.warnings], "remarks"),
        element(
            "details",
            element("summary", "all facts"),
            facts(
                [(part, plain(known)) for part, value in parts.items() if (known := _known(value))]
            ),
        ),
    )


def _known(value: Any) -> Any:
    """Return a value without the facts that are not known."""
    if isinstance(value, Mapping):
        return {key: own for key, own in value.items() if own not in (None, [], {})}
    return value
