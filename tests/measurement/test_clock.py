"""The clock as users see it."""

from __future__ import annotations

import subprocess
import sys
import time

import stratoperf as sp

SHOW = "import stratoperf as sp; i = sp.clock.info(); print(i.source, '|', i.reason)"


def test_info_is_measured() -> None:
    info = sp.clock.info()
    assert info.source in {"tsc", "cntvct_el0", "clock_gettime"}
    assert info.frequency_hz > 1e6
    assert info.resolution_ns > 0
    assert info.overhead_ns > 0
    assert abs(info.drift_ppm) < 500
    assert info.reason


def test_now_follows_the_system_clock() -> None:
    closest = min(
        abs(sp.clock.now_ns() - time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)) for _ in range(100)
    )
    assert closest < 1_000_000


def test_a_timer_times_its_block() -> None:
    timer = sp.Timer()
    assert timer.elapsed_ns == 0
    with timer:
        assert 0 < timer.elapsed_ns < 1e9
        time.sleep(0.01)
    elapsed = timer.elapsed_ns
    assert 10e6 <= elapsed < 10e9
    assert timer.elapsed_ns == elapsed
    assert str(elapsed) in repr(timer)


def test_the_fall_back_says_why() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SHOW],
        env={"STRATOPERF_CLOCK": "clock_gettime"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown == "clock_gettime | requested by STRATOPERF_CLOCK\n"


def test_an_unknown_clock_is_refused() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SHOW],
        env={"STRATOPERF_CLOCK": "sundial"},
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    assert "STRATOPERF_CLOCK: 'sundial' is not a clock" in shown
