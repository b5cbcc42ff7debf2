"""Finding and opening the devices of the kernel modules."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import stratoperf as sp
from stratoperf import kernel_modules
from stratoperf.kernel_modules import GpuDmaLock, SwarmGuard, TierWatch
from stratoperf.stratoswarm.further import kernel_modules as doctor
from stratoperf.stratoswarm.kernel_modules.failures import failure_of
from wording import mentions, says

FakeRoot = Callable[..., Path]
"""Makes a root whose device of a module is another one."""


@pytest.fixture
def fake_root(tmp_path: Path) -> FakeRoot:
    """Make a root whose device of a module is ``/dev/null``."""

    def make(module: str, *, called: str | None = None, loaded: bool = True) -> Path:
        number = Path("/dev/null").stat().st_rdev
        place = f"sys/dev/char/{os.major(number)}:{os.minor(number)}"
        for folder in ("dev", place, *([f"sys/module/{module}"] if loaded else [])):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "dev" / module).symlink_to("/dev/null")
        (tmp_path / place / "uevent").write_text(
            f"MAJOR={os.major(number)}\nMINOR={os.minor(number)}\nDEVNAME={called or module}\n"
        )
        return tmp_path

    return make


@pytest.mark.parametrize("module", kernel_modules.MODULES)
def test_a_missing_device_says_how_to_load_the_module(module: str, tmp_path: Path) -> None:
    state = kernel_modules.available(module, tmp_path)
    assert not state
    assert mentions(state.reason or "", f"/dev/{module}")
    assert mentions(state.remedy, f"modprobe {module}")


def test_the_device_of_another_driver_is_not_opened(
    fake_root: FakeRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = fake_root("swarm_guard", called="null")
    really = os.open

    def watched(path: os.PathLike[str], flags: int, *further: int) -> int:
        assert not str(path).startswith(str(root / "dev")), "it was opened"
        return really(path, flags, *further)

    monkeypatch.setattr(os, "open", watched)
    with pytest.raises(sp.PrerequisiteMissing, match=says("/dev/swarm_guard", "'null'")):
        SwarmGuard(root)


def test_a_file_or_a_link_to_nowhere_is_not_a_device(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "tier_watch").write_text("")
    (tmp_path / "dev" / "swarm_guard").symlink_to("nowhere")
    with pytest.raises(sp.PrerequisiteMissing, match=says("not a character device")):
        TierWatch(tmp_path)
    assert not kernel_modules.available("swarm_guard", tmp_path)


def test_a_device_that_the_kernel_does_not_name_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "gpu_dma_lock").symlink_to("/dev/null")
    state = kernel_modules.available("gpu_dma_lock", tmp_path)
    assert mentions(state.reason or "", "another driver")


def test_a_device_without_its_module_is_not_used(fake_root: FakeRoot) -> None:
    state = kernel_modules.available("tier_watch", fake_root("tier_watch", loaded=False))
    assert mentions(state.reason or "", "not loaded")


def test_an_unknown_module_is_refused() -> None:
    with pytest.raises(sp.InvalidParameter, match=says("module:", "'swarm_gard'", "swarm_guard")):
        kernel_modules.available("swarm_gard")


def test_another_interface_is_an_unknown_command(fake_root: FakeRoot) -> None:
    expected = says("AGENT_DESTROY", "version")
    with (
        SwarmGuard(fake_root("swarm_guard")) as guard,
        pytest.raises(kernel_modules.UnknownCommand, match=expected),
    ):
        guard.destroy_agent(1)


def test_a_closed_device_says_so(fake_root: FakeRoot) -> None:
    watch = TierWatch(fake_root("tier_watch"))
    descriptor = watch.fileno()
    watch.close()
    watch.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    with pytest.raises(sp.InvalidParameter, match=says("closed", "TierWatch()")):
        watch.stats("cpu")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOENT, kernel_modules.NotFound),
        (errno.EDQUOT, kernel_modules.QuotaExceeded),
        (errno.EPERM, kernel_modules.NotPermitted),
        (errno.EBUSY, kernel_modules.Busy),
        (errno.EINVAL, kernel_modules.BadField),
        (errno.EFAULT, kernel_modules.BadPointer),
        (errno.ENOTTY, kernel_modules.UnknownCommand),
        (errno.ENOMEM, kernel_modules.OutOfMemory),
        (errno.EIO, kernel_modules.KernelModuleError),
    ],
)
def test_an_error_carries_the_command_and_a_remedy(number: int, kind: type[Exception]) -> None:
    failure = failure_of("GPU_ALLOC", number)
    assert type(failure) is kind
    assert (failure.command, failure.errno) == ("GPU_ALLOC", number)
    assert mentions(str(failure), "GPU_ALLOC", errno.errorcode[number], ";")


def test_the_doctor_tells_of_each_module(fake_root: FakeRoot) -> None:
    checks = {check.name: check for check in doctor(fake_root("tier_watch"))}
    assert checks["module tier_watch"].status == "ok"
    assert checks["module swarm_guard"].status == "missing"
    assert "modprobe" in (checks["module swarm_guard"].remedy or "")


NAN = float("nan")

WRONG: list[tuple[str, Callable[[SwarmGuard], object], tuple[str, ...]]] = [
    ("long name", lambda g: g.create_agent("ä" * 32, memory_limit=1), ("name:", "63", "64")),
    ("empty name", lambda g: g.create_agent("", memory_limit=1), ("name:", "non-empty")),
    ("NUL", lambda g: g.create_agent("a\0b", memory_limit=1), ("name:", "control")),
    ("surrogate", lambda g: g.create_agent("\ud800", memory_limit=1), ("name:", "surrogates")),
    ("no memory", lambda g: g.create_agent("a", memory_limit=0), ("memory_limit:", "0")),
    ("too much", lambda g: g.create_agent("a", memory_limit=2**64), ("memory_limit:",)),
    ("a float", lambda g: g.create_agent("a", memory_limit=1.5), ("memory_limit:", "1.5")),  # type: ignore[arg-type]
    (
        "a large quota",
        lambda g: g.create_agent("a", memory_limit=1, cpu_quota=2**32),
        ("cpu_quota:",),
    ),
    (
        "a namespace",
        lambda g: g.create_agent("a", memory_limit=1, namespaces=["nett"]),
        ("namespaces:", "'nett'", "net"),
    ),
    (
        "a text for several",
        lambda g: g.create_agent("a", memory_limit=1, namespaces="net"),
        ("namespaces:", "collection"),
    ),
    ("a negative id", lambda g: g.destroy_agent(-1), ("agent:", "-1")),
    (
        "too many mounts",
        lambda g: g.setup_mounts(1, bind_mounts=[kernel_modules.BindMount("/a", "/b")] * 17),
        ("bind_mounts:", "16", "17"),
    ),
    (
        "a long path",
        lambda g: g.add_bind_mount(1, kernel_modules.BindMount("/" * 256, "/b")),
        ("source:", "255", "256"),
    ),
    (
        "a mount flag",
        lambda g: g.add_bind_mount(1, kernel_modules.BindMount("/a", "/b", ["readonli"])),
        ("flags:", "readonly"),
    ),
    (
        "an empty layer",
        lambda g: g.mount_overlay(1, kernel_modules.Overlay("/l", "", "/w", "/m")),
        ("upper:",),
    ),
    ("NaN", lambda g: kernel_modules.Personality(exploration=NAN), ("exploration:", "nan")),
    ("above 1", lambda g: kernel_modules.Personality(1.5), ("risk_tolerance:", "1.5")),
]


@pytest.mark.parametrize(
    ("call", "parts"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_wrong_values_are_refused_by_name(
    call: Callable[[SwarmGuard], object], parts: tuple[str, ...], fake_root: FakeRoot
) -> None:
    with (
        SwarmGuard(fake_root("swarm_guard")) as guard,
        pytest.raises(sp.InvalidParameter, match=says(*parts)),
    ):
        call(guard)


def test_wrong_values_for_the_gpu_are_refused_by_name(fake_root: FakeRoot) -> None:
    with GpuDmaLock(fake_root("gpu_dma_lock")) as lock:
        with pytest.raises(sp.InvalidParameter, match=says("size:", "0")):
            lock.allocate(1, 0)
        with pytest.raises(sp.InvalidParameter, match=says("size:", "64 bits")):
            lock.grant(1, 2**64 - 1, 1, ["read"])
        with pytest.raises(sp.InvalidParameter, match=says("access:", "nothing")):
            lock.is_allowed(1, 0, 1, [])
        with pytest.raises(sp.InvalidParameter, match=says("devices:", "32", "31")):
            lock.set_quota(1, 1, devices=[32])


def test_wrong_tiers_are_refused_by_name(fake_root: FakeRoot) -> None:
    with TierWatch(fake_root("tier_watch")) as watch:
        with pytest.raises(sp.InvalidParameter, match=says("tier:", "'nvm'", "nvme")):
            watch.stats("nvm")
        with pytest.raises(sp.InvalidParameter, match=says("target:", "cpu", "itself")):
            watch.migrate("cpu", "cpu", 1)
        with pytest.raises(sp.InvalidParameter, match=says("pages:", "0")):
            watch.migrate("cpu", "ssd", 0)
