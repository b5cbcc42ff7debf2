"""Elements of HTML and SVG: the one place where text becomes markup.

What is not `Markup` is text, and is escaped. No caller writes a tag by itself, so that a name with
a tag in it stays a name wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from stratoperf.text.safety import html

_VOID = frozenset({"br", "input", "link", "meta"})
"""Elements of HTML without a content, and so without an end."""
_SHAPES = frozenset({"path", "rect"})
"""Elements of SVG without a content."""
_ENDED = frozenset({"dd", "dt", "li", "td", "th", "tr"})
"""Elements of HTML that the next one ends: a page with thousands of them is a fifth shorter."""


class Markup(NamedTuple):
    """Text that is markup already."""

    text: str


Child: TypeAlias = "Markup | str | float | Iterable[Child] | None"
Attribute: TypeAlias = "Markup | str | float | bool | None"


def element(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """Return an element.

    Parameters
    ----------
    name
        Its tag, of this program's own.
    *children
        Elements, and texts, which are escaped; ``None`` is nothing.
    **attributes
        By name: an underscore at the end is dropped, others become hyphens. ``True`` is an
        attribute without a value, and ``False`` and ``None`` are none.
    """
    start = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{start}>")
    if name in _SHAPES:
        return Markup(f"<{start}/>")
    if name in _ENDED:
        return Markup(f"<{start}>{joined(children).text}")
    return Markup(f"<{start}>{joined(children).text}</{name}>")


def joined(children: Child) -> Markup:
    """Return elements and texts in a row."""
    if children is None:
        return Markup("")
    if isinstance(children, Markup):
        return children
    if isinstance(children, str):
        return Markup(html(children))
    if isinstance(children, int | float):
        return Markup(number(children))
    return Markup("".join(joined(child).text for child in children))


def number(value: float) -> str:
    """Return a coordinate or a count, with at most one decimal."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _attribute(name: str, value: Attribute) -> str:
    # In this order: a Markup is a tuple, and True is an int.
    if value is None or value is False:
        return ""
    key = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {key}"
    return f' {key}="{joined(value).text}"'
