"""One operation for pyperf, by its own runner: its options, and --operation NAME."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from repeats.loops import OPERATIONS, timer
from repeats.python_work import CALLS


def main() -> None:
    """Hand the operation to the runner, which starts this script again for each process."""

    def forward(command: list[str], options: object) -> None:
        command += ["--operation", vars(options)["operation"]]

    # Imported by name: pyperf comes without types.
    runner = importlib.import_module("pyperf").Runner(add_cmdline_args=forward)
    runner.argparser.add_argument("--operation", required=True, choices=sorted(OPERATIONS))
    operation = runner.parse_args().operation
    if operation in CALLS:
        runner.bench_func(operation, CALLS[operation])
    else:
        # A loop in C, as pyperf documents it for what is not Python.
        runner.bench_time_func(operation, timer(operation))


if __name__ == "__main__":
    main()
