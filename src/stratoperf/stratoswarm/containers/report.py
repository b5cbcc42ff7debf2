"""What a container's init sees from inside, and whether that is the sandbox that was asked for."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from stratoperf._core import containers as native
from stratoperf.errors import StratoperfError, VerificationFailed

_SECTION, _DONE = 3, 4
_SHORT = {"mount": "mnt", "network": "net"}
_CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
DEVICES = ("full", "null", "random", "urandom", "zero")
_DENIED, _READ_ONLY = "-1", "-30"
_LIMITS = {"Max core file size": "0", "Max locked memory": "65536"}


@dataclasses.dataclass(frozen=True)
class Report:
    """What init found in its own sandbox.

    Attributes
    ----------
    sections
        Texts by name, as init read them: files of ``/proc/self``, lists of ``/``, ``/dev`` and
        descriptors, and the outcome of two calls that have to fail.
    """

    sections: Mapping[str, str]

    def namespace(self, name: str) -> str | None:
        """Return the identity of a namespace, such as ``"user:[4026532177]"``.

        Parameters
        ----------
        name
            One of `NAMESPACES`.
        """
        prefix = f"{_SHORT.get(name, name)}:"
        lines = self.sections.get("namespaces", "").splitlines()
        return next((line for line in lines if line.startswith(prefix)), None)

    @cached_property
    def status(self) -> dict[str, str]:
        """The fields of ``/proc/self/status``."""
        pairs = (line.partition(":") for line in self.sections.get("status", "").splitlines())
        return {name: value.strip() for name, _, value in pairs}

    @property
    def no_new_privs(self) -> bool:
        """Whether no program that it executes gets more rights."""
        return self.status.get("NoNewPrivs") == "1"

    @property
    def descriptors(self) -> dict[int, str]:
        """What each open descriptor is."""
        pairs = (line.split(" ", 1) for line in self.sections.get("descriptors", "").splitlines())
        return {int(number): target.strip() for number, target in pairs}

    @property
    def mounts(self) -> dict[str, str]:
        """The options of each mount by its path; of two on one path the upper one counts."""
        rows = [line.split() for line in self.sections.get("mountinfo", "").splitlines()]
        return {row[4]: row[5] for row in rows if len(row) > 5}


def receive_report(control: int, timeout_ms: int) -> Report:
    """Ask an init to look around.

    Raises
    ------
    StratoperfError
        When it ended, or runs a command, or does not report in time.
    """
    native.send(control, "v")
    sections: dict[str, str] = {}
    while True:
        part = native.receive(control, timeout_ms)
        if part is None:
            raise StratoperfError("the container ended before it reported")
        if part.kind == _DONE:
            return Report(sections)
        if part.kind == _SECTION:
            name, _, text = part.text.decode("utf-8", "replace").partition("\0")
            sections[name] = sections.get(name, "") + text


def check_report(
    report: Report, settings: native.Settings, *, parked: bool, pid: int | None
) -> int:
    """Hold a report to what the container was to get.

    Parameters
    ----------
    report
        From inside.
    settings
        What it was started with.
    parked
        Whether its init keeps its own program open.
    pid
        The process seen from here, for its control groups; ``None`` leaves these out.

    Returns
    -------
    int
        The number of facts that were checked.

    Raises
    ------
    VerificationFailed
        Naming all that differ.
    """
    facts = list(_facts(report, settings, parked=parked, pid=pid))
    wrong = [
        f"{name} is {got!r} instead of {wanted!r}" for name, got, wanted in facts if got != wanted
    ]
    if wrong:
        raise VerificationFailed(f"the sandbox is incomplete: {'; '.join(wrong)}")
    return len(facts)


def _facts(
    report: Report, settings: native.Settings, *, parked: bool, pid: int | None
) -> Iterator[tuple[str, object, object]]:
    """Yield name, what was found and what was asked for."""
    from stratoperf.stratoswarm.containers.settings import NAMESPACES

    own = {name for bit, name in enumerate(NAMESPACES) if settings.namespaces >> bit & 1}
    is_shared = bool(settings.flags & native.SHARED)
    for name in NAMESPACES:
        outside = Path(f"/proc/self/ns/{_SHORT.get(name, name)}").readlink().name
        differs = report.namespace(name) not in (outside, None)
        is_own = name in own or (is_shared and name in ("user", "network"))
        if "pid" in own or name != "mount":
            yield f"a {name} namespace of its own", differs, is_own
    for name in _CAPABILITIES:
        yield name, int(report.status[name], 16), 0
    yield "NoNewPrivs", report.status["NoNewPrivs"], "1"
    yield "Seccomp", report.status["Seccomp"], "2"
    yield "a forbidden call", report.sections["forbidden"], _DENIED
    yield "the working directory", report.sections["cwd"], "/"
    extra = {4: "program"} if parked else {}
    yield "open descriptors", sorted(report.descriptors), [0, 1, 2, 3, *extra]
    if "user" in own or is_shared:
        outer = 65534 if os.geteuid() == 0 else os.geteuid()
        yield "uid_map", report.sections["uid_map"].split(), ["0", str(outer), "1"]
        yield "gid_map", report.sections["gid_map"].split()[::2], ["0", "1"]
        yield "setgroups", report.sections["setgroups"].strip(), "deny"
    if "uts" in own:
        yield "the host name", report.sections["hostname"].strip(), settings.name
    if "pid" in own:
        yield "the process number", report.sections["pid"], "1"
    rows = dict(_limit(line) for line in report.sections["limits"].splitlines()[1:])
    for name, value in _LIMITS.items():
        yield name, rows.get(name), value
    if "mount" in own:
        yield from _mount_facts(report, minimal=not settings.root)
    if settings.flags & native.LIMITED:
        if pid is not None:
            groups = Path(f"/proc/{pid}/cgroup").read_text()
            yield "a control group of ours", "/stratoperf-" in groups, True
        if "cgroup" in own:
            yield (
                "the path of the control group",
                "/stratoperf-" in report.sections["cgroup"],
                False,
            )


def _mount_facts(report: Report, *, minimal: bool) -> Iterator[tuple[str, object, object]]:
    expected = {"/", "/proc", *(f"/dev/{name}" for name in DEVICES)}
    if not minimal:
        expected.add("/dev")
    yield "mounts", sorted(report.mounts), sorted(expected)
    for path in ("/", "/dev"):
        if path in expected:
            options = set(report.mounts.get(path, "").split(","))
            yield f"options of {path}", {"ro", "nosuid", "nodev"} <= options, True
    options = set(report.mounts.get("/proc", "").split(","))
    yield "options of /proc", {"nosuid", "nodev", "noexec"} <= options, True
    yield "writing to the root", report.sections["write"], _READ_ONLY
    if minimal:
        yield "the root", sorted(report.sections["root"].split()), ["dev", "proc"]
    yield "devices", sorted(report.sections["dev"].split()), sorted(DEVICES)


def _limit(line: str) -> tuple[str, str]:
    """Return the name and the hard limit of a line of ``/proc/self/limits``."""
    name, rest = line[:26].strip(), line[26:].split()
    return name, rest[1] if len(rest) > 1 else ""
