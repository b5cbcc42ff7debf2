"""The command line: ``stratoperf run | doctor | claims | compare | check | report`` and more."""

from __future__ import annotations

import sys

from stratoperf.lazy import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code.

    Parameters
    ----------
    arguments
        Without the program's name; ``None`` for those of this process.
    """
    exiting = arguments is None
    try:
        # Imported here: Ctrl-C can come that early, and must not show a traceback.
        from stratoperf.cli.entry import run
        from stratoperf.presentation.terminal.streams import own_streams

        with own_streams(for_good=exiting):
            code = run(sys.argv[1:] if arguments is None else arguments, exiting=exiting)
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)
