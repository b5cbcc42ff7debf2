"""Public names that are imported when they are first used, so that importing a package is cheap."""

from __future__ import annotations

import importlib
import sys

# Not that of `typing`, whose import takes longer than all of ours: Ctrl-C in it shows a traceback.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def lazy_names(
    package: str, homes: Mapping[str, str | None], within: str | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package.

    Parameters
    ----------
    package
        Its ``__name__``.
    homes
        The module in the package that has each public name; ``None`` for a name that is a
        submodule itself.
    within
        The package that these modules are in, where it is another one.
    """
    around = within or package

    def load(name: str) -> Any:
        try:
            home = homes[name]
        except KeyError:
            raise AttributeError(f"module {package!r} has no attribute {name!r}") from None
        value = (
            importlib.import_module(f"{around}.{name}")
            if home is None
            else getattr(importlib.import_module(f"{around}.{home}"), name)
        )
        vars(sys.modules[package])[name] = value
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return load, names
