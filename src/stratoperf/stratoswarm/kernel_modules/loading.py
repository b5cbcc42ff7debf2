"""Loading and unloading a kernel module, where the user asked for it, and putting it back."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from stratoperf.authoring import LOAD_MODULES
from stratoperf.errors import InvalidParameter, PrerequisiteMissing
from stratoperf.stratoswarm.kernel_modules.devices import MODULES
from stratoperf.stratoswarm.kernel_modules.proc_files import agent_statistics

FOLDER_VARIABLE = "STRATOPERF_MODULE_DIRECTORY"
"""Where ``NAME.ko`` lies if not in ``/lib/modules``."""

_COMMAND_S = 30.0

_SETTLE_S = 2.0
"""How long a device node may take to come and go."""


def is_allowed() -> bool:
    """Tell whether the user allowed loading and unloading."""
    return os.environ.get(LOAD_MODULES) == "1"


class LoadableModule:
    """A kernel module that is loaded and unloaded in turns, and in its former state at the end.

    Parameters
    ----------
    name
        One of `MODULES`.

    Raises
    ------
    PrerequisiteMissing
        When the user did not allow it or has no right to, when the module is not installed, or
        when unloading it would lose agents.
    """

    def __init__(self, name: str) -> None:
        if name not in MODULES:
            raise InvalidParameter(f"module: {name!r} is unknown; expected {', '.join(MODULES)}")
        self.name = name
        if not is_allowed():
            raise PrerequisiteMissing(
                f"this loads and unloads {name}, which is done only with --load-modules; "
                f"stratoperf run kernel.syscall_overhead --load-modules"
            )
        if os.geteuid() != 0:
            raise PrerequisiteMissing(
                f"loading and unloading {name} needs root; run sudo -E stratoperf run"
            )
        self._file = _file_of(name)
        self.was_loaded = self.is_loaded()
        self._parameters = self._read_parameters() if self.was_loaded else []
        if self.was_loaded and name == "swarm_guard":
            active = agent_statistics().active
            if active:
                raise PrerequisiteMissing(
                    f"unloading swarm_guard would lose {active} agents; destroy them first"
                )

    def is_loaded(self) -> bool:
        """Tell whether the kernel has the module now."""
        return Path(f"/sys/module/{self.name}").is_dir()

    def load(self) -> None:
        """Load the module with the parameters that it had; nothing where it is loaded.

        Raises
        ------
        PrerequisiteMissing
            When that fails, with the reason.
        """
        if not self.is_loaded():
            self._command(["insmod", str(self._file), *self._parameters])
            self._wait(loaded=True)

    def unload(self) -> None:
        """Unload the module; nothing where it is not loaded.

        Raises
        ------
        PrerequisiteMissing
            When that fails: some process uses the module.
        """
        if self.is_loaded():
            self._command(["rmmod", self.name])
            self._wait(loaded=False)

    @contextlib.contextmanager
    def restored(self) -> Iterator[None]:
        """Put the former state back at the end, on any exit but a kill."""
        try:
            yield
        finally:
            if self.was_loaded:
                self.load()
            else:
                self.unload()

    def _wait(self, *, loaded: bool) -> None:
        end = time.monotonic() + _SETTLE_S
        device = Path(f"/dev/{self.name}")
        while device.exists() != loaded and time.monotonic() < end:
            time.sleep(0.001)

    def _read_parameters(self) -> list[str]:
        folder = Path(f"/sys/module/{self.name}/parameters")
        parameters = []
        with contextlib.suppress(OSError):
            for path in sorted(folder.iterdir()):
                parameters.append(f"{path.name}={path.read_text().strip()}")
        return parameters

    def _command(self, words: list[str]) -> None:
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=_COMMAND_S, check=False
            )
        except FileNotFoundError:
            raise PrerequisiteMissing(f"{words[0]} is missing; sudo apt-get install kmod") from None
        except subprocess.TimeoutExpired:
            raise PrerequisiteMissing(
                f"{' '.join(words)} took more than {_COMMAND_S:g} s; see dmesg"
            ) from None
        if done.returncode != 0:
            raise PrerequisiteMissing(
                f"{' '.join(words)} failed: {done.stderr.strip() or done.returncode}; "
                f"see dmesg, and lsmod for what uses {self.name}"
            )


def _file_of(name: str) -> Path:
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        path = Path(folder) / f"{name}.ko"
        if not path.is_file():
            raise PrerequisiteMissing(
                f"{path} does not exist; set {FOLDER_VARIABLE} to the folder that has it"
            )
        return path
    if shutil.which("modinfo") is None:
        raise PrerequisiteMissing("modinfo is missing; sudo apt-get install kmod")
    done = subprocess.run(
        ["modinfo", "-n", name], capture_output=True, text=True, timeout=_COMMAND_S, check=False
    )
    path = Path(done.stdout.strip())
    if done.returncode != 0 or not path.is_absolute():
        raise PrerequisiteMissing(
            f"the kernel module {name} is not installed for this kernel; install StratoSwarm's "
            f"modules, or set {FOLDER_VARIABLE} to the folder that has {name}.ko"
        )
    return path
