"""What an agent loads before it is ready."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator, Sequence

from stratoperf import arguments
from stratoperf._core import containers as native
from stratoperf.errors import InvalidParameter

TRAITS = 5
MOST_IMAGE = 1 << 30

_SEALS = 0x1 | 0x2 | 0x4 | 0x8
_ADD_SEALS = 1033
"""F_ADD_SEALS, with the seals against resealing, shrinking, growing and writing."""


class Personality:
    """What an agent loads before it is ready: five floats and a memory image.

    Parameters
    ----------
    traits
        Five finite numbers, kept as 32-bit floats.
    image
        Bytes that the agent copies into its memory; at most 1 GiB.

    Raises
    ------
    InvalidParameter
        For other traits or a larger image.
    """

    def __init__(self, traits: Sequence[float], image: bytes = b"") -> None:
        values = [arguments.number("traits", trait) for trait in traits]
        if len(values) != TRAITS:
            raise InvalidParameter(f"traits: expected {TRAITS} numbers, got {len(values)}")
        if not isinstance(image, bytes) or len(image) > MOST_IMAGE:
            raise InvalidParameter(
                f"image: expected at most {MOST_IMAGE} bytes, got {arguments.shown(image)}"
            )
        try:
            self._content = struct.pack(f"<{TRAITS}f", *values) + image
        except OverflowError:
            raise InvalidParameter(
                f"traits: {arguments.shown(values)} do not fit into 32-bit floats"
            ) from None
        self.checksum: int = native.checksum(self._content)
        """What the agent has to compute of what it loaded."""

    @contextlib.contextmanager
    def image_file(self) -> Iterator[int]:
        """Yield the descriptor of a sealed file in memory with the traits and the image."""
        import fcntl

        file = os.memfd_create("stratoperf_image", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            rest = memoryview(self._content)
            while rest:
                rest = rest[os.write(file, rest) :]
            fcntl.fcntl(file, _ADD_SEALS, _SEALS)
            yield file
        finally:
            os.close(file)
