"""The directives ``benchmark-catalogue`` and ``published-claims``: what is registered, as text."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import stratoperf as sp
from stratoperf.running import REGISTRY


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""


def code(value: object) -> str:
    """Return a value as code in Markdown."""
    return f"`{value}`"


class Catalogue(SphinxDirective):
    """Every registered benchmark."""

    def run(self) -> list[nodes.Node]:
        """Return what is known of each benchmark, by family."""
        lines: list[str] = []
        for family, group in itertools.groupby(REGISTRY.all(), lambda one: one.name.split(".")[0]):
            lines += [f"## {family}", ""]
            for benchmark in group:
                lines += _described(benchmark)
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _described(benchmark: sp.Benchmark) -> Iterator[str]:
    yield from (f"### {benchmark.name}", "", textwrap.dedent(benchmark.description), "")
    rows = [(code(name), _values(values), "all") for name, values in benchmark.params.items()]
    for backend, params in benchmark.backend_params.items():
        rows += [(code(name), _values(values), code(backend)) for name, values in params.items()]
    if rows:
        yield from table(("parameter", "values", "backends"), rows)
    facts = [f"Backends: {', '.join(map(code, benchmark.backends))}"]
    facts.append(f"Category: {code(benchmark.category)}. Version: {benchmark.version}")
    facts += [f"Claim: {_claim(target)}" for target in benchmark.targets]
    yield " \\\n".join(f"{fact}." for fact in facts)
    yield ""


def _values(values: Iterable[object]) -> str:
    return ", ".join(map(code, values))


def _claim(target: sp.Target) -> str:
    where = ", ".join(f"{name} {value}" for name, value in target.where.items())
    claim = code(f"{target.statistic} {target.direction} {target.value:g} {target.unit}")
    return claim + (f" where {where}" if where else "")


class Claims(SphinxDirective):
    """Every published claim, and which benchmark judges it."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        nothing: dict[str, Any] = {
            "schema": "stratoperf.run/1",
            "id": "none",
            "created": "2026-01-01T00:00:00Z",
            "systems": {},
            "results": [],
        }
        rows = [
            (row.component, row.metric, row.text, code(row.benchmark) if row.benchmark else "none")
            for row in sp.claims(sp.Run(nothing)).rows
        ]
        head = ("component", "metric", "published target", "benchmark")
        return self.parse_text_to_nodes("\n".join(table(head, rows)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_directive("benchmark-catalogue", Catalogue)
    app.add_directive("published-claims", Claims)
    return {"parallel_read_safe": True}
