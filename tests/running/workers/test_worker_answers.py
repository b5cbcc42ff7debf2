"""Whatever a worker sends that is not the answer: a sentence that names its side."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from scripted_workers import ScriptedWorker
from stratoperf.running.workers import answers, protocol
from stratoperf.running.workers.client import WorkerFailed
from stratoperf.running.workers.protocol import PROTOCOL
from wording import says

HELLO = {"type": "hello", "version": "0.1.0", "python": "3.11.7"}
READY: dict[str, Any] = {
    "type": "ready",
    "batch": 10,
    "iteration_ns": 1.5,
    "items": 1.0,
    "item_unit": "votes",
    "warmup": {"seconds": 0.1, "iterations": 9},
    "left": None,
}


def doubles(*values: float) -> str:
    return base64.b64encode(np.array(values).tobytes()).decode()


def line(message: Any) -> bytes:
    if isinstance(message, dict):
        message = {"protocol": PROTOCOL, **message}
    return json.dumps(message).encode() + b"\n"


GARBAGE: dict[str, bytes] = {
    "nested": b'{"a":' * 100_000 + b"\n",
    "nested lists": b'{"protocol": "x", "type": ' + b"[" * 100_000 + b"\n",
    "bytes": b"\xff\xfe\n",
    "a large integer": line({**READY, "batch": 10**400}),
    "digits": b'{"protocol": "x", "type": "hello", "a": ' + b"9" * 10_000 + b"}\n",
    "an endless line": b"x" * (protocol.LONGEST_LINE + (1 << 20)),
    "lists": b"[" + b"[]," * 600_000 + b"[]]\n",
    "a lone surrogate": line({**READY, "item_unit": "\ud800"}),
    "an array": line([1, 2]),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_what_is_no_message_is_the_failure_of_its_side(what: str) -> None:
    with (
        ScriptedWorker(line(HELLO) + GARBAGE[what]) as worker,
        pytest.raises(WorkerFailed, match=says("pipe", "descriptors")) as caught,
    ):
        worker.answer("ready", answers.Ready)
    assert caught.value.worker == "current"
    assert len(str(caught.value)) < 1000


WRONG: dict[str, dict[str, Any]] = {
    "another answer": {"type": "verified", "checked": 1},
    "no such answer": {"type": "x" * 100_000},
    "a batch of 0": {**READY, "batch": 0},
    "a fraction as batch": {**READY, "batch": 1.5},
    "an iteration of no time": {**READY, "iteration_ns": -1.0},
    "NaN": {**READY, "iteration_ns": float("nan")},
    "infinity": {**READY, "iteration_ns": float("inf")},
    "an age": {**READY, "iteration_ns": 1e30},
    "more items than there are": {**READY, "items": 1e300},
    "a unit that is no text": {**READY, "item_unit": 5},
    "a unit that is a book": {**READY, "item_unit": "x" * 100_000},
    "a warm-up of wrong type": {**READY, "warmup": {"seconds": "long"}},
    "a warm-up before the start": {**READY, "warmup": {"seconds": -1.0, "iterations": 1}},
    "nothing left": {**READY, "left": -1},
    "an error without words": {"type": "error", "message": {"a": [1]}},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_answer_is_the_failure_of_its_side(what: str) -> None:
    with (
        ScriptedWorker(line(HELLO) + line(WRONG[what])) as worker,
        pytest.raises(WorkerFailed) as caught,
    ):
        worker.answer("ready", answers.Ready)
    assert caught.value.worker == "current"
    assert "worker" in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("version", [None, 5, {"a": 1}, "x" * 1000])
def test_a_version_that_is_none_is_the_failure_of_its_side(version: Any) -> None:
    hello = line({**HELLO, "version": version})
    with (
        ScriptedWorker(hello + line(READY)) as worker,
        pytest.raises(WorkerFailed, match=says("'hello'", "protocol")),
    ):
        worker.answer("ready", answers.Ready)


def test_the_reason_for_a_failure_is_cut_where_it_does_not_end() -> None:
    error = {"type": "error", "message": "broken " * 100_000}
    with (
        ScriptedWorker(line(HELLO) + line(error)) as worker,
        pytest.raises(WorkerFailed, match=r"^broken") as caught,
    ):
        worker.answer("ready", answers.Ready)
    assert len(str(caught.value)) <= 10_000


@pytest.mark.parametrize("letter", ["\ud800", "\0"])
def test_the_reason_for_a_failure_can_be_stored(
    monkeypatch: pytest.MonkeyPatch, letter: str
) -> None:
    failed = answers.Failure(f"broken {letter}")
    with ScriptedWorker(2 * line(HELLO) + line({"type": "error"})) as worker:
        # Whatever reads the messages: JSON alone has no such text.
        worker.answer("hello", answers.Hello)
        monkeypatch.setattr(worker, "_converted", lambda kind, message, shape: failed)
        with pytest.raises(WorkerFailed, match=r"^broken") as caught:
            worker.answer("ready", answers.Ready)
    str(caught.value).encode()


@pytest.mark.parametrize(
    "latency",
    ["", "AAA=", "not base64", doubles(-1.0), doubles(1.0, np.nan), doubles(np.inf), doubles(1e19)],
)
def test_samples_that_are_no_times_are_the_failure_of_their_side(latency: str) -> None:
    samples = {"type": "samples", "started_ns": 5, "latency": latency}
    with (
        ScriptedWorker(line(HELLO) + line(samples)) as worker,
        pytest.raises(WorkerFailed, match=says("'samples'", "protocol")),
    ):
        worker.answer("samples", answers.Samples)


def test_right_answers_are_read() -> None:
    samples = {"type": "samples", "started_ns": 5, "latency": doubles(0.0, 1.5)}
    with ScriptedWorker(line(HELLO) + line(READY) + line(samples)) as worker:
        assert worker.answer("ready", answers.Ready).batch == 10
        assert worker.answer("samples", answers.Samples).values.tolist() == [0.0, 1.5]
        assert worker.version == "0.1.0"
