"""Containers: sandboxed processes that start in well under a millisecond, and agents in them.

A short name for `stratoperf.stratoswarm.containers`, which has the details.
"""

from stratoperf.stratoswarm.containers import (
    NAMESPACES,
    WAYS,
    Availability,
    Container,
    Limits,
    Personality,
    Population,
    Report,
    Spawner,
    available,
    operations,
)

__all__ = [
    "NAMESPACES",
    "WAYS",
    "Availability",
    "Container",
    "Limits",
    "Personality",
    "Population",
    "Report",
    "Spawner",
    "available",
    "operations",
]
