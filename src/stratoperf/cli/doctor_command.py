"""``stratoperf doctor``: what this machine can measure, what makes it noisy, and how to fix it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stratoperf.cli.options import RESULTS
from stratoperf.cli.packages import warn_of_packages

if TYPE_CHECKING:
    from stratoperf.monitor import Check
    from stratoperf.presentation.terminal.screen import Screen

TOPICS = {
    "measures": "What this machine can measure",
    "noise": "What makes it noisy",
    "limits": "Limits",
}
# The word tells what the color tells, for those who do not see it.
STYLES = {"ok": "green", "warning": "yellow", "missing": "red", "unknown": "dim"}
COMMANDS = ("echo", "export", "sudo", "pip", "ulimit", "stratoperf", "systemd-run", "top")
"""What a remedy that can be pasted into a shell begins with; others are advice."""

STATUS_WIDTH = 9
HEAD_WIDTH = 2 + STATUS_WIDTH + 22


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=RESULTS,
    show_default=True,
    help="Check the disk of this folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def doctor(output: Path, as_json: bool) -> None:
    """Show what this machine can measure, and what makes it noisy.

    Each problem comes with the command that fixes it. The doctor changes nothing.
    """
    from stratoperf.monitor import diagnose

    info = None
    if as_json:
        from stratoperf.monitor import system

        info = system()
    # Packages are asked while the doctor watches for competition, which takes a moment anyway.
    checks = diagnose(output=output, further=_findings_of_packages(), info=info)

    from stratoperf.presentation.terminal.screen import Screen, print_json

    if as_json:
        import msgspec

        print_json({"system": msgspec.to_builtins(info), "checks": msgspec.to_builtins(checks)})
        return
    screen = Screen.stdout()
    if screen.fancy:
        _show(screen, checks)
    else:
        _show_plain(screen, checks)


def _findings_of_packages() -> Iterator[Check]:
    from stratoperf.running import REGISTRY, DoctorCheck
    from stratoperf.running.doctor_checks import findings

    yield from findings(REGISTRY.contributed(DoctorCheck))
    warn_of_packages(REGISTRY)


def _show(screen: Screen, checks: list[Check]) -> None:
    # Where details stand below their heads, so do remedies.
    margin = " " * (2 + STATUS_WIDTH if screen.has_room_beside(HEAD_WIDTH) else 4)
    for topic, title in TOPICS.items():
        screen.heading(title)
        for check in (check for check in checks if check.topic == topic):
            head = f"  {check.status:<{STATUS_WIDTH}}{check.name}"
            screen.entry(head, HEAD_WIDTH, check.detail, STYLES[check.status])
            if check.remedy is None:
                continue
            if check.remedy.partition(" ")[0] in COMMANDS:
                # On one line however long, so that it can be copied.
                screen.line(f"{margin}$ {check.remedy}", "cyan")
            else:
                screen.paragraph(f"{margin}→ {check.remedy}", "cyan", indent=f"{margin}  ")
    screen.line()
    screen.line(_summary(checks), "bold")


def _show_plain(screen: Screen, checks: list[Check]) -> None:
    from stratoperf.presentation.terminal.tables import Cell, Column, Table, print_table

    rows = [
        [Cell(check.status), Cell(check.name), Cell(check.detail), Cell(check.remedy or "-")]
        for check in checks
    ]
    columns = [Column(title) for title in ("status", "name", "detail", "remedy")]
    print_table(screen, Table(columns, rows))
    screen.line(_summary(checks))


def _summary(checks: list[Check]) -> str:
    counts = {status: sum(check.status == status for check in checks) for status in STYLES}
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count)
