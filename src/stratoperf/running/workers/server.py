"""A worker: a process that runs one benchmark when told to.

`client` starts it with a descriptor; `protocol` describes the conversation over that. It
ends when the descriptor closes, and when the guardian finds that its driver died.
"""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import stratoperf
from stratoperf.artifacts.shelf import REACH, take_over
from stratoperf.failures import describe, type_name
from stratoperf.running.containment import Containment
from stratoperf.running.workers.protocol import SAMPLED_S, SLICES, Channel, Closed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from stratoperf._core.sampler import Sampled
    from stratoperf.operation import Operation

# The warm-up takes samples too; they are dropped, and one is enough.
_NOTHING_S = 1e-9


class Worker:
    """Answers the questions that come over a channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._cleanup = contextlib.ExitStack()
        self._operation: Operation | None = None
        # Iterations that a limited operation may still do, and what each slice gets of them.
        self._left: int | None = None
        self._share = 0
        # Those of the case that was measured, by series.
        self._columns: list[dict[str, NDArray[np.float64]]] = []
        self._answers: dict[str, Callable[..., dict[str, Any]]] = {
            "plan": self._plan,
            "load": self._load,
            "pickled": self._pickled,
            "measure": self._measure,
            "column": self._column,
            "setup": self._set_up,
            "slice": self._slice,
            "verify": self._verify,
        }

    def serve(self) -> None:
        """Answer until told to quit, or until the other end closes."""
        version = sys.version.split(maxsplit=1)[0]
        self._channel.send("hello", version=stratoperf.__version__, python=version)
        with contextlib.suppress(Closed), self._torn_down():
            while (question := self._channel.receive())["type"] != "quit":
                self._channel.send(**self._answer(question))

    @contextlib.contextmanager
    def _torn_down(self) -> Iterator[None]:
        """Tear down at the end; what that raises ends the process with status 1, or its own."""
        try:
            with self._cleanup:
                yield
        except SystemExit as ending:
            # That of a teardown, which is not a success.
            raise SystemExit(ending.code or "the teardown called sys.exit") from None

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        kind = question.pop("type")
        del question["protocol"]
        answer: dict[str, Any] = {}
        # Whatever the code under test raises is for the driver to report.
        with Containment(()) as around:
            answer = self._answers[kind](**question)
        if answer:
            # A measurement that was interrupted says what it had by then.
            return answer
        if around.interrupts:
            # From the driver, which needs no answer any more.
            raise around.interrupts[0]
        error = around.error
        assert error is not None
        return {"kind": "error", "error": type_name(error), "message": describe(error)}

    def _plan(
        self,
        modules: Sequence[str],
        select: Sequence[str] | None,
        backend: str,
        params: dict[str, Any],
    ) -> dict[str, Any]:
        from stratoperf.running.workers.selection import known_cases

        return {"kind": "planned", **known_cases(modules, select, backend, params)}

    def _load(
        self,
        origin: list[Any],
        arguments: Sequence[str],
        benchmark: str,
        version: int,
        place: str,
    ) -> dict[str, Any]:
        from stratoperf.running.origin import Origin
        from stratoperf.running.workers.selection import load_benchmark

        # As the process that drives this one has them, for modules that read them.
        sys.argv[:] = arguments
        load_benchmark(Origin(*origin), benchmark, version, place)
        return {"kind": "loaded"}

    def _pickled(
        self, origin: list[Any] | None, arguments: Sequence[str], benchmark: str, pickled: str
    ) -> dict[str, Any]:
        from stratoperf.running.origin import Origin
        from stratoperf.running.workers.selection import load_pickled

        sys.argv[:] = arguments
        main = None if origin is None else Origin(*origin)
        load_pickled(main, benchmark, base64.b64decode(pickled))
        return {"kind": "loaded"}

    def _measure(
        self,
        benchmark: str,
        backend: str,
        params: dict[str, Any],
        sampling: dict[str, Any],
        profile: bool,
        system: str,
        process: str,
    ) -> dict[str, Any]:
        from stratoperf.running.attempt import attempt
        from stratoperf.running.cases import known_case
        from stratoperf.running.presets import Sampling
        from stratoperf.running.registry import REGISTRY

        tried = attempt(
            known_case(REGISTRY.find(benchmark), backend, params, Sampling(**sampling), profile),
            system=system,
            process=process,
            is_shared=False,
        )
        tree = tried.tree
        self._columns = [series["columns"] for series in tree["series"]]
        lengths = [
            {**series, "columns": {name: len(column) for name, column in columns.items()}}
            for series, columns in zip(tree["series"], self._columns, strict=True)
        ]
        result = {**tree, "series": lengths}
        return {
            "kind": "measured",
            "result": result,
            "is_set_up": tried.is_set_up,
            "has_built": tried.has_built,
        }

    def _column(self, series: int, name: str, start: int, stop: int) -> dict[str, Any]:
        return {"kind": "column", "values": _encoded(self._columns[series][name][start:stop])}

    def _set_up(
        self,
        modules: Sequence[str],
        benchmark: str,
        backend: str,
        params: dict[str, Any],
        warmup_s: float,
    ) -> dict[str, Any]:
        from stratoperf.running.registry import REGISTRY
        from stratoperf.running.workers.selection import import_modules

        import_modules(modules)
        case = REGISTRY.find(benchmark).operation(params, backend, SAMPLED_S)
        operation = self._operation = self._cleanup.enter_context(case)
        has_built = REACH.end_set_up()
        self._left = operation.max_iterations
        sampled, samples = self._sampled(warmup_s, _NOTHING_S, 0, self._left)
        self._share = (self._left or 0) // SLICES
        return {
            "kind": "ready",
            "batch": sampled.batch,
            "iteration_ns": float(samples[-1]),
            "items": operation.items,
            "item_unit": operation.item_unit,
            "warmup": {"seconds": sampled.warmup_s, "iterations": sampled.warmup_iterations},
            "left": self._left,
            "has_built": has_built,
        }

    def _slice(self, batch: int, seconds: float, lead_in_s: float) -> dict[str, Any]:
        allowed: int | None = None
        if self._left is not None:
            # One before the first sample, and a sample.
            least = 2 * batch
            if self._left < least:
                raise stratoperf.StratoperfError(
                    "the operation may run too few times in one process (max_iterations) for the "
                    "slices of a live comparison; measure less at a time, or compare stored runs"
                )
            allowed = max(least, self._share)
        sampled, samples = self._sampled(lead_in_s, seconds, batch, allowed)
        return {
            "kind": "samples",
            "started_ns": sampled.started_ns,
            "latency": _encoded(samples),
        }

    def _sampled(
        self, warmup_s: float, seconds: float, batch: int, max_iterations: int | None
    ) -> tuple[Sampled, NDArray[np.float64]]:
        """Return what the sampler says, and the samples in nanoseconds."""
        from stratoperf import _core

        if self._operation is None:
            raise stratoperf.StratoperfError("slice: nothing is set up")
        sampled = _core.sampler.sample(
            self._operation.work,
            warmup_s=warmup_s,
            min_samples=1,
            max_duration_s=seconds,
            batch=batch,
            max_iterations=max_iterations or 0,
            **_FIXED,
        )
        _check(sampled)
        samples = sampled.samples_ns
        if self._left is not None:
            self._left -= sampled.warmup_iterations + len(samples) * sampled.batch
        return sampled, samples

    def _verify(self) -> dict[str, Any]:
        from stratoperf.verification import outcome

        if self._operation is None:
            raise stratoperf.StratoperfError("verify: nothing is set up")
        verification, failure = outcome(self._operation, self._operation.name)
        if failure is not None:
            raise failure
        return {
            "kind": "verified",
            "checked": None if verification is None else verification.checked,
        }


# What every call of the sampler has in common: no looks at the precision, and no signals, since
# Ctrl-C does not reach this process.
_FIXED: dict[str, Any] = {
    "precision": 0.0,
    "quantile": 0.5,
    "confidence": 0.95,
    "histogram": None,
    "stop_on_signal": False,
}


def _encoded(numbers: NDArray[np.float64]) -> str:
    """Return numbers as the protocol has them."""
    return base64.b64encode(numbers.astype("<f8", copy=False).tobytes()).decode()


def _check(sampled: Sampled) -> None:
    if sampled.stopped_because == "failed":
        raise stratoperf.StratoperfError(f"the operation failed: {sampled.error}")
    # Ctrl-C does not come here, so it is of the operation's own making.
    if sampled.stopped_because == "interrupted":
        raise stratoperf.StratoperfError("the operation raised KeyboardInterrupt")


def _leave_nothing() -> None:
    """Kill what the benchmark started and did not end, while it is known to be ours."""
    with contextlib.suppress(ChildProcessError):
        # Raises where there are no children: nearly always.
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        from stratoperf.running.workers.guardian import sweep

        sweep([os.getpid()])


def main(arguments: Sequence[str]) -> None:
    """Serve the driver over the inherited descriptor."""
    descriptor = int(arguments[0])
    os.set_inheritable(descriptor, False)
    take_over()
    # How the driver interrupts it; the driver may run in the background, where SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with socket.socket(fileno=descriptor) as connection:
        try:
            Worker(Channel(connection)).serve()
        finally:
            _leave_nothing()
    for stream in (sys.stdout, sys.stderr):
        # The code under test may have closed or replaced it.
        with contextlib.suppress(Exception):
            stream.flush()
    # All is torn down; what the interpreter would do now only takes time from the next pair.
    os._exit(0)
