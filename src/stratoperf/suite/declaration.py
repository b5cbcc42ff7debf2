"""Declaring benchmarks: parameters in, an operation out."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import itertools
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from stratoperf import arguments
from stratoperf.backends import BACKENDS
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.operation import Operation, as_operation
from stratoperf.suite.keys import case_key
from stratoperf.suite.targets import Target
from stratoperf.suite.units import conversion

_LOG = logging.getLogger(__name__)

Value: TypeAlias = bool | int | float | str
"""What a parameter can be: something JSON and a command line can both write."""

CATEGORIES = ("single-node", "components", "swarmlet", "stress")
"""The categories of the suite; benchmarks of other packages may add their own."""

METRICS = ("latency", "throughput", "device_time", "utilization")
"""What a target can speak of: what the runner measures of every operation, the device time of those
whose work a device does, and what an operation observes itself."""


@dataclasses.dataclass(frozen=True, eq=False)
class Benchmark:
    """A function that turns parameters into an operation, with what the suite must know of it.

    Made by `stratoperf.benchmark`, which documents the fields.
    """

    name: str
    function: Callable[..., Any]
    params: Mapping[str, tuple[Value, ...]]
    backend_params: Mapping[str, Mapping[str, tuple[Value, ...]]]
    version: int
    backends: tuple[str, ...]
    category: str
    targets: tuple[Target, ...]
    items: float | str | None
    item_unit: str | None
    disk_bytes: Callable[..., float] | float
    sustained_s: float
    check: Callable[..., object] | None
    description: str

    def __post_init__(self) -> None:
        if not self.name or any(letter in self.name for letter in "[]*?=, \t\n"):
            raise InvalidParameter(
                f"name: {self.name!r} cannot name a benchmark; use letters, digits, '.', '-' "
                "and '_', such as 'kv.put'"
            )
        if self.name in CATEGORIES:
            raise InvalidParameter(f"name: {self.name!r} is a category; choose another name")
        if not self.backends:
            raise InvalidParameter(f"backends: {self.name} has none; name one, such as 'cpu'")
        for backend in self.backends:
            if backend not in BACKENDS:
                raise InvalidParameter(
                    f"backends: {backend!r} of {self.name} is unknown; "
                    f"{did_you_mean(backend, BACKENDS)}"
                )
        self._check_signature()
        self._check_targets()
        if isinstance(self.items, str) and self.items not in self.params:
            raise InvalidParameter(
                f"items: {self.items!r} is no parameter of {self.name}; "
                f"{did_you_mean(self.items, self.params)}"
            )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the decorated function."""
        return self.function(*args, **kwargs)

    @property
    def measured_backends(self) -> tuple[str, ...]:
        """The backends that ``backend="auto"`` measures: all but the reference."""
        return tuple(backend for backend in self.backends if backend != "reference")

    def axes(self, backend: str) -> Mapping[str, tuple[Value, ...]]:
        """Return the values by parameter on a backend, those of this backend alone last."""
        return {**self.params, **self.backend_params.get(backend, {})}

    def combinations(
        self, chosen: Mapping[str, Sequence[Value]], backend: str
    ) -> Iterator[dict[str, Value]]:
        """Yield every combination of the parameters, the last one varying fastest.

        Parameters
        ----------
        chosen
            Values to take instead of the declared ones, by parameter.
        backend
            Whose parameters these are.
        """
        axes = self.axes(backend)
        for values in itertools.product(*(chosen.get(name, axes[name]) for name in axes)):
            yield dict(zip(axes, values, strict=True))

    def key(self, params: Mapping[str, Value], backend: str) -> str:
        """Return the stable identity of a case; see `stratoperf.suite.keys`."""
        return case_key(self.name, params, backend)

    @contextlib.contextmanager
    def operation(self, params: Mapping[str, Value], backend: str) -> Iterator[Operation]:
        """Set up one case, hand over its operation, and tear it down on any exit.

        Of a generator, what stands before its only ``yield`` is the setup and what stands after
        it is the teardown, which runs even when the measurement fails.

        Raises
        ------
        InvalidParameter
            When the function returns nothing that can be measured, or yields more than once.
        Exception
            Whatever the function raises.
        """
        arguments: dict[str, Any] = dict(params)
        if "backend" in self._parameters():
            arguments["backend"] = backend
        made = self.function(**arguments)
        if not inspect.isgenerator(made):
            yield self._as_operation(made, params)
            return
        try:
            first = next(made)
        except StopIteration:
            raise InvalidParameter(
                f"{self.name}: the generator ended without yielding an operation"
            ) from None
        try:
            yield self._as_operation(first, params)
        except BaseException:
            try:
                _finish(self.name, made)
            except Exception:
                # The first error is the one to report; this one must not hide it.
                _LOG.warning("the teardown of %s failed too", self.name, exc_info=True)
            raise
        _finish(self.name, made)

    def disk_bytes_of(self, params: Mapping[str, Value]) -> int:
        """Return how many bytes measuring one case writes to disk, by its own declaration."""
        if not callable(self.disk_bytes):
            return math.ceil(self.disk_bytes)
        # The parameters of one backend are passed only to a function that takes them.
        taken = {*self.params, *inspect.signature(self.disk_bytes).parameters}
        known = {name: value for name, value in params.items() if name in taken}
        return math.ceil(self.disk_bytes(**known))

    def check_values(self, params: Mapping[str, Value]) -> None:
        """Hold the parameters of one case to the benchmark's own check.

        Raises
        ------
        InvalidParameter
            For values that cannot be measured on any machine.
        """
        if self.check is not None:
            taken = inspect.signature(self.check).parameters
            self.check(**{name: value for name, value in params.items() if name in taken})

    def _as_operation(self, work: Any, params: Mapping[str, Value]) -> Operation:
        if work is None:
            raise InvalidParameter(
                f"{self.name}: the function returned None; return the operation or callable to "
                "measure, or yield it"
            )
        operation = as_operation(work)
        if self.items is None:
            return operation
        items = params[self.items] if isinstance(self.items, str) else self.items
        return Operation(
            operation.work,
            name=operation.name,
            items=float(items),
            item_unit=self.item_unit or operation.item_unit,
            verify=operation.verify,
            max_iterations=operation.max_iterations,
            details=operation.details,
            observe=operation.observe,
        )

    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.function).parameters

    def _check_signature(self) -> None:
        parameters = self._parameters()
        takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
        for backend in self.backend_params:
            if backend not in self.backends:
                raise InvalidParameter(
                    f"backend_params: {self.name} has no backend {backend!r}; "
                    f"{did_you_mean(backend, self.backends)}"
                )
        for name, values in self._all_params():
            if name == "backend":
                raise InvalidParameter(
                    f"params: 'backend' of {self.name} is no parameter; declare it with backends="
                )
            if name not in parameters and not takes_any:
                raise InvalidParameter(
                    f"params: {self.name} does not take {name!r}; {did_you_mean(name, parameters)}"
                )
            if not values:
                raise InvalidParameter(f"params: {name!r} of {self.name} has no values; list some")
        for name, parameter in parameters.items():
            variadic = parameter.kind in (
                inspect.Parameter.VAR_KEYWORD,
                inspect.Parameter.VAR_POSITIONAL,
            )
            required = parameter.default is inspect.Parameter.empty and not variadic
            # Of the parameters of one backend, the function needs defaults for the others.
            given = all(name in self.axes(backend) for backend in self.backends)
            if required and not given and name != "backend":
                raise InvalidParameter(
                    f"params: {self.name} needs a value for {name!r} on every backend; "
                    f"add params={{{name!r}: [...]}}, or give the argument a default"
                )
        for backend, axes in self.backend_params.items():
            for name in axes:
                if name in self.params:
                    raise InvalidParameter(
                        f"backend_params: {name!r} of {backend} is among params already; "
                        "leave it out of one of them"
                    )

    def _all_params(self) -> Iterator[tuple[str, tuple[Value, ...]]]:
        """Yield every parameter with its values, those of one backend too."""
        for axes in (self.params, *self.backend_params.values()):
            yield from axes.items()

    def _check_targets(self) -> None:
        known = {*(name for name, _ in self._all_params()), "backend"}
        for target in self.targets:
            if target.metric not in METRICS:
                raise InvalidParameter(
                    f"target: {self.name} has no metric {target.metric!r}; "
                    f"{did_you_mean(target.metric, METRICS)}"
                )
            if target.metric in ("latency", "device_time"):
                conversion("ns", target.unit)
            for name in target.where:
                if name not in known:
                    raise InvalidParameter(
                        f"where: {name!r} in the target '{target}' of {self.name} is no "
                        f"parameter; {did_you_mean(name, known)}"
                    )


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
    sustained_s: float,
    check: Callable[..., object] | None,
) -> Benchmark:
    """Make a `Benchmark`; see `stratoperf.benchmark` for the parameters."""
    targets = () if target is None else (target,) if isinstance(target, Target) else tuple(target)
    return Benchmark(
        name=name,
        function=function,
        params=_frozen(params),
        backend_params=MappingProxyType(
            {backend: _frozen(axes) for backend, axes in backend_params.items()}
        ),
        version=version,
        backends=(backends,) if isinstance(backends, str) else tuple(backends),
        category=category,
        targets=targets,
        items=items,
        item_unit=item_unit,
        disk_bytes=disk_bytes,
        sustained_s=arguments.number("sustained_s", sustained_s, at_least=0.0),
        check=check,
        description=inspect.cleandoc(function.__doc__ or ""),
    )


def _frozen(params: Mapping[str, Iterable[Value]]) -> Mapping[str, tuple[Value, ...]]:
    return MappingProxyType({axis: values_of(axis, some) for axis, some in params.items()})


def values_of(name: str, values: object) -> tuple[Value, ...]:
    """Return the values of one parameter; a single one may stand by itself.

    Raises
    ------
    InvalidParameter
        For a value that is no bool, number or string, and for one that is not finite.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        values = (values,)
    plain: list[Value] = []
    for given in values:
        value = given.item() if isinstance(given, np.generic) else given
        finite = not isinstance(value, float) or math.isfinite(value)
        if not isinstance(value, bool | int | float | str) or not finite:
            raise InvalidParameter(
                f"params: {name!r} has the value {value!r}; expected a bool, a finite number or "
                "a string"
            )
        plain.append(value)
    return tuple(plain)


def _finish(name: str, generator: Iterator[Any]) -> None:
    """Run what stands after the ``yield``."""
    for _ in generator:
        raise InvalidParameter(
            f"{name}: the generator yields more than once; yield one operation, then tear down"
        )
