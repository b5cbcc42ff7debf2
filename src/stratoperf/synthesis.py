"""Pattern matching, template expansion and rewriting over syntax trees as tables.

A short name for `stratoperf.stratoswarm.synthesis`, which has the details.
"""

from stratoperf.stratoswarm.synthesis import (
    ANY,
    Expander,
    Matcher,
    Matches,
    NodeTable,
    Pattern,
    RewrittenTable,
    Template,
    Transformer,
    Vocabulary,
    corpora,
    decode,
    encode,
    encode_all,
    expand,
    match,
    mixed,
    synthetic,
    transform,
)

__all__ = [
    "ANY",
    "Expander",
    "Matcher",
    "Matches",
    "NodeTable",
    "Pattern",
    "RewrittenTable",
    "Template",
    "Transformer",
    "Vocabulary",
    "corpora",
    "decode",
    "encode",
    "encode_all",
    "expand",
    "match",
    "mixed",
    "synthetic",
    "transform",
]
