"""The categories that the instrument has itself; packages contribute others."""

DEFAULT_CATEGORY = "single-node"
"""That of benchmarks that name none."""

IMPORTED = "imported"
"""That of results which another tool measured."""
