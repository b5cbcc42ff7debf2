"""What blocks hold: random bytes that Ctrl-C ends soon, and what a caller gives."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

import stratoperf as sp
from memory_fakes import PAGE, noise
from stratoperf.stratoswarm.memory import TierManager, content, operations

MIB = 1 << 20


class Interrupted:
    """A generator of random numbers during whose work Ctrl-C is pressed."""

    def __init__(self, piece: int) -> None:
        self.piece = piece
        self.sizes: list[int] = []

    def integers(self, low: int, high: int, size: int, dtype: type[np.uint64]) -> Any:
        self.sizes.append(size * np.dtype(dtype).itemsize)
        if len(self.sizes) == self.piece:
            raise KeyboardInterrupt
        return np.random.Generator(np.random.PCG64(1)).integers(low, high, size, dtype)


def test_random_bytes_are_made_in_pieces_between_which_ctrl_c_ends_it() -> None:
    random = Interrupted(piece=3)
    with pytest.raises(KeyboardInterrupt):
        content.random_content(128 * MIB, cast(np.random.Generator, random))
    assert len(random.sizes) == 3
    assert max(random.sizes) <= 16 * MIB


@pytest.mark.parametrize("size", [PAGE, 16 * MIB, 16 * MIB + PAGE])
def test_random_bytes_are_as_many_as_asked_for_and_differ(size: int) -> None:
    made = content.random_content(size, np.random.default_rng(1))
    assert made.dtype == np.uint8
    assert made.shape == (size,)
    assert np.unique(made[:: max(1, size // PAGE)]).size > 200
    assert not np.array_equal(made[: PAGE // 2], made[PAGE // 2 : PAGE])
    assert np.array_equal(made, content.random_content(size, np.random.default_rng(1)))


def test_ctrl_c_while_blocks_are_filled_ends_the_set_up_at_once(
    managed: Callable[..., TierManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = managed(budget_bytes=operations.disk_limits(32 * MIB).bytes)
    random = Interrupted(piece=2)
    monkeypatch.setattr(np.random, "default_rng", lambda seed: random)
    with pytest.raises(KeyboardInterrupt):
        operations.migrate(manager, "cpu", "disk", 32 * MIB)
    assert len(random.sizes) == 2


WRONG: list[tuple[object, str]] = [
    (bytes(PAGE), r"got bytes of 4096; give np\.frombuffer"),
    (bytearray(PAGE), r"got bytearray of 4096; give np\.frombuffer"),
    ([0] * PAGE, r"got list; make one with np\.asarray"),
    (7, r"got int; make one"),
    (np.zeros(PAGE // 8), r"got float64 of shape \(512,\); give np\.ascontiguousarray"),
    (np.zeros(PAGE, np.int8), r"got int8 of shape"),
    (np.zeros((2, PAGE // 2), np.uint8), r"got uint8 of shape \(2, 2048\)"),
    (np.zeros(2 * PAGE, np.uint8)[::2], r"got uint8 of shape \(4096,\), not contiguous"),
    (np.zeros(2 * PAGE, np.uint8), r"got 8192 bytes; give as many as the block has"),
    (np.zeros(0, np.uint8), r"got 0 bytes"),
]


@pytest.mark.parametrize(("given", "message"), WRONG, ids=[message for _, message in WRONG])
def test_content_of_another_form_is_refused_with_what_would_be_right(
    manager: TierManager, given: Any, message: str
) -> None:
    expected = (
        rf"^content: expected a contiguous one-dimensional uint8 array of 4096 bytes, {message}"
    )
    with pytest.raises(sp.InvalidParameter, match=expected):
        manager.allocate(PAGE, "cpu", given)
    assert manager.blocks == ()
    block = manager.allocate(PAGE, "cpu", noise(PAGE))
    with pytest.raises(sp.InvalidParameter, match=expected):
        manager.write(block, given)
    assert np.array_equal(manager.read(block), noise(PAGE))


def test_every_piece_of_advice_leads_to_content_that_is_taken(manager: TierManager) -> None:
    expected = noise(PAGE)
    for advice in (
        np.frombuffer(expected.tobytes(), np.uint8),
        np.asarray(expected.tolist(), np.uint8),
        np.ascontiguousarray(np.repeat(expected, 2)[::2]).view(np.uint8).reshape(-1),
    ):
        block = manager.allocate(PAGE, "cpu", advice)
        assert np.array_equal(manager.read(block), expected)


def again_and_again(timer: threading.Timer, call: Callable[[], object]) -> None:
    timer.start()
    while True:
        call()


@pytest.mark.parametrize("delay_s", [0.01, 0.03])
@pytest.mark.parametrize("work", ["allocate", "store", "read", "verify"])
def test_ctrl_c_during_native_work_leaves_no_room_taken(
    managed: Callable[..., TierManager], work: str, delay_s: float
) -> None:
    size = 8 * MIB
    manager = managed(budget_bytes=4 << 30)
    block = manager.allocate(size, "disk", noise(size))
    calls: dict[str, Callable[[], object]] = {
        "allocate": lambda: manager.store.free(
            manager.store.allocate(size, manager.index("disk"), main_thread=True)
        ),
        "store": lambda: manager.store.free(
            manager.store.store(noise(size, 2), manager.index("disk"), main_thread=True)
        ),
        "read": lambda: manager.read(block),
        "verify": lambda: manager.verify(block),
    }
    timer = threading.Timer(delay_s, os.kill, [os.getpid(), signal.SIGINT])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            again_and_again(timer, calls[work])
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    # Between two calls a block may be Python's to free; what was interrupted has left none.
    assert manager.opened("disk").used in (size, 2 * size)
    manager.verify(block)
