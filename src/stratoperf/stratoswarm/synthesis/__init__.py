"""Pattern matching, template expansion and rewriting over syntax trees as tables.

`encode` turns Python source into a `NodeTable`: one row a node with its type, value and child
count. A `Pattern`, written in Python with placeholders (``isinstance($x, $y)``), is compared with
every node; `match` finds all hits and counts the comparisons. `expand` fills a template with what
the placeholders stand for, `transform` replaces the hits by a template, and `decode` gives the
source of a table.

One operation is one comparison of a pattern's node with a node of the table that was evaluated:
type, value and child count together. Each pattern is compared with every node once; where its first
node fits, its other nodes are compared in their order (each before its children) until one does not
fit. A node of a pattern that fits anything is never compared.
"""

from stratoperf.stratoswarm.synthesis import corpora, synthetic
from stratoperf.stratoswarm.synthesis.encoding import decode, encode, encode_all
from stratoperf.stratoswarm.synthesis.expanding import Expander, expand
from stratoperf.stratoswarm.synthesis.matcher import Matcher, match
from stratoperf.stratoswarm.synthesis.matches import Matches
from stratoperf.stratoswarm.synthesis.pattern import Pattern
from stratoperf.stratoswarm.synthesis.rewritten import RewrittenTable
from stratoperf.stratoswarm.synthesis.table import NodeTable
from stratoperf.stratoswarm.synthesis.template import Template
from stratoperf.stratoswarm.synthesis.transforming import Transformer, transform
from stratoperf.stratoswarm.synthesis.vocabulary import Vocabulary
from stratoperf.stratoswarm.synthesis.wildcards import ANY
from stratoperf.stratoswarm.synthesis.work import mixed

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
