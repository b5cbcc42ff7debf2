"""Records that speak without the raw samples, small enough to be kept beside the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gate.plan import Trial
from gate.records import Record, read_records

MACHINE = "machine.json"


def with_figures(record: Record, raw: Path) -> Record:
    """Return the record with what the report needs of its samples, if it lacks that.

    Parameters
    ----------
    record
        Of any check; only live sessions of identical sides get something.
    raw
        The folder with the samples.
    """
    trial = Trial.named(record["trial"])
    if "session" in record or trial.gate not in ("live", "precision") or trial.slowdown:
        return record
    from gate.sessions import session_figures

    figures = session_figures(raw / record["raw"], windows=trial.gate == "precision")
    return {**record, "session": figures}


def distill(data: Path, output: Path) -> int:
    """Write the records of an experiment, and the machine that this runs on, to a folder.

    Returns
    -------
    int
        How many records there are.
    """
    output.mkdir(parents=True, exist_ok=True)
    by_gate: dict[str, list[Record]] = {}
    for record in read_records(data):
        gate = Trial.named(record["trial"]).gate
        by_gate.setdefault(gate, []).append(with_figures(record, data / "raw"))
    for gate, records in by_gate.items():
        lines = "".join(json.dumps(_short(record)) + "\n" for record in records)
        (output / f"checks-{gate}.jsonl").write_text(lines, "utf-8")
    keep_machine(output, read_machine(data) or this_machine())
    return sum(map(len, by_gate.values()))


def read_machine(data: Path) -> Record | None:
    """Return the facts that are kept with the records, or ``None``."""
    path = data / MACHINE
    if not path.exists():
        return None
    facts: Record = json.loads(path.read_bytes())
    return facts


def this_machine() -> Record:
    """Return what a reader of the rates needs to know of this machine."""
    import stratoperf as sp

    system = sp.system()
    return {
        "cpu": system.cpu.model,
        "logical_cores": system.cpu.logical_cores,
        "virtualization": system.virtualization.hypervisor,
        "kernel": system.kernel.release,
        "python": system.python.version,
        "stratoperf": sp.__version__,
    }


def keep_machine(data: Path, facts: Record) -> None:
    """Write the facts beside the records."""
    (data / MACHINE).write_text(json.dumps(facts, indent=2) + "\n", "utf-8")


def _short(tree: Any) -> Any:
    """Return the tree with numbers of nine digits: more than any of them is known to."""
    if isinstance(tree, float):
        return float(f"{tree:.9g}")
    if isinstance(tree, dict):
        return {name: _short(entry) for name, entry in tree.items()}
    if isinstance(tree, list):
        return [_short(item) for item in tree]
    return tree
