"""What the directives that generate parts of pages share: tables and code in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sphinx.util.docutils import SphinxDirective


class Generated(SphinxDirective):
    """A part of a page that the site generates.

    What stands in the block is for those who read the page elsewhere, as on GitHub: it says where
    they find the same. The site puts the generated part in its place.
    """

    has_content = True


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""


def code(value: object) -> str:
    """Return a value as code."""
    return f"`{value}`"
