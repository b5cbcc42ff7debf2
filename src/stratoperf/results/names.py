"""Names of the files that the library writes, and of a key in them."""

JOURNAL_SUFFIX = ".journal"
"""How the name of a journal's directory ends."""

HEADER = "run.json"
LINES = "results.jsonl"
ARRAYS = "arrays.npz"
"""Files in a journal; see `stratoperf.results.journal`."""

LATEST = "latest.json"
"""The newest complete run of a directory, by the run-file contract."""

PARTS = "parts"
"""Key of an interrupted result for what its processes contributed; see `stratoperf.results.parts`.
"""
