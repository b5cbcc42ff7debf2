"""Matching many patterns against a table, for repeated use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from stratoperf import artifact, backends
from stratoperf._core import synthesis as native
from stratoperf.arguments import whole_number
from stratoperf.errors import BackendUnavailable, InvalidParameter, VerificationFailed
from stratoperf.operation import Operation
from stratoperf.stratoswarm.synthesis import cuda, reference
from stratoperf.stratoswarm.synthesis.compiled import compile_patterns, matched_columns
from stratoperf.stratoswarm.synthesis.matches import Matches
from stratoperf.stratoswarm.synthesis.pattern import Pattern, check_pattern
from stratoperf.stratoswarm.synthesis.table import NodeTable
from stratoperf.stratoswarm.synthesis.work import Work, operation_of

if TYPE_CHECKING:
    from stratoperf._cuda import synthesis as device

BACKENDS = ("cuda", "cpu", "reference")
MAX_THREADS = 1024

# Minimum memory of a pattern: one node of seven words, its first hit, and its group.
_BYTES_PER_PATTERN = 64
_BYTES_PER_HIT = 4

# Taken to be free where the system does not tell.
_UNKNOWN_BYTES = 2**31


class NativeHits(Protocol):
    """The hits that native matching found, on any backend; see `Matches`."""

    @property
    def begin(self) -> npt.NDArray[np.uint64]:
        """Where the hits of each pattern begin in `rows`, and the end."""
        ...

    @property
    def rows(self) -> npt.NDArray[np.uint32]:
        """The rows of all hits."""
        ...

    @property
    def comparisons(self) -> int:
        """The number of comparisons evaluated."""
        ...

    @property
    def avoided(self) -> int:
        """The number of first comparisons that an index of types made needless."""
        ...


class FindsHits(Protocol):
    """A native matcher, on any backend."""

    def match(self) -> NativeHits:
        """Return all hits."""
        ...


class LastHits(Protocol):
    """The last outcome of an operation."""

    def outcome(self) -> NativeHits | None:
        """Return the last hits; ``None`` before the first complete match."""
        ...


class Matcher:
    """Finds all hits of patterns in a table.

    Keeps its buffers from match to match. A Matcher belongs to one thread at a time; the GIL is
    released while it works.

    Parameters
    ----------
    table
        With at least one node.
    patterns
        At least one; text is parsed by `Pattern.parse`.
    backend
        ``"cpu"``, ``"cuda"``, ``"reference"`` (plain Python), or ``"auto"``: the best here.
    threads
        The most that the nodes are spread over; one thread is used for each million comparisons.
        For ``"cpu"``.
    by_kind
        Compare a pattern that names a type only with the nodes of that type, through an index that
        is made once. The hits are the same; fewer comparisons are evaluated, and `Matches.avoided`
        counts those that were needless. For ``"cpu"``.
    max_bytes
        What the patterns and hits may take; by default half of the memory that is free.

    Notes
    -----
    On a device the table is copied to its memory once, here; hits are counted on the device, put in
    order there, and copied to page-locked memory.

    Raises
    ------
    InvalidParameter
        For an argument of the wrong type or out of range, an empty table, and patterns that do not
        fit into `max_bytes`.
    BackendUnavailable
        When the backend cannot run here, or the table does not fit into a device's memory.
    """

    def __init__(
        self,
        table: NodeTable,
        patterns: Iterable[Pattern | str] | Pattern | str,
        backend: str = "auto",
        threads: int = 1,
        by_kind: bool = False,
        max_bytes: int | None = None,
        *,
        _instruction_set: str = "",
        _limits: Mapping[str, int] | None = None,
    ) -> None:
        if not isinstance(table, NodeTable):
            raise InvalidParameter(
                f"table: expected a NodeTable, got {type(table).__name__}; make one with "
                "encode(source)"
            )
        if len(table) == 0:
            raise InvalidParameter("table: it has no nodes; an empty corpus has nothing to match")
        self.backend = backends.resolve(backend, BACKENDS)
        self.table = table
        self.threads = whole_number("threads", threads, 1, MAX_THREADS)
        room = _free_bytes() // 2 if max_bytes is None else max_bytes
        self.max_bytes = whole_number("max_bytes", room, 1, 2**63 - 1)
        self.patterns = _bounded(patterns, self.max_bytes)
        if not isinstance(by_kind, bool) or (by_kind and self.backend != "cpu"):
            raise InvalidParameter(
                f"by_kind: expected a bool, and True only for backend 'cpu', got {by_kind!r} for "
                f"{self.backend!r}"
            )
        self.by_kind = by_kind
        self._native: native.Matcher | None = None
        self._on_device: device.Matcher | None = None
        max_hits = (self.max_bytes - _BYTES_PER_PATTERN * len(self.patterns)) // _BYTES_PER_HIT
        if self.backend == "cuda":
            self._on_device = cuda.open_matcher(table, self.patterns, max_hits, **_limits or {})
        elif self.backend == "cpu":
            compiled = compile_patterns(self.patterns, table.vocabulary)
            columns = matched_columns(table)
            self._native = native.Matcher(
                columns=columns,
                subtree=native.number_subtrees(columns) if compiled.needs_subtrees else None,
                nodes=compiled.nodes,
                begin=compiled.begin,
                layout_sets=compiled.layout_sets,
                layout_words=compiled.layout_words,
                threads=self.threads,
                by_kind=by_kind,
                max_hits=max_hits,
                instruction_set=_instruction_set,
            )

    def match(self) -> Matches:
        """Return all hits.

        Raises
        ------
        InvalidParameter
            When the hits do not fit into `max_bytes`.
        RuntimeError
            When another thread is matching with this Matcher.
        BackendUnavailable
            When a device has no memory for the hits (fewer may still fit), and in a process that
            was forked from one that uses CUDA.
        StratoperfError
            When a device fails.
        """
        finder: FindsHits | None = self._on_device or self._native
        return self._reference() if finder is None else self._matches(finder.match())

    def _matches(self, hits: NativeHits) -> Matches:
        return Matches(
            self.table, self.patterns, hits.begin, hits.rows, hits.comparisons, hits.avoided
        )

    def operation(self) -> Operation:
        """Return the operation that compares all patterns with all nodes once an iteration.

        It works with buffers of its own. Its verification compares the hits of the last iteration,
        and the number of comparisons, with the reference. Items are the comparisons evaluated.
        On a device the table lies in its memory and the hits end in page-locked memory; the details
        tell how the work is spread over the device, and its measured integer rate.
        """
        if self.backend == "cuda":
            return self.verified_operation("synthesis.match", self.expected)
        work = self.work()
        return operation_of(
            [work], name="synthesis.match", items=work.operations, item_unit="operations"
        )

    def verified_operation(
        self, name: str, expect: Callable[[], Matches], *, resident: bool = False
    ) -> Operation:
        """Return the operation on a device whose verification holds it to what `expect` returns.

        Resident: the hits stay in device memory, in order, until they are verified.
        """
        if self._on_device is None:
            raise BackendUnavailable(f"backend {self.backend!r} has no device; use 'cuda'")
        comparisons = self.match().comparisons
        capsule, last = self._on_device.operation(resident)
        return Operation(
            capsule,
            name=name,
            items=comparisons,
            item_unit="operations",
            verify=self._verifier(last, expect, comparisons),
            details=cuda.details(self._on_device),
        )

    def work(self) -> Work:
        """Return one iteration of the operation.

        Raises
        ------
        BackendUnavailable
            On a device, whose operation does nothing else.
        """
        if self.backend == "cuda":
            raise BackendUnavailable(
                "backend 'cuda' cannot match as a part of other work; use the Matcher's own "
                "operation, or backend='cpu'"
            )
        comparisons = self.match().comparisons
        if self._native is None:
            return Work(None, self._reference, lambda: 0, comparisons)
        step, last = self._native.step()
        verify = self._verifier(last, self.expected, comparisons)
        return Work(step, self._reference, verify, comparisons)

    def expected(self) -> Matches:
        """Return all hits by the reference, found once for all processes that measure them.

        What they are held to is the same for all; each compares its own outcome with it.
        """

        def build() -> dict[str, npt.NDArray[Any]]:  # of several types
            matches = self._reference(screened=True)
            comparisons = np.array(matches.comparisons)
            return {"begin": matches.begin, "node": matches.node, "comparisons": comparisons}

        key = ("synthesis matches", self.table.digest(), [repr(each) for each in self.patterns])
        known = artifact(*key, build=build)
        return Matches(
            self.table,
            self.patterns,
            known["begin"],
            known["node"],
            int(known["comparisons"]),
            0,
        )

    def _verifier(
        self, last: LastHits, expect: Callable[[], Matches], items: int
    ) -> Callable[[], int]:
        """Return what holds the last outcome to the one that is expected, made when first asked.

        And the comparisons that it evaluated to those that throughput counts.
        """
        expected: list[Matches] = []

        def verify() -> int:
            outcome = last.outcome()
            if outcome is None:
                return 0
            if not expected:
                expected.append(expect())
            matches = self._matches(outcome)
            difference = self._difference(matches, expected[0])
            if difference is None and matches.comparisons != items:
                difference = f"comparisons: {matches.comparisons}, but {items} are counted"
            if difference is not None:
                raise VerificationFailed(
                    f"the timed match differs from the reference: {difference}"
                )
            return len(self.patterns)

        return verify

    def _difference(self, matches: Matches, expected: Matches) -> str | None:
        if not self.by_kind:
            return matches.difference(expected)
        total = matches.comparisons + matches.avoided
        if total != expected.comparisons:
            return f"comparisons evaluated and avoided: {total} against {expected.comparisons}"
        return Matches(
            self.table, self.patterns, matches.begin, matches.node, expected.comparisons, 0
        ).difference(expected)

    def _reference(self, *, screened: bool = False) -> Matches:
        found, comparisons = reference.match(self.table, self.patterns, screened=screened)
        begin = np.cumsum([0, *map(len, found)], dtype=np.uint64)
        rows = np.array([row for rows in found for row in rows], np.uint32)
        for array in (begin, rows):
            array.flags.writeable = False
        return Matches(self.table, self.patterns, begin, rows, comparisons, 0)

    def __repr__(self) -> str:
        return (
            f"<Matcher: {len(self.patterns)} patterns, {len(self.table)} nodes, "
            f"backend {self.backend}>"
        )


def match(
    table: NodeTable,
    patterns: Iterable[Pattern | str] | Pattern | str,
    backend: str = "auto",
    threads: int = 1,
    by_kind: bool = False,
    max_bytes: int | None = None,
) -> Matches:
    """Return all hits of patterns in a table; the arguments and errors are those of `Matcher`."""
    return Matcher(table, patterns, backend, threads, by_kind, max_bytes).match()


def _bounded(
    patterns: Iterable[Pattern | str] | Pattern | str, max_bytes: int
) -> tuple[Pattern, ...]:
    """Return the patterns, unless they alone would take more than `max_bytes`."""
    if isinstance(patterns, Pattern | str):
        patterns = [patterns]
    if not isinstance(patterns, Iterable):
        raise InvalidParameter(f"patterns: expected patterns, got {type(patterns).__name__}")
    kept: list[Pattern] = []
    for number, pattern in enumerate(patterns):
        if _BYTES_PER_PATTERN * (number + 1) > max_bytes:
            raise InvalidParameter(
                f"patterns: {number + 1} or more do not fit into max_bytes ({max_bytes}); match "
                "them in several parts, or raise max_bytes"
            )
        kept.append(check_pattern(f"patterns[{number}]", pattern))
    if not kept:
        raise InvalidParameter("patterns: expected at least one, got none")
    return tuple(kept)


def _free_bytes() -> int:
    from stratoperf.authoring import SystemFiles, memory

    facts = memory(SystemFiles())
    known = [size for size in (facts.available_bytes, facts.limit_bytes) if size is not None]
    return min(known, default=_UNKNOWN_BYTES)
