"""Objects show themselves by what the presentation attaches to their types."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import stratoperf as sp
from stratoperf import media
from stratoperf.media import Medium

PACKAGE = Path(sp.__file__).parent


class Parent:
    pass


class Child(Parent):
    pass


@pytest.fixture
def medium() -> Medium[str]:
    # Any module will do: the functions are attached here.
    made: Medium[str] = Medium("stratoperf.text")

    @made.shows(Parent)
    def _(shown: Parent) -> str:
        return f"shown: {type(shown).__name__}"

    return made


@pytest.mark.parametrize("kind", [Parent, Child])
def test_an_object_is_shown_by_the_function_of_its_type(
    medium: Medium[str], kind: type[Parent]
) -> None:
    assert medium(kind()) == f"shown: {kind.__name__}"


def test_a_type_that_a_medium_does_not_know_is_named() -> None:
    with pytest.raises(TypeError, match="int"):
        media.html(3)


def test_the_presentation_is_loaded_when_something_is_shown() -> None:
    code = (
        "import sys, stratoperf as sp\n"
        "def loaded(): return any('stratoperf.presentation' in name for name in sys.modules)\n"
        "m = sp.measure(lambda: None, warmup_s=0, max_duration_s=0.01, min_iterations=10)\n"
        "repr(m); print(loaded()); m._repr_html_(); print(loaded())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("False\nTrue\n", "")


def test_no_class_of_the_instrument_writes_html_itself() -> None:
    writing = []
    for path in PACKAGE.rglob("*.py"):
        if PACKAGE / "stratoswarm" in path.parents:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name == "_repr_html_":
                (*_, last) = node.body
                if ast.unparse(last) != "return media.html(self)":
                    writing.append(f"{path.name}:{node.lineno}")
    assert writing == []
