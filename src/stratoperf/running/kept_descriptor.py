"""A descriptor that foreign code may close or replace by a file of its own."""

from __future__ import annotations

import os


class DescriptorLost(Exception):
    """Foreign code closed the copy that was kept to reach a file or directory again."""


class KeptDescriptor:
    """A descriptor that is used only while its number still names the same file.

    Parameters
    ----------
    number
        Is open now.

    Raises
    ------
    OSError
        When it is closed.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._file = os.fstat(number)

    def is_ours(self) -> bool:
        """Return whether the number names the same file as at first."""
        return self.is_also(self.number)

    def is_also(self, number: int) -> bool:
        """Return whether another number names that file."""
        try:
            return os.path.samestat(os.fstat(number), self._file)
        except OSError:
            return False

    def check(self, what: str) -> None:
        """Check that the number still names the same file.

        Raises
        ------
        DescriptorLost
            Names `what` it leads to.
        """
        if not self.is_ours():
            raise DescriptorLost(f"{what}, since a descriptor was closed that is not its own")

    def close(self) -> None:
        """Close it, but not what others opened under its number."""
        if self.is_ours():
            os.close(self.number)
