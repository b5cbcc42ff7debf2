"""The command line: ``stratoperf run | list | doctor | claims | compare | check``."""

from __future__ import annotations

from stratoperf.cli.entry import main

__all__ = ["main"]
