"""The JSON Schema of run files, made from the types that read them, and its tables.

The schema is written to ``reference/run.schema.json``. The run files of the repository are held to
it, so that it says no more than what is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
from benchmark_catalogue import code, table
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from stratoperf.results import schema, validation
from stratoperf.results.columns import External

FILE = "reference/run.schema.json"
REPOSITORY = Path(__file__).parents[2]

TOP = (
    validation._Header,
    schema.System,
    schema.Result,
    validation._SeriesFields,
    External,
    validation._Profile,
)
"""The types that a run file is read with, one after the other."""

NAMES = {
    "_Header": "Run",
    "_SeriesFields": "Series",
    "_Profile": "Profile",
    "_Event": "Event",
    "_Function": "Function",
}
"""What the types without a public name are called in the schema."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a run file."""
    _, types = msgspec.json.schema_components(
        TOP, schema_hook=_of_type, ref_template="#/$defs/{name}"
    )
    text = json.dumps({name: one for name, one in types.items() if name != "Series"})
    for private, public in NAMES.items():
        text = text.replace(f'"{private}"', f'"{public}"').replace(f"/{private}", f"/{public}")
    found: dict[str, Any] = json.loads(text)
    # These are read one by one, so that errors name their place in the file.
    _put(found, "Run", "systems", {"type": "object", "additionalProperties": _ref("System")})
    _put(found, "Run", "results", {"type": "array", "items": _ref("Result")})
    _put(found, "Result", "series", {"type": "array", "items": _ref("Series")})
    column = {"anyOf": [{"type": "array", "items": {"type": "number"}}, _ref("External")]}
    _put(found, "Series", "columns", {"type": "object", "additionalProperties": column})
    profile = {"anyOf": [_ref("Profile"), {"type": "null"}]}
    _put(found, "Result", "profile", profile)
    for one in found.values():
        _describe(one)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema.SCHEMA,
        "$ref": "#/$defs/Run",
        "$defs": found,
    }


def _of_type(kind: type) -> dict[str, Any]:
    del kind  # Series in memory have arrays; those of a file are described by other types.
    return {}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _put(types: dict[str, Any], kind: str, key: str, value: dict[str, Any]) -> None:
    types[kind]["properties"][key] = value


def _describe(kind: dict[str, Any]) -> None:
    """Take the docstring of a type apart: a sentence for the type, and one for each key."""
    text, _, attributes = kind.get("description", "").partition("Attributes\n")
    kind["description"] = _one_line(text)
    for names, meaning in re.findall(r"^ {4}(\w[^\n]*)\n((?: {8}[^\n]*\n?)+)", attributes, re.M):
        for name in names.split(", "):
            if name in kind["properties"]:
                kind["properties"][name]["description"] = _one_line(meaning)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def write_schema(app: Sphinx) -> None:
    """Write the schema, once the run files of the repository follow it."""
    found = json_schema()
    validator = jsonschema.Draft202012Validator(found)
    for path in (REPOSITORY / "examples" / "results").glob("*/*.json"):
        validator.validate(json.loads(path.read_text()))
    target, text = Path(app.srcdir) / FILE, json.dumps(found, indent=2) + "\n"
    if not target.exists() or target.read_text() != text:
        target.write_text(text)


class RunFile(SphinxDirective):
    """Tables of the keys of a run file."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each type."""
        types = json_schema()["$defs"]
        lines: list[str] = []
        for name in ["Run", *(name for name in types if name != "Run")]:
            lines += _section(name, types[name])
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _section(name: str, kind: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## {name}", "", kind["description"].replace("``", "`"), "")
    required = kind.get("required", [])
    rows = [
        (
            code(key) + ("" if key in required else " (optional)"),
            _type(value),
            value.get("description", "").replace("``", "`"),
        )
        for key, value in kind["properties"].items()
    ]
    yield from table(("key", "type", "meaning"), rows)


def _type(value: Mapping[str, Any]) -> str:
    """Return a type in words."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(map(_type, value["anyOf"])))
    if "enum" in value:
        return " or ".join(code(json.dumps(one)) for one in value["enum"])
    if value.get("type") == "array":
        return f"array of {_type(value['items'])}" if value.get("items") else "array"
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        return f"object of {_type(inner)}" if isinstance(inner, Mapping) and inner else "object"
    return str(value.get("type", "any"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("builder-inited", write_schema)
    app.add_directive("run-file", RunFile)
    return {"parallel_read_safe": True}
