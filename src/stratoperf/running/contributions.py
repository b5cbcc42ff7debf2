"""What a package adds to the instrument besides benchmarks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar, TypeAlias

if TYPE_CHECKING:
    import click

    from stratoperf.monitor.model import Check
    from stratoperf.running.targets import Target

SCRIPT = "__main__"
"""The package of what a script, a notebook or a prompt adds; running a cell again replaces it."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """One published figure; made by `stratoperf.claim`, which documents the fields.

    A claim whose benchmark does not exist yet stays in the table, so that readers see that nobody
    has checked it.
    """

    kind: ClassVar[str] = "claim"

    package: str
    component: str
    metric: str
    text: str
    published: str = "unknown"
    benchmark: str | None = None
    target: Target | None = None

    @property
    def name(self) -> str:
        """Name that distinguishes it from other claims."""
        return f"{self.component}, {self.metric}"


@dataclasses.dataclass(frozen=True)
class Category:
    """A category of benchmarks, and its flag; made by `stratoperf.category`."""

    kind: ClassVar[str] = "category"

    package: str
    name: str
    description: str


@dataclasses.dataclass(frozen=True)
class DoctorCheck:
    """A function that examines the machine; made by `stratoperf.doctor_check`."""

    kind: ClassVar[str] = "doctor_check"

    package: str
    name: str
    function: Callable[..., Check | Iterable[Check]]


@dataclasses.dataclass(frozen=True)
class FurtherCommand:
    """A command of a package; made by `stratoperf.cli_command`."""

    kind: ClassVar[str] = "cli_command"

    package: str
    name: str
    command: click.Command


@dataclasses.dataclass(frozen=True)
class BenchmarkModule:
    """A module that declares benchmarks; made by `stratoperf.benchmark_module`."""

    kind: ClassVar[str] = "benchmark_module"

    package: str
    name: str


Contribution: TypeAlias = Claim | Category | DoctorCheck | FurtherCommand | BenchmarkModule
