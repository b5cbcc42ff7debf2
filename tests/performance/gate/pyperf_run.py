"""One side for pyperf, by its own runner: its options, then --operation NAME --work STEPS."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from gate.operations import CALLS


def main() -> None:
    """Hand the operation to the runner, which starts this script again for each process."""

    def forward(command: list[str], options: object) -> None:
        command += ["--operation", vars(options)["operation"], "--work", str(vars(options)["work"])]

    # Imported by name: pyperf comes without types.
    runner = importlib.import_module("pyperf").Runner(add_cmdline_args=forward)
    runner.argparser.add_argument("--operation", required=True, choices=sorted(CALLS))
    runner.argparser.add_argument("--work", type=int, required=True)
    options = runner.parse_args()
    runner.bench_func(options.operation, CALLS[options.operation](options.work))


if __name__ == "__main__":
    main()
