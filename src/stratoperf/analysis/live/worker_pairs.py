"""Pairs of workers: a benchmark of the suite in two environments."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import time
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy as np

from stratoperf.analysis.comparison import Side
from stratoperf.analysis.live.pairs import SIDES, Arm, SideFailed, other
from stratoperf.analysis.live.processes import Child, Output, ending
from stratoperf.analysis.live.protocol import PROTOCOL, Channel, Closed, Garbage
from stratoperf.analysis.live.sides import Environment
from stratoperf.errors import InvalidParameter, PrerequisiteMissing, StratoperfError

WARMUP_S = 0.03
"""Seconds that each worker runs the operation before the first slice.

First calls are much slower; what else settles only in seconds is sampled by many fresh processes
instead, alike on both sides.
"""

SLICES = 8
"""Slices of each side in a pair: while one works the other waits."""

SLICE_S = 0.006
"""Seconds of a slice; drift that is slower cancels within the pair."""

LEAD_IN_S = 0.0005
"""Seconds that each slice begins with and that are no samples: caches are the other's still."""

QUIT_S = 5.0
"""Seconds that a worker has for its teardown."""

WORKER = "stratoperf.analysis.live.worker"


class WorkerProcess:
    """A worker of one side, and the conversation with it.

    Parameters
    ----------
    side, environment
        What it is for.
    variables
        Environment variables to set for it.
    timeout_s
        How long the process may last.

    Raises
    ------
    InvalidParameter
        When the interpreter cannot be started.
    """

    def __init__(
        self,
        side: Side,
        environment: Environment,
        variables: Mapping[str, str],
        timeout_s: float,
    ) -> None:
        self.side: Side = side
        self._python = environment.python
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self._greeted = False
        self.version = ""
        with contextlib.ExitStack() as cleanup:
            self._output = cleanup.enter_context(Output())
            ours, theirs = socket.socketpair()
            self._channel = Channel(ours)
            cleanup.callback(self._channel.close)
            with theirs:
                child = self._started(theirs.fileno(), variables)
            self._child = cleanup.enter_context(child)
            self._cleanup = cleanup.pop_all()
        self.process = uuid.uuid4().hex[:12]

    def _started(self, descriptor: int, variables: Mapping[str, str]) -> Child:
        argv = [self._python, "-m", WORKER, str(descriptor), str(os.getpid())]
        try:
            return Child(
                argv,
                self._output,
                keep_stdout=True,
                env={**os.environ, **variables},
                descriptors=(descriptor,),
            )
        except OSError as error:
            raise InvalidParameter(
                f"{self.side}: the interpreter {self._python!r} cannot be started: "
                f"{error.strerror or error}; give the path of a Python executable"
            ) from None

    def ask(self, kind: str, **fields: Any) -> None:
        """Send a question; `answer` waits for what it brings."""
        with contextlib.suppress(Closed):
            # A worker that died is found out, with the reason, by whoever waits for the answer.
            self._channel.send(kind, **fields)

    def answer(self, kind: str) -> dict[str, Any]:
        """Wait for an answer.

        Raises
        ------
        SideFailed
            When the code under test raised or was wrong, hung, died, or wrote into the
            conversation.
        PrerequisiteMissing
            When there is no stratoperf in the environment.
        StratoperfError
            When the worker speaks another protocol.
        """
        if not self._greeted:
            self._greeted = True
            hello = self.answer("hello")
            self.version = str(hello.get("version", "unknown"))
        message = self._received()
        if message["protocol"] != PROTOCOL:
            raise StratoperfError(
                f"{self.side}: the worker of {self._python} speaks {message['protocol']!r}, this "
                f"version of stratoperf {PROTOCOL!r}; install the same version on both sides"
            )
        if message["type"] == "error":
            raise SideFailed(self.side, str(message.get("message")))
        if message["type"] != kind:
            raise SideFailed(
                self.side, f"the worker answered {message['type']!r} where {kind!r} was expected"
            )
        return message

    def _received(self) -> dict[str, Any]:
        try:
            return self._channel.receive(max(self._deadline - time.monotonic(), 1e-3))
        except TimeoutError:
            raise SideFailed(
                self.side,
                f"the worker did not end within {self._timeout_s:g} s and was killed; "
                "raise timeout_s if it needs longer",
            ) from None
        except Garbage as garbage:
            raise SideFailed(
                self.side,
                "something else than the worker wrote into its conversation, beginning with "
                f"{garbage.args[0]!r}; the code under test must leave descriptors alone that it "
                "did not open",
            ) from None
        except Closed:
            raise self._death() from None

    def _death(self) -> StratoperfError:
        ended = self._child.wait(QUIT_S)
        tail = self._output.tail()
        if not self.version and "No module named" in tail and "stratoperf" in tail:
            return PrerequisiteMissing(
                f"{self.side}: {self._python} has no stratoperf that can run live; install it "
                f"with: {self._python} -m pip install --upgrade stratoperf"
            )
        how = f"ended with {ending(self._child.finish())}" if ended else "fell silent"
        said = f"; its last output:\n{tail}" if tail else " and said nothing"
        return SideFailed(self.side, f"the worker {how}{said}")

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._cleanup:
            if error is None:
                # It may have been told already, so that two end at the same time.
                self.ask("quit")
                self._child.wait(QUIT_S)


