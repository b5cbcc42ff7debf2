"""Routes, transfers and sizes: parsed once from the parameters of a benchmark."""

from __future__ import annotations

from typing import NamedTuple

from stratoperf import arguments
from stratoperf.arguments import LARGEST_COUNT
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.stratoswarm.memory.choosing import is_name, known
from stratoperf.stratoswarm.memory.discovery import tiers
from stratoperf.stratoswarm.memory.opening import PAGE

ACCESSES = ("read", "write", "copy")
"""What a bandwidth measures."""


class Size(int):
    """A number of bytes that fills whole pages."""

    @classmethod
    def parse(cls, value: object, *, at_most: int = LARGEST_COUNT, parts: int = 1) -> Size:
        """Return `value` as a size.

        Parameters
        ----------
        value
            An integer, in bytes.
        at_most
            The largest size; 1 GiB for a block.
        parts
            Number of equal parts, each of whole pages.

        Raises
        ------
        InvalidParameter
            When `value` is not an integer, is out of range, or is not a multiple of the pages.
        """
        step = PAGE * arguments.count("pages", parts)
        size = arguments.whole_number("size", value, PAGE, at_most)
        if size % step:
            nearest = max(step, size // step * step)
            raise InvalidParameter(
                f"size: expected a multiple of {step} bytes, got {size}; for example {nearest}"
            )
        return cls(size)


class Route(NamedTuple):
    """The two tiers that a block migrates between, by name or kind."""

    source: str
    target: str

    @classmethod
    def parse(cls, text: object) -> Route:
        """Return the route that a text such as ``"cpu:disk"`` names.

        Raises
        ------
        InvalidParameter
            When `text` does not name two tiers that can exist and differ.
        """
        names = text.split(":") if isinstance(text, str) else []
        if len(names) != 2:
            raise InvalidParameter(
                f"route: expected SOURCE:TARGET such as cpu:disk, got {arguments.shown(text)}"
            )
        route = cls(*(parse_tier(name, "route", text) for name in names))
        if route.source == route.target:
            raise InvalidParameter(
                f"route: a block cannot migrate from {route.source} to itself, got {text!r}; name "
                "two tiers"
            )
        return route


class Transfer(NamedTuple):
    """One access to one tier, or a copy between two.

    Attributes
    ----------
    access
        One of `ACCESSES`.
    source
        The tier to read, to write, or to copy from, by name or kind.
    target
        The tier to copy to; ``None`` unless `access` is ``"copy"``.
    """

    access: str
    source: str
    target: str | None = None

    @classmethod
    def parse(cls, text: object) -> Transfer:
        """Return the transfer that a text such as ``"read:cpu"`` or ``"copy:cpu:gpu"`` names.

        Raises
        ------
        InvalidParameter
            When `text` names no access, the wrong number of tiers, or a tier that cannot exist.
        """
        access, *names = text.split(":") if isinstance(text, str) else [""]
        if names and access not in ACCESSES:
            raise InvalidParameter(
                f"transfer: {access!r} in {text!r} is unknown; {did_you_mean(access, ACCESSES)}"
            )
        if len(names) != (2 if access == "copy" else 1):
            raise InvalidParameter(
                "transfer: expected read:TIER, write:TIER or copy:SOURCE:TARGET, got "
                f"{arguments.shown(text)}"
            )
        transfer = cls(access, *(parse_tier(name, "transfer", text) for name in names))
        if transfer.target is None and transfer.source.startswith("gpu"):
            raise gpu_access(access)
        return transfer

    @property
    def tiers(self) -> tuple[str, ...]:
        """The names of its tiers."""
        return (self.source,) if self.target is None else (self.source, self.target)


def parse_tier(name: object, argument: str = "tier", within: object = None) -> str:
    """Return the name of a tier that can exist on some machine.

    Parameters
    ----------
    name
        A name such as ``"cpu0"``, or a kind such as ``"disk"``.
    argument
        What a message calls it.
    within
        The whole text that holds the name, if it is longer.

    Raises
    ------
    InvalidParameter
        When no machine has a tier of this name; lists the kinds and the tiers here.
    """
    if not isinstance(name, str) or not is_name(name):
        where = "" if within is None else f" in {within!r}"
        raise InvalidParameter(
            f"{argument}: {arguments.shown(name)}{where} is not a tier; {known(tiers())}"
        )
    return name


def gpu_access(access: str) -> InvalidParameter:
    """Return the error for a read or write of a GPU's memory, with what to measure instead."""
    return InvalidParameter(
        f"access: a {access} of a GPU's memory is a copy for the processor; measure 'copy' between "
        "'gpu' and 'cpu', or within 'gpu'"
    )
