"""Declaring benchmarks: parameters in, an operation out."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import itertools
import logging
import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from stratoperf import arguments
from stratoperf.backends import REFERENCE
from stratoperf.errors import InvalidParameter
from stratoperf.failures import describe
from stratoperf.operation import Operation, as_operation
from stratoperf.running.containment import Containment
from stratoperf.running.contributions import SCRIPT
from stratoperf.running.keys import case_key
from stratoperf.running.origin import Origin
from stratoperf.running.targets import Target
from stratoperf.running.values import Value

_LOG = logging.getLogger(__name__)

RUNNER_ARGUMENTS = ("backend", "duration_s")
"""The runner gives these to a function that has an argument of that name."""


class Declared(NamedTuple):
    """What a declaration says of one case.

    Attributes
    ----------
    disk_bytes
        What measuring it writes to disk at most.
    setup_s
        Seconds of its setup and verification.
    fault
        What is wrong with a function of the declaration, or ``None``.
    """

    disk_bytes: int = 0
    setup_s: float = 0.0
    fault: str | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Benchmark:
    """A function that turns parameters into an operation, with what the suite must know of it.

    Made by `stratoperf.benchmark`, which documents the fields and checks them; `origin` is what a
    fresh process imports to have it too, or ``None``.
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
    setup_s: Callable[..., float] | float
    sustained_s: float
    check: Callable[..., object] | None
    description: str
    origin: Origin | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the decorated function."""
        return self.function(*args, **kwargs)

    @property
    def package(self) -> str:
        """The package whose code declares it."""
        return str(getattr(self.function, "__module__", SCRIPT)).partition(".")[0]

    @property
    def measured_backends(self) -> tuple[str, ...]:
        """The backends that ``backend="auto"`` measures: all but the reference."""
        return tuple(backend for backend in self.backends if backend != REFERENCE)

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
            Backend that these parameters are for.
        """
        axes = self.axes(backend)
        for values in itertools.product(*(chosen.get(name, axes[name]) for name in axes)):
            yield dict(zip(axes, values, strict=True))

    def key(self, params: Mapping[str, Value], backend: str) -> str:
        """Return the stable identity of a case; see `stratoperf.running.keys`."""
        return case_key(self.name, params, backend)

    @contextlib.contextmanager
    def operation(
        self, params: Mapping[str, Value], backend: str, duration_s: float
    ) -> Iterator[Operation]:
        """Set up one case, hand over its operation, and tear it down on any exit.

        Of a generator, what stands before its only ``yield`` is the setup and what stands after
        it is the teardown, which runs even when the measurement fails.

        Parameters
        ----------
        params
            A value of each parameter.
        backend
            Which does the work.
        duration_s
            Seconds that it will be sampled for at most.

        Raises
        ------
        InvalidParameter
            When the function returns nothing that can be measured, or yields more than once.
        Exception
            Whatever the function raises.
        """
        offered: dict[str, Value] = dict(zip(RUNNER_ARGUMENTS, (backend, duration_s), strict=True))
        asked = {name: value for name, value in offered.items() if name in self.signature}
        made = self.function(**{**asked, **params})
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
            except BaseException as error:
                # The first error is the one to report; this one must not hide it.
                _LOG.warning("the teardown of %s failed too: %s", self.name, describe(error))
            raise
        _finish(self.name, made)

    def disk_bytes_of(self, params: Mapping[str, Value], duration_s: float) -> int:
        """Return how many bytes measuring one case writes to disk, by its own declaration.

        Parameters
        ----------
        params
            Parameters of the case.
        duration_s
            Seconds that it is sampled for at most.
        """
        return math.ceil(self._declared("disk_bytes", params, duration_s))

    def setup_s_of(self, params: Mapping[str, Value], duration_s: float) -> float:
        """Return the seconds of setup and verification that the declaration tells, 0 for none.

        The parameters are those of `disk_bytes_of`.
        """
        return self._declared("setup_s", params, duration_s)

    def _declared(self, field: str, params: Mapping[str, Value], duration_s: float) -> float:
        value = getattr(self, field)
        if callable(value):
            value = value(**_those_taken(value, {"duration_s": duration_s, **params}))
        return arguments.number(f"{field} of {self.name}", value, at_least=0.0)

    def declared(self, params: Mapping[str, Value], duration_s: float) -> Declared:
        """Return what the declaration says of one case; its functions are asked once.

        Parameters
        ----------
        params, duration_s
            Parameters and sampling time of the case; see `disk_bytes_of`.

        Raises
        ------
        InvalidParameter
            From the benchmark's own check, for values that cannot be measured on any machine.
        """
        asking: dict[str, Callable[[], Any]] = {
            "check": lambda: self._declared_check(params),
            "disk_bytes": lambda: self.disk_bytes_of(params, duration_s),
            "setup_s": lambda: self.setup_s_of(params, duration_s),
        }
        answers: dict[str, Any] = {}
        for field, ask in asking.items():
            if not callable(getattr(self, field)):
                answers[field] = ask()
                continue
            # The plan puts back what they change.
            with Containment(()) as around:
                answers[field] = ask()
            if around.interrupts:
                raise around.interrupts[0]
            if around.error is None:
                continue
            is_ours = issubclass(type(around.error), InvalidParameter)
            if field == "check" and is_ours:
                raise around.error
            reason = describe(around.error)
            return Declared(fault=reason if is_ours else f"{field} of {self.name}: {reason}")
        return Declared(answers["disk_bytes"], answers["setup_s"])

    def _declared_check(self, params: Mapping[str, Value]) -> None:
        if self.check is not None:
            self.check(**_those_taken(self.check, params))

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

    @property
    def signature(self) -> Mapping[str, inspect.Parameter]:
        """The arguments of the function, by name."""
        return inspect.signature(self.function).parameters


def _those_taken(function: Callable[..., Any], values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values that a function has arguments for; all, if it takes any name."""
    taken = inspect.signature(function).parameters
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in taken.values()):
        return dict(values)
    return {name: value for name, value in values.items() if name in taken}


def _finish(name: str, generator: Generator[object, Any, object]) -> None:
    """Run what stands after the ``yield``."""
    for _ in generator:
        # Here, not whenever it is collected: another ``yield`` may follow in a ``finally``.
        with contextlib.suppress(RuntimeError):
            generator.close()
        raise InvalidParameter(
            f"{name}: the generator yields more than once; yield one operation, then tear down"
        )
