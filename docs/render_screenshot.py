"""Draw what ``stratoperf run`` prints at its end, as the picture in the README.

Usage: ``python docs/render_screenshot.py results/latest.json docs/images/run.svg``. The table is
rendered from a saved run by the same code that the command line uses, so the picture cannot
differ from the program.
"""

from __future__ import annotations

import argparse
import io
import shlex
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from stratoperf.presentation.terminal.claims_view import show_measured_claims
from stratoperf.presentation.terminal.results_view import show_results
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.results import load
from stratoperf.running import claims

WIDTH = 120


def render(run_file: Path, picture: Path, width: int = WIDTH) -> None:
    """Write the end of a run as SVG.

    Parameters
    ----------
    run_file
        A saved run.
    picture
        The file to write; its folder is created.
    width
        Columns of the terminal that is drawn.
    """
    run = load(run_file)
    console = Console(
        record=True,
        width=width,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        markup=False,
        legacy_windows=False,
    )
    screen = Screen(console)
    command = shlex.join(["stratoperf", *run.command[1:]]) if run.command else "stratoperf run"
    screen.line(f"$ {command}", "bold")
    show_results(screen, run)
    show_measured_claims(screen, claims(run))
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(console.export_svg(title="stratoperf", theme=MONOKAI), encoding="utf-8")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, nargs="?", default=Path("results/latest.json"))
    parser.add_argument("picture", type=Path, nargs="?", default=Path("docs/images/run.svg"))
    parser.add_argument("--width", type=int, default=WIDTH)
    arguments = parser.parse_args()
    render(arguments.run, arguments.picture, arguments.width)


if __name__ == "__main__":
    main()
