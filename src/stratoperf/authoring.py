"""What authors of catalogues may use besides the API: the helpers behind it that stay as they are.

They read the machine, write files whole or not at all, and read what comes from outside within
limits. Checks of arguments are in `stratoperf.arguments`, of paths in `stratoperf.paths`.
"""

from __future__ import annotations

from stratoperf.lazy import TYPE_CHECKING, lazy_names

if TYPE_CHECKING:
    from stratoperf.commands import LOAD_MODULES
    from stratoperf.door import MOST_NUMBERS, read_bytes, shortened
    from stratoperf.memory_room import check_room
    from stratoperf.monitor.cgroup import group_folders
    from stratoperf.monitor.files import SystemFiles, first_integer
    from stratoperf.monitor.gpu import gpus
    from stratoperf.monitor.gpu_load import GpuLoad
    from stratoperf.monitor.memory import memory
    from stratoperf.results.archives import open_archive
    from stratoperf.results.files import atomic_file
    from stratoperf.text.markup import html_facts

__all__ = [
    "LOAD_MODULES",
    "MOST_NUMBERS",
    "GpuLoad",
    "SystemFiles",
    "atomic_file",
    "check_room",
    "first_integer",
    "gpus",
    "group_folders",
    "html_facts",
    "memory",
    "open_archive",
    "read_bytes",
    "shortened",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "GpuLoad": "monitor.gpu_load",
        "LOAD_MODULES": "commands",
        "MOST_NUMBERS": "door",
        "SystemFiles": "monitor.files",
        "atomic_file": "results.files",
        "check_room": "memory_room",
        "first_integer": "monitor.files",
        "gpus": "monitor.gpu",
        "group_folders": "monitor.cgroup",
        "html_facts": "text.markup",
        "memory": "monitor.memory",
        "open_archive": "results.archives",
        "read_bytes": "door",
        "shortened": "door",
    },
    within="stratoperf",
)
