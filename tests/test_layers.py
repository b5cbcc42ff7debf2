"""Imports point downwards only: at import time, within functions, and for types."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

import stratoperf as sp

PACKAGE = Path(sp.__file__).parent

LAYERS = (
    {"_core", "_cuda", "lazy", "text"},
    {"errors", "media"},
    {"failures"},
    {"backends", "commands", "door"},
    {"arguments", "awaited"},
    {"paths"},
    {"operation", "statistics"},
    {"clock", "verification"},
    {"monitor"},
    {"memory_room"},
    {"artifacts", "measurement", "results"},
    {"authoring", "sampling"},
    {"analysis"},
    {"running"},
    {"importing"},
    {"presentation"},
    {"cli"},
    {"__main__", "pytest_plugin"},
    # Packages of benchmarks use the instrument, which does not know them; see
    # tests/stratoswarm/test_borders.py.
    {"stratoswarm"},
    {"consensus", "containers", "kernel_modules", "memory", "synthesis"},
)
"""All modules and packages of stratoperf: each imports from the lines above it alone."""

LAYER_OF = {name: layer for layer, names in enumerate(LAYERS) for name in names}

FACE = "stratoperf"
"""The package itself: its table of lazy names is the one place that names what stands above it."""

DOOR = "stratoperf.media"
"""The module that loads what shows an object, by name."""


class Arrow(NamedTuple):
    """An import of one module by another."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}, line {self.line}, imports {self.imported}"


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def unit_of(module: str) -> str:
    """Return the module or package right below `stratoperf` that a module belongs to."""
    return module.split(".")[1]


def resolved(name: str) -> str:
    """Return the module that a dotted name of stratoperf comes from."""
    for binding in ("_core", "_cuda"):
        if f"{name}.".startswith(f"{FACE}.{binding}."):
            return f"{FACE}.{binding}"
    parts = name.split(".")
    # A public name of the package comes from the module that the table names.
    home = sp._HOMES.get(parts[1]) if len(parts) == 2 else None
    if home is not None:
        return f"{FACE}.{home}"
    while name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def names_in(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield all that a module imports anywhere, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def arrows_of(module: str, source: str) -> Iterator[Arrow]:
    """Yield the imports of modules of stratoperf in a source, but for the package itself."""
    for name, line in names_in(ast.parse(source)):
        if name.partition(".")[0] == FACE:
            imported = resolved(name)
            if imported not in (FACE, module):
                yield Arrow(module, imported, line)


def arrows() -> list[Arrow]:
    return [
        arrow
        for module, path in MODULES.items()
        if module != FACE
        for arrow in arrows_of(module, path.read_text(encoding="utf-8"))
    ]


def points_upwards(arrow: Arrow) -> bool:
    importer, imported = unit_of(arrow.importer), unit_of(arrow.imported)
    return importer != imported and LAYER_OF[imported] >= LAYER_OF[importer]


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other, directly or through others."""
    reached = {module: _reachable(graph, module) for module in graph}
    groups = {
        tuple(sorted(other for other in reached[module] if module in reached.get(other, ())))
        for module in graph
    }
    return sorted(list(group) for group in groups if group)


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    reached: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += graph.get(module, ())
    return reached


def test_every_module_has_a_layer() -> None:
    units = {unit_of(module) for module in MODULES if module != FACE} | {"_core", "_cuda"}
    assert units == set(LAYER_OF)
    assert len(LAYER_OF) == sum(map(len, LAYERS)), "a name stands in two layers"


def test_no_import_points_upwards() -> None:
    assert [str(arrow) for arrow in arrows() if points_upwards(arrow)] == []


def test_no_modules_import_each_other() -> None:
    graph: dict[str, set[str]] = {}
    for arrow in arrows():
        graph.setdefault(arrow.importer, set()).add(arrow.imported)
    assert circles(graph) == []


def test_the_ground_floor_imports_nothing_of_ours() -> None:
    ground = {module for module in MODULES if module != FACE and unit_of(module) in LAYERS[0]}
    outside = [
        str(arrow)
        for arrow in arrows()
        if arrow.importer in ground and unit_of(arrow.importer) != unit_of(arrow.imported)
    ]
    assert outside == []


def test_only_the_door_and_the_lazy_table_load_a_module_by_name() -> None:
    loading = {
        module
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value in MODULES
        and node.value != FACE
        and module != FACE
        and unit_of(node.value) != unit_of(module)
    }
    assert loading == {DOOR}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("stratoperf.errors", "from stratoperf.measurement import Measurement"),
        ("stratoperf.analysis.gate", "def show():\n    import stratoperf.presentation.html"),
        ("stratoperf.results.run", "if TYPE_CHECKING:\n    from stratoperf import running"),
        ("stratoperf.monitor.doctor", "from stratoperf import benchmark"),
        ("stratoperf.running.runner", "from stratoperf import consensus"),
        ("stratoperf.text.units", "from stratoperf import errors"),
        ("stratoperf.clock", "from stratoperf.verification import Verification"),
    ],
)
def test_an_arrow_upwards_is_seen_wherever_it_stands(module: str, source: str) -> None:
    assert [points_upwards(arrow) for arrow in arrows_of(module, source)] == [True]


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}}, []),
        ({"a": {"b"}, "b": {"a", "c"}}, [["a", "b"]]),
        (
            {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"e"}, "e": {"d"}},
            [["a", "b", "c"], ["d", "e"]],
        ),
    ],
)
def test_a_circle_is_seen_however_long_it_is(
    graph: dict[str, set[str]], expected: list[list[str]]
) -> None:
    assert circles(graph) == expected
