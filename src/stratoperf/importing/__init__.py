"""Results of other benchmark tools as run files.

`import_results` reads what Criterion, Google Benchmark, pytest-benchmark, hyperfine, pyperf,
nvbench, asv and Gungraun write. Each format has a module; `formats` tells which one a file has.
"""

from __future__ import annotations

from stratoperf.importing.importer import import_results

__all__ = ["import_results"]
