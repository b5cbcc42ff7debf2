"""Full, read-only and damaged disks, Ctrl-C and kill -9: no byte and no file is left behind."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import stratoperf as sp
from memory_fakes import PAGE, disk_kind, noise
from stratoperf._core import memory as native
from stratoperf.stratoswarm.memory import TierManager, operations
from wording import says

MIB = 1 << 20
PATIENCE_S = 60.0


def command(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"{' '.join(words)} does not work here: {done.stderr.strip()}")


@contextlib.contextmanager
def mounted(*words: str) -> Iterator[None]:
    command("mount", *words)
    try:
        yield
    finally:
        subprocess.run(["umount", words[-1]], check=True)


@contextlib.contextmanager
def read_only(point: Path) -> Iterator[None]:
    subprocess.run(["mount", "-o", "remount,ro", str(point)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(point)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MiB on a loop device."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a file system")
    image, point = tmp_path / "image", tmp_path / "small"
    point.mkdir()
    with image.open("wb") as file:
        file.truncate(32 * MIB)
    command("mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", str(image))
    with mounted("-o", "loop", str(image), str(point)):
        (point / "lost+found").rmdir()
        yield point
        assert list(point.iterdir()) == []


def manager_in(directory: Path, share: float = 0.5) -> TierManager:
    kind = disk_kind(directory)
    return TierManager({kind: directory}, use=["cpu", kind], share=share)


@pytest.mark.root
def test_a_full_disk_leaves_the_block_where_it_was(small_disk: Path) -> None:
    with manager_in(small_disk, share=1.0) as manager:
        first = manager.allocate(8 * MIB, "cpu", noise(8 * MIB))
        manager.migrate(first, "disk")
        second = manager.allocate(8 * MIB, "cpu", noise(8 * MIB, 2))
        # Others take the room that was free when the manager was made.
        hog = small_disk / "hog"
        free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
        with hog.open("wb") as file, contextlib.suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, free - MIB)
        with pytest.raises(sp.StratoperfError, match=os.strerror(errno.ENOSPC)):
            manager.migrate(second, "disk")
        assert second.tier == manager.tier("cpu")
        assert np.array_equal(manager.read(second), noise(8 * MIB, 2))
        assert np.array_equal(manager.read(first), noise(8 * MIB))
        hog.unlink()
        manager.migrate(second, "disk")
        assert np.array_equal(manager.read(second), noise(8 * MIB, 2))


@pytest.mark.root
def test_room_that_was_trimmed_is_free_for_others(small_disk: Path) -> None:
    def free() -> int:
        return os.statvfs(small_disk).f_bfree * os.statvfs(small_disk).f_frsize

    before = free()
    with manager_in(small_disk, share=1.0) as manager:
        block = manager.allocate(16 * MIB, "disk", noise(16 * MIB))
        assert free() < before - 15 * MIB
        manager.free(block)
        manager.trim()
        assert free() > before - MIB


@pytest.mark.root
def test_a_read_only_file_system_is_no_usable_tier(small_disk: Path) -> None:
    with read_only(small_disk):
        with pytest.raises(sp.PrerequisiteMissing, match=says("not writable")):
            manager_in(small_disk)
        with pytest.raises(sp.StratoperfError, match=os.strerror(errno.EROFS)):
            native.FileTier(name="hdd0", capacity=PAGE, directory=str(small_disk))


@pytest.mark.root
def test_a_file_system_without_direct_io_says_so_and_still_works(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a file system")
    point = tmp_path / "memory"
    point.mkdir()
    # Older kernels refuse O_DIRECT on a tmpfs; newer ones take it. Either way bytes come back.
    with mounted("-t", "tmpfs", "-o", "size=4m", "tmpfs", str(point)):
        tier = native.FileTier(name="file", capacity=16 * MIB, directory=str(point))
        memory = native.MemoryTier(name="memory", capacity=16 * MIB, huge=False, node=None)
        store = native.Store([memory, tier], 1 << 30)
        block = store.store(noise(MIB), 0, main_thread=True)
        store.migrate([block], 1, main_thread=True)
        assert np.array_equal(store.read(block, main_thread=True), noise(MIB))
        large = store.store(noise(8 * MIB), 0, main_thread=True)
        with pytest.raises(sp.StratoperfError, match=os.strerror(errno.ENOSPC)):
            store.migrate([large], 1, main_thread=True)
        assert store.tier_of(large) == 0
        store.verify(large, main_thread=True)
        del store, tier


@pytest.mark.parametrize("length", [0, PAGE, MIB // 2 + 100])
def test_a_file_that_was_cut_short_is_an_error_and_no_data(
    manager: TierManager, length: int
) -> None:
    lost = manager.allocate(MIB, "disk", noise(MIB))
    safe = manager.allocate(MIB, "cpu", noise(MIB, 2))
    opened = manager.opened("disk")
    assert isinstance(opened, native.FileTier)
    os.truncate(f"/proc/self/fd/{opened.fileno()}", length)
    for use in (manager.read, manager.verify, lambda block: manager.migrate(block, "cpu")):
        with pytest.raises(sp.StratoperfError, match=says("something", "short")):
            use(lost)
    assert lost.tier == manager.tier("disk")
    manager.free(lost)
    manager.migrate(safe, "disk")
    assert np.array_equal(manager.read(safe), noise(MIB, 2))


def test_content_that_was_changed_behind_our_back_is_noticed(manager: TierManager) -> None:
    block = manager.allocate(MIB, "disk", noise(MIB))
    opened = manager.opened("disk")
    assert isinstance(opened, native.FileTier)
    with Path(f"/proc/self/fd/{opened.fileno()}").open("r+b", buffering=0) as file:
        file.seek(5 * PAGE)
        file.write(b"damage")
    with pytest.raises(sp.VerificationFailed, match=says("hold", "stored")):
        manager.verify(block)
    with pytest.raises(sp.VerificationFailed):
        manager.read(block)


WORK = """
    import sys
    import numpy as np
    import stratoperf as sp
    from stratoperf.stratoswarm.memory import TierManager

    kind, directory = sys.argv[1:]
    manager = TierManager({kind: directory}, use=["cpu", kind])
    content = np.random.default_rng(1).integers(0, 256, 16 << 20, np.uint8)
    block = manager.allocate(len(content), "cpu", content)
    try:
        print("ready", flush=True)
        while True:
            manager.migrate(block, "disk")
            manager.migrate(block, "cpu")
    except KeyboardInterrupt:
        manager.verify(block)
        assert np.array_equal(manager.read(block), content)
        print("intact in", block.tier.name, flush=True)
