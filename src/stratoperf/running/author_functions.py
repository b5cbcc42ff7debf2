"""How a package adds claims, categories, checks, commands and modules of benchmarks.

Call these functions at the top level of a module that an entry point of the group
``stratoperf.benchmarks`` names.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from stratoperf import arguments
from stratoperf.errors import InvalidParameter
from stratoperf.running import registry
from stratoperf.running.contributions import (
    SCRIPT,
    BenchmarkModule,
    Category,
    Claim,
    DoctorCheck,
    FurtherCommand,
)

if TYPE_CHECKING:
    import click

    from stratoperf.monitor.model import Check
    from stratoperf.running.targets import Target

CheckFunction = TypeVar("CheckFunction", bound="Callable[..., Check | Iterable[Check]]")

_FLAG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def benchmark_module(name: str) -> str:
    """Name a module that declares benchmarks and claims, which is imported where these are needed.

    Help and ``stratoperf doctor`` need none: they come at once though a workload takes long to
    import. Categories, checks and commands belong in the module that the entry point names.

    Parameters
    ----------
    name
        As after ``import``, such as ``"kv_store.benchmarks"``.

    Returns
    -------
    str
        The name.

    Raises
    ------
    InvalidParameter
        When no module can have the name, or it was named already.

    Examples
    --------
    >>> import stratoperf as sp
    >>> sp.benchmark_module("kv_store.benchmarks")  # doctest: +SKIP
    """
    package = _package_of_caller()
    arguments.text("name", name)
    if not all(part.isidentifier() for part in name.split(".")):
        raise InvalidParameter(
            f"name: {name!r} cannot name a module; write it as after import, such as "
            "'kv_store.benchmarks'"
        )
    registry.REGISTRY.contribute(BenchmarkModule(package, name))
    return name


def claim(
    component: str,
    metric: str,
    text: str,
    *,
    published: str = "unknown",
    benchmark: str | None = None,
    target: Target | None = None,
) -> Claim:
    """Add a published figure to the claims that runs are held against.

    Parameters
    ----------
    component, metric
        What the figure speaks of, such as ``"KV store"`` and ``"put p95"``.
    text
        The target in words, such as ``"< 100 µs"``.
    published
        The value that was published as reached.
    benchmark
        Name of the benchmark that measures it, or ``None`` while there is none.
    target
        The statistic of that benchmark that is judged, and where the claim applies.

    Returns
    -------
    Claim
        What was added.

    Raises
    ------
    InvalidParameter
        When only one of `benchmark` and `target` is given, or the claim exists already.

    Examples
    --------
    >>> import stratoperf as sp
    >>> sp.claim(
    ...     "KV store",
    ...     "put p95",
    ...     "< 100 us",
    ...     benchmark="kv.put",
    ...     target=sp.Target("latency.p95", "<", 100, "us"),
    ... )  # doctest: +SKIP
    """
    from stratoperf.running.targets import Target

    package = _package_of_caller()
    arguments.text("component", component)
    arguments.text("metric", metric)
    arguments.text("text", text)
    arguments.text("published", published)
    if target is not None and not isinstance(target, Target):
        raise InvalidParameter(
            f"target: expected a Target for the claim '{component}, {metric}', got {target!r}"
        )
    if (benchmark is None) != (target is None):
        given, missing = ("target", "benchmark") if benchmark is None else ("benchmark", "target")
        raise InvalidParameter(
            f"{missing}: the claim '{component}, {metric}' has a {given} and no {missing}; "
            "give both, or neither while nothing measures it"
        )
    if benchmark is not None:
        arguments.text("benchmark", benchmark)
    added = Claim(package, component, metric, text, published, benchmark, target)
    registry.REGISTRY.contribute(added)
    return added


def category(name: str, description: str) -> str:
    """Add a category of benchmarks, which ``stratoperf run --NAME`` selects.

    Parameters
    ----------
    name
        Lower-case letters, digits and hyphens, such as ``"key-value"``.
    description
        One sentence for the help of the flag.

    Returns
    -------
    str
        The name, for `category` of `stratoperf.benchmark`.

    Raises
    ------
    InvalidParameter
        When no flag can have the name, or a category or benchmark has it already.
    """
    package = _package_of_caller()
    arguments.text("name", name)
    arguments.text("description", description)
    if _FLAG.fullmatch(name) is None:
        raise InvalidParameter(
            f"name: the category {name!r} cannot be a flag; use lower-case letters, digits and "
            "hyphens, such as 'key-value'"
        )
    registry.REGISTRY.contribute(Category(package, name, description))
    return name


def doctor_check(function: CheckFunction) -> CheckFunction:
    """Add a function that ``stratoperf doctor`` calls to examine the machine.

    The function returns one `Check` or several. It takes no argument, or ``root``, the folder that
    stands for ``/`` in tests. It must not change the machine. What it raises becomes a finding, and
    so does an answer that takes more than some seconds.

    Parameters
    ----------
    function
        Its name is how messages call it.

    Returns
    -------
    callable
        The same function.

    Raises
    ------
    InvalidParameter
        When it cannot be called, or the package has a check of this name already.

    Examples
    --------
    >>> import stratoperf as sp
    >>> @sp.doctor_check
    ... def kv_server() -> sp.Check:
    ...     return sp.Check(name="kv server", status="ok", detail="runs", topic="measures")
    """
    package = _package_of_caller()
    if not callable(function):
        raise InvalidParameter(f"function: expected a function without arguments, got {function!r}")
    name = getattr(function, "__qualname__", type(function).__qualname__)
    registry.REGISTRY.contribute(DoctorCheck(package, f"{package}.{name}", function))
    return function


def cli_command(command: click.Command) -> click.Command:
    """Add a command to ``stratoperf``.

    Parameters
    ----------
    command
        A command of the package ``click``, with its name.

    Returns
    -------
    click.Command
        The same command.

    Raises
    ------
    InvalidParameter
        When it is no such command, or another package has one of this name. One of the name of a
        command of the instrument is left out, and ``stratoperf list`` says so.
    """
    import click

    package = _package_of_caller()
    if not isinstance(command, click.Command) or not command.name:
        raise InvalidParameter(
            f"command: expected a click.Command with a name, got {command!r}; decorate the "
            "function with @click.command('NAME') first"
        )
    registry.REGISTRY.contribute(FurtherCommand(package, command.name, command))
    return command


def _package_of_caller() -> str:
    """Return the name of the package whose code called a function of this module."""
    module = sys._getframe(2).f_globals.get("__name__")
    return module.partition(".")[0] if isinstance(module, str) else SCRIPT
