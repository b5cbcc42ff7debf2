"""What this package adds to stratoperf; the entry point in pyproject.toml names this module.

It is imported for ``stratoperf run --help`` too, so it imports nothing that takes long.
"""

from __future__ import annotations

from pathlib import Path

import click

import stratoperf as sp
from checksums import _native
from stratoperf.authoring import read_bytes

LARGEST_FILE = 1 << 30

# A flag: stratoperf run --checksums
sp.category("checksums", "Select the checksums.")

# Benchmarks and claims, imported when they are looked up.
sp.benchmark_module("checksums.benchmarks")


# A line of stratoperf doctor. It must not change the machine.
@sp.doctor_check
def crc_instruction() -> sp.Check:
    """Tell whether the processor has an instruction for CRC-32C."""
    problem = _native.instruction_problem()
    if problem is None:
        return sp.Check(
            name="crc instruction", status="ok", detail="SSE 4.2 has it", topic="measures"
        )
    return sp.Check(
        name="crc instruction",
        status="missing",
        detail=f"{problem}: no measurement on the backend crc-instruction",
        remedy="another machine",
        topic="measures",
    )


# A command: stratoperf checksum FILE
@sp.cli_command
@click.command("checksum")
@click.argument("file", type=click.Path(path_type=Path))
def checksum(file: Path) -> None:
    """Print the CRC-32C of FILE."""
    # Of a regular file and within a limit; what is wrong ends in one sentence.
    click.echo(f"{_native.crc32c(read_bytes(file, LARGEST_FILE)):08x}")
