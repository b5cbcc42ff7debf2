"""What a device and the bus to it can do at best: the floor beside which work on it is judged."""

from __future__ import annotations

from collections.abc import Sequence

from stratoperf import arguments, backends, benchmark
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.operation import Operation

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

# Powers of 16, and the size that claims speak of first.
SIZES = [MIB, 4, 64, KIB, 16 * KIB, 256 * KIB, 4 * MIB, 64 * MIB, GIB]
DEVICE_SIZES = [GIB, 64 * MIB, 4 * MIB, MIB, 4]

MODES = ("launch", "graph", "persistent")
DIRECTIONS = ("host_to_device", "device_to_host")
MEMORY = ("pinned", "pageable")


@benchmark("gpu.launch", params={"mode": MODES}, backends=("cuda",))
def gpu_launch(mode: str) -> Operation:
    """Give a kernel that does nothing a request and wait for its answer, host to host.

    As `consensus.round` does in the same mode: this is the floor beside which it is judged. The
    kernels keep count of the requests that they saw, which is compared with the host's.
    """
    backends.cuda_module()  # says so where this build has none
    from stratoperf._cuda import round_trip

    return Operation(
        round_trip.empty_operation(one_of("mode", mode, MODES)),
        name="gpu.launch",
        item_unit="round trips",
    )


@benchmark(
    "gpu.copy",
    params={"size": SIZES, "direction": DIRECTIONS, "memory": MEMORY},
    backends=("cuda",),
)
def gpu_copy(size: int, direction: str, memory: str) -> Operation:
    """Copy between the host's memory and a device's, and wait for it.

    Rotates through buffers, and each copy brings its target something new; what every target
    received last is compared to the last byte.
    """
    host = one_of("memory", memory, MEMORY)
    if one_of("direction", direction, DIRECTIONS) == "host_to_device":
        return copying("gpu.copy", size, host, "device", moved=size)
    return copying("gpu.copy", size, "device", host, moved=size)


@benchmark("gpu.device_copy", params={"size": DEVICE_SIZES}, backends=("cuda",))
def gpu_device_copy(size: int) -> Operation:
    """Copy within a device's memory, and wait for it: the memory bandwidth that can be measured.

    Throughput counts the bytes read and the bytes written, so twice the size.
    """
    return copying("gpu.device_copy", size, "device", "device", moved=2 * size)


@benchmark("gpu.integer_rate", backends=("cuda",))
def gpu_integer_rate() -> Operation:
    """Compare 32-bit integers, and count those that are equal: what the device's lanes can do.

    A step is one comparison and one addition that depends on it, two operations of a lane; a
    comparison of `synthesis.match` takes three. The count of each kernel is compared with what it
    must be.
    """
    backends.cuda_module()
    from stratoperf._cuda import integer_rate

    native, steps = integer_rate.operation()
    return Operation(native, name="gpu.integer_rate", items=steps, item_unit="steps")


def copying(name: str, size: int, source: str, target: str, *, moved: int) -> Operation:
    """Return the operation that makes one copy after another; `moved` bytes are its throughput."""
    backends.cuda_module()
    from stratoperf._cuda import copy

    native = copy.operation(arguments.count("size", size), source, target)
    return Operation(native, name=name, items=moved, item_unit="bytes")


def one_of(argument: str, value: str, known: Sequence[str]) -> str:
    """Return the value of a parameter that names one of a few things.

    Raises
    ------
    InvalidParameter
        When it names none of them.
    """
    if value not in known:
        hint = did_you_mean(str(value), known)
        raise InvalidParameter(f"{argument}: {value!r} is unknown; {hint}")
    return value
