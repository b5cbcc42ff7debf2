"""Small changes to inputs: to their bytes, to their JSON, their TOML and their arrays."""

from __future__ import annotations

import contextlib
import copy
import json
import random
import re
import struct
from collections.abc import Iterator
from typing import Any

NASTY_BYTES = (
    b"\xff",
    b"\0",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\n",
    b"\r\n",
    b'"',
    b"\\",
    b"[" * 1000,
    b"[" * 100_000,
    b'{"a":' * 500,
    b"]" * 3,
    b"1e999",
    b"-",
    b"9" * 400,
    b"9" * 5000,
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"null",
    b"\\ud800",
    b"\\u0000",
    b"\x1b[31m",
    b"\xe2\x80\xae",
)


def nested(depth: int, leaf: Any = 1) -> Any:
    """Return lists in lists."""
    for _ in range(depth):
        leaf = [leaf]
    return leaf


NASTY_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64 - 1,
    2**64,
    -(2**63) - 1,
    10**400,
    0.0,
    -0.0,
    5e-324,
    1e-61,
    1e-60,
    1e60,
    1e61,
    1e300,
    -1e300,
    1.7976931348623157e308,
    0.5,
    -3.5,
    "",
    " ",
    "x",
    "\0",
    "\x1b[2J",
    "\u202e",
    "a\nb",
    "::error::x",
    "<b>&'\"",
    "]]>",
    "|",
    "x" * 300,
    "x" * 100_000,
    "\U0001f600",
    "/",
    "a/" * 60,
    "%",
    "{}",
    "{0}",
    "nan",
    "inf",
    "live",
    "lower",
    "higher",
    "ok",
    "failed",
    "skipped",
    "interrupted",
    "baseline",
    "current",
    "p50",
    "latency",
    "0000-01-01T00:00:00Z",
    "0001-01-01",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "10000-01-01T00:00:00Z",
    "2026-11-03",
    "2026-11-03T09:30",
    "2026-13-41T99:99:99Z",
    "2026-W01-1",
    "../secret.npz",
    "/etc/passwd",
    "/dev/zero",
    "pipe",
    "link.npz",
    "folder",
    "..",
    ".",
    "data.npz",
    "data.npz\0",
    "missing.npz",
    [],
    [1],
    [None],
    ["x"],
    [1, 10**400],
    [-1, 2**64 - 1],
    [1.5, True],
    [0.0] * 50,
    [1e60, 1e-60],
    [[1.0]],
    [{}],
    list(range(200)),
    {},
    {"": 1},
    {"x" * 2000: 1},
    {"a": {"b": {}}},
    {"file": "data.npz", "member": "a", "sha256": "0" * 64},
    {"file": "../secret.npz", "member": "a", "sha256": "0" * 64},
    {"file": "pipe", "member": "a", "sha256": "0" * 64},
    {"value": 1.0, "low": 2.0, "high": 0.5, "confidence": 0.95, "method": ""},
    {"value": 1.0, "low": 0.0, "high": 0, "confidence": 0.95, "method": "x"},
    {"value": -1.0, "low": None, "high": None, "confidence": 1.0, "method": "x"},
    nested(40),
    nested(60),
    nested(300),
)


def nasty(rng: random.Random) -> Any:
    return copy.deepcopy(rng.choice(NASTY_VALUES))


def mutated_bytes(content: bytes, rng: random.Random) -> bytes:
    """Change a few bytes."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        length = min(rng.choice((1, 1, 2, 8, 64, 1000)), len(data) - at)
        match rng.randrange(8):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(data):
                data[at] = rng.randrange(256)
            case 2:
                data[at:at] = rng.choice(NASTY_BYTES)
            case 3:
                del data[at : at + length]
            case 4:
                source = rng.randrange(len(data) + 1)
                data[at:at] = data[source : source + length]
            case 5:
                del data[at:]
            case 6:
                data[at : at + length] = rng.choice(NASTY_BYTES)
            case _:
                data[at:at] = rng.randbytes(rng.randrange(1, 9))
    return bytes(data)


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container with each of its keys; trees that mutations made deep stay whole."""
    stack = [(tree, 0)]
    while stack:
        value, depth = stack.pop()
        if depth > 20 or not isinstance(value, dict | list):
            continue
        # Of long columns only the ends.
        keys = list(value) if isinstance(value, dict) else [*range(min(len(value), 8))]
        for key in keys:
            yield value, key
            stack.append((value[key], depth + 1))


