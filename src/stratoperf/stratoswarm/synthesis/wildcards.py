"""What a pattern leaves open: any value, and any number of children."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeAlias


class Wildcard(enum.Enum):
    """Stands for any value, since ``None`` is a value itself."""

    ANY = "*"


ANY = Wildcard.ANY


@dataclass(frozen=True)
class AtLeast:
    """An entry of a layout that a ``$...name`` leaves open."""

    count: int


Entry: TypeAlias = "int | AtLeast | tuple[bool, ...]"
"""What a pattern asks of one field of children; see the module `vocabulary`."""
