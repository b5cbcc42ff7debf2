"""Python source with placeholders: finding them, and the names that stand for them meanwhile."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from stratoperf.errors import InvalidParameter
from stratoperf.stratoswarm.synthesis.schema import Kind, Role
from stratoperf.stratoswarm.synthesis.vocabulary import value_of
from stratoperf.stratoswarm.synthesis.wildcards import ANY

# What placeholders are while Python parses the text around them.
_STANDIN = "stratoperf_placeholder_"
_REST_STANDIN = "stratoperf_placeholders_"
_STANDINS = re.compile(r"stratoperf_placeholders?_(\w+)")

_TOKENS = re.compile(
    r"""(?P<skipped>
          \#[^\n]*
        | (?:\b[A-Za-z]{1,2})?(?:
              \"\"\"(?:[^\\]|\\.)*?\"\"\"
            | '''(?:[^\\]|\\.)*?'''
            | "(?:[^"\\\n]|\\.)*"
            | '(?:[^'\\\n]|\\.)*'
          )
        )
      | \$\.\.\.(?P<rest>[A-Za-z_]\w*)
      | \$(?P<single>[A-Za-z_]\w*)
      | (?P<stray>\$)""",
    re.VERBOSE | re.DOTALL,
)


class Placeholder(NamedTuple):
    """One place in a text."""

    name: str
    is_rest: bool
    start: int
    end: int


def find_placeholders(text: str) -> list[Placeholder]:
    """Return the placeholders of a text in their order; a ``$`` in a string or comment is not one.

    Raises
    ------
    InvalidParameter
        For a ``$`` that begins no placeholder.
    """
    found = []
    for token in _TOKENS.finditer(text):
        if token["stray"] is not None:
            raise InvalidParameter(
                f"text: a '$' at character {token.start()} of {text!r} begins no placeholder; "
                "write $name, $_ or $...name"
            )
        if token["skipped"] is None:
            name = token["rest"] or token["single"]
            found.append(Placeholder(name, token["rest"] is not None, *token.span()))
    return found


def in_strings(text: str) -> list[tuple[int, int]]:
    """Return where the strings and comments of a text begin and end."""
    return [token.span() for token in _TOKENS.finditer(text) if token["skipped"] is not None]


def parse_template(argument: str, text: object) -> ast.AST:
    """Return the one expression or statement of a text; placeholders are names in it.

    `standin` reads these names.

    Raises
    ------
    InvalidParameter
        When it is not text, does not parse, or is more than one statement.
    """
    if not isinstance(text, str):
        raise InvalidParameter(
            f"{argument}: expected Python source with placeholders, got {type(text).__name__}"
        )
    if _STANDIN in text or _REST_STANDIN in text:
        raise InvalidParameter(f"{argument}: names like {_STANDIN}x are reserved; choose another")
    parts = []
    end = 0
    for place in find_placeholders(text):
        prefix = _REST_STANDIN if place.is_rest else _STANDIN
        parts += [text[end : place.start], prefix, place.name]
        end = place.end
    plain = "".join([*parts, text[end:]]).strip("\n")
    try:
        body = ast.parse(plain).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InvalidParameter(f"{argument}: {text!r} does not parse: {reason}") from None
    if len(body) != 1:
        raise InvalidParameter(
            f"{argument}: expected one expression or statement, got {len(body)} in {text!r}"
        )
    (only,) = body
    return only.value if isinstance(only, ast.Expr) else only


class Standin(NamedTuple):
    """A name that stands for a placeholder."""

    name: str
    is_rest: bool


def standin(node: object) -> Standin | None:
    """Return the placeholder that a node or identifier stands for, if it does.

    A statement that consists of one stands for a statement.
    """
    if isinstance(node, ast.Expr):
        node = node.value
    if isinstance(node, ast.Name):
        node = node.id
    elif isinstance(node, ast.arg) and node.annotation is None:
        node = node.arg
    elif isinstance(node, ast.alias) and node.asname is None:
        node = node.name
    if not isinstance(node, str) or not (matched := _STANDINS.fullmatch(node)):
        return None
    return Standin(matched[1], node.startswith(_REST_STANDIN))


def whole_parameters(node: ast.arguments) -> str | None:
    """Return the name of the ``$...name`` that is all of a parameter list, if there is one."""
    place = standin(node.args[0]) if len(node.args) == 1 else None
    others = (node.posonlyargs, node.vararg, node.kwonlyargs, node.kwarg, node.defaults)
    return place.name if place is not None and place.is_rest and not any(others) else None


def node_value(argument: str, kind: Kind, node: ast.AST, text: str) -> tuple[object, str | None]:
    """Return the value of a node as the encoder builds it, and the placeholder that it is.

    Raises
    ------
    InvalidParameter
        For a placeholder that is a part of a value.
    """
    scalars: list[object] = []
    for field in kind.scalar_fields:
        content = getattr(node, field.name, None)
        if field.role == Role.OPERATOR:
            content = type(content).__name__
        elif field.role == Role.OPERATORS:
            content = tuple(type(operator).__name__ for operator in content or ())
        scalars.append(content)
    value = value_of(scalars)
    place = standin(value) if isinstance(value, str) and kind.name != "Constant" else None
    if place is not None and not place.is_rest:
        return ANY, place.name
    parts = [
        part for scalar in scalars for part in (scalar if isinstance(scalar, list) else [scalar])
    ]
    if kind.name != "Constant" and any(
        isinstance(part, str) and _STANDINS.search(part) for part in parts
    ):
        raise InvalidParameter(
            f"{argument}: a placeholder in {text!r} is only a part of what a {kind.name} says; "
            "write that part out, or use a placeholder for the whole"
        )
    return value, None
