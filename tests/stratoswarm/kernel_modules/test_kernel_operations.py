"""The operations of the benchmarks ``kernel.*`` that need no module."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import stratoperf as sp
from stratoperf.authoring import LOAD_MODULES
from stratoperf.kernel_modules import operations
from stratoperf.operation import Operation
from stratoperf.stratoswarm.benchmarks.single_node import kernel
from stratoperf.stratoswarm.kernel_modules import interception, loading
from wording import mentions, says


def measured(operation: Operation) -> sp.Measurement:
    """Measure briefly; the operation verifies its work."""
    return sp.measure(operation, warmup_s=0, min_iterations=20, max_duration_s=0.02, precision=0)


def test_a_pipe_answers_without_a_module() -> None:
    assert measured(operations.command(operations.PIPE)).count > 0


@pytest.mark.parametrize("call", operations.CALLS)
def test_system_calls_are_made_and_checked(call: str) -> None:
    taken = measured(operations.system_call(call))
    assert taken.verification is not None
    assert taken.verification.checked > 0


def test_children_of_system_calls_are_gone() -> None:
    measured(operations.system_call("clone"))
    measured(operations.system_call("execve"))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize("action", operations.ACTIONS)
@pytest.mark.parametrize("type_", operations.NAMESPACE_TYPES)
def test_namespaces_are_created_entered_and_left(type_: str, action: str) -> None:
    before = sorted((entry.name, entry.readlink()) for entry in Path("/proc/self/ns").iterdir())
    reason = None
    try:
        operation = operations.namespace(type_, action)
    except sp.PrerequisiteMissing as error:
        reason = str(error)
    if reason is not None:
        # What this machine does not allow is said, with the name.
        assert mentions(reason, type_, action)
        return
    assert measured(operation).count > 0
    del operation
    after = sorted((entry.name, entry.readlink()) for entry in Path("/proc/self/ns").iterdir())
    assert after == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_nobody_leaves_a_user_namespace() -> None:
    with pytest.raises(sp.PrerequisiteMissing, match=says("exit", "user")):
        operations.namespace("user", "exit")


def test_a_process_of_namespaces_ends_with_its_parent() -> None:
    code = (
        "import os\n"
        "from stratoperf.kernel_modules import operations\n"
        "operation = operations.namespace('uts', 'enter')\n"
        "print(open('/proc/self/task/%d/children' % os.getpid()).read(), flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    if "PrerequisiteMissing" in done.stderr:
        pytest.skip("needs the right to create namespaces")
    (child,) = map(int, done.stdout.split())
    end = time.monotonic() + 20
    while not _has_ended(child) and time.monotonic() < end:
        time.sleep(0.05)
    assert _has_ended(child)


def _has_ended(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    # Ended, and nobody has asked how.
    return state in "ZX"


@pytest.mark.parametrize("command", [name for name in operations.COMMANDS if name != "FIONREAD"])
def test_a_command_without_its_module_is_skipped_with_the_remedy(command: str) -> None:
    module = operations.module_of(command)
    assert module is not None
    if sp.kernel_modules.available(module):
        pytest.skip(f"{module} is loaded here; the guest tests give it commands")
    with pytest.raises(sp.PrerequisiteMissing, match=says(f"/dev/{module}", "modprobe")):
        operations.command(command)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(sp.InvalidParameter, match=says("command:", "'GPU_ALOC'", "GPU_ALLOC")):
        operations.command("GPU_ALOC")
    with pytest.raises(sp.InvalidParameter, match=says("call:", "'getpd'", "getpid")):
        operations.system_call("getpd")
    with pytest.raises(sp.InvalidParameter, match=says("type:", "'utz'", "uts")):
        operations.namespace("utz", "enter")
    with pytest.raises(sp.InvalidParameter, match=says("action:", "'leave'")):
        operations.namespace("uts", "leave")


def test_a_device_that_does_not_know_the_commands_is_named() -> None:
    descriptor = os.open("/dev/null", os.O_RDWR)
    from stratoperf._core import kernel as native

    try:
        with pytest.raises(OSError, match="ioctl") as caught:
            native.command_operation(descriptor, "AGENT_QUERY", False)
        # It has to make an agent first.
        assert caught.value.filename == "AGENT_CREATE"
    finally:
        os.close(descriptor)


def test_no_module_is_loaded_unless_the_user_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LOAD_MODULES, raising=False)
    with pytest.raises(sp.PrerequisiteMissing, match=says("--load-modules", "swarm_guard")):
        loading.LoadableModule("swarm_guard")


def test_a_module_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(LOAD_MODULES, "1")
    monkeypatch.setenv(loading.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(sp.PrerequisiteMissing, match=says("tier_watch.ko", str(tmp_path))):
        loading.LoadableModule("tier_watch")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(sp.PrerequisiteMissing, match=says("root")):
        loading.LoadableModule("tier_watch")


class Recorded(loading.LoadableModule):
    """A module that only notes what is done with it."""

    def __init__(self, *, was_loaded: bool) -> None:
        self.name = "swarm_guard"
        self.was_loaded = was_loaded
        self.state = was_loaded
        self.changes: list[bool] = []

    def is_loaded(self) -> bool:
        return self.state

    def load(self) -> None:
        self._change(True)

    def unload(self) -> None:
        self._change(False)

    def _change(self, loaded: bool) -> None:
        self.state = loaded
        self.changes.append(loaded)


@pytest.mark.parametrize("was_loaded", [True, False])
def test_the_former_state_is_restored_whatever_happens(was_loaded: bool) -> None:
    module = Recorded(was_loaded=was_loaded)

    def fail() -> None:
        with module.restored():
            interception.compared("getpid", module)
            module.unload() if was_loaded else module.load()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert module.is_loaded() == was_loaded


def test_each_pair_has_both_sides_in_random_order(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Recorded(was_loaded=False)
    monkeypatch.setattr(interception, "_median_ns", lambda call: 30.0 if module.state else 10.0)
    operation = interception.compared("getpid", module, pairs=20)
    assert operation.observe is not None
    observed = operation.observe()["added"]
    assert list(observed.samples) == [20.0] * 20  # type: ignore[arg-type]
    pairs = module.changes[1:-1]
    firsts = pairs[::2]
    assert all(first != second for first, second in zip(firsts, pairs[1::2], strict=True))
    assert 0 < sum(firsts) < 20


def test_a_comparison_can_measure_within_a_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interception, "SIDE_S", 0.002)
    module = Recorded(was_loaded=False)
    with module.restored():
        taken = measured(interception.compared("getpid", module, pairs=3))
    assert taken.count > 0
    assert module.state is False


def test_claims_about_the_modules_are_judged_by_the_benchmarks() -> None:
    assert {str(target) for target in kernel.kernel_ioctl.targets} == {
        "latency.p95 < 10 us",
        "latency.p95 < 1 us",
    }
    assert {str(target) for target in kernel.kernel_syscall_overhead.targets} == {
        "added.p95 < 1 us",
        "added.p95 < 100 ns",
    }
