"""Templates: Python source whose placeholders are filled."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.stratoswarm.synthesis.placeholders import (
    Placeholder,
    find_placeholders,
    in_strings,
    parse_template,
    whole_parameters,
)

Sources: TypeAlias = "Mapping[str, str | Sequence[str]]"
"""Source by placeholder: a text, or a list of texts for ``$...name``. `Matches.bindings` is one."""

# What needs no parentheses as an operand.
_ATOMS = (
    ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.List, ast.Dict, ast.Set,
    ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp,
)  # fmt: skip
# What needs none either between commas or brackets.
_ELEMENTS = (
    ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Lambda, ast.Await,
    ast.Constant, ast.JoinedStr,
)  # fmt: skip


class Slot(NamedTuple):
    """A place in a template that a text goes into."""

    name: str
    is_rest: bool
    indent: str | None
    """Before every line of statements; ``None`` inside an expression."""
    is_element: bool
    """Whether it stands between commas or brackets."""
    comma_before: bool
    comma_after: bool
    is_parameters: bool = False
    """Whether it is all of a parameter list: then its text is one, as it is."""


@dataclass(frozen=True)
class Template:
    """A template, cut at its placeholders.

    Attributes
    ----------
    text
        As it was written.
    literals
        The text between the slots: one more than these.
    slots
        Where texts go.
    """

    text: str
    literals: tuple[str, ...]
    slots: tuple[Slot, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Cut a template: one expression or statement, written as `Pattern.parse` describes.

        Raises
        ------
        InvalidParameter
            When it does not parse, or has ``$_``.
        """
        parameters = {
            whole_parameters(node)
            for node in ast.walk(parse_template("template", text))
            if isinstance(node, ast.arguments)
        }
        literals: list[str] = []
        slots: list[Slot] = []
        end = 0
        for place in find_placeholders(text):
            slot, before, after = _slot(text, place, text[end : place.start])
            if place.is_rest and place.name in parameters:
                slot = slot._replace(is_parameters=True)
            literals.append(before)
            slots.append(slot)
            end = place.end + after
        return cls(text, (*literals, text[end:]), tuple(slots))

    def texts(self, bindings: Sources) -> list[str]:
        """Return what goes into each slot.

        Raises
        ------
        InvalidParameter
            For a placeholder without a binding, or with one of the wrong kind.
        """
        return [_slot_text(slot, bindings, self.text) for slot in self.slots]

    def fill(self, texts: Sequence[str]) -> str:
        """Put texts between the literals."""
        parts = [self.literals[0]]
        for text, literal in zip(texts, self.literals[1:], strict=True):
            parts += [text, literal]
        return "".join(parts)


def _slot(text: str, place: Placeholder, before: str) -> tuple[Slot, str, int]:
    """Return a slot, the text before it, and how many characters behind it belong to it.

    A list that may be empty takes a comma beside it along.
    """
    if place.name == "_":
        raise InvalidParameter(f"template: $_ in {text!r} has no value; use a named placeholder")
    after = text[place.end :]
    indent = text[text.rfind("\n", 0, place.start) + 1 : place.start]
    if not indent.strip() and re.match(r"[ \t]*(\n|$)", after):
        return Slot(place.name, place.is_rest, indent, False, False, False), before, 0
    comma = re.match(r" *, *", after) if place.is_rest else None
    comma_before = place.is_rest and comma is None and before.rstrip().endswith(",")
    opened = before.rstrip()[-1:] in ("", "(", "[", ",")
    closed = after.lstrip()[:1] in ("", ")", "]", ",")
    if comma_before:
        before = before.rstrip()[:-1]
    slot = Slot(place.name, place.is_rest, None, opened and closed, comma_before, comma is not None)
    return slot, before, comma.end() if comma is not None else 0


def _slot_text(slot: Slot, bindings: Sources, template: str) -> str:
    if slot.name not in bindings:
        raise InvalidParameter(
            f"bindings: ${slot.name} of the template {template!r} is unbound; "
            f"{did_you_mean(slot.name, bindings)}"
        )
    binding = bindings[slot.name]
    is_list = not isinstance(binding, str)
    if is_list and not (
        isinstance(binding, Sequence) and all(isinstance(text, str) for text in binding)
    ):
        raise InvalidParameter(
            f"bindings: {slot.name!r} is {binding!r}; expected source, or a list of sources"
        )
    if is_list != (slot.is_rest and not slot.is_parameters):
        raise InvalidParameter(
            f"bindings: {slot.name!r} is {binding!r}, but the template {template!r} takes "
            + ("one text there" if is_list else f"a list there: '$...{slot.name}'")
        )
    texts = [binding] if isinstance(binding, str) else list(binding)
    if slot.is_parameters:
        return texts[0]
    if slot.indent is not None:
        return ("\n" + slot.indent).join(
            _indented(text, slot.indent) for text in (texts if texts else ["pass"])
        )
    operands = [_operand(text, is_element=slot.is_element) for text in texts]
    joined = ", ".join(operands)
    if not joined:
        return ""
    return f"{', ' if slot.comma_before else ''}{joined}{', ' if slot.comma_after else ''}"


def _indented(text: str, indent: str) -> str:
    """Return statements with every line but the first indented; strings keep their lines."""
    parts = []
    end = 0
    for start, stop in in_strings(text):
        parts += [text[end:start].replace("\n", "\n" + indent), text[start:stop]]
        end = stop
    return "".join([*parts, text[end:].replace("\n", "\n" + indent)])


def _operand(text: str, *, is_element: bool) -> str:
    """Return an expression so that nothing around it can tear it apart."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        # A yield or a named expression needs parentheses; an argument such as *a or k=v cannot
        # have any.
        return f"({text})" if _parses(f"({text}\n)") else text
    if isinstance(node, _ATOMS) or (is_element and isinstance(node, _ELEMENTS)):
        return text
    if isinstance(node, ast.Constant) and type(node.value) not in (int, float, complex):
        return text
    return f"({text})"


def _parses(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True
