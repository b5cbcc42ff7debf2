"""Where text goes: a terminal with color, a plain terminal, or a pipe."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from typing import Any, NoReturn, TextIO

from rich.console import Console
from rich.text import Text

# For outputs that cannot show more than ASCII.
ASCII = str.maketrans(
    {
        "µ": "u",
        "±": "+-",
        "…": "...",
        "─": "-",
        "·": "-",
        "✓": "ok",
        "✗": "x",
        "→": "->",
        "≤": "<=",
        "≥": ">=",
        "\N{EN DASH}": "-",
        # The bars of a sparkline, from the lowest to the highest.
        **dict(zip("▁▂▃▄▅▆▇█", "_.-~=+*#", strict=True)),
    }
)


class QuietConsole(Console):
    """A console that lets the entry point deal with a reader that went away."""

    def on_broken_pipe(self) -> NoReturn:
        """Pass the error on, instead of ending the process here."""
        raise BrokenPipeError


class Screen:
    """One stream for people.

    Parameters
    ----------
    console
        What to print on. `stdout` and `stderr` make the usual ones.

    Attributes
    ----------
    fancy
        Whether boxes and styles help: only in a terminal that can move its cursor. Pipes, files
        and dumb terminals get plain lines that ``grep`` and ``cut`` understand.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.fancy = console.is_terminal and not console.is_dumb_terminal
        self._ascii = _only_ascii(console.encoding)

    @classmethod
    def stdout(cls) -> Screen:
        """Return the screen for results."""
        return cls(_console(sys.stdout))

    @classmethod
    def stderr(cls) -> Screen:
        """Return the screen for progress and remarks, and for all text under ``--json``."""
        return cls(_console(sys.stderr))

    @property
    def width(self) -> int:
        """Columns of the terminal."""
        return self.console.width

    def shown(self, text: str) -> str:
        """Return the text as this output can show it."""
        return text.translate(ASCII) if self._ascii else text

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line and leave its length alone, so that a command stays copyable."""
        self.console.print(Text(self.shown(text), style=style), soft_wrap=True)

    def paragraph(self, text: str, style: str = "", indent: str = "") -> None:
        """Print a text, in a terminal broken at words; following lines begin with `indent`."""
        if not self.fancy:
            self.line(text)
            return
        for part in textwrap.wrap(
            self.shown(text),
            self.width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ):
            self.console.print(Text(part, style=style), soft_wrap=True)

    def heading(self, text: str) -> None:
        """Print a heading after an empty line."""
        self.line()
        self.line(text, "bold")


def print_json(document: Any) -> None:
    """Print machine-readable output on stdout."""
    sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n")
    sys.stdout.flush()


def _console(stream: TextIO) -> Console:
    # NO_COLOR: rich would still write bold; without a color system it writes no escape at all.
    plain = bool(os.environ.get("NO_COLOR"))
    return QuietConsole(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        color_system=None if plain else "auto",
    )


def _only_ascii(encoding: str) -> bool:
    if not encoding.lower().startswith("utf"):
        return True
    # With LC_ALL=C Python writes UTF-8 all the same; the user asked for ASCII.
    return os.environ.get("LC_ALL") in ("C", "POSIX")
