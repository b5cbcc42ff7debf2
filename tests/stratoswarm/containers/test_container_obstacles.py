"""A system call that a sandbox around the helper refuses is named with a remedy."""

from __future__ import annotations

import errno
import os
import platform
import struct
import sys
from pathlib import Path

import pytest

import stratoperf as sp
from stratoperf.stratoswarm.containers import spawner as module
from stratoperf.stratoswarm.containers.availability import helper_program
from wording import mentions

CALLS = {
    # Numbers on x86-64 and AArch64.
    "memfd_create": (319, 279),
    "pidfd_open": (434, 434),
    "signalfd4": (289, 74),
    "clone3": (435, 435),
    "setns": (308, 268),
    "unshare": (272, 97),
    "sethostname": (170, 161),
    "setresgid": (119, 149),
    "setresuid": (117, 147),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "mount_setattr": (442, 442),
    "mkdirat": (258, 34),
    "fchdir": (81, 50),
    "pivot_root": (155, 41),
    "umount2": (166, 39),
    "prlimit64": (302, 261),
    "capset": (126, 91),
    "ppoll": (271, 73),
    "dup3": (292, 24),
    "close_range": (436, 436),
    "seccomp": (317, 277),
    "execveat": (322, 281),
}
"""What the helper and its children need; what Python needs too, to become it, is left out."""

ERRNO, KILL = 0x00050000, 0x80000000
OUTCOMES = {
    "ENOSYS": ERRNO | errno.ENOSYS,
    "EPERM": ERRNO | errno.EPERM,
    "EIO": ERRNO | errno.EIO,
    "kill": KILL,
}

WRAPPER = """#!{python} -SI
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
code = bytes.fromhex("{code}")
buffer = ctypes.create_string_buffer(code, len(code))


class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("code", ctypes.c_void_p)]


program = Program(len(code) // 8, ctypes.addressof(buffer))
libc.prctl(38, 1, 0, 0, 0)
if libc.prctl(22, 2, ctypes.byref(program), 0, 0) != 0:
    os._exit(99)
os.execv({helper!r}, [{helper!r}, *sys.argv[1:]])
"""
"""A program that loads a filter and becomes the helper."""


def filter_of(number: int, outcome: int) -> bytes:
    """Return a filter that lets everything through but one call."""
    rows = [
        (0x20, 0, 0, 0),  # the number of the call
        (0x15, 0, 1, number),
        (0x06, 0, 0, outcome),
        (0x06, 0, 0, 0x7FFF0000),
    ]
    return b"".join(struct.pack("=HBBI", *row) for row in rows)


def spawn_both_ways() -> None:
    with sp.containers.Spawner() as spawner:
        spawner.fill_pool(1)
        spawner.spawn(way="pooled")
        spawner.spawn()


def surrounded_helper(folder: Path, call: str, outcome: str) -> Path:
    """Return a program that is the helper within a filter."""
    number = CALLS[call][0 if platform.machine() == "x86_64" else 1]
    code = filter_of(number, OUTCOMES[outcome]).hex()
    wrapper = folder / "wrapper"
    wrapper.write_text(
        WRAPPER.format(python=sys.executable, code=code, helper=str(helper_program()))
    )
    wrapper.chmod(0o755)
    return wrapper


@pytest.mark.usefixtures("needs_containers")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_call_that_is_refused_is_named_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, outcome: str
) -> None:
    wrapper = surrounded_helper(tmp_path, call, outcome)
    monkeypatch.setattr(module, "helper_program", lambda: wrapper)
    with pytest.raises(sp.StratoperfError) as caught:
        spawn_both_ways()
    message = str(caught.value)
    assert ";" in message, "no remedy"
    assert mentions(message, "sandbox surrounds", "virtual machine"), message
    if outcome == "kill":
        # The helper cannot say in which call it was killed itself.
        assert mentions(message, "signal 31") or mentions(message, "prlimit64"), message
        assert mentions(message, call) or mentions(message, "helper", "killed"), message
    else:
        assert mentions(message, os.strerror(getattr(errno, outcome))), message
        assert mentions(message, call), message


@pytest.mark.usefixtures("needs_containers")
def test_available_names_the_call_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = surrounded_helper(tmp_path, "pivot_root", "EIO")
    monkeypatch.setattr(module, "helper_program", lambda: wrapper)
    state = sp.containers.available()
    assert not state.usable
    assert mentions(state.reason, "pivot_root", os.strerror(errno.EIO))
    assert mentions(state.remedy, "virtual machine")