def mutated_tree(tree: Any, rng: random.Random) -> Any:
    """Change a few values, keys or shapes; the tree itself is changed too."""
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
        places = list(_places(tree))
        if not places:
            return nasty(rng)
        holder, key = rng.choice(places)
        match rng.randrange(12):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[rng.choice(("", "x", "\0", "k" * 1500, "latency", "a.b"))] = holder.pop(key)
            case 2:
                other, place = rng.choice(places)
                holder[key] = copy.deepcopy(other.get(place) if isinstance(other, dict) else other)
            case 3 if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            case 4 if isinstance(holder, list):
                holder[key:key] = [nasty(rng)] * rng.choice((1, 2, 200))
            case 5:
                holder[key] = [holder[key]]
            case 6:
                holder[key] = nested(rng.choice((5, 45, 55, 200)), holder[key])
            case 7 if isinstance(holder[key], int | float):
                factor = rng.choice((-1, 0, 1e-30, 1e30, 1e-70, 1e70, 1.0000001))
                # An integer may be too large for that.
                with contextlib.suppress(OverflowError):
                    holder[key] = holder[key] * factor
            case 8 if isinstance(holder[key], str):
                holder[key] = mutated_text(holder[key], rng)
            case _:
                holder[key] = nasty(rng)
    return tree


def mutated_text(text: str, rng: random.Random) -> str:
    """Change a few letters."""
    at = rng.randrange(len(text) + 1)
    piece = rng.choice(
        ("", "\0", "\n", "\u2028", "\ud800", "é", "x" * 500, "\x9b", "|", "=", ",", "[")
    )
    return text[:at] + piece + text[at + rng.randrange(3) :]


def encoded(tree: Any, rng: random.Random) -> bytes:
    """Return JSON, in any of the ways that it can be written."""
    # A key that is there twice.
    text = json.dumps(tree, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, None, 1)))
    if rng.random() < 0.05:
        text = text.replace('"key"', '"benchmark"', 1)
    return text.encode("utf-8", rng.choice(("surrogatepass", "replace")))


def mutated_json(content: bytes, rng: random.Random) -> bytes:
    """Change JSON as a tree, or as bytes."""
    if rng.random() < 0.25:
        return mutated_bytes(content, rng)
    return encoded(mutated_tree(json.loads(content), rng), rng)


TOML_PIECES = (
    b"default = 5\n",
    b"default = nan\n",
    b"default = 1e999\n",
    b"default = true\n",
    b"default = " + b"9" * 300 + b"\n",
    b"default = 0x" + b"f" * 300 + b"\n",
    b"default = 2026-01-01\n",
    b"default = 0000-00-00T00:00:00Z\n",
    b'default = """\n',
    b"default = [1, [2, [3]]]\n",
    b"default = {a = {b = 1}}\n",
    b"[benchmarks]\n",
    b"[[benchmarks]]\n",
    b"[benchmarks.kv]\n",
    b"[" + b"a." * 300 + b"a]\n",
    b"a." * 300 + b"a = 5\n",
    b'"kv.*" = 10\n',
    b'"[" = 10\n',
    b'"" = 10\n',
    b'"\\u0000" = 10\n',
    b'"\\ud800" = 10\n',
    b'"\\U00110000" = 10\n',
    b"kv.put = 10\n",
    b"x = " + b"[" * 20_000 + b"\n",
    b"x = " + b"{a=" * 5_000 + b"\n",
    b'"' + b"*" * 200 + b'x" = 5\n',
    b"# \xff\n",
)


