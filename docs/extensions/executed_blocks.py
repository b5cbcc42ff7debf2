"""Show executed cells as what a reader types, and reject blocks of code that nothing runs.

The pages are notebooks for myst-nb. A cell that starts with ``%%bash`` is shown as shell commands
(``shell_cells.py`` runs it), and a cell that starts with ``%%writefile NAME`` as a file of that
name, without these lines. A block that the site cannot run stands in the directive ``not-run``,
which asks for the reason and shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec

SHELL = "%%bash\n"
FILE = "%%writefile "
LANGUAGES = {".c": "c", ".json": "json", ".py": "python", ".sh": "bash", ".toml": "toml"}
"""How a file is highlighted, by its suffix."""

EXECUTABLE = {"bash", "c", "console", "ipython", "ipython3", "py", "python", "sh", "shell"}
"""The languages of blocks that must be run."""

NOT_RUN = "not-run"

_IN_PLACE = {"cell_input", "cell_output", NOT_RUN}
"""Classes around blocks that may stand."""

GENERATED = ("reference/api/", "reference/commands")
"""Pages whose blocks are no commands to type: usage lines of click, and docstrings, whose examples
``tests/test_docstrings.py`` runs."""

_LOG = logging.getLogger(__name__)


class NotRun(SphinxDirective):
    """A block of code that the site cannot run, with the reason below it."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[OptionSpec] = {"why": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the block and the reason."""
        if "why" not in self.options:
            raise self.error("not-run: say why the block cannot be run, with :why:")
        text = "\n".join(self.content)
        block = nodes.literal_block(text, text, language=self.arguments[0])
        words = self.parse_inline(f"Not run when this page is built: {self.options['why']}")[0]
        reason = nodes.paragraph("", "", *words, classes=["reason"])
        self.set_source_info(block)
        return [nodes.container("", block, reason, classes=[NOT_RUN])]


def show_what_is_typed(app: Sphinx, doctree: nodes.document) -> None:
    """Turn the magic lines of cells into what they mean, and warn of blocks that nothing runs."""
    if app.env.docname.startswith(GENERATED):
        return
    for cell in list(_containers(doctree, "cell_input")):
        for block in list(cell.findall(nodes.literal_block)):
            _show(cell, block)
    for block in doctree.findall(nodes.literal_block):
        if block.get("language") in EXECUTABLE and not _may_stand(block):
            _LOG.warning(
                "a block of code that nothing runs: make it a code-cell, or a not-run block with "
                "the reason",
                location=block,
            )


def _containers(tree: nodes.Node, kind: str) -> Iterator[nodes.container]:
    return (node for node in tree.findall(nodes.container) if kind in node["classes"])


def _may_stand(block: nodes.Node | None) -> bool:
    while block is not None:
        if isinstance(block, nodes.Element) and _IN_PLACE & set(block["classes"]):
            return True
        block = block.parent
    return False


def _show(cell: nodes.Element, block: nodes.literal_block) -> None:
    text = block.astext()
    if text.startswith(SHELL):
        _replace(block, text.removeprefix(SHELL), "bash")
    elif text.startswith(FILE):
        first, _, content = text.partition("\n")
        name = first.removeprefix(FILE).strip()
        _replace(block, content, LANGUAGES[PurePath(name).suffix])
        title = nodes.paragraph("", "", nodes.literal("", name), classes=["file-name"])
        block.parent.insert(block.parent.index(block), title)
        # "Writing NAME" says nothing more.
        for output in list(_containers(cell.parent, "cell_output")):
            output.parent.remove(output)


def _replace(block: nodes.literal_block, text: str, language: str) -> None:
    block.rawsource = text
    block["language"] = language
    block.children = []
    block += nodes.Text(text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_directive(NOT_RUN, NotRun)
    app.connect("doctree-read", show_what_is_typed)
    return {"parallel_read_safe": True}