class WorkerPairs:
    """Measures a benchmark in two environments.

    Parameters
    ----------
    environments
        By side.
    questions
        What ``setup`` says, by side.
    timeout_s
        For one process.
    """

    def __init__(
        self,
        environments: Mapping[Side, Environment],
        questions: Mapping[Side, Mapping[str, Any]],
        timeout_s: float,
    ) -> None:
        self._environments = environments
        self._questions = questions
        self._timeout_s = timeout_s

    def prepare(self) -> None:
        """Nothing comes before the first pair: every worker is fresh."""

    def measure(self, first: Side, seed: int, *, verify: bool) -> dict[Side, Arm]:
        """Measure a pair; see `PairSource`."""
        order = (first, other(first))
        variables = {"PYTHONHASHSEED": str(seed)}
        with contextlib.ExitStack() as stack:
            workers = {
                side: stack.enter_context(
                    WorkerProcess(side, self._environments[side], variables, self._timeout_s)
                )
                for side in order
            }
            for side in order:
                workers[side].ask("setup", **self._questions[side], warmup_s=WARMUP_S)
            ready = {side: workers[side].answer("ready") for side in order}
            # One batch for both: means over more iterations are smoother.
            batch = max(int(ready[side]["batch"]) for side in SIDES)
            slices = self._slices(workers, order, batch)
            begin = time.monotonic()
            checked = self._verified(workers, order) if verify else {}
            verifying_s = time.monotonic() - begin
            for side in order:
                workers[side].ask("quit")
            return {
                side: Arm(
                    process=workers[side].process,
                    started_ns=slices[side][0]["started_ns"],
                    batch=batch,
                    latency=np.concatenate([_latency(one) for one in slices[side]]),
                    warmup=ready[side]["warmup"],
                    checked=checked.get(side),
                    verifying_s=verifying_s / 2,
                    items=ready[side]["items"],
                    item_unit=ready[side]["item_unit"],
                )
                for side in SIDES
            }

    def _slices(
        self, workers: Mapping[Side, WorkerProcess], order: tuple[Side, Side], batch: int
    ) -> dict[Side, list[dict[str, Any]]]:
        """Let the sides work in turn: A B, B A, A B and so on, so that a steady drift cancels."""
        slices: dict[Side, list[dict[str, Any]]] = {side: [] for side in SIDES}
        for number in range(SLICES):
            for side in order if number % 2 == 0 else reversed(order):
                workers[side].ask("slice", batch=batch, seconds=SLICE_S, lead_in_s=LEAD_IN_S)
                slices[side].append(workers[side].answer("samples"))
        return slices

    def _verified(
        self, workers: Mapping[Side, WorkerProcess], order: tuple[Side, Side]
    ) -> dict[Side, int | None]:
        for side in order:
            workers[side].ask("verify")
        return {side: workers[side].answer("verified")["checked"] for side in order}


def _latency(message: Mapping[str, Any]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.frombuffer(base64.b64decode(message["latency"]), dtype="<f8").astype(np.float64)