"""


@pytest.fixture
def migrating(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that migrates a block to and fro, and the directory of its disk tier."""
    directory = tmp_path / "tier"
    directory.mkdir()
    words = [sys.executable, "-c", textwrap.dedent(WORK), disk_kind(directory), str(directory)]
    # SIGINT may be ignored where the tests run in the background, and children inherit that.
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process, directory
        finally:
            process.kill()


@pytest.mark.parametrize("delay_s", [0.0, 0.013, 0.05])
def test_after_ctrl_c_the_block_is_intact_and_no_file_is_left(
    migrating: tuple[subprocess.Popen[str], Path], delay_s: float
) -> None:
    process, directory = migrating
    time.sleep(delay_s)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert output.startswith("intact in ")
    assert process.returncode == 0
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("delay_s", [0.0, 0.013, 0.05])
def test_after_kill_9_no_file_is_left(
    migrating: tuple[subprocess.Popen[str], Path], delay_s: float
) -> None:
    process, directory = migrating
    time.sleep(delay_s)
    assert list(directory.iterdir()) == []  # not even meanwhile
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    assert list(directory.iterdir()) == []


def test_a_measurement_stops_at_ctrl_c_and_the_blocks_are_intact(
    managed: Callable[..., TierManager],
) -> None:
    manager = managed(budget_bytes=4 << 30)
    operation = operations.migrate(manager, "cpu", "disk", 16 * MIB)
    operation.max_iterations = None
    timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    try:
        with pytest.raises(sp.Interrupted):
            sp.measure(operation, warmup_s=0, max_duration_s=PATIENCE_S, precision=0)
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)
    for block in manager.blocks:
        manager.verify(block)
