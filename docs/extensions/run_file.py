"""The JSON Schema of run files as a file of the site, and its types as tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from markup import Generated, code, table
from run_schema import json_schema

FILE = "reference/run.schema.json"


def write_schema(app: Sphinx) -> None:
    """Write the schema where the pages offer it, if it changed."""
    target, text = Path(app.srcdir) / FILE, json.dumps(json_schema(), indent=2) + "\n"
    if not target.exists() or target.read_text() != text:
        target.write_text(text)


class RunFile(Generated):
    """Tables of the keys of a run file."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each type, in the order in which a reader meets them."""
        types = json_schema()["$defs"]
        lines: list[str] = []
        for name in _reached("Run", types, {}):
            lines += _section(name, types[name])
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _reached(name: str, types: Mapping[str, Any], seen: dict[str, None]) -> dict[str, None]:
    """Return the types that a type leads to, itself first."""
    if name not in seen:
        seen[name] = None
        for reference in _references(types[name]):
            _reached(reference, types, seen)
    return seen


def _references(tree: Any) -> Iterator[str]:
    if isinstance(tree, list):
        for item in tree:
            yield from _references(item)
    elif isinstance(tree, dict):
        if isinstance(tree.get("$ref"), str):
            yield tree["$ref"].rpartition("/")[2]
        for item in tree.values():
            yield from _references(item)


def _section(name: str, kind: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## {name}", "", _words(kind), "")
    required = kind.get("required", [])
    rows = [
        (code(key) + ("" if key in required else " (optional)"), _type(value), _words(value))
        for key, value in kind["properties"].items()
    ]
    yield from table(("key", "type", "meaning"), rows)


def _words(kind: Mapping[str, Any]) -> str:
    """Return what a docstring says, in the words of JSON."""
    text = str(kind.get("description", "")).replace("``", "`")
    return text.replace("`None`", "`null`")


def _type(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(map(_type, value["anyOf"])))
    if "enum" in value:
        return " or ".join(code(json.dumps(word)) for word in value["enum"])
    if value.get("type") == "array":
        return f"array of {_type(value['items'])}" if value.get("items") else "array"
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        return f"object of {_type(inner)}" if isinstance(inner, Mapping) and inner else "object"
    kinds = value.get("type", "any")
    return str(kinds) if isinstance(kinds, str) else " or ".join(kinds)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("builder-inited", write_schema)
    app.add_directive("run-file", RunFile)
    return {"parallel_read_safe": True}
