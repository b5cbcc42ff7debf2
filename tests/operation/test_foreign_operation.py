"""Operations of another package: a C module that links against nothing of stratoperf."""

from __future__ import annotations

import gc
import importlib.util
import shlex
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from types import ModuleType

import pytest

import stratoperf as sp
from stratoperf.operation import Capsule
from stratoperf.running import Registry
from wording import says

SOURCE = Path(__file__).with_name("foreign.c")

INTERRUPTED = """
import importlib.util, sys, time
import stratoperf as sp

spec = importlib.util.spec_from_file_location("foreign", sys.argv[1])
foreign = importlib.util.module_from_spec(spec)
spec.loader.exec_module(foreign)
# Calibrates the clock, and imports what measures.
sp.measure(foreign.make(), warmup_s=0, min_iterations=1, max_duration_s=0.01)
print("ready", flush=True)
try:
    sp.measure(foreign.make(spin=True), warmup_s=0, max_duration_s=60)
except sp.Interrupted as stop:
    print(time.clock_gettime_ns(time.CLOCK_MONOTONIC), stop.measurement)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the module with the system's C compiler against the shipped header."""
    path = tmp_path_factory.mktemp("foreign") / "foreign.so"
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    command = [compiler, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC"]
    command += ["-I", sp.get_include(), "-isystem", sysconfig.get_path("include")]
    command += [str(SOURCE), "-o", str(path)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return path


@pytest.fixture(scope="module")
def foreign(library: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("foreign", library)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure(work: Capsule) -> sp.Measurement:
    return sp.measure(work, warmup_s=0.0, min_iterations=10, max_duration_s=0.05)


def test_it_is_measured_and_verified(foreign: ModuleType) -> None:
    measurement = measure(foreign.make())
    assert measurement.count >= 10
    assert measurement.verification is not None
    assert measurement.verification.passed
    assert measurement.verification.checked >= measurement.count * measurement.batch


def test_a_failing_run_ends_the_measurement_with_its_message(foreign: ModuleType) -> None:
    with pytest.raises(sp.StratoperfError, match=says("device", "gone")):
        measure(foreign.make(fail_after=5))


def test_a_wrong_outcome_is_never_reported_as_speed(foreign: ModuleType) -> None:
    with pytest.raises(sp.VerificationFailed, match=says("count", "off")) as failure:
        measure(foreign.make(wrong=True))
    assert failure.value.measurement is not None


def test_a_capsule_of_another_name_is_refused(foreign: ModuleType) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"stratoperf\.operation/1"):
        measure(foreign.make(misnamed=True))


def test_a_structure_that_is_too_small_is_refused(foreign: ModuleType) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"get_include"):
        measure(foreign.make(struct_size=16))


def test_the_time_of_a_device_is_measured_beside_that_of_the_host(foreign: ModuleType) -> None:
    measurement = sp.measure(foreign.make(device_ns=250), warmup_s=0, max_duration_s=0.1)
    assert measurement.device_ns is not None
    assert set(measurement.device_ns.tolist()) == {250.0}
    assert 1 <= len(measurement.device_ns) <= 1000
    assert measurement.device_quantile(0.5).value == 250
    assert "device p50 250 [250, 250] ns" in repr(measurement)
    assert "device time, median" in measurement._repr_html_()
    with pytest.raises(ValueError, match="read-only"):
        measurement.device_ns[0] = 1


def test_a_run_keeps_device_times_and_details_beside_the_latency(
    foreign: ModuleType, benchmarks: Registry, tmp_path: Path
) -> None:
    target = sp.Target("device_time.p95", "<", 1, "us")
    # The suite makes an operation of its own where the declaration counts the items.
    sp.benchmark("foreign.count", target=target, items=2)(
        lambda: sp.Operation(foreign.make(device_ns=250), details=lambda: {"chosen": "fast"})
    )
    sp.run("foreign.count", preset="ci", warmup_s=0, output=tmp_path)
    run = sp.load(tmp_path / "latest.json")
    (result,) = run.results
    assert result.status == "ok"
    metric = result.metrics["device_time"]
    assert metric.summary is not None
    assert metric.summary.p95 is not None
    assert (metric.unit, metric.primary, metric.summary.p95.value) == ("ns", False, 250)
    assert metric.target is not None
    assert metric.target.verdict == "met"
    assert result.details == {"chosen": "fast"}
    (host,) = result.series_of("latency")
    (device,) = result.series_of("device_time")
    assert len(host.columns["latency"]) >= 1000
    assert set(device.columns["device_time"].tolist()) == {250.0}
    assert result.series_of("throughput") == (host,)
    # The interval that is in the file is used, as for a result without device times.
    (compared,) = sp.compare(run, run).metrics
    assert compared.metric == "latency"


def test_work_that_no_device_does_has_no_device_time(foreign: ModuleType) -> None:
    measurement = measure(foreign.make())
    assert measurement.device_ns is None
    with pytest.raises(sp.InvalidParameter, match=says("device", "work")):
        measurement.device_quantile(0.5)


def test_a_structure_from_before_there_were_device_times_is_measured(foreign: ModuleType) -> None:
    before = foreign.FIRST_SIZE
    measurement = measure(foreign.make(device_ns=250, struct_size=before))
    assert measurement.count >= 10
    assert measurement.device_ns is None
    with pytest.raises(sp.InvalidParameter, match=r"get_include"):
        measure(foreign.make(struct_size=before - 1))


@pytest.mark.parametrize(
    ("device_ns", "message"),
    [(0, says("device", "gone")), (float("nan"), "device_time gave nan ns")],
)
def test_a_failure_while_device_times_are_taken_is_reported(
    foreign: ModuleType, device_ns: float, message: str
) -> None:
    with pytest.raises(sp.StratoperfError, match=message):
        measure(foreign.make(device_ns=device_ns))


def test_the_operation_lives_as_long_as_its_capsule(foreign: ModuleType) -> None:
    gc.collect()
    before = foreign.destroyed()
    capsule = foreign.make()
    measure(capsule)
    assert foreign.destroyed() == before
    del capsule
    gc.collect()
    assert foreign.destroyed() == before + 1


@pytest.mark.timing
def test_control_c_ends_a_long_native_loop_within_a_fifth_of_a_second(library: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(library)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        time.sleep(0.3)
        sent = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        process.send_signal(signal.SIGINT)
        line = process.stdout.readline()
        assert line, process.stderr.read()
    stopped, kept = line.split(maxsplit=1)
    assert (int(stopped) - sent) / 1e9 < 0.2
    assert kept.strip() == "None"  # the only sample was cut short
