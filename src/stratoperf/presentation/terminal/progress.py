"""The progress that runs and live comparisons share."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from stratoperf.presentation.terminal.display import Display
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.running.listener import CaseT, Events, OutcomeT, PlanT


class CaseProgress(Events[PlanT, CaseT, OutcomeT]):
    """Counts the cases, and draws on a display that both kinds use alike.

    Parameters
    ----------
    screen
        Where to; the standard error stream, so that results can be piped.

    Attributes
    ----------
    path
        The run file as its user would write it, once it is saved.
    """

    def __init__(self, screen: Screen) -> None:
        self.path: Path | None = None
        self._screen = screen
        self._display = Display(screen)
        self._count = 0
        self._done = 0

    def warned(self, warnings: Sequence[str]) -> None:
        """Print each, also where the result repeats it: now its user can still stop."""
        for warning in warnings:
            self._print(f"warning: {warning}", "yellow")

    def saved(self, path: Path) -> None:
        """Remember where the run file is."""
        with contextlib.suppress(ValueError, OSError):
            path = path.relative_to(Path.cwd())
        self.path = path
        self.close()

    def close(self) -> None:
        """Remove the live display."""
        self._display.close()

    def _print(self, text: str, style: str = "") -> None:
        self._display.guard(lambda: self._screen.paragraph(text, style, indent="  "))

    def _print_line(self, text: str) -> None:
        """Print a line where there is no live display."""
        if not self._display.is_live:
            self._display.guard(lambda: self._screen.line(text))
