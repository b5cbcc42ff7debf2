"""Synthesis over syntax trees: matching, expanding, transforming, and all three together."""

from __future__ import annotations

from stratoperf import benchmark
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.operation import Operation
from stratoperf.stratoswarm.claims import SYNTHESIS_THROUGHPUT
from stratoperf.stratoswarm.synthesis import (
    Expander,
    Matcher,
    Transformer,
    corpora,
    encode,
    match,
    mixed,
    synthetic,
)
from stratoperf.stratoswarm.synthesis.device_operations import large_operation
from stratoperf.stratoswarm.synthesis.work import REWRITING_BACKENDS

BACKENDS = ("cpu", "cuda", "reference")
LEVELS = list(synthetic.LEVELS)

# What is looked for in source, and what it becomes: simple is one node, medium has nodes below it,
# complex has statements with lists of any length.
REWRITES = {
    "simple": ("$x + $y", "$y - $x"),
    "medium": ("$x = $f($a, $g($b))", "$x = $g($f($a), $b, $a)"),
    "complex": (
        "for $i in range(len($xs)):\n    $...body",
        "for $i, _ in enumerate($xs):\n    log($xs, $i)\n    $...body",
    ),
}

# What programs are searched for by the mixed benchmark: patterns of rules that linters have.
RULES = (
    "$x == None",
    "$x != None",
    "$x == $x",
    "len($x) == 0",
    "isinstance($x, $y)",
    "type($x) == $y",
    "$x.append($y)",
    "print($...args)",
    "open($path)",
    "self.$attribute = $value",
    "lambda: $x",
    "$x if $x else $y",
    "raise $error from None",
    "if not $x: $...body",
    "for $i in range(len($xs)): $...body",
    "def $f(self): $...body",
)

# More than the second-level cache of any device holds, made of a seeded corpus that is repeated.
LARGE_NODES = 1 << 24
LARGE_BLOCK = 1 << 20

# What loading, matching and checking the standard library take in each process on a slow machine.
LIBRARY_S = 8.0

# Number of expansions in one iteration; the hits are used repeatedly.
EXPANSIONS = 4096


@benchmark(
    "synthesis.match",
    params={"level": LEVELS},
    backends=BACKENDS,
    target=SYNTHESIS_THROUGHPUT,
)
def synthesis_match(level: str, backend: str) -> Operation:
    """Find all hits of 64 seeded patterns in a seeded corpus of 65,536 nodes.

    On one thread, or on a device from host to host: there, four million comparisons take less time
    than launching them, and `synthesis.match_large` shows what the device can do.

    An operation is one comparison of a pattern's node with a node, type, value and child count
    together. The hits and the number of comparisons are compared with the reference.
    """
    table = synthetic.corpus()
    return Matcher(table, synthetic.patterns(level, table), backend).operation()


@benchmark("synthesis.match_large", params={"patterns": [512, 64, 4]}, backends=("cuda",))
def synthesis_match_large(patterns: int, backend: str) -> Operation:
    """Find all hits of simple patterns in 16 million nodes that lie in a device's memory.

    The hits, one in 280 comparisons, stay there in order. Many patterns are bound by the device's
    integer rate, which the details tell; few by its memory, of which each node takes 8 bytes. The
    hits and the number of comparisons are compared with those of the backend cpu.
    """
    return large_operation(large_matcher(patterns, backend))


@benchmark("synthesis.expand", params={"level": LEVELS}, backends=REWRITING_BACKENDS)
def synthesis_expand(level: str, backend: str) -> Operation:
    """Fill a template 4096 times with what a pattern captured in generated source, on one thread.

    Every text is compared with the reference.
    """
    pattern, template = _rewrite(level)
    matches = match(encode(corpora.generated_source()), pattern)
    bindings = [matches.bindings(hit) for hit in range(len(matches))]
    return Expander(
        template, [bindings[number % len(bindings)] for number in range(EXPANSIONS)], backend
    ).operation()


@benchmark("synthesis.transform", params={"level": LEVELS}, backends=REWRITING_BACKENDS)
def synthesis_transform(level: str, backend: str) -> Operation:
    """Match a pattern in generated source and replace its hits by a template, on one thread.

    The new table is compared with the reference; its source is known to parse.
    """
    pattern, template = _rewrite(level)
    transformer = Transformer(encode(corpora.generated_source()), pattern, template, backend)
    transformer.transform()
    return transformer.operation()


@benchmark(
    "synthesis.mixed",
    # Other libraries have other names: runs over different corpora are never compared.
    params={"corpus": [f"stdlib-{corpora.standard_library_digest()}"]},
    backends=REWRITING_BACKENDS,
    setup_s=LIBRARY_S,
)
def synthesis_mixed(corpus: str, backend: str) -> Operation:
    """Search Python's standard library for 16 patterns, rewrite one, and expand what it captured.

    On one thread. An operation is one comparison; rewriting and expanding take time and count for
    nothing. Reading the library takes some ten seconds, once for all processes.
    """
    here = f"stdlib-{corpora.standard_library_digest()}"
    if corpus != here:
        raise InvalidParameter(
            f"corpus: {corpus!r} is not here; the standard library of this Python is {here!r}"
        )
    table = corpora.standard_library()
    pattern, template = "$x == None", "$x is None"
    matches = match(table, pattern)
    bindings = [matches.bindings(hit) for hit in range(len(matches))] or [{"x": "x"}]
    matcher = Matcher(table, RULES, backend)
    if backend != "reference":
        # Takes as long as reading the library: where that is built, this is too.
        matcher.expected()
    return mixed(
        [
            matcher,
            Transformer(table, pattern, template, backend),
            Expander(template, bindings, backend),
        ]
    )


def large_matcher(patterns: int, backend: str) -> Matcher:
    """Return the matcher of this number of simple patterns in the large corpus."""
    block = synthetic.corpus(LARGE_BLOCK)
    table = synthetic.repeated(block, LARGE_NODES // LARGE_BLOCK)
    return Matcher(table, synthetic.patterns("simple", block, patterns), backend)


def _rewrite(level: str) -> tuple[str, str]:
    if level not in REWRITES:
        raise InvalidParameter(f"level: {level!r} is unknown; {did_you_mean(level, REWRITES)}")
    return REWRITES[level]
