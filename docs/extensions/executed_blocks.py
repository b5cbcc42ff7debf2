"""Show executed cells as what a reader types, and refuse blocks of code that nothing runs.

The pages are notebooks for myst-nb. A cell that starts with ``%%bash`` is shown as shell commands,
and a cell that starts with ``%%writefile NAME`` as a file of that name, without these lines.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

SHELL = "%%bash\n"
FILE = "%%writefile "
LANGUAGES = {".c": "c", ".py": "python", ".sh": "bash", ".toml": "toml"}
"""How a file is highlighted, by its suffix."""

EXECUTABLE = {"bash", "c", "console", "ipython", "ipython3", "py", "python", "sh", "shell"}
"""The languages of blocks that must be run."""

NOT_RUN = "not-run"
"""The class of a block that the site cannot run, such as the installation of stratoperf."""

_LOG = logging.getLogger(__name__)


def show_what_is_typed(app: Sphinx, doctree: nodes.document) -> None:
    """Turn the magic lines of cells into what they mean, and warn of blocks that nobody runs."""
    if app.env.docname.startswith("reference/api/"):
        return  # Docstrings, whose examples the tests run.
    for cell in list(doctree.findall(_is_input)):
        for block in list(cell.findall(nodes.literal_block)):
            _show(cell, block)
    for block in doctree.findall(nodes.literal_block):
        if block.get("language") in EXECUTABLE and not _may_stand(block):
            _LOG.warning(
                "a block of code that nothing runs: make it a code-cell, or give it the class %r "
                "and say in the text why",
                NOT_RUN,
                location=block,
            )


def _is_input(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and "cell_input" in node["classes"]


def _may_stand(block: nodes.Node) -> bool:
    while block is not None:
        classes = block.get("classes", []) if isinstance(block, nodes.Element) else []
        if {"cell_input", "cell_output", NOT_RUN} & set(classes):
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
        parent, place = block.parent, block.parent.index(block)
        parent.remove(block)
        caption = nodes.caption("", "", nodes.literal("", name))
        wrapper = nodes.container("", caption, block, literal_block=True)
        wrapper["classes"] = ["literal-block-wrapper"]
        parent.insert(place, wrapper)
        # "Writing NAME" says nothing more.
        for output in list(cell.parent.findall(_is_output)):
            output.parent.remove(output)


def _is_output(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and "cell_output" in node["classes"]


def _replace(block: nodes.literal_block, text: str, language: str) -> None:
    block.rawsource = text
    block["language"] = language
    block.children = []
    block += nodes.Text(text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("doctree-read", show_what_is_typed)
    return {"parallel_read_safe": True}
