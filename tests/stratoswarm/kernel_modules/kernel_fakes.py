"""The types of this folder's fixtures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

FakeRoot = Callable[..., Path]
"""Makes a root whose device of a module is another one."""
