"""Write a page for each public module, with everything in its ``__all__``.

An object that several modules export is documented with the first of them; the others link to it.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx

ROOT = "stratoperf"
PUBLIC = ("analysis", "results", "running", "monitor")
"""Modules that users import, beside those that the package itself exports."""

FOLDER = "reference/api"


def write_pages(app: Sphinx) -> None:
    """Write the pages, and those only where they changed."""
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    documented: dict[int, str] = {}
    names = [ROOT, *(f"{ROOT}.{name}" for name in _submodules())]
    pages = {f"{name}.rst": "\n".join(_page(name, documented)) for name in names}
    for page in set(folder.iterdir()) - {folder / name for name in pages}:
        page.unlink()
    for name, text in pages.items():
        page = folder / name
        if not page.exists() or page.read_text() != text:
            page.write_text(text)


def _submodules() -> list[str]:
    package = importlib.import_module(ROOT)
    exported = [name for name in package.__all__ if inspect.ismodule(getattr(package, name))]
    return sorted({*exported, *PUBLIC})


def _page(module_name: str, documented: dict[int, str]) -> Iterator[str]:
    yield f"``{module_name}``"
    yield "=" * (len(module_name) + 4)
    yield ""
    yield from _module(module_name, documented, nested="-")


def _module(module_name: str, documented: dict[int, str], nested: str) -> Iterator[str]:
    module = importlib.import_module(module_name)
    yield f".. automodule:: {module_name}"
    yield ""
    yield f".. py:currentmodule:: {module_name}"
    yield ""
    elsewhere, modules = [], []
    for name in sorted(_exported(module), key=_order):
        thing = getattr(module, name)
        place = f"{module_name}.{name}"
        if isinstance(thing, ModuleType):
            modules.append(place)
        elif name.startswith("__"):
            continue
        elif id(thing) in documented:
            elsewhere.append(documented[id(thing)])
        else:
            if callable(thing):
                documented[id(thing)] = place
            yield from _object(thing, place)
    if elsewhere:
        yield "Also here: " + ", ".join(f":py:obj:`{place}`" for place in elsewhere) + "."
        yield ""
    for place in modules:
        if module_name != ROOT:
            title = f"``{place}``"
            yield from (title, nested * len(title), "")
            yield from _module(place, documented, nested)


def _exported(module: ModuleType) -> list[str]:
    """Return what a module exports; without ``__all__``, the functions and classes it defines."""
    own = [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
    ]
    return list(getattr(module, "__all__", own))


def _order(name: str) -> tuple[int, str]:
    """Functions first, then classes, then constants."""
    kind = 2 if name.isupper() else 1 if name[0].isupper() else 0
    return kind, name


def _object(thing: object, place: str) -> Iterator[str]:
    if inspect.isclass(thing):
        kind = "exception" if issubclass(thing, BaseException) else "class"
        yield f".. auto{kind}:: {place}"
        yield "   :members:"
        yield "   :show-inheritance:" if kind == "exception" else "   :inherited-members: object"
    elif callable(thing):
        yield f".. autofunction:: {place}"
    else:
        yield f".. py:data:: {place}"
        yield "   :type: " + type(thing).__name__
        if isinstance(thing, str | int | tuple) and len(repr(thing)) < 80:
            yield f"   :value: {thing!r}"
    yield ""


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
