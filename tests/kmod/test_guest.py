"""What holds with the test modules loaded, in a guest that is booted once for all tests here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

CHECKS = re.findall(
    r"^@check\ndef (\w+)", (HERE / "guest_checks.py").read_text(encoding="utf-8"), re.MULTILINE
)

NEEDED = {
    "KMOD_VNG": "the program vng of virtme-ng",
    "KMOD_KERNEL": "a kernel, such as /boot/vmlinuz-VERSION",
    "KMOD_MODULES": "the folder of the modules built against that kernel's headers",
}
"""What `.ci/kmod` sets."""

BOOT_S = 1800
"""Emulated and beside other work; on two busy cores it took eleven minutes."""

pytestmark = [
    pytest.mark.kvm_guest,
    pytest.mark.slow("boots a guest kernel without hardware virtualization"),
    pytest.mark.timeout(BOOT_S + 60),
]


@pytest.fixture(scope="session")
def ktap() -> str:
    """Boot the guest and return what its checks printed."""
    missing = [f"{name} ({what})" for name, what in NEEDED.items() if not os.environ.get(name)]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}; .ci/kmod sets them")
    vng, kernel, modules = (os.environ[name] for name in NEEDED)
    done = subprocess.run(
        [HERE / "guest.sh", vng, kernel, sys.executable, modules],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "KMOD_TIMEOUT": str(BOOT_S)},
        timeout=BOOT_S + 30,
        check=False,
    )
    print(done.stdout)
    assert "KTAP version 1" in done.stdout, f"the guest did not come up:\n{done.stdout[-4000:]}"
    return done.stdout.replace("\r", "")


@pytest.mark.parametrize("name", CHECKS)
def test_in_the_guest(name: str, ktap: str) -> None:
    number = CHECKS.index(name) + 1
    before = ktap.partition(f"ok {number} {name}\n")[0]
    assert f"\nok {number} {name}\n" in ktap, before[-4000:]


def test_the_plan_of_the_guest_is_complete(ktap: str) -> None:
    assert f"1..{len(CHECKS)}\n" in ktap
    assert len(re.findall(r"^(?:not )?ok \d+ ", ktap, re.MULTILINE)) == len(CHECKS)
