"""``python -m stratoperf``: the command line, also where its script is not on the path."""

from __future__ import annotations

import sys

from stratoperf.cli import main

if __name__ == "__main__":
    # A run file and the help name the program, not this file.
    sys.argv[0] = "stratoperf"
    main()
