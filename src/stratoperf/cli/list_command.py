"""``stratoperf list``: the benchmarks, and whether they can run here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from stratoperf.cli.packages import further_commands, warn_of_packages

if TYPE_CHECKING:
    from stratoperf.presentation.terminal.screen import Screen
    from stratoperf.running import Benchmark

HEAD_WIDTH = 12
"""Columns of the names of parameters and backends."""


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
@click.pass_context
def list_benchmarks(context: click.Context, as_json: bool) -> None:
    """List the benchmarks, and commands of packages.

    Each benchmark is listed with its parameters and claims.
    """
    from stratoperf.presentation.terminal.screen import Screen, print_json
    from stratoperf.running.registry import REGISTRY

    benchmarks = REGISTRY.all()
    warn_of_packages(REGISTRY)
    for name, command in further_commands(context.find_root().command).items():
        Screen.stderr().paragraph(f"command: stratoperf {name}: {command.get_short_help_str()}")
    if as_json:
        print_json([_described(benchmark) for benchmark in benchmarks])
        return
    screen = Screen.stdout()
    if screen.fancy:
        for benchmark in benchmarks:
            _show(screen, benchmark)
        screen.line()
        screen.line("next:  stratoperf run NAME --quick", "dim")
    else:
        _show_plain(screen, benchmarks)


def _described(benchmark: Benchmark) -> dict[str, Any]:
    from stratoperf.backends import unavailable_reason

    return {
        "name": benchmark.name,
        "category": benchmark.category,
        "version": benchmark.version,
        "description": benchmark.description,
        "params": {name: list(values) for name, values in benchmark.params.items()},
        "backend_params": {
            backend: {name: list(values) for name, values in axes.items()}
            for backend, axes in benchmark.backend_params.items()
        },
        "cases": max(
            sum(1 for _ in benchmark.combinations({}, backend)) for backend in benchmark.backends
        ),
        "backends": {
            name: {
                "available": unavailable_reason(name) is None,
                "reason": unavailable_reason(name),
            }
            for name in benchmark.backends
        },
        "targets": [
            {
                "statistic": target.statistic,
                "direction": target.direction,
                "value": target.value,
                "unit": target.unit,
                "where": dict(target.where),
            }
            for target in benchmark.targets
        ],
    }


def _show(screen: Screen, benchmark: Benchmark) -> None:
    from stratoperf.text.units import parameter

    facts = _described(benchmark)
    screen.heading(f"{facts['name']}  ({facts['category']}, {_cases(facts['cases'])})")
    summary = facts["description"].partition("\n\n")[0].replace("\n", " ")
    if summary:
        screen.paragraph(f"  {summary}", "dim", indent="  ")
    entries = [
        (name, ", ".join(map(parameter, values)), "") for name, values in facts["params"].items()
    ]
    for backend, axes in facts["backend_params"].items():
        for name, values in axes.items():
            entries.append((name, f"{', '.join(map(parameter, values))} (only {backend})", ""))
    for name, backend in facts["backends"].items():
        available = backend["available"]
        text = "available" if available else backend["reason"]
        entries.append((name, text, "green" if available else "yellow"))
    entries += [("claim", _claim(target), "") for target in facts["targets"]]
    for name, text, style in entries:
        screen.entry(f"  {name}", HEAD_WIDTH, text, style)


def _show_plain(screen: Screen, benchmarks: list[Benchmark]) -> None:
    from stratoperf.presentation.terminal.tables import Cell, Column, Table, print_table
    from stratoperf.text.units import parameter

    titles = ("benchmark", "category", "cases", "available", "unavailable", "parameters", "claims")
    rows = []
    for facts in map(_described, benchmarks):
        here = [name for name, backend in facts["backends"].items() if backend["available"]]
        elsewhere = [name for name in facts["backends"] if name not in here]
        axes = {**facts["params"]}
        for own in facts["backend_params"].values():
            axes |= own
        params = [f"{name}={','.join(map(parameter, values))}" for name, values in axes.items()]
        texts = [
            facts["name"],
            facts["category"],
            str(facts["cases"]),
            ",".join(here) or "-",
            ",".join(elsewhere) or "-",
            " ".join(params) or "-",
            "; ".join(map(_claim, facts["targets"])) or "-",
        ]
        rows.append([Cell(text) for text in texts])
    print_table(screen, Table([Column(title) for title in titles], rows))


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"


def _claim(target: dict[str, Any]) -> str:
    from stratoperf.text.units import parameter, quantity

    where = ", ".join(f"{name} {parameter(value)}" for name, value in target["where"].items())
    value = quantity(target["value"], target["unit"])
    claim = f"{target['statistic']} {target['direction']} {value}"
    return f"{claim} ({where})" if where else claim
