"""The cell magic ``%%bash`` of the pages, which IPython runs when a page starts.

IPython's own passes output on in pieces, which end up as lines. Here stdout is shown as a whole,
and stderr only where the commands fail, which fails the page.
"""

from __future__ import annotations

import os
import subprocess
import sys

from IPython.core.magic import register_cell_magic


@register_cell_magic
def bash(line: str, cell: str) -> None:
    """Run the lines of a cell, and stop at the first that fails."""
    del line
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", cell],
        # Tables are laid out as in a terminal; NO_COLOR keeps the colors away.
        env={**os.environ, "FORCE_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stdout.write(done.stdout)
    if done.returncode != 0:
        raise RuntimeError(f"{cell}\nexit code {done.returncode}\n{done.stderr}")
