"""What the sampler times: a native operation or a Python callable."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from stratoperf import arguments
from stratoperf.awaited import Awaited, is_coroutine_function, is_generator_function
from stratoperf.errors import InvalidParameter
from stratoperf.text.safety import log_line

if TYPE_CHECKING:
    import numpy.typing as npt

CAPSULE_NAME = "stratoperf.operation/1"

MEASURED = ("latency", "throughput", "device_time")
"""The metrics of every operation; `observe` must use other names."""

if TYPE_CHECKING:
    from typing_extensions import CapsuleType

    Capsule: TypeAlias = CapsuleType
else:
    Capsule = object
"""A PyCapsule named ``stratoperf.operation/1``; before Python 3.13 its type has no public name."""

Details: TypeAlias = Mapping[str, Any]
"""What JSON can hold, by name."""


class Observed(NamedTuple):
    """An additional metric that an operation observes beside its samples.

    Attributes
    ----------
    unit
        Unit of the samples.
    better
        Whether lower or higher values are better.
    samples
        One-dimensional, finite, in the order taken; not empty.
    """

    unit: str
    better: Literal["lower", "higher"]
    samples: npt.ArrayLike


class Operation:
    """A piece of work that can be measured.

    Parameters
    ----------
    work
        A PyCapsule named ``stratoperf.operation/1`` (see ``operation.h`` in
        `stratoperf.get_include`), which is sampled without the GIL, or a callable without
        arguments, which is timed from C. The calls of a coroutine function are awaited, each in
        the same event loop; what that costs is among the details, as ``event_loop_ns``.
    name
        Name in reports; by default that of the callable.
    items
        Number of work items in one iteration (say, 10,000 votes), above 0. Throughput counts them.
    item_unit
        Their plural name, such as ``"votes"``.
    verify
        Function that checks the outcome of the timed work after the sampling, outside the timed
        region. It returns the number of outcomes that it checked, or raises `VerificationFailed`.
        It is called again after device times are taken, which have their own outcome. By default
        a native operation uses its own check, if it has one.
    max_iterations
        Maximum number of iterations, including the warm-up, for work that uses something up, such
        as bytes written to a disk. ``None`` sets no limit.
    details
        Facts that a reader of the result should know, such as the choice of a calibration: JSON
        values by name, or a function that returns them, which is called once after the sampling.
    observe
        Function that returns additional metrics by name. It is called after the sampling, before
        the verification. It raises `PrerequisiteMissing` if a metric is not available here.

    Raises
    ------
    InvalidParameter
        When `work` is neither a capsule nor a callable that does its work when called (calling a
        generator function does no work), or when `items` or `max_iterations` is not positive.
    """

    def __init__(
        self,
        work: Capsule | Callable[[], object],
        *,
        name: str | None = None,
        items: float = 1.0,
        item_unit: str = "iterations",
        verify: Callable[[], int] | None = None,
        max_iterations: int | None = None,
        details: Details | Callable[[], Details] | None = None,
        observe: Callable[[], Mapping[str, Observed]] | None = None,
    ) -> None:
        self.is_native = type(work).__name__ == "PyCapsule"
        if isinstance(work, Coroutine):
            work.close()
            raise InvalidParameter(
                f"work: the coroutine {_name_of(work)} can run once only; give the function that "
                "creates it, without calling it"
            )
        if not self.is_native and not callable(work):
            raise InvalidParameter(
                f"work: expected a callable without arguments or a {CAPSULE_NAME!r} capsule, "
                f"got {work!r}"
            )
        if is_generator_function(work):
            raise InvalidParameter(
                f"work: a call of {_name_of(work)} creates a generator, but does not run it; give "
                "a function that runs it, such as lambda: sum(work())"
            )
        for argument, function in (("verify", verify), ("observe", observe)):
            if function is not None and not callable(function):
                raise InvalidParameter(
                    f"{argument}: expected a function without arguments, got {function!r}"
                )
        if not (details is None or callable(details) or isinstance(details, Mapping)):
            raise InvalidParameter(
                f"details: expected a dictionary, or a function that returns one, got {details!r}"
            )
        self.work = Awaited(work) if is_coroutine_function(work) else work
        self.name = _name_of(work) if name is None else arguments.text("name", name)
        self.items = arguments.number("items", items, above=0.0)
        self.item_unit = arguments.text("item_unit", item_unit)
        self.verify = verify
        self.max_iterations = (
            None if max_iterations is None else arguments.count("max_iterations", max_iterations)
        )
        self.details = details
        self.observe = observe

    def final_details(self) -> dict[str, Any]:
        """Return the details, now that they are known.

        Raises
        ------
        InvalidParameter
            Naming the one that JSON cannot hold.
        """
        import msgspec

        details = self.details() if callable(self.details) else self.details
        if not (details is None or isinstance(details, Mapping)):
            raise InvalidParameter(
                f"details: expected a dictionary from the function of {self.name}, got {details!r}"
            )
        plain = dict(details or {})
        if isinstance(self.work, Awaited):
            plain["event_loop_ns"] = self.work.loop_cost_ns()
        for name, value in plain.items():
            arguments.text(f"details: a name of {self.name}", name)
            try:
                msgspec.json.encode({name: value})
            except (TypeError, ValueError, RecursionError) as error:
                raise InvalidParameter(
                    f"details: JSON cannot hold {name!r} of {self.name}, a {type(value).__name__} "
                    f"({error}); make it of numbers, strings, lists and dictionaries with string "
                    "keys"
                ) from error
        return plain

    def observed_metrics(self) -> dict[str, Observed]:
        """Return what was observed, now that the samples are taken.

        Raises
        ------
        InvalidParameter
            Naming the metric that is not an `Observed` as its documentation says.
        """
        if self.observe is None:
            return {}
        observed = self.observe()
        if not isinstance(observed, Mapping):
            raise InvalidParameter(
                f"observe: expected a dictionary from the function of {self.name}, got {observed!r}"
            )
        return {
            arguments.text(f"observe: a name of {self.name}", name): _checked(name, metric)
            for name, metric in observed.items()
        }

    def __repr__(self) -> str:
        kind = "native" if self.is_native else "Python"
        return log_line(
            f"<Operation {self.name!r}: {kind}, {self.items:g} {self.item_unit} an iteration>"
        )


def _name_of(work: object) -> str:
    """Return what a callable is called, where that can be shown."""
    try:
        return arguments.text("name", getattr(work, "__qualname__", None))
    except InvalidParameter:
        return "operation"


def _checked(name: str, observed: object) -> Observed:
    """Return what was observed, its samples as an array."""
    import numpy as np

    where = f"observe: {name!r}"
    if not isinstance(observed, Observed):
        raise InvalidParameter(f"{where}: expected an Observed, got {observed!r}")
    if name in MEASURED:
        raise InvalidParameter(f"{where}: every measurement has this metric; choose another name")
    if observed.better not in ("lower", "higher"):
        raise InvalidParameter(
            f"{where}: expected better='lower' or 'higher', got {observed.better!r}"
        )
    try:
        samples = np.array(observed.samples, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidParameter(f"{where}: its samples are not numbers ({error})") from None
    if samples.ndim != 1 or len(samples) == 0 or not np.isfinite(samples).all():
        raise InvalidParameter(
            f"{where}: expected at least one sample, in one dimension and finite, got "
            f"{samples.ndim} dimension(s) of {samples.size} value(s)"
        )
    return Observed(arguments.text(f"{where}: unit", observed.unit), observed.better, samples)


def as_operation(work: Operation | Capsule | Callable[[], object]) -> Operation:
    """Turn anything that `measure` accepts into an `Operation`.

    Parameters
    ----------
    work
        An `Operation`, a capsule or a callable.

    Raises
    ------
    InvalidParameter
        For anything else.
    """
    return work if isinstance(work, Operation) else Operation(work)
