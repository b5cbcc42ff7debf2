"""Write a page for each public module, with everything in its ``__all__``.

An object that several modules export is documented with the first of them; the others link to it.
References to it under any name lead there.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

ROOT = "stratoperf"
PUBLIC = ("analysis", "arguments", "authoring", "monitor", "paths", "results", "running")
"""Modules that users import, beside those that the package itself exports."""

FOLDER = "reference/api"


class Documented(dict[int, str]):
    """Where each function and class is documented, by its identity."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, str] = {}
        """The same by its full name, and of a class by its bare name too."""

    def note(self, thing: Any, place: str) -> None:
        """Note where a function or a class is documented."""
        self[id(thing)] = place
        self.places[f"{thing.__module__}.{thing.__qualname__}"] = place
        # A function's bare name may be that of an argument.
        if inspect.isclass(thing):
            self.places.setdefault(thing.__name__, place)


def pages() -> tuple[dict[str, str], Documented]:
    """Return the text of each page by the name of its module, and where everything is."""
    documented = Documented()
    return {name: "\n".join(_page(name, documented)) for name in modules()}, documented


def modules() -> list[str]:
    """Return the names of the public modules, the package first."""
    package = importlib.import_module(ROOT)
    exported = [name for name in package.__all__ if inspect.ismodule(getattr(package, name))]
    return [ROOT, *(f"{ROOT}.{name}" for name in sorted({*exported, *PUBLIC}))]


def _page(name: str, documented: Documented) -> Iterator[str]:
    title = f"``{name}``"
    yield from (title, "=" * len(title), "")
    yield from _module(importlib.import_module(name), name, documented)


def _module(module: ModuleType, path: str, documented: Documented) -> Iterator[str]:
    """Document a module under the path that users write, which may be a short one."""
    yield from (f".. py:module:: {path}", "")
    yield from (f".. automodule:: {module.__name__}", "   :no-index:", "")
    yield from (f".. py:currentmodule:: {path}", "")
    elsewhere = []
    for name in sorted(_exported(module), key=_order):
        thing = getattr(module, name)
        place = f"{path}.{name}"
        if isinstance(thing, ModuleType):
            if path != ROOT:
                title = f"``{place}``"
                yield from (title, "-" * len(title), "")
                yield from _module(thing, place, documented)
        elif name.startswith("__"):
            continue
        elif id(thing) in documented:
            elsewhere.append(documented[id(thing)])
        else:
            if inspect.isclass(thing) or inspect.isfunction(thing):
                documented.note(thing, place)
            yield from _object(thing, place)
    if elsewhere:
        links = ", ".join(f":py:obj:`{place}`" for place in elsewhere)
        yield from (f"Documented elsewhere: {links}.", "")


def _exported(module: ModuleType) -> list[str]:
    """Return what a module exports; without ``__all__``, the functions and classes it defines."""
    own = [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and callable(thing)
        and getattr(thing, "__module__", None) == module.__name__
    ]
    return list(getattr(module, "__all__", own))


def _order(name: str) -> tuple[int, str]:
    """Order functions before classes before constants and submodules."""
    kind = 2 if name.isupper() else 1 if name[0].isupper() else 0
    return kind, name


def _object(thing: object, place: str) -> Iterator[str]:
    if inspect.isclass(thing):
        kind = "exception" if issubclass(thing, BaseException) else "class"
        yield f".. auto{kind}:: {place}"
        yield "   :members:"
        yield "   :show-inheritance:" if kind == "exception" else "   :inherited-members: object"
    elif inspect.isroutine(thing):
        yield f".. autofunction:: {place}"
    else:
        yield f".. autodata:: {place}"
        yield "   :no-value:"
    yield ""


class Places:
    """Leads references to where something is documented, and puts dashes into lists."""

    def __init__(self) -> None:
        self._places: dict[str, str] = {}

    def write_pages(self, app: Sphinx) -> None:
        """Write the pages, and those only where they changed."""
        texts, documented = pages()
        self._places = documented.places
        folder = Path(app.srcdir) / FOLDER
        folder.mkdir(exist_ok=True)
        written = {f"{name}.rst": text for name, text in texts.items()}
        for page in set(folder.iterdir()) - {folder / name for name in written}:
            page.unlink()
        for name, text in written.items():
            page = folder / name
            if not page.exists() or page.read_text() != text:
                page.write_text(text)

    def lead(self, app: Sphinx, doctree: nodes.document) -> None:
        """Lead the references of a page to where their targets are documented."""
        del app
        for node in doctree.findall(addnodes.pending_xref):
            if node.get("refdomain") == "py":
                # Else `bytes` would find the attribute `bytes` of any class.
                node.attributes.pop("refspecific", None)
                target = node["reftarget"]
                node["reftarget"] = self._places.get(target, target)
        # What stands between an argument and its meaning, in a site without smart quotes.
        for text in list(doctree.findall(nodes.Text)):
            if text == " -- ":
                text.parent.replace(text, nodes.Text(" \N{EN DASH} "))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    places = Places()
    app.connect("builder-inited", places.write_pages)
    app.connect("doctree-read", places.lead)
    return {"parallel_read_safe": True}