def mutated_toml(content: bytes, rng: random.Random) -> bytes:
    """Change lines of TOML, or its bytes."""
    lines = content.splitlines(keepends=True)
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(TOML_PIECES))
    if rng.random() < 0.3:
        rng.shuffle(lines)
    changed = b"".join(lines)
    return mutated_bytes(changed, rng) if rng.random() < 0.4 else changed


HEADERS = (
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (), }",
    b"{'descr': '<f8', 'fortran_order': True, 'shape': (40,), }",
    b"{'descr': '<f8', 'fortran_order': True, 'shape': (5, 8), }",
    b"{'descr': '|O', 'fortran_order': False, 'shape': (40,), }",
    b"{'descr': '<U1000000', 'fortran_order': False, 'shape': (40,), }",
    b"{'descr': [('a', '<f8'), ('b', '<i4')], 'fortran_order': False, 'shape': (40,), }",
    b"{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (40,), }",
    b"{'descr': '>f8', 'fortran_order': False, 'shape': (40,), }",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (80,), }",
    b"{'descr': '<i8', 'fortran_order': False, 'shape': (40,), }",
    b"{'descr': '<c16', 'fortran_order': False, 'shape': (20,), }",
    b"{'descr': '|b1', 'fortran_order': False, 'shape': (320,), }",
    b"(" * 3000,
    b"__import__('os')",
)

_EDGES = (0, 1, 0xFF, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF, 20, 1000)


def mutated_npz(content: bytes, rng: random.Random) -> bytes:
    """Change fields of the Zip file or the headers of its arrays."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2))):
        match rng.randrange(4):
            case 0:
                # Of a local header, an entry of the directory or the end of it.
                mark, length = rng.choice(
                    ((b"PK\3\4", 30), (b"PK\1\2", 46), (b"PK\5\6", 22), (b"PK\6\6", 56))
                )
                at = data.find(mark)
                if at >= 0:
                    field = at + 4 + 2 * rng.randrange((length - 4) // 2)
                    width = rng.choice((2, 4))
                    value = rng.choice((*_EDGES, rng.randrange(2**16)))
                    packed = struct.pack("<I", value & 0xFFFFFFFF)[:width]
                    data[field : field + width] = packed
            case 1:
                start, end = data.find(b"{'descr'"), data.find(b"\n")
                if 0 <= start < end:
                    header = rng.choice(HEADERS)
                    room = end - start
                    data[start:end] = header[:room].ljust(room)
            case 2:
                at = data.find(b"\x93NUMPY")
                if at >= 0:
                    data[at + rng.randrange(10)] = rng.randrange(256)
            case _:
                return mutated_bytes(bytes(data), rng)
    return bytes(data)


NASTY_WORDS = (
    b"",
    b"-1",
    b"+1",
    b"0",
    b"0x10",
    b"1_0",
    b"9" * 25,
    b"9" * 5000,
    b"1e5",
    b"nan",
    b"inf",
    b"\xd9\xa1",
    b"\xc2\xb2",
    b"0-99999999999",
    b"0-65535," * 100,
    b"3-1",
    b"a-b",
    b"max",
    b"'",
    b'"',
    b"../..",
    b"\\040\\777\\000",
    b"x" * 300,
    b"unlimited",
)


def mutated_kernel_text(text: bytes, rng: random.Random) -> bytes:
    """Change words of a file of the kernel, or its bytes."""
    words = re.split(rb"(\s+|[-,:=/])", text)
    for _ in range(rng.choice((1, 1, 2, 5))):
        words[rng.randrange(len(words))] = rng.choice(NASTY_WORDS)
    changed = b"".join(words)
    return mutated_bytes(changed, rng) if rng.random() < 0.3 else changed
