"""The binary interface once more, in Python: structures by `struct`, command words by arithmetic.

Written from the published tables alone, and not from the bindings: tests hold the two together.
"""

from __future__ import annotations

import struct

WRITE, READ = 1, 2
MAGIC = ord("S")

LAYOUTS = {
    "gpu_alloc": "<QQIIQ",
    "gpu_stats": "<QQQQQ",
    "gpu_quota": "<QQI4x",
    "dma_check": "<QQQII",
    "dma_grant": "<QQQI4x",
    "agent_config": "<64sQI4xQI4xQ",
    "agent_query": "<Qi4xQQII",
    "namespace_config": "<QI4x",
    "tier_stats": "<I4xQQQQQQ",
    "memory_pressure": "<IIQQ",
    "migration_request": "<QIIQ",
    "bind_mount": "<Q256s256sI4x",
    "overlayfs": "<Q256s256s256s256s",
    "mount": "<Q256s256s256s256s" + 16 * "256s256sI" + "I256sII4x",
    "id": "<Q",
}

COMMANDS = {
    "GPU_ALLOC": (1, READ | WRITE, "gpu_alloc", "gpu_dma_lock"),
    "GPU_FREE": (2, WRITE, "id", "gpu_dma_lock"),
    "GPU_QUERY": (3, READ, "gpu_stats", "gpu_dma_lock"),
    "GPU_SET_QUOTA": (4, WRITE, "gpu_quota", "gpu_dma_lock"),
    "DMA_CHECK_PERM": (5, READ | WRITE, "dma_check", "gpu_dma_lock"),
    "DMA_GRANT_PERM": (6, WRITE, "dma_grant", "gpu_dma_lock"),
    "AGENT_CREATE": (10, READ | WRITE, "agent_config", "swarm_guard"),
    "AGENT_DESTROY": (11, WRITE, "id", "swarm_guard"),
    "AGENT_QUERY": (12, READ | WRITE, "agent_query", "swarm_guard"),
    "AGENT_SET_NS": (13, WRITE, "namespace_config", "swarm_guard"),
    "MOUNT_SETUP": (14, WRITE, "mount", "swarm_guard"),
    "MOUNT_TEARDOWN": (15, WRITE, "id", "swarm_guard"),
    "MOUNT_ADD_BIND": (16, WRITE, "bind_mount", "swarm_guard"),
    "MOUNT_OVERLAYFS": (17, WRITE, "overlayfs", "swarm_guard"),
    "TIER_STATS": (20, READ, "tier_stats", "tier_watch"),
    "TIER_PRESSURE": (21, READ, "memory_pressure", "tier_watch"),
    "TIER_MIGRATE": (22, WRITE, "migration_request", "tier_watch"),
}
"""Number, direction, structure and device of each command."""

PUBLISHED_WORDS = {
    "GPU_ALLOC": 0xC0205301,
    "GPU_FREE": 0x40085302,
    "GPU_QUERY": 0x80285303,
    "GPU_SET_QUOTA": 0x40185304,
    "DMA_CHECK_PERM": 0xC0205305,
    "DMA_GRANT_PERM": 0x40205306,
    "AGENT_CREATE": 0xC068530A,
    "AGENT_DESTROY": 0x4008530B,
    "AGENT_QUERY": 0xC028530C,
    "AGENT_SET_NS": 0x4010530D,
    "MOUNT_SETUP": 0x6558530E,
    "MOUNT_TEARDOWN": 0x4008530F,
    "MOUNT_ADD_BIND": 0x42105310,
    "MOUNT_OVERLAYFS": 0x44085311,
    "TIER_STATS": 0x80385314,
    "TIER_PRESSURE": 0x80185315,
    "TIER_MIGRATE": 0x40185316,
}


def size_of(structure: str) -> int:
    return struct.calcsize(LAYOUTS[structure])


def word(number: int, direction: int, size: int) -> int:
    """Return a command word as x86-64 and AArch64 have it: direction, size, magic and number."""
    return direction << 30 | size << 16 | MAGIC << 8 | number


def word_of(command: str) -> int:
    number, direction, structure, _ = COMMANDS[command]
    return word(number, direction, size_of(structure))
