"""Where text goes: a terminal with color, a plain terminal, or a pipe.

Everything that a command prints for people passes `Screen.shown`, and what it prints for machines
`print_json` or `print_annotation`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from typing import IO, Any, NoReturn, TextIO

from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions
from rich.text import Text

from stratoperf.presentation.terminal.fitting import MARK, fitted_name, wrapped
from stratoperf.presentation.terminal.streams import results_stream
from stratoperf.text.safety import json_text, log_line, log_lines, only_ascii

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


DEFAULT_SIZE = (80, 25)

LEAST_TEXT = 30
"""Columns that a text needs to stand beside its head."""

NARROWEST, WIDEST = 20, 1000
"""Limits of the width that text is laid out for, in columns."""


class QuietConsole(Console):
    """A console that leaves a lost reader to the entry point."""

    @property
    def size(self) -> ConsoleDimensions:
        """Columns and lines of this terminal, else of any terminal; ``COLUMNS`` comes first."""
        width, height = _terminal_size(self.file)
        width = _asked_width() or width
        return ConsoleDimensions(min(max(width, NARROWEST), WIDEST), height)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        raise AttributeError(f"the terminal decides, not {new_size}")

    def on_broken_pipe(self) -> NoReturn:
        """Pass the error on, instead of ending the process here."""
        raise BrokenPipeError


def _asked_width() -> int | None:
    """Return the columns that the user asked for, if any."""
    given = re.fullmatch("[1-9][0-9]{0,5}", os.environ.get("COLUMNS", ""))
    return None if given is None else int(given[0])


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
    is_narrow
        Whether tables must fit into `width`: in a terminal, and wherever the user set ``COLUMNS``.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.fancy = console.is_terminal and not console.is_dumb_terminal
        self.is_narrow = self.fancy or _asked_width() is not None
        self._ascii = only_ascii(console.encoding)

    @classmethod
    def stdout(cls) -> Screen:
        """Return the screen for results."""
        return cls(_console(results_stream()))

    @classmethod
    def stderr(cls) -> Screen:
        """Return the screen for progress and remarks, and for all text under ``--json``."""
        return cls(_console(sys.stderr))

    @property
    def width(self) -> int:
        """Columns of the terminal."""
        return self.console.width

    def shown(self, text: str) -> str:
        """Return the text on one line, safe, and as this output can show it.

        The result may be given to `line` and to this function again.
        """
        safe = log_line(text)
        if not self._ascii:
            return safe
        return safe.translate(ASCII).encode("ascii", "backslashreplace").decode("ascii")

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line without breaking it, so that a command can be copied."""
        self.console.print(Text(self.shown(text), style=style), soft_wrap=True)

    def paragraph(self, text: str, style: str = "", indent: str = "") -> None:
        """Print a text, in a terminal broken at words; following lines begin with `indent`."""
        if not self.fancy:
            self.line(text)
            return
        for part in wrapped(self.shown(text), self.width, indent):
            self.console.print(Text(part, style=style), soft_wrap=True)

    def has_room_beside(self, width: int) -> bool:
        """Return whether a text fits beside a head of this width, instead of below it."""
        return not self.fancy or self.width >= width + LEAST_TEXT

    def entry(self, head: str, width: int, text: str, style: str = "") -> None:
        """Print a text beside its head, or below it where the terminal is narrow.

        Parameters
        ----------
        head
            What the text is about; it keeps the spaces that it begins with.
        width
            Width of the column of heads.
        text, style
            As `paragraph` has them.
        """
        if not self.has_room_beside(width):
            margin = "    "
            self.paragraph(head, style, indent=margin)
            self.paragraph(f"{margin}{text}", style, indent=margin)
            return
        space = " " * (width - cell_len(self.shown(head)))
        self.paragraph(f"{head}{space} {text}", style, indent=" " * (width + 1))

    def message(self, text: str) -> None:
        """Print a sentence, and below it any further lines at its end."""
        for line in log_lines(text):
            self.line(line)

    def heading(self, text: str) -> None:
        """Print a heading after an empty line; in a terminal, too long words are shortened."""
        self.line()
        if self.fancy:
            room, mark = self.width - len("  "), self.shown(MARK)
            text = " ".join(fitted_name(word, room, mark) for word in self.shown(text).split(" "))
        self.paragraph(text, "bold", indent="  ")


def print_json(document: Any) -> None:
    """Print machine-readable output on stdout."""
    text = json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False)
    _print_plain(results_stream(), json_text(text))


def print_annotation(annotation: str, *, beside_json: bool) -> None:
    """Print a command to GitHub Actions, on stderr where stdout has JSON.

    Parameters
    ----------
    annotation
        As `stratoperf.presentation.annotations.annotation` makes it: its texts are escaped already.
    beside_json
        Whether it goes to stderr.
    """
    _print_plain(sys.stderr if beside_json else results_stream(), annotation)


def _print_plain(stream: TextIO, text: str) -> None:
    stream.write(f"{text}\n")
    stream.flush()


def _console(stream: TextIO) -> Console:
    # NO_COLOR: rich would still write bold; without a color system it writes no escape at all.
    plain = bool(os.environ.get("NO_COLOR"))
    return QuietConsole(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        color_system=None if plain else "auto",
        # Else rich reads the environment, and raises if it is not a number. `size` comes first.
        width=DEFAULT_SIZE[0],
        height=DEFAULT_SIZE[1],
    )


def _terminal_size(file: IO[str]) -> tuple[int, int]:
    # The stream of results has its own descriptor, not a standard one.
    for stream in (file, sys.__stdin__, sys.__stderr__):
        # What stands in for a stream may lack a descriptor, and a terminal without a size has 0.
        with contextlib.suppress(AttributeError, ValueError, OSError):
            width, height = os.get_terminal_size(stream.fileno() if stream is not None else -1)
            if width > 0:
                return width, height or DEFAULT_SIZE[1]
    return DEFAULT_SIZE
