"""A faked root with the device of a module, which is another device in truth."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kernel_fakes import FakeRoot


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
