"""The devices of the kernel modules: whether they are there, and opening them."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar

from stratoperf._core import kernel as native
from stratoperf.authoring import SystemFiles
from stratoperf.errors import InvalidParameter, PrerequisiteMissing, did_you_mean

if TYPE_CHECKING:
    from typing_extensions import Self

MODULES = ("swarm_guard", "tier_watch", "gpu_dma_lock")
"""The kernel modules; the device of each has the same name."""


@dataclass(frozen=True)
class Availability:
    """Whether a kernel module can be used.

    Attributes
    ----------
    module
        Its name.
    reason
        Why it cannot be used, or ``None``.
    remedy
        The command that changes that; empty where there is no reason.
    """

    module: str
    reason: str | None = None
    remedy: str = ""

    def __bool__(self) -> bool:
        return self.reason is None


def available(module: str, root: str | Path = "/") -> Availability:
    """Tell whether a kernel module is loaded and this user may open its device.

    The device is looked at and not opened: other drivers use the same command words, and opening
    some devices has an effect. It has to be a character device which the kernel knows by the name
    of the module, and the module has to be loaded.

    Parameters
    ----------
    module
        One of `MODULES`.
    root
        The directory that stands for ``/``. Tests pass a faked tree.

    Raises
    ------
    InvalidParameter
        For an unknown module.
    """
    if module not in MODULES:
        raise InvalidParameter(f"module: {module!r} is unknown; {did_you_mean(module, MODULES)}")
    files = SystemFiles(root)
    device = f"/dev/{module}"
    load = f"sudo modprobe {module}"
    try:
        status = files.path(device).stat()
    except OSError:
        return Availability(module, f"{device} does not exist", load)
    problem = _other_driver(files, device, module, status)
    if problem is not None:
        return Availability(module, problem, f"ls -l {device}  # remove it, then {load}")
    if not files.exists(f"/sys/module/{module}"):
        return Availability(module, f"{device} exists, but the module {module} is not loaded", load)
    if not os.access(files.path(device), os.R_OK | os.W_OK):
        return Availability(
            module,
            f"{device} exists, but this user may not open it",
            f"sudo setfacl -m u:$USER:rw {device}",
        )
    return Availability(module)


def _other_driver(
    files: SystemFiles, device: str, module: str, status: os.stat_result
) -> str | None:
    """Return why a device node is not one of the module, or ``None``."""
    if not stat.S_ISCHR(status.st_mode):
        return f"{device} is not a character device"
    number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    table = files.text(f"/sys/dev/char/{number}/uevent") or ""
    names = [line.partition("=")[2] for line in table.splitlines() if line.startswith("DEVNAME=")]
    if names == [module]:
        return None
    owner = f"the device {names[0]!r}" if names else "no device that the kernel names"
    return f"{device} has the number {number}, which belongs to {owner}: another driver answers"


class OpenDevice:
    """A device of a kernel module that is open until `close`, or the end of a ``with`` block.

    Parameters
    ----------
    root
        The directory that stands for ``/``. Tests pass a faked tree.

    Raises
    ------
    PrerequisiteMissing
        When the module cannot be used here; the message says why, and what to do.
    """

    module: ClassVar[str]

    def __init__(self, root: str | Path = "/") -> None:
        self._descriptor = -1
        state = available(self.module, root)
        if not state:
            raise PrerequisiteMissing(f"{state.reason}; {state.remedy}")
        path = SystemFiles(root).path(f"/dev/{self.module}")
        seen = path.stat()
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY)
        except OSError as error:
            raise PrerequisiteMissing(
                f"cannot open {path}: {error.strerror}; sudo setfacl -m u:$USER:rw {path}"
            ) from None
        # What was put in its place in between gets no command.
        opened = os.fstat(self._descriptor)
        if not stat.S_ISCHR(opened.st_mode) or opened.st_rdev != seen.st_rdev:
            self.close()
            raise PrerequisiteMissing(f"{path} was replaced while it was opened; try again")
        self._device = native.Device(self._descriptor)

    @property
    def native(self) -> native.Device:
        """The open device.

        Raises
        ------
        InvalidParameter
            After `close`.
        """
        self.fileno()
        return self._device

    def fileno(self) -> int:
        """Return the descriptor of the device.

        Raises
        ------
        InvalidParameter
            After `close`.
        """
        if self._descriptor < 0:
            raise InvalidParameter(
                f"the device of {self.module} is closed; open it with {type(self).__name__}()"
            )
        return self._descriptor

    def close(self) -> None:
        """Close the device; a second time does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_descriptor", -1) >= 0:
            self.close()

    def __repr__(self) -> str:
        state = "closed" if self._descriptor < 0 else f"/dev/{self.module}"
        return f"<{type(self).__name__} {state}>"
