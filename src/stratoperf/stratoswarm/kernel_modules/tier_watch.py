"""The module ``tier_watch``: counters of the memory tiers."""

from __future__ import annotations

from dataclasses import dataclass

from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.stratoswarm.kernel_modules.devices import OpenDevice
from stratoperf.stratoswarm.kernel_modules.failures import translated
from stratoperf.stratoswarm.kernel_modules.fields import u64

TIERS = ("gpu", "cpu", "nvme", "ssd", "hdd")
"""The memory tiers, in the order of their numbers."""


@dataclass(frozen=True)
class TierUsage:
    """How a tier is used.

    Attributes
    ----------
    tier
        The tier that the module answered for.
    total_pages, used_pages, hot_pages, cold_pages
        Pages now.
    migrations_in, migrations_out
        Pages that came and went since the module was loaded.
    """

    tier: str
    total_pages: int
    used_pages: int
    hot_pages: int
    cold_pages: int
    migrations_in: int
    migrations_out: int


@dataclass(frozen=True)
class Pressure:
    """How full a tier is.

    Attributes
    ----------
    tier
        The tier that the module answered for.
    level
        From 0 to 100.
    free_pages, reclaimable_pages
        Pages now.
    """

    tier: str
    level: int
    free_pages: int
    reclaimable_pages: int


class TierWatch(OpenDevice):
    """Commands to the module ``tier_watch``.

    Every method raises a `KernelModuleError` when the module refuses the command, and
    `InvalidParameter` for an unknown tier or a number that does not fit into its field.
    """

    module = "tier_watch"

    def stats(self, tier: str) -> TierUsage:
        """Return how a tier is used (TIER_STATS)."""
        number = _number("tier", tier)
        with translated():
            reply = self.native.tier_stats(number)
        return TierUsage(
            tier=_name(reply.tier),
            total_pages=reply.total_pages,
            used_pages=reply.used_pages,
            hot_pages=reply.hot_pages,
            cold_pages=reply.cold_pages,
            migrations_in=reply.migrations_in,
            migrations_out=reply.migrations_out,
        )

    def pressure(self, tier: str) -> Pressure:
        """Return how full a tier is (TIER_PRESSURE)."""
        number = _number("tier", tier)
        with translated():
            reply = self.native.tier_pressure(number)
        return Pressure(
            tier=_name(reply.tier),
            level=reply.pressure_level,
            free_pages=reply.free_pages,
            reclaimable_pages=reply.reclaimable_pages,
        )

    def migrate(self, source: str, target: str, pages: int, *, agent: int = 0) -> None:
        """Move pages of an agent to another tier (TIER_MIGRATE).

        Parameters
        ----------
        source, target
            Two of `TIERS`.
        pages
            Number of pages, at least 1.
        agent
            Whose pages they are.
        """
        numbers = _number("source", source), _number("target", target)
        if source == target:
            raise InvalidParameter(f"target: pages cannot migrate from {source} to itself")
        pages, agent = u64("pages", pages, at_least=1), u64("agent", agent)
        with translated():
            self.native.tier_migrate(agent, *numbers, pages)


def _number(argument: str, tier: str) -> int:
    if tier not in TIERS:
        raise InvalidParameter(f"{argument}: {tier!r} is unknown; {did_you_mean(str(tier), TIERS)}")
    return TIERS.index(tier)


def _name(number: int) -> str:
    return TIERS[number] if number < len(TIERS) else str(number)
