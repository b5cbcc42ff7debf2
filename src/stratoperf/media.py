"""The media in which objects show themselves: HTML for a notebook, plain text, figures.

A class calls a medium with itself, as ``html(self)``. How it looks there is written in
`stratoperf.presentation`, which stands above all classes and attaches a function to each type. This
module is the only way up: it loads the presentation when an object is shown for the first time.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from typing import Concatenate

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Form = TypeVar("Form")
Shown = TypeVar("Shown")


class Picture(Protocol):
    """A figure as SVG: a notebook shows it, and `save` writes it to a file."""

    title: str
    description: str
    svg: str

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file that ends with ``.svg``, and return the path.

        Raises
        ------
        InvalidParameter
            For another ending, or a directory that cannot be written to.
        StratoperfError
            When the file cannot be written.
        """

    def _repr_svg_(self) -> str: ...


class Medium(Generic[Form]):
    """One medium, which holds a function for each type that it can show.

    Parameters
    ----------
    module
        The module that attaches these functions.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._show = functools.singledispatch(self._unknown)

    def shows(
        self, kind: type[Shown]
    ) -> Callable[
        [Callable[Concatenate[Shown, ...], Form]], Callable[Concatenate[Shown, ...], Form]
    ]:
        """Return a decorator that attaches a function to a type."""

        def attach(
            show: Callable[Concatenate[Shown, ...], Form],
        ) -> Callable[Concatenate[Shown, ...], Form]:
            self._show.register(kind, show)
            return show

        return attach

    def __call__(self, shown: object, **options: Any) -> Form:
        """Show an object, with the options that the function of its type takes.

        Raises
        ------
        TypeError
            When the medium has no function for its type.
        """
        importlib.import_module(self._module)
        return self._show(shown, **options)

    def _unknown(self, shown: object, **options: Any) -> Form:
        del options
        raise TypeError(f"{self._module} shows no {type(shown).__name__}")


html: Medium[str] = Medium("stratoperf.presentation.html")
plain_text: Medium[str] = Medium("stratoperf.presentation.plain_text")
axes: Medium[Axes] = Medium("stratoperf.presentation.figures")
picture: Medium[Picture] = Medium("stratoperf.presentation.pictures")
report: Medium[Path] = Medium("stratoperf.presentation.report.writing")
figure: Medium[Figure] = Medium("stratoperf.presentation.figures")
