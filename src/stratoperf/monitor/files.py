"""Read the kernel's text files, where absence is an answer and never an error."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from stratoperf.door import read_bytes, shortened
from stratoperf.errors import SchemaError

LARGEST_FILE = 1 << 24
"""Bytes in a file of the kernel at most, 16 MiB: ``/proc/cpuinfo`` of 8,192 CPUs has 12 MiB."""

MOST_CPUS = 1 << 16
"""CPUs in a list at most; Linux numbers up to 8,192."""

_INTEGER = re.compile(r"-?[0-9]{1,19}(?=\s|$)", re.ASCII)
_LARGEST = 2**63 - 1


class SystemFiles:
    """The files under ``/proc``, ``/sys``, ``/etc`` and ``/dev``, seen through one root.

    Containers hide some of these files, other architectures lack them, and reading may be
    forbidden. All of that means "unknown" here: every method returns ``None`` then.

    Parameters
    ----------
    root
        The directory that stands for ``/``. Tests pass a faked tree.
    """

    def __init__(self, root: str | Path = "/") -> None:
        self.root = Path(root)

    def path(self, name: str) -> Path:
        """Return the path of `name` (absolute, such as ``/proc/stat``) under the root."""
        return self.root / name.lstrip("/")

    def exists(self, name: str) -> bool:
        """Tell whether `name` exists, as far as this user may see."""
        try:
            return self.path(name).exists()
        except OSError:
            return False

    def text(self, name: str) -> str | None:
        """Return the content of a file without surrounding white space and NUL bytes."""
        try:
            content = read_bytes(self.path(name), LARGEST_FILE)
        except SchemaError:
            return None
        return content.decode("utf-8", "replace").strip("\0 \t\r\n")

    def integer(self, name: str) -> int | None:
        """Return the decimal number that a file starts with."""
        return first_integer(self.text(name))

    def cpus(self, name: str) -> list[int]:
        """Return the numbers in a file such as ``0-3,8``, none where it has another form."""
        try:
            return parse_cpu_list(self.text(name) or "")
        except ValueError:
            return []

    def table(self, name: str) -> dict[str, str]:
        """Return ``key: value`` lines (or ``key value``) as a dictionary; the first key wins."""
        rows: dict[str, str] = {}
        for line in (self.text(name) or "").splitlines():
            key, colon, value = line.partition(":")
            if not colon:
                key, _, value = line.partition(" ")
            rows.setdefault(key.strip(), value.strip())
        return rows

    def chosen(self, name: str) -> str | None:
        """Return the word in brackets of a file such as ``always [madvise] never``."""
        content = self.text(name) or ""
        _, bracket, rest = content.partition("[")
        return rest.partition("]")[0] if bracket else None


def first_integer(text: str | None) -> int | None:
    """Return the decimal number that a text starts with; ``None`` where 64 bits do not hold it."""
    match = _INTEGER.match(text or "")
    number = int(match[0]) if match else None
    return None if number is None or abs(number) > _LARGEST else number


def parse_cpu_list(text: str) -> list[int]:
    """Return the CPU numbers of a kernel list such as ``0-3,8``; an empty text gives none.

    Raises
    ------
    ValueError
        If `text` is not such a list.
    """
    cpus: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, dash, last = part.partition("-")
        low, high = int(first), int(last if dash else first)
        # Not by the length of a range, which has to fit into 64 bits.
        if len(cpus) + high - low >= MOST_CPUS:
            raise ValueError(f"{shortened(part)!r} is more than {MOST_CPUS} CPUs")
        cpus.extend(range(low, high + 1))
    return cpus


def format_cpu_list(cpus: Iterable[int]) -> str:
    """Return CPU numbers in the kernel's notation, ``0-3,8``."""
    ranges: list[list[int]] = []
    for cpu in sorted(set(cpus)):
        if ranges and cpu == ranges[-1][1] + 1:
            ranges[-1][1] = cpu
        else:
            ranges.append([cpu, cpu])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)
