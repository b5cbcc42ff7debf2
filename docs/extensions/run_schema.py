"""The JSON Schema of run files, made from the types that read them.

``python docs/extensions/run_schema.py`` prints it. It needs neither Sphinx nor this folder.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from stratoperf.results import schema, validation
from stratoperf.results.columns import Columns, External

TYPES = (
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

VERSION = rf"^{re.escape(schema.SCHEMA)}(\.[0-9]+)*$"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a run file."""
    _, components = msgspec.json.schema_components(
        TYPES, schema_hook=_of_custom_type, ref_template="#/$defs/{name}"
    )
    # The series of a file are those of `validation`; in memory they have arrays.
    text = json.dumps({name: kind for name, kind in components.items() if name != "Series"})
    for private, public in NAMES.items():
        text = text.replace(f'"{private}"', f'"{public}"').replace(f"/{private}", f"/{public}")
    types: dict[str, Any] = json.loads(text)
    # These are read one by one, so that errors name their place in the file.
    _put(types, "Run", "systems", {"type": "object", "additionalProperties": _ref("System")})
    _put(types, "Run", "results", {"type": "array", "items": _ref("Result")})
    _put(types, "Result", "series", {"type": "array", "items": _ref("Series")})
    column = {"anyOf": [{"type": "array", "items": {"type": "number"}}, _ref("External")]}
    _put(types, "Series", "columns", {"type": "object", "additionalProperties": column})
    _put(types, "Result", "profile", {"anyOf": [_ref("Profile"), {"type": "null"}]})
    # So are these, whose content the types do not say.
    _put(types, "Run", "schema", {"type": "string", "pattern": VERSION})
    value = {"type": ["boolean", "number", "string", "null"]}
    _put(types, "Result", "params", {"type": "object", "additionalProperties": value})
    types["Series"]["description"] = schema.Series.__doc__
    for kind in types.values():
        _describe(kind)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A run file of stratoperf, {schema.SCHEMA}",
        "$ref": "#/$defs/Run",
        "$defs": types,
    }


def _of_custom_type(kind: type) -> dict[str, Any]:
    if kind is not Columns:
        raise NotImplementedError(kind)
    return {"type": "object"}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _put(types: Mapping[str, Any], kind: str, key: str, value: Mapping[str, Any]) -> None:
    types[kind]["properties"][key] = value


def _describe(kind: dict[str, Any]) -> None:
    """Take the docstring of a type apart: a sentence for the type, and one for each key."""
    # Versions of msgspec differ in whether they take the indentation away.
    documentation = inspect.cleandoc(kind.get("description", ""))
    text, _, attributes = documentation.partition("Attributes\n")
    kind["description"] = _one_line(text)
    entry = r"^(\w[^\n]*)\n((?: {4,}[^\n]*(?:\n|$)|\n(?= {4}))+)"
    entries = re.findall(entry, attributes, re.MULTILINE)
    for names, meaning in entries:
        for name in names.split(", "):
            if name in kind["properties"]:
                kind["properties"][name]["description"] = _one_line(meaning)


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    json.dump(json_schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
