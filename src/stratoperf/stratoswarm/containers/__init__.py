"""Containers: processes in sandboxes of their own, started in well under a millisecond.

A `Spawner` starts a small native helper, which makes the containers and watches over them. With the
spawner, or with this process, all of them end, and nothing of them is left:

>>> import stratoperf as sp
>>> with sp.containers.Spawner() as spawner:  # doctest: +SKIP
...     container = spawner.spawn(limits=sp.containers.Limits(memory_bytes=128 << 20))
...     container.report().no_new_privs
True

A control group is joined without a wait: in version 2 by the clone itself, in version 1 by the
process on its own behalf. Later features of the kernel (``OPEN_TREE_NAMESPACE``,
``CLONE_PIDFD_AUTOKILL``, ``listns``) are not probed, since nothing here would use them: a prepared
mount namespace is made by a process that enters its root, all containers end with the helper by
the signal that it has set for its death, and namespaces are told apart from inside.

`available` says whether that works here, and which setting is in the way if it does not.
"""

from stratoperf.stratoswarm.containers import operations
from stratoperf.stratoswarm.containers.agents import Population
from stratoperf.stratoswarm.containers.availability import Availability
from stratoperf.stratoswarm.containers.personality import Personality
from stratoperf.stratoswarm.containers.probing import available
from stratoperf.stratoswarm.containers.report import Report
from stratoperf.stratoswarm.containers.settings import NAMESPACES, WAYS, Limits
from stratoperf.stratoswarm.containers.spawner import Container, Spawner

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
