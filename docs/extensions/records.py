"""The directives ``gate-records`` and ``published-runs``: what ``examples/results/`` holds."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

import stratoperf as sp
from markup import Generated, table

REPOSITORY = Path(__file__).parents[2]
RESULTS = REPOSITORY / "examples" / "results"
GATE = RESULTS / "amd-epyc-2-vcpu" / "gate"


class GateRecords(Generated):
    """The tables of the gates' error rates, by the script that measured them."""

    def run(self) -> list[nodes.Node]:
        """Return the tables."""
        sys.path.insert(0, str(REPOSITORY / "tests" / "performance"))
        from gate.records import read_records
        from gate.report import as_markdown

        machine = json.loads((GATE / "machine.json").read_text())
        # Cells of words read better from the left.
        text = as_markdown(read_records(GATE), machine).replace("---:", "---")
        return self.parse_text_to_nodes(text)


class PublishedRuns(Generated):
    """The run files of the repository, with their machines and GPUs."""

    def run(self) -> list[nodes.Node]:
        """Return a table, and a sentence where no run has a GPU."""
        runs = {path: sp.load(path) for path in sorted(RESULTS.glob("*/*.json"))}
        rows = [row for path, run in runs.items() for row in _rows(path, run)]
        head = ("machine", "run file", "GPUs", "results on CUDA")
        lines = list(table(head, rows))
        if all(row[-1] == "0" for row in rows):
            lines += ["**None of them has a figure of a GPU.**", ""]
        return self.parse_text_to_nodes("\n".join(lines))


def _rows(path: Path, run: sp.Run) -> Iterator[tuple[str, ...]]:
    on_cuda = sum(result.backend == "cuda" and result.status == "ok" for result in run.results)
    for system in run.systems.values():
        names = [gpu.get("name", "unknown") for gpu in system.gpus if isinstance(gpu, dict)]
        yield (
            path.parent.name,
            path.name,
            ", ".join(names) or "none",
            str(on_cuda),
        )


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_directive("gate-records", GateRecords)
    app.add_directive("published-runs", PublishedRuns)
    return {"parallel_read_safe": True}
