"""What users read is plain English; see CONTRIBUTING."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

import stratoperf as sp

PACKAGE = Path(sp.__file__).parent

INSTEAD = {
    r"(?<![Tt]here )\b(is|are) no\b(?! (longer|more|less)\b)": "is not a, are not",
    r"\b(is|are) none\b": "is not one, expected at least one",
    r"\bat the least\b|\b[Aa]t least so many\b|\bso many\b": "minimum number of",
    r"\bmends?\b": "fixes",
    r"\bbe had\b": "is available",
    r"\bwhoever\b|\bnobody\b": "name who does it",
    r"\bdoes not tell\b": "does not report",
}
"""Phrases that are hard to read, and what to write."""


@functools.cache
def messages() -> list[tuple[str, int, str]]:
    """Return the file, the line and the text of every string that is not documentation."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if id(node) in documentation or not isinstance(node, ast.Constant):
                continue
            if isinstance(node.value, str):
                found.append((str(path.relative_to(PACKAGE)), node.lineno, node.value))
    return found


@pytest.mark.parametrize("phrase", INSTEAD)
def test_no_message_has_a_phrase_that_is_hard_to_read(phrase: str) -> None:
    found = [
        f"{path}, line {line}: {text!r}"
        for path, line, text in messages()
        if re.search(phrase, text)
    ]
    assert found == [], f"write: {INSTEAD[phrase]}"
