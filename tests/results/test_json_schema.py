"""The JSON Schema of run files accepts all that is written, and no less than what is read."""

from __future__ import annotations

import copy
import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import stratoperf as sp
from stratoperf.running import Registry

jsonschema = pytest.importorskip("jsonschema", reason="needs the extra test")

Tree: TypeAlias = dict[str, Any]
Place: TypeAlias = tuple[str | int, ...]

ROOT = Path(__file__).parents[2]
PUBLISHED = sorted((ROOT / "examples" / "results").glob("*/*.json"))
SCHEMA = runpy.run_path(str(ROOT / "docs" / "extensions" / "run_schema.py"))["json_schema"]()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

OTHERS: list[Any] = [None, True, "x", -1, 1.5, 10**30, [], {}, [1], ["x"], {"x": 1}]
"""What a place may hold by mistake: each kind of JSON."""


@pytest.fixture
def whole(document: Tree) -> Tree:
    """Add what only several processes, a profile or a later version have."""
    result = document["results"][0]
    process = {
        "process": "p1",
        "started_ns": 5,
        "disturbed": None,
        "warmup": {"seconds": 0.1, "iterations": 3},
        "environment": {},
        "metrics": {"latency": {"p50": 5.0}},
    }
    result["processes"] = result["left_out"] = [process]
    result["variation"] = {
        "within": 0.1,
        "between": 0.1,
        "extent": 0.2,
        "drift": -0.1,
        "drift_chance": 0.5,
        "slow_processes": 1,
        "slower_by": 0.3,
    }
    result["profile"] = {
        "why": None,
        "counters": {"instructions": {"per_iteration": 5.0, "why": None}},
        "instructions_per_cycle": 1.5,
        "functions": [
            {
                "function": "f",
                "file": "f.py",
                "line": 1,
                "own_ns_per_iteration": 1.0,
                "calls_per_iteration": 1.0,
            }
        ],
    }
    result["metrics"]["latency"]["summary"] |= {
        "drift": 0.1,
        "processes": 2,
        "scope": "2 processes",
        "at_reference_speed": result["metrics"]["latency"]["mean"],
    }
    for key in ("source", "item_unit", "disturbed"):
        result[key] = "x"
    result |= {"items": 4.0, "details": {"mode": "x"}, "warnings": ["x"], "notes": ["x"]}
    result["of_a_later_version"] = [{}]
    return document


def is_accepted(document: Tree) -> bool:
    try:
        sp.Run(copy.deepcopy(document))
    except sp.SchemaError:
        return False
    return True


def places(tree: Any, place: Place = ()) -> Iterator[Place]:
    """Yield where everything is in a tree of JSON."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield (*place, key)
        if isinstance(value, dict | list):
            yield from places(value, (*place, key))


def changed(document: Tree, place: Place, *value: Any) -> Tree:
    """Return a document with another value at a place, or with none."""
    document = copy.deepcopy(document)
    tree: Any = document
    for key in place[:-1]:
        tree = tree[key]
    if value:
        (tree[place[-1]],) = value
    else:
        del tree[place[-1]]
    return document


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.name)
def test_the_run_files_of_the_repository_follow_it(path: Path) -> None:
    VALIDATOR.validate(json.loads(path.read_text()))


def test_a_fresh_run_follows_it(benchmarks: Registry, measured_here: None, tmp_path: Path) -> None:
    @sp.benchmark("a.b", params={"size": [1, 2]}, target=sp.Target("latency.p95", "<", 1, "s"))
    def declared(size: int) -> Any:
        if size == 2:
            raise ValueError("this case fails")
        return lambda: None

    run = sp.run("a.b", preset="ci", duration_s=0.02, warmup_s=0)
    assert [result.status for result in run.results] == ["ok", "failed"]
    VALIDATOR.validate(json.loads(run.save(tmp_path / "run.json").read_text()))


def test_every_key_is_in_the_example(whole: Tree) -> None:
    """Else the tests below would say nothing of it."""
    assert is_accepted(whole)
    VALIDATOR.validate(whole)
    named = {key for place in places(whole) for key in place}
    declared = {key for kind in SCHEMA["$defs"].values() for key in kind["properties"]}
    assert declared - named == {"member", "sha256"}


@pytest.mark.parametrize("value", OTHERS, ids=repr)
def test_it_rejects_nothing_that_is_read(whole: Tree, value: Any) -> None:
    others = {place: changed(whole, place, value) for place in places(whole)}
    assert [
        place
        for place, other in others.items()
        if not VALIDATOR.is_valid(other) and is_accepted(other)
    ] == []


@pytest.mark.parametrize("value", [{"x": [{}]}, [[{}]]], ids=repr)
def test_it_rejects_a_value_of_a_wrong_kind_as_reading_does(whole: Tree, value: Any) -> None:
    others = {place: changed(whole, place, value) for place in places(whole)}
    assert [
        place
        for place, other in others.items()
        if VALIDATOR.is_valid(other) is not is_accepted(other)
    ] == []


def test_it_requires_what_reading_requires(whole: Tree) -> None:
    others = {place: changed(whole, place) for place in places(whole)}
    assert [
        place
        for place, other in others.items()
        if VALIDATOR.is_valid(other) is not is_accepted(other)
    ] == []


def test_columns_may_lie_in_another_file(whole: Tree) -> None:
    place = ("results", 0, "series", 0, "columns", "latency")
    column = {"file": "run.npz", "member": "latency", "sha256": "0" * 64}
    assert VALIDATOR.is_valid(changed(whole, place, column))
    assert not VALIDATOR.is_valid(changed(whole, place, {**column, "member": 1}))
    assert not VALIDATOR.is_valid(changed(whole, place, {"file": "run.npz"}))


def test_it_explains_itself() -> None:
    types = SCHEMA["$defs"]
    assert all(kind["description"] for kind in types.values())
    assert types["Run"]["properties"]["created"]["description"]
    assert types["Result"]["properties"]["benchmark_version"]["description"]
