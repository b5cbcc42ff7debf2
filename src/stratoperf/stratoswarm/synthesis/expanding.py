"""Filling templates with captured bindings, for repeated use."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Sequence

import numpy as np

from stratoperf import backends
from stratoperf._core import synthesis as native
from stratoperf.arguments import whole_number
from stratoperf.errors import InvalidParameter, VerificationFailed
from stratoperf.operation import Operation
from stratoperf.stratoswarm.synthesis.matcher import MAX_THREADS
from stratoperf.stratoswarm.synthesis.template import Sources, Template
from stratoperf.stratoswarm.synthesis.work import REWRITING_BACKENDS, Work, operation_of


class Expander:
    """Fills one template with many bindings.

    Reading the template and preparing the texts (parentheses, indentation) is done once, here;
    `expand` copies them into place.

    Parameters
    ----------
    template
        Text, as `Template.parse` reads it.
    bindings
        One mapping for each expansion, as `Matches.bindings` gives them; at least one.
    backend
        ``"cpu"``, ``"reference"`` (plain Python), or ``"auto"``.
    threads
        The most that expansions are spread over; one thread is used for each 2048.

    Raises
    ------
    InvalidParameter
        For a template that does not parse, an unbound placeholder, or a binding of the wrong kind.
    BackendUnavailable
        When the backend cannot run here.
    """

    def __init__(
        self,
        template: Template | str,
        bindings: Sequence[Sources],
        backend: str = "auto",
        threads: int = 1,
    ) -> None:
        self.template = template if isinstance(template, Template) else Template.parse(template)
        self.backend = backends.resolve(backend, REWRITING_BACKENDS)
        self.threads = whole_number("threads", threads, 1, MAX_THREADS)
        self._texts = [self.template.texts(each) for each in bindings]
        if not self._texts:
            raise InvalidParameter("bindings: expected at least one mapping, got none")
        self._native = None
        if self.backend == "cpu" and self.template.slots:
            encoded = [_encoded(text) for texts in self._texts for text in texts]
            literals = [_encoded(literal) for literal in self.template.literals]
            self._native = native.Expander(
                pieces=[(literal, slot) for slot, literal in enumerate(literals[:-1])],
                tail=literals[-1],
                texts=b"".join(encoded),
                begin=np.cumsum([0, *map(len, encoded)], dtype=np.uint64),
                slots=len(self.template.slots),
                threads=self.threads,
            )

    def __len__(self) -> int:
        return len(self._texts)

    def expand(self) -> list[str]:
        """Return the source of each expansion."""
        return self._reference() if self._native is None else _split(self._native.expand())

    def operation(self) -> Operation:
        """Return the operation that makes all expansions once an iteration.

        Its verification compares the texts of the last iteration with the reference. Items are
        expansions.
        """
        return operation_of(
            [self.work()], name="synthesis.expand", items=len(self), item_unit="expansions"
        )

    def work(self) -> Work:
        """Return one iteration of the operation."""
        if self._native is None:
            return Work(None, self._reference, lambda: 0, 0)
        step, last = self._native.step()

        def verify() -> int:
            outcome = last.outcome()
            if outcome is None:
                return 0
            for number, (text, expected) in enumerate(
                zip(_split(outcome), self._reference(), strict=True)
            ):
                if text != expected:
                    raise VerificationFailed(
                        f"expansion {number} differs from the reference: {text!r} against "
                        f"{expected!r}"
                    )
            return len(self)

        return Work(step, self._reference, verify, 0)

    def _reference(self) -> list[str]:
        return [self.template.fill(texts) for texts in self._texts]


def expand(template: Template | str, bindings: Sources, backend: str = "auto") -> str:
    """Fill a template and return the source, which parses.

    Expressions are put in parentheses where what is around them could tear them apart, statements
    are indented, and an empty list of statements becomes ``pass``.

    Parameters
    ----------
    template
        One expression or statement in Python with placeholders.
    bindings
        Source by placeholder: a text, or a list of texts for a ``$...name``. More than the
        template has are fine.
    backend
        See `Expander`.

    Raises
    ------
    InvalidParameter
        For a template that does not parse, an unbound placeholder, a binding of the wrong kind,
        and bindings with which the text does not parse.
    BackendUnavailable
        When the backend cannot run here.
    """
    (source,) = Expander(template, [bindings], backend).expand()
    try:
        ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise InvalidParameter(
            f"bindings: with them the template becomes {source!r}, which does not parse: {error}"
        ) from None
    return source


def _encoded(text: str) -> bytes:
    # Surrogates can stand in string literals.
    return text.encode("utf-8", "surrogatepass")


def _split(expanded: native.Expanded) -> list[str]:
    ends, text = expanded.begin.tolist(), expanded.text
    return [
        text[first:last].decode("utf-8", "surrogatepass")
        for first, last in itertools.pairwise(ends)
    ]
