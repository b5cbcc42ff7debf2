"""Read a result file of asv (``results/MACHINE/COMMIT-ENVIRONMENT.json``).

A file has the samples only where asv ran with ``--record-samples``; else the median with its
interval. asv does not tell which process a sample comes from. Units stand in ``benchmarks.json``,
which lies two folders up; without it, names tell (``time_``, ``mem_``, ``peakmem_``).
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from stratoperf import door
from stratoperf.errors import SchemaError
from stratoperf.importing.facts import machine, moment_of_milliseconds, parameter
from stratoperf.importing.model import (
    NS_PER_S,
    Imported,
    Observed,
    Sampled,
    Stated,
    ToolFile,
    scaled,
)
from stratoperf.results.validation import convert

TOOL = "asv"

_UNIT_OF_KIND = {"time": "seconds", "timeraw": "seconds", "mem": "bytes", "peakmem": "bytes"}

_UNITS = {"seconds": ("latency", "ns", NS_PER_S), "bytes": ("memory", "B", 1.0)}


class _Declared(msgspec.Struct, frozen=True):
    """What ``benchmarks.json`` says of a benchmark."""

    unit: str | None = None
    param_names: list[str] = []


def read(tree: dict[str, Any], path: Path) -> ToolFile:
    """Return what a file holds.

    Parameters
    ----------
    tree
        Its JSON.
    path
        The file, for ``benchmarks.json``.

    Raises
    ------
    SchemaError
        With the key path.
    """
    if tree.get("version") != 2:
        raise SchemaError(
            f"version: expected 2, got {tree.get('version')!r}; run 'asv update' with a newer asv "
            "first"
        )
    names = convert(tree["result_columns"], list[str], "result_columns")
    facts = convert(tree.get("params", {}), dict[str, Any], "params")
    system = machine(
        cpu={"model": facts.get("cpu"), "count": facts.get("num_cpu"), "arch": facts.get("arch")},
        memory={"ram": facts.get("ram")},
        os={"platform": facts.get("os")},
        python={"version": tree.get("python")},
        host=facts.get("machine"),
    )
    declared = _declarations(path)
    benchmarks: list[Imported] = []
    started = []
    commit = tree.get("commit_hash")
    for name, row in convert(tree["results"], dict[str, Any], "results").items():
        where = f"results.{door.shortened(name)}"
        values = convert(row if row is not None else [], list[Any], where)
        fields = dict(zip(names, values, strict=False))
        started.append(moment_of_milliseconds(fields.get("started_at")))
        own = declared.get(name, _Declared())
        details = {"commit": commit} if isinstance(commit, str) else {}
        benchmarks += _cases(name, fields, own, where, system, details)
    return ToolFile(
        tool=TOOL,
        benchmarks=benchmarks,
        measured=max((moment for moment in started if moment is not None), default=None),
        lost=("the profile",) if "profile" in names else (),
    )


def _declarations(path: Path) -> dict[str, _Declared]:
    """Return what ``benchmarks.json`` says; nothing where it is missing or is something else."""
    with contextlib.suppress(SchemaError):
        beside = path.absolute().parent.parent / "benchmarks.json"
        content = door.read_bytes(beside, door.LARGEST_JSON, follow_links=False)
        tree = door.parse_json(content, str(beside), nan_is_null=True)
        if isinstance(tree, dict):
            return {
                name: convert(entry, _Declared, name)
                for name, entry in tree.items()
                if isinstance(entry, dict)
            }
    return {}


def _cases(
    name: str,
    fields: dict[str, Any],
    declared: _Declared,
    where: str,
    system: dict[str, Any],
    details: dict[str, Any],
) -> Iterator[Imported]:
    """Yield a benchmark for each combination of parameters."""
    axes = convert(fields.get("params") or [], list[list[str]], f"{where}.params")
    count = 1
    for axis in axes:
        count *= len(axis)
        # Beside the values of the file itself, which are as many.
        if count > door.MOST_OBJECTS:
            raise SchemaError(f"{where}.params: there are more than {door.MOST_OBJECTS} cases")
    combinations = list(itertools.product(*axes))
    results = _column(fields, "result", where, count)
    names = [*declared.param_names, *(f"param{number}" for number in range(1, len(axes) + 1))]
    names = names[: len(axes)] if len(declared.param_names) >= len(axes) else names[-len(axes) :]
    unit = declared.unit or _UNIT_OF_KIND.get(name.rpartition(".")[2].partition("_")[0], "unit")
    metric, own_unit, factor = _UNITS.get(unit, ("value", unit, 1.0))
    samples = _column(fields, "samples", where, count)
    numbers = _column(fields, "stats_number", where, count)
    for index, combination in enumerate(combinations):
        head = Imported(
            name=name,
            params={
                key: parameter(_unquoted(value))
                for key, value in zip(names, combination, strict=True)
            },
            system=system,
            details=details,
        )
        result, own = results[index], samples[index]
        if result is None:
            failed = fields.get("result") is None
            yield msgspec.structs.replace(
                head,
                status="failed" if failed else "skipped",
                reason="asv recorded that it failed" if failed else "asv recorded no value",
            )
            continue
        place = f"{where}[{index}]"
        taken: Sampled | Stated
        if own:
            values = scaled(convert(own, list[float], f"{place}.samples"), factor)
            number = convert(numbers[index] or 1, int, f"{place}.stats_number")
            taken = Sampled(values, max(1, number) if unit == "seconds" else 1)
            notes = ("asv does not report which process a sample comes from",)
        else:
            value = convert(result, float, f"{place}.result") * factor
            taken = Stated(1, median=value) if unit == "seconds" else Stated(1, value, median=value)
            notes = ("the file has no samples; run asv with --record-samples",)
        yield msgspec.structs.replace(
            head,
            metrics={metric: Observed(processes=[taken], unit=own_unit)},
            notes=notes if unit == "seconds" else (),
        )


def _column(fields: dict[str, Any], name: str, where: str, count: int) -> list[Any]:
    """Return the values of a column, one for each case."""
    values = fields.get(name)
    if values is None:
        return [None] * count
    values = convert(values, list[Any], f"{where}.{name}")
    if len(values) != count:
        raise SchemaError(f"{where}.{name}: expected {count} values, got {len(values)}")
    return values


def _unquoted(text: str) -> str:
    """Return a value as people write it: asv keeps the ``repr``."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"" and text[0] not in text[1:-1]:
        return text[1:-1]
    return text
