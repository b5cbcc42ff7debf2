"""Whether the declaration of a benchmark fits its function."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from stratoperf import arguments, backends
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.running.targets import Target
from stratoperf.running.units import conversion

if TYPE_CHECKING:
    from stratoperf.running.declaration import Benchmark

METRICS = ("latency", "throughput", "device_time", "utilization")
"""What a target can speak of: what the runner measures of every operation, the device time of those
whose work a device does, and what an operation observes itself."""

VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)

TOLD = ("backend", "duration_s")
"""What the runner tells a function that has an argument of that name."""


UNKEYED = "[]=, \t\n"
"""What separates the parts of a key; see `stratoperf.running.keys`."""


def check_declaration(benchmark: Benchmark) -> None:
    """Check what was declared of a benchmark.

    Raises
    ------
    InvalidParameter
        For a name that cannot be selected, an unknown backend, and parameters, items or targets
        that do not fit the function.
    """
    name = arguments.text("name", benchmark.name)
    if any(letter in name for letter in f"{UNKEYED}*?"):
        raise InvalidParameter(
            f"name: {name!r} cannot name a benchmark; use letters, digits, '.', '-' "
            "and '_', such as 'kv.put'"
        )
    arguments.text(f"category: of {name}", benchmark.category)
    arguments.whole_number(f"version: of {name}", benchmark.version, 0, 2**63 - 1)
    if benchmark.item_unit is not None:
        arguments.text(f"item_unit: of {name}", benchmark.item_unit)
    if not benchmark.backends:
        raise InvalidParameter(f"backends: {name} has none; name one, such as 'cpu'")
    for backend in benchmark.backends:
        arguments.text(f"backends: of {name}", backend)
        if backend not in backends.names():
            raise InvalidParameter(
                f"backends: {backend!r} of {name} is unknown; "
                f"{did_you_mean(backend, backends.names())}"
            )
    _check_params(benchmark)
    _check_arguments(benchmark)
    _check_targets(benchmark)
    for field in ("check", "disk_bytes", "setup_s"):
        _check_function(benchmark, field)
    if benchmark.items is not None and not isinstance(benchmark.items, str):
        arguments.number(f"items: of {name}", benchmark.items, above=0.0)
    if isinstance(benchmark.items, str) and benchmark.items not in benchmark.params:
        raise InvalidParameter(
            f"items: {benchmark.items!r} is no parameter of {name}; "
            f"{did_you_mean(benchmark.items, benchmark.params)}"
        )


def _check_params(benchmark: Benchmark) -> None:
    known = benchmark.signature
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known.values())
    for backend, axes in benchmark.backend_params.items():
        if backend not in benchmark.backends:
            raise InvalidParameter(
                f"backend_params: {benchmark.name} has no backend {backend!r}; "
                f"{did_you_mean(backend, benchmark.backends)}"
            )
        for name in axes:
            if name in benchmark.params:
                raise InvalidParameter(
                    f"backend_params: {name!r} of {backend} is among params already; "
                    "leave it out of one of them"
                )
    for axes in (benchmark.params, *benchmark.backend_params.values()):
        for name, values in axes.items():
            if any(letter in name for letter in UNKEYED):
                raise InvalidParameter(
                    f"params: {name!r} of {benchmark.name} cannot name a parameter; use letters, "
                    "digits and '_'"
                )
            if name == "backend":
                raise InvalidParameter(
                    f"params: 'backend' of {benchmark.name} is no parameter; declare it with "
                    "backends="
                )
            if name not in known and not takes_any:
                raise InvalidParameter(
                    f"params: {benchmark.name} does not take {name!r}; {did_you_mean(name, known)}"
                )
            if not values:
                raise InvalidParameter(
                    f"params: {name!r} of {benchmark.name} has no values; list some"
                )


def _check_arguments(benchmark: Benchmark) -> None:
    for name, parameter in benchmark.signature.items():
        variadic = parameter.kind in VARIADIC
        required = parameter.default is inspect.Parameter.empty and not variadic
        # Of the parameters of one backend, the function needs defaults for the others.
        given = all(name in benchmark.axes(backend) for backend in benchmark.backends)
        if required and not given and name not in TOLD:
            raise InvalidParameter(
                f"params: {benchmark.name} needs a value for {name!r} on every backend; "
                f"add params={{{name!r}: [...]}}, or give the argument a default"
            )


def _check_function(benchmark: Benchmark, field: str) -> None:
    """Check what is a function of the parameters, or for all but `check` a number."""
    given = getattr(benchmark, field)
    if not callable(given):
        if field != "check":
            arguments.number(field, given, at_least=0.0)
        elif given is not None:
            raise InvalidParameter(
                f"check: expected a function of the parameters of {benchmark.name}, got {given!r}"
            )
        return
    known = {name for backend in benchmark.backends for name in benchmark.axes(backend)}
    if field != "check":
        known.add("duration_s")
    for name, parameter in inspect.signature(given).parameters.items():
        required = parameter.default is inspect.Parameter.empty
        if required and parameter.kind not in VARIADIC and name not in known:
            raise InvalidParameter(
                f"{field}: {benchmark.name} has no parameter {name!r}; {did_you_mean(name, known)}"
            )


def _check_targets(benchmark: Benchmark) -> None:
    known = {name for backend in benchmark.backends for name in benchmark.axes(backend)}
    known.add("backend")
    for target in benchmark.targets:
        if not isinstance(target, Target):
            raise InvalidParameter(
                f"target: expected a Target, or several, for {benchmark.name}, got {target!r}"
            )
        if target.metric not in METRICS:
            raise InvalidParameter(
                f"target: {benchmark.name} has no metric {target.metric!r}; "
                f"{did_you_mean(target.metric, METRICS)}"
            )
        if target.metric in ("latency", "device_time"):
            conversion("ns", target.unit)
        for name in target.where:
            if name not in known:
                raise InvalidParameter(
                    f"where: {name!r} in the target '{target}' of {benchmark.name} is no "
                    f"parameter; {did_you_mean(name, known)}"
                )
