"""The files below ``/proc/swarm``, read within limits: a module may write anything into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stratoperf import arguments
from stratoperf.authoring import read_bytes
from stratoperf.errors import InvalidParameter, PrerequisiteMissing, SchemaError, did_you_mean
from stratoperf.stratoswarm.kernel_modules.tier_watch import TIERS

LARGEST_FILE = 1 << 26
"""Bytes: 200,000 agents of 200 bytes each have 40 MB."""

LONGEST_LINE = 1000
"""Characters."""

LARGEST_VALUE = 2**64 - 1


@dataclass(frozen=True)
class AgentStatistics:
    """The counters of ``/proc/swarm/agents/stats``, since the module was loaded.

    Attributes
    ----------
    created, destroyed, active
        Agents.
    violations, syscalls_intercepted, syscalls_denied
        How often.
    """

    created: int
    destroyed: int
    active: int
    violations: int
    syscalls_intercepted: int
    syscalls_denied: int


@dataclass(frozen=True)
class AgentRow:
    """A line of ``/proc/swarm/agents/list``.

    Attributes
    ----------
    id, pid, violations
        Numbers.
    name, state, trust
        As the module writes them.
    """

    id: int
    pid: int
    name: str
    state: str
    trust: str
    violations: int


_AGENT_KEYS = {
    "created": "Total agents created",
    "destroyed": "Total agents destroyed",
    "active": "Active agents",
    "violations": "Total violations",
    "syscalls_intercepted": "Syscalls intercepted",
    "syscalls_denied": "Syscalls denied",
}


def agent_statistics(root: str | Path = "/") -> AgentStatistics:
    """Return the counters of ``/proc/swarm/agents/stats``.

    Parameters
    ----------
    root
        The directory that stands for ``/``. Tests pass a faked tree.

    Raises
    ------
    PrerequisiteMissing
        When the file does not exist: the module is not loaded.
    SchemaError
        When the file does not have this form; names the line.
    """
    name = "agents/stats"
    table = _table(root, name)
    return AgentStatistics(
        **{field: _counter(name, table, key) for field, key in _AGENT_KEYS.items()}
    )


def agents(root: str | Path = "/") -> list[AgentRow]:
    """Return the lines of ``/proc/swarm/agents/list``; the parameters and errors are as above."""
    name = "agents/list"
    rows = []
    for number, line in _lines(root, name):
        words = line.split()
        if number <= 3 and words[:2] == ["ID", "PID"]:
            continue
        # A name may have spaces: the other columns do not.
        if len(words) < 6:
            raise SchemaError(
                f"/proc/swarm/{name}, line {number}: expected ID, PID, name, state, trust and "
                f"violations, got {arguments.shown(line)}"
            )
        rows.append(
            AgentRow(
                id=_number(name, number, words[0]),
                pid=_number(name, number, words[1]),
                name=" ".join(words[2:-3]),
                state=words[-3],
                trust=words[-2],
                violations=_number(name, number, words[-1]),
            )
        )
    return rows


def tier_statistics(tier: str, root: str | Path = "/") -> dict[str, int]:
    """Return the counters of ``/proc/swarm/tiers/TIER/stats`` by their names there.

    Parameters
    ----------
    tier
        One of `TIERS`.
    root
        As for `agent_statistics`, as are the errors.

    Raises
    ------
    InvalidParameter
        For an unknown tier.
    """
    if tier not in TIERS:
        raise InvalidParameter(f"tier: {tier!r} is unknown; {did_you_mean(str(tier), TIERS)}")
    name = f"tiers/{tier}/stats"
    table = _table(root, name)
    keys = (
        "total_pages",
        "hot_pages",
        "cold_pages",
        "migrations_in",
        "migrations_out",
        "total_faults",
        "pressure",
    )
    return {key: _counter(name, table, key) for key in keys}


def gpu_statistics(root: str | Path = "/") -> dict[str, str]:
    """Return the lines of ``/proc/swarm/gpu/stats``, as `module_statistics` does."""
    return dict(_table(root, "gpu/stats"))


def module_statistics(root: str | Path = "/") -> dict[str, str]:
    """Return the lines of ``/proc/swarm/module_stats`` by key.

    The parameters and errors are those of `agent_statistics`.
    """
    return dict(_table(root, "module_stats"))


def _lines(root: str | Path, name: str) -> list[tuple[int, str]]:
    """Return the numbered lines below the title and its rule."""
    path = Path(root) / "proc/swarm" / name
    if not path.exists():
        raise PrerequisiteMissing(
            f"/proc/swarm/{name} does not exist: the kernel module is not loaded; "
            "see stratoperf doctor"
        )
    text = read_bytes(path, LARGEST_FILE).decode("utf-8", "replace")
    lines: list[tuple[int, str]] = []
    rule_at = 0
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if len(stripped) > LONGEST_LINE:
            raise SchemaError(
                f"/proc/swarm/{name}, line {number}: it has {len(stripped)} characters; at most "
                f"{LONGEST_LINE} are allowed"
            )
        if rule_at == 0 and number <= 3 and stripped and not stripped.strip("="):
            rule_at = number
            lines.clear()
        elif stripped:
            lines.append((number, stripped))
    if rule_at == 0:
        raise SchemaError(
            f"/proc/swarm/{name}: expected a title and a rule of '=' in the first lines; another "
            "module wrote the file"
        )
    return lines


def _table(root: str | Path, name: str) -> Mapping[str, str]:
    table: dict[str, str] = {}
    for number, line in _lines(root, name):
        key, colon, value = line.partition(":")
        if not colon or not key.strip():
            raise SchemaError(
                f"/proc/swarm/{name}, line {number}: expected 'key: value', got "
                f"{arguments.shown(line)}"
            )
        if key.strip() in table:
            raise SchemaError(
                f"/proc/swarm/{name}, line {number}: the key {arguments.shown(key.strip())} is "
                "there twice"
            )
        table[key.strip()] = value.strip()
    return table


def _counter(name: str, table: Mapping[str, str], key: str) -> int:
    if key not in table:
        raise SchemaError(
            f"/proc/swarm/{name}: the line {key!r} is missing; the module has another version"
        )
    return _number(name, key, table[key])


def _number(name: str, place: int | str, text: str) -> int:
    where = f"line {place}" if isinstance(place, int) else f"{place!r}"
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= LARGEST_VALUE):
        raise SchemaError(
            f"/proc/swarm/{name}, {where}: expected a number from 0 to 2^64 - 1, got "
            f"{arguments.shown(text)}"
        )
    return int(text)
