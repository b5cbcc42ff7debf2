"""Rewriting a table: a template replaces what a pattern matches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stratoperf import backends
from stratoperf._core import synthesis as native
from stratoperf.arguments import whole_number
from stratoperf.errors import InvalidParameter, VerificationFailed
from stratoperf.operation import Operation
from stratoperf.stratoswarm.synthesis import reference, reference_transform
from stratoperf.stratoswarm.synthesis.compiled import (
    CompiledPatterns,
    compile_patterns,
    matched_columns,
)
from stratoperf.stratoswarm.synthesis.matcher import MAX_THREADS, Matcher
from stratoperf.stratoswarm.synthesis.pattern import Pattern, check_pattern
from stratoperf.stratoswarm.synthesis.reparsing import check_reparses
from stratoperf.stratoswarm.synthesis.replacement import (
    OpenLayout,
    Replacement,
    compile_replacement,
    filled_layout,
    find_captures,
    is_statement,
)
from stratoperf.stratoswarm.synthesis.rewritten import RewrittenTable, free_rows, sort_hits
from stratoperf.stratoswarm.synthesis.table import NONE, NodeTable
from stratoperf.stratoswarm.synthesis.vocabulary import layout_of
from stratoperf.stratoswarm.synthesis.work import REWRITING_BACKENDS, Work, operation_of


class Transformer:
    """Replaces the matches of a pattern in a table by a template.

    Matches inside what a placeholder stands for are replaced as well. Left alone are matches where
    not every expression can stand: targets of assignments and deletions, f-strings, and the
    patterns of a match statement; the new table says which.

    Parameters
    ----------
    table
        Table of Python's nodes, with at least one node.
    pattern
        One expression or statement; text is parsed by `Pattern.parse`.
    template
        Text in the same form; an expression stands for a statement where the pattern is one.
    backend
        ``"cpu"``, ``"reference"`` (plain Python), or ``"auto"``.
    threads
        The most that matching is spread over.

    Raises
    ------
    InvalidParameter
        For an argument of the wrong type or out of range, a placeholder of the template that the
        pattern does not bind or binds to something else, a pattern that is a placeholder alone,
        a template with a placeholder that stands for all of the pattern, and one of another sort
        than the pattern.
    BackendUnavailable
        When the backend cannot run here.
    """

    def __init__(
        self,
        table: NodeTable,
        pattern: Pattern | str,
        template: str,
        backend: str = "auto",
        threads: int = 1,
        *,
        _instruction_set: str = "",
    ) -> None:
        if not isinstance(table, NodeTable):
            raise InvalidParameter(f"table: expected a NodeTable, got {type(table).__name__}")
        if not table.vocabulary.is_python:
            raise InvalidParameter("table: its nodes are not Python's, so no template fits them")
        self.table = table
        self.pattern = check_pattern("pattern", pattern)
        self.template = _template(template)
        self.backend = backends.resolve(backend, REWRITING_BACKENDS)
        self.threads = whole_number("threads", threads, 1, MAX_THREADS)
        self._instruction_set = _instruction_set
        if self.pattern.kind is None:
            raise InvalidParameter(
                f"pattern: {self.pattern.source!r} matches every node, so nothing would be left; "
                "make it more specific"
            )
        if self.pattern.name in self.template.names and not self.pattern.by_value:
            raise InvalidParameter(
                f"template: ${self.pattern.name} stands for all that the pattern matches, so it "
                "would be replaced within itself again and again; name parts of it"
            )
        if is_statement(self.template) and not is_statement(self.pattern):
            raise InvalidParameter(
                f"template: {template!r} is a statement and cannot stand where the expression "
                f"{self.pattern.source!r} stood"
            )
        compiled = compile_patterns([self.pattern], table.vocabulary)
        captures = find_captures(self.pattern, compiled)
        self._replacement = compile_replacement(
            self.template, self.pattern, captures, table.vocabulary
        )
        hits = self._find_hits()
        self._rows = free_rows(table, hits)
        self._hits = sort_hits(table, self.pattern, self.template, hits, self._rows)
        self._allowed = np.zeros(len(table), np.uint8)
        self._allowed[self._rows] = 1
        if self.backend == "cpu":
            # New layouts and values of the template may have widened the vocabulary.
            compiled = compile_patterns([self.pattern], table.vocabulary)
            self._prepare(compiled, list(captures.values()))

    def _find_hits(self) -> npt.NDArray[np.uint32]:
        backend = "reference" if self.backend == "reference" else "cpu"
        matches = Matcher(self.table, self.pattern, backend, self.threads).match()
        self._comparisons = matches.comparisons
        return matches.node

    def _prepare(
        self, compiled: CompiledPatterns, captures: list[tuple[int, int, int, int]]
    ) -> None:
        table = self.table
        columns = matched_columns(table)
        self._native = native.Rewriter(
            columns=columns,
            subtree=native.number_subtrees(columns) if compiled.needs_subtrees else None,
            parent=table.parent,
            patterns=(
                compiled.nodes,
                compiled.begin,
                compiled.layout_sets,
                compiled.layout_words,
            ),
            captures=captures,
        )
        captured = self._native.capture(self._rows)
        slots = len(self._replacement.slots)
        self._layouts = _open_layouts(
            table, self._replacement, captured.reshape(len(self._rows), slots, 2)
        )

    def transform(self) -> RewrittenTable:
        """Return the new table, with the outcome of each match.

        It shares the vocabulary of the old one.

        Raises
        ------
        InvalidParameter
            When what the placeholders stand for makes a file of the result that does not parse, or
            parses to another tree than that of the table.
        """
        new = self._transformed()
        ranges, before = new.tree_ranges(), self.table.tree_ranges()
        assert ranges is not None
        changed = np.unique([self._root_of(row) for row in self._rows.tolist()])
        for number in np.searchsorted(self.table.roots, changed).tolist():
            old = None if before is None else (self.table, before[number])
            check_reparses(new, ranges[number], self.template.source, old)
        return RewrittenTable.with_hits(new, self._hits)

    def _root_of(self, row: int) -> int:
        while (parent := int(self.table.parent[row])) != NONE:
            row = parent
        return row

    def _transformed(self) -> NodeTable:
        if self.backend == "reference":
            return self._reference()
        columns = self._native.graft(_arrays(self._replacement), self._rows, self._layouts)
        return NodeTable.of_native(columns, self.table.vocabulary)

    def operation(self) -> Operation:
        """Return the operation that matches and rewrites the table once an iteration.

        Its verification compares the table of the last iteration, and the number of comparisons,
        with the reference. Items are
        the nodes of the old table.
        """
        return operation_of(
            [self.work()], name="synthesis.transform", items=len(self.table), item_unit="nodes"
        )

    def work(self) -> Work:
        """Return one iteration of the operation."""
        if self.backend == "reference":
            return Work(None, self._reference, lambda: 0, self._comparisons)
        step, last = self._native.step(
            replacement=_arrays(self._replacement),
            allowed=self._allowed,
            layouts=self._layouts,
            hits=len(self._rows),
            threads=self.threads,
            max_hits=len(self.table),
            instruction_set=self._instruction_set,
        )
        expected: list[tuple[NodeTable, int]] = []

        def verify() -> int:
            outcome = last.outcome()
            if outcome is None:
                return 0
            if not expected:
                _, counted = reference.match(self.table, [self.pattern], screened=True)
                expected.append((self._reference(), counted))
            comparisons = outcome.comparisons
            table, counted = expected[0]
            new = NodeTable.of_native(outcome.columns, self.table.vocabulary)
            difference = new.difference(table)
            if difference is None and not comparisons == counted == self._comparisons:
                difference = (
                    f"comparisons: {comparisons} against {counted}, and {self._comparisons} were "
                    "to be timed"
                )
            if difference is not None:
                raise VerificationFailed(
                    f"the timed transformation differs from the reference: {difference}"
                )
            return max(1, len(self._rows))

        return Work(step, self._reference, verify, self._comparisons)

    def _reference(self) -> NodeTable:
        return reference_transform.transform(self.table, self.pattern, self.template)

    def __repr__(self) -> str:
        return (
            f"<Transformer: {self.pattern.source!r} to {self.template.source!r}, "
            f"{len(self._hits.replaced)} replaced and {len(self._hits.left_alone)} left alone, "
            f"backend {self.backend}>"
        )


def transform(
    table: NodeTable,
    pattern: Pattern | str,
    template: str,
    backend: str = "auto",
    threads: int = 1,
) -> RewrittenTable:
    """Return a table with the matches of a pattern replaced by a template.

    Its `left_alone` has those that could not be. The arguments and errors are those of
    `Transformer`, and of its `transform`.
    """
    return Transformer(table, pattern, template, backend, threads).transform()


def _template(text: object) -> Pattern:
    from stratoperf.stratoswarm.synthesis.template import Template

    if not isinstance(text, str):
        raise InvalidParameter(f"template: expected source, got {type(text).__name__}")
    Template.parse(text)
    return Pattern.parse(text)


def _arrays(
    replacement: Replacement,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32], int, int, int]:
    return (
        replacement.nodes,
        replacement.children,
        replacement.root,
        len(replacement.slots),
        len(replacement.open_layouts),
    )


def _open_layouts(
    table: NodeTable, replacement: Replacement, captured: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint32]:
    """Return the layout of each node that a ``$...name`` leaves open, hit after hit (uint32)."""
    layouts = np.zeros((len(captured), len(replacement.open_layouts)), np.uint32)
    if layouts.size == 0:
        return layouts.reshape(-1)
    keyword = table.vocabulary.kind_id("keyword")
    before = np.concatenate([[0], np.cumsum(table.kind == keyword)])
    for number, opened in enumerate(replacement.open_layouts):
        first = captured[:, opened.slot, 0].astype(np.int64)
        count = captured[:, opened.slot, 1].astype(np.int64)
        keywords = before[first + count] - before[first]
        pairs, which = np.unique(
            np.stack([count - keywords, keywords], axis=1), axis=0, return_inverse=True
        )
        ids = [_layout_id(table, opened, *pair) for pair in pairs.tolist()]
        layouts[:, number] = np.array(ids, np.uint32)[which.reshape(-1)]
    return layouts.reshape(-1)


def _layout_id(table: NodeTable, opened: OpenLayout, positional: int, keywords: int) -> int:
    entries = filled_layout(opened.layout, positional, keywords)
    return table.vocabulary.layout_id(layout_of(entries), add=True) or 0
