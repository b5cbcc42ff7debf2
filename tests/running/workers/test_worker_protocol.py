"""The conversation between a worker and its driver."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from stratoperf.running.workers import protocol
from stratoperf.running.workers.protocol import PROTOCOL, Channel, Closed, Garbage


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """Return a channel and the raw socket at its other end."""
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    with theirs:
        yield channel, theirs
    channel.close()


def line(**fields: object) -> bytes:
    return json.dumps({"protocol": PROTOCOL, "type": "hello", **fields}).encode() + b"\n"


def test_messages_arrive_whole_and_in_order(ends: tuple[Channel, socket.socket]) -> None:
    channel, far = ends
    other = Channel(far)
    long = "x" * 3_000_000
    # Longer than a socket holds: somebody must read meanwhile.

    def send() -> None:
        for kind, value in (("a", "short"), ("b", long), ("c", "")):
            other.send(kind, value=value)

    sender = threading.Thread(target=send)
    sender.start()
    received = [channel.receive(60.0) for _ in range(3)]
    sender.join()
    assert [message["type"] for message in received] == ["a", "b", "c"]
    assert received[1]["value"] == long
    assert {message["protocol"] for message in received} == {PROTOCOL}


def test_a_message_may_come_in_pieces(ends: tuple[Channel, socket.socket]) -> None:
    channel, far = ends
    content = line(value="ü") + line(value=2)[:10]
    far.sendall(content[:5])
    sender = threading.Timer(0.05, far.sendall, [content[5:]])
    sender.start()
    assert channel.receive(60.0)["value"] == "ü"
    sender.join()
    far.sendall(line(value=2)[10:])
    assert channel.receive(60.0)["value"] == 2


@pytest.mark.parametrize(
    "garbage",
    [
        b"Segmentation fault\n",
        b"\n",
        b"\xff\xfe\x00\n",
        b"[1, 2]\n",
        b"null\n",
        b'{"type": "hello"}\n',
        b'{"protocol": 1, "type": "hello"}\n',
        b'{"protocol": "stratoperf.worker/1", "type": null}\n',
        b'{"protocol": "stratoperf.worker/1", "type": "hello"\n',
    ],
)
def test_a_line_that_is_no_message_is_garbage(
    ends: tuple[Channel, socket.socket], garbage: bytes
) -> None:
    channel, far = ends
    far.sendall(garbage + line())
    with pytest.raises(Garbage) as caught:
        channel.receive(60.0)
    assert caught.value.args[0] == garbage.rstrip(b"\n")


def test_a_line_that_never_ends_does_not_fill_memory(
    ends: tuple[Channel, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, far = ends
    monkeypatch.setattr(protocol, "LONGEST_LINE", 1000)
    far.sendall(b"x" * 2000)
    with pytest.raises(Garbage) as caught:
        channel.receive(60.0)
    assert caught.value.args[0] == b"x" * 80


def test_another_protocol_is_for_the_listener_to_judge(
    ends: tuple[Channel, socket.socket],
) -> None:
    channel, far = ends
    far.sendall(line(protocol="stratoperf.worker/9"))
    assert channel.receive(60.0)["protocol"] == "stratoperf.worker/9"


@pytest.mark.parametrize("last_words", [b"", b"{", b'{"prot', line()[:-1]])
def test_the_end_of_the_conversation_is_no_garbage(
    ends: tuple[Channel, socket.socket], last_words: bytes
) -> None:
    channel, far = ends
    far.sendall(line() + last_words)
    far.close()
    assert channel.receive(60.0)["type"] == "hello"
    # Also when it came in the middle of a message: the process died while it spoke.
    with pytest.raises(Closed):
        channel.receive(60.0)


def test_garbage_before_the_end_is_told(ends: tuple[Channel, socket.socket]) -> None:
    channel, far = ends
    far.sendall(b"Killed")
    far.close()
    with pytest.raises(Garbage) as caught:
        channel.receive(60.0)
    assert caught.value.args[0] == b"Killed"


def test_nobody_listens_any_more(ends: tuple[Channel, socket.socket]) -> None:
    channel, far = ends
    far.close()
    with pytest.raises(Closed):
        channel.send("a")


def test_who_does_not_read_does_not_hold_up_the_sender(
    ends: tuple[Channel, socket.socket],
) -> None:
    with pytest.raises(Closed):
        ends[0].send("pickled", timeout_s=0.05, pickled="x" * 4_000_000)


def test_a_trickle_does_not_put_off_the_timeout(ends: tuple[Channel, socket.socket]) -> None:
    channel, far = ends
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.01):
            far.sendall(b" ")

    thread = threading.Thread(target=trickle)
    thread.start()
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        channel.receive(0.2)
    stop.set()
    thread.join()
    assert time.monotonic() - begin >= 0.2
