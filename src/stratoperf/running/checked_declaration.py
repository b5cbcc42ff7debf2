"""Declare a benchmark: check that the declaration fits its function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from stratoperf import arguments, backends
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.running.declaration import RUNNER_ARGUMENTS, Benchmark
from stratoperf.running.origin import origin_of
from stratoperf.running.targets import Target
from stratoperf.running.unit_conversion import conversion
from stratoperf.running.values import Value, frozen

METRICS = ("latency", "throughput", "device_time", "utilization", "added")
"""What a target can speak of: what the runner measures of every operation, the device time of those
whose work a device does, and what an operation observes itself."""

VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)

UNKEYED = "[]=, \t\n"
"""What separates the parts of a key; see `stratoperf.running.keys`."""


def declare(
    function: Callable[..., Any],
    name: str,
    *,
    params: Mapping[str, Iterable[Value]],
    backend_params: Mapping[str, Mapping[str, Iterable[Value]]],
    version: int,
    backends: Iterable[str],
    category: str,
    target: Target | Iterable[Target] | None,
    items: float | str | None,
    item_unit: str | None,
    disk_bytes: Callable[..., float] | float,
    setup_s: Callable[..., float] | float,
    sustained_s: float,
    check: Callable[..., object] | None,
) -> Benchmark:
    """Make a `Benchmark`; see `stratoperf.benchmark` for the parameters."""
    if not callable(function):
        raise InvalidParameter(
            f"function: expected what returns the operation of {name!r}, got {function!r}"
        )
    _check_containers(params, backend_params, backends, target)
    targets = () if target is None else (target,) if isinstance(target, Target) else tuple(target)
    made = Benchmark(
        name=name,
        function=function,
        params=frozen(params),
        backend_params=MappingProxyType(
            {backend: frozen(axes) for backend, axes in backend_params.items()}
        ),
        version=version,
        backends=(backends,) if isinstance(backends, str) else tuple(backends),
        category=category,
        targets=targets,
        items=items,
        item_unit=item_unit,
        disk_bytes=disk_bytes,
        setup_s=setup_s,
        sustained_s=arguments.number("sustained_s", sustained_s, at_least=0.0),
        check=check,
        description=inspect.cleandoc(str(function.__doc__ or "")),
        origin=origin_of(function),
    )
    _check_declaration(made)
    return made


def _check_containers(
    params: object, backend_params: object, backends: object, target: object
) -> None:
    """Check that arguments for several values are containers, before they are read."""
    if not isinstance(params, Mapping):
        raise InvalidParameter(f"params: expected a dictionary of values by name, got {params!r}")
    if not isinstance(backend_params, Mapping) or not all(
        isinstance(axes, Mapping) for axes in backend_params.values()
    ):
        raise InvalidParameter(
            "backend_params: expected a dictionary of values by name for each backend, got "
            f"{backend_params!r}"
        )
    if not isinstance(backends, Iterable):
        raise InvalidParameter(f"backends: expected names such as 'cpu', got {backends!r}")
    if not (target is None or isinstance(target, Target | Iterable)):
        raise InvalidParameter(f"target: expected a Target, or several, got {target!r}")


def _check_declaration(benchmark: Benchmark) -> None:
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
            f"items: {benchmark.items!r} is not a parameter of {name}; "
            f"{did_you_mean(benchmark.items, benchmark.params)}"
        )


def _check_params(benchmark: Benchmark) -> None:
    known = benchmark.signature
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values())
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
                    f"params: 'backend' of {benchmark.name} is not a parameter; declare it with "
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
        if required and not given and name not in RUNNER_ARGUMENTS:
            raise InvalidParameter(
                f"params: {benchmark.name} needs a value for {name!r} on every backend; "
                f"add params={{{name!r}: [...]}}, or give the argument a default"
            )


def _check_function(benchmark: Benchmark, field: str) -> None:
    """Check an argument that is a function of the parameters or, except for `check`, a number."""
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
                    f"where: {name!r} in the target '{target}' of {benchmark.name} is not a "
                    f"parameter; {did_you_mean(name, known)}"
                )
