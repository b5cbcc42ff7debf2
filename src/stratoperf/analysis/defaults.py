"""Defaults of comparisons and histories: they stand here and nowhere else.

Signatures, the command line and its help take them from here. The module imports nothing heavy, so
that help comes at once.
"""

from typing import Final

THRESHOLD = 0.05
"""Smallest slow-down that matters, as a fraction."""

CONFIDENCE = 0.99
"""Confidence of all intervals together: at most one gate in a hundred raises a false alarm."""

STATISTIC = "p50"
"""Statistic to judge by: the median, which a few disturbed samples hardly move."""

DURATION_S = 60.0
"""Time budget of each case of a live comparison, in seconds."""

TIMEOUT_S = 600.0
"""Shortest default time limit of one process of a live comparison, in seconds."""

INCONCLUSIVE: Final = "pass"
"""What a gate does with an inconclusive result."""

LEAST_CHANGE = 0.02
"""Smallest change of level that a history reports, as a fraction: the smallest threshold that the
live gate is meant to decide. The mere order of linking or size of the environment can move a
program by more (Mytkowicz et al., "Producing wrong data without doing anything obviously wrong!",
ASPLOS 2009)."""
