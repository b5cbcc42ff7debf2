"""The function that authors of benchmarks call to share an artifact."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

from stratoperf.artifacts.content import Content, checked, frozen, loaded, size_of, stored
from stratoperf.artifacts.keys import digest_of
from stratoperf.artifacts.shelf import REACH
from stratoperf.errors import InvalidParameter

_Content = TypeVar("_Content", bound=Any)


def artifact(*key: object, build: Callable[[], _Content], mapped: bool = False) -> _Content:
    """Return what `build` makes, built once for all processes that measure a benchmark.

    For the set-up of a benchmark, where a corpus, an index or an expected answer takes long. The
    first process that needs it builds it, and a fresh one measures in its place; the processes
    after it load it. Both sides of a live comparison build their own. It lies in memory until the
    run ends, and never on a disk; a resumed run builds it anew. In a process that no run has
    started, `build` is called each time and nothing is kept.

    Parameters
    ----------
    key
        All that the content depends on: numbers, text, bytes, NumPy arrays, and lists or
        dictionaries of these. The file with the code of `build` counts by itself, and so do plain
        values that `build` takes from the function around it. Of a file that `build` reads, give
        a digest.
    build
        Returns bytes, a NumPy array without objects, or a dictionary of these by name.
    mapped
        Whether arrays are the very pages that all processes share, for what is too large to be
        there twice. By default each process has the arrays in memory of its own, as if it had
        built them.

    Returns
    -------
    bytes, numpy.ndarray or dict
        What `build` returned, with its digest checked. The arrays are read-only; what is
        C- or Fortran-contiguous stays so.

    Raises
    ------
    InvalidParameter
        For a key that cannot be compared between processes, and for other content.
    StratoperfError
        When the content was altered after it was built.
    Exception
        Whatever `build` raises: then nothing is shared, and the next process tries again.

    Notes
    -----
    An interval over processes covers what differs between them. What is built once does not: the
    seeds of the builder, its order of sets, and, with `mapped`, which physical pages hold the data
    and that they are warm in the page cache. So let each process make for itself what the measured
    work writes to, and what is random on purpose; and map only what is read too seldom for its
    place in memory to matter. An expected answer may be shared, if each process compares its own
    outcome with it.

    Examples
    --------
    >>> import numpy as np
    >>> import stratoperf as sp
    >>> squares = sp.artifact("squares", 4, build=lambda: np.arange(4) ** 2)
    >>> squares.tolist()
    [0, 1, 4, 9]
    """
    if not callable(build):
        raise InvalidParameter(
            f"build: expected a function without arguments that makes the content, got {build!r}"
        )
    digest = digest_of(key, build)
    descriptor = REACH.find(digest)
    if descriptor is not None:
        return cast("_Content", loaded(descriptor, mapped=mapped))
    content = checked(build())
    try:
        descriptor = _stored(content, digest)
    except OSError as error:
        # No room: what was built is used here.
        REACH.missed(error)
        return cast("_Content", frozen(content))
    del content
    is_kept = False
    try:
        # As later processes have it: what lies elsewhere in memory may be slower or faster.
        result = loaded(descriptor, mapped=mapped)
        is_kept = REACH.add(digest, descriptor)
    finally:
        if not is_kept:
            os.close(descriptor)
    return cast("_Content", result)


def _stored(content: Content, digest: bytes) -> int:
    """Store a content, if the memory that is free has room for it and for its use.

    Raises
    ------
    OSError
        When there is no room.
    """
    from stratoperf.monitor.memory import free_bytes

    free = free_bytes()
    if free is not None and 2 * size_of(content) > free:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    return stored(content, digest)
