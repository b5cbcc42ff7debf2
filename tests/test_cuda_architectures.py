"""Which devices the CUDA module is built for: those that are here, or a form for any."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
KNOWN = ["75", "80", "89", "90", "100", "120"]
"""What the compiler in these tests knows."""

pytestmark = pytest.mark.skipif(
    not (ROOT / "cuda" / "compiler.cmake").exists(), reason="needs the sources"
)


def program(path: Path, *lines: str, code: int = 0) -> None:
    """Write a program that prints lines."""
    shown = "".join(f"echo '{line}'\n" for line in lines)
    path.write_text(f"#!/bin/sh\n{shown}exit {code}\n")
    path.chmod(0o755)


def chosen(folder: Path, architectures: str) -> list[str]:
    """Return the architectures that the build chooses with the programs in a folder."""
    cmake = shutil.which("cmake") or str(Path(sys.executable).with_name("cmake"))
    if not Path(cmake).exists():
        pytest.skip("needs cmake")
    script = folder / "choose.cmake"
    script.write_text(
        "set(STRATOPERF_CUDA OFF)\n"
        f'include("{ROOT}/cuda/compiler.cmake")\n'
        f"set(STRATOPERF_CUDA_ARCHITECTURES {architectures})\n"
        f'set(CMAKE_CUDA_COMPILER "{folder}/nvcc")\n'
        "choose_architectures(chosen)\n"
        f'file(WRITE "{folder}/chosen" "${{chosen}}")\n'
    )
    path = os.pathsep.join([str(folder), "/usr/bin", "/bin"])
    done = subprocess.run(
        [cmake, "-P", str(script)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return (folder / "chosen").read_text().split(";")


@pytest.mark.parametrize(
    ("found", "code", "expected"),
    [
        (["9.0"], 0, ["90-real"]),
        (["8.9", "8.9", "12.0"], 0, ["89-real", "120-real"]),
        (["13.0"], 0, ["75-virtual"]),
        (["9.0", "13.0"], 0, ["75-virtual"]),
        (["No devices were found"], 6, ["75-virtual"]),
        (["NVIDIA-SMI 550.1 has failed"], 9, ["75-virtual"]),
        ([], 0, ["75-virtual"]),
    ],
    ids=["one", "several", "newer", "newer and known", "none", "no driver", "nothing said"],
)
def test_code_is_for_the_devices_found(
    found: list[str], code: int, expected: list[str], tmp_path: Path
) -> None:
    program(tmp_path / "nvcc", *(f"compute_{number}" for number in KNOWN))
    program(tmp_path / "nvidia-smi", *found, code=code)
    assert chosen(tmp_path, "FOUND") == expected


def test_code_for_all_is_asked_for(tmp_path: Path) -> None:
    program(tmp_path / "nvcc", *(f"compute_{number}" for number in KNOWN))
    program(tmp_path / "nvidia-smi", "9.0")
    assert chosen(tmp_path, "ALL") == [
        *("75-virtual", "80-real", "90-real", "100-real", "120-real"),
        "120-virtual",
    ]
