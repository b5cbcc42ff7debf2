"""The directives ``benchmark-catalogue`` and ``published-claims``: what is registered, as text."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

import stratoperf as sp
from markup import Generated, code, table
from stratoperf.running import REGISTRY, Category, Claim


class Catalogue(Generated):
    """Every registered benchmark."""

    def run(self) -> list[nodes.Node]:
        """Return what is known of each benchmark, by family."""
        lines: list[str] = []
        for family, group in itertools.groupby(REGISTRY.all(), _family):
            lines += [f"### {family}", ""]
            for benchmark in group:
                lines += _described(benchmark)
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _family(benchmark: sp.Benchmark) -> str:
    return str(benchmark.name).partition(".")[0]


def _described(benchmark: sp.Benchmark) -> Iterator[str]:
    yield from (f"#### {benchmark.name}", "", _docstring(benchmark.description), "")
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


def _docstring(text: str) -> str:
    """Return a docstring as Markdown: a first line and paragraphs, with names in backticks."""
    return textwrap.dedent(text).replace("``", "`")


def _values(values: Iterable[object]) -> str:
    return ", ".join(map(code, values))


def _claim(target: sp.Target) -> str:
    where = ", ".join(f"{name} {value}" for name, value in target.where.items())
    return code(target) + (f" where {where}" if where else "")


class Claims(Generated):
    """Every published claim, and which benchmark judges it."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        head = ("component", "metric", "target", "published as reached", "benchmark")
        rows = [
            (
                claim.component,
                claim.metric,
                claim.text,
                claim.published,
                f"{code(claim.benchmark)}, {_claim(claim.target)}" if claim.target else "none yet",
            )
            for claim in REGISTRY.contributed(Claim)
        ]
        return self.parse_text_to_nodes("\n".join(table(head, rows)))


class Categories(Generated):
    """The categories that packages contribute."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        rows = [
            (code(f"--{category.name}"), category.description)
            for category in REGISTRY.contributed(Category)
        ]
        return self.parse_text_to_nodes("\n".join(table(("flag", "what it selects"), rows)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_directive("benchmark-catalogue", Catalogue)
    app.add_directive("published-claims", Claims)
    app.add_directive("benchmark-categories", Categories)
    return {"parallel_read_safe": True}
