"""The catalogue is a client of the instrument, and the instrument does not know it."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import stratoperf as sp
from stratoperf import authoring

PACKAGE = Path(sp.__file__).parent
ROOT = Path(__file__).parents[2]
CATALOGUE = "stratoperf.stratoswarm"

SHORT_NAMES = {
    "stratoperf.consensus",
    "stratoperf.containers",
    "stratoperf.kernel_modules",
    "stratoperf.memory",
    "stratoperf.synthesis",
}
"""The modules outside that import the catalogue: the contract has its workloads by these names."""

OPEN_MODULES = {
    "stratoperf.arguments",
    "stratoperf.authoring",
    "stratoperf.backends",
    "stratoperf.clock",
    "stratoperf.errors",
    "stratoperf.operation",
    "stratoperf.paths",
}
"""The modules of the instrument that a catalogue may import names from, besides the package."""

OWN_BINDINGS = {
    *(
        f"stratoperf._core.{name}"
        for name in ("consensus", "containers", "kernel", "memory", "synthesis")
    ),
    *(
        f"stratoperf._cuda.{name}"
        for name in ("consensus", "copy", "integer_rate", "memory", "round_trip", "synthesis")
    ),
}
"""Bindings of the catalogue's own C++, which lie in the extension modules of the instrument."""


def imports(path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield each module that a file imports, with the name that it takes from there."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield from ((node.module or "", alias.name) for alias in node.names)


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files(inside: bool) -> list[Path]:
    folder = PACKAGE / "stratoswarm"
    return [path for path in sorted(PACKAGE.rglob("*.py")) if (folder in path.parents) == inside]


def test_nothing_outside_imports_the_catalogue() -> None:
    importing = {
        module_of(path)
        for path in files(inside=False)
        for module, name in imports(path)
        if f"{module}.{name}.".startswith(f"{CATALOGUE}.")
    }
    assert importing == SHORT_NAMES


def test_the_short_names_are_used_by_the_table_of_lazy_names_alone() -> None:
    importing = {
        module_of(path)
        for path in files(inside=False)
        for module, name in imports(path)
        if module in SHORT_NAMES or f"{module}.{name}" in SHORT_NAMES
    }
    assert importing <= {"stratoperf"}


def test_the_catalogue_imports_public_names_of_the_instrument() -> None:
    private = [
        f"{module_of(path)} imports {name or '*'} of {module}"
        for path in files(inside=True)
        for module, name in imports(path)
        if module.partition(".")[0] == "stratoperf" and not _is_public(module, name)
    ]
    assert private == []


def test_the_example_of_a_package_imports_public_names() -> None:
    folder = ROOT / "examples" / "catalog_package" / "src"
    private = [
        f"{path.name} imports {name or '*'} of {module}"
        for path in sorted(folder.rglob("*.py"))
        for module, name in imports(path)
        if module.partition(".")[0] == "stratoperf"
        and (module.startswith("stratoperf._core") or not _is_public(module, name))
    ]
    assert folder.is_dir()
    assert private == []


def _is_public(module: str, name: str | None) -> bool:
    if module == CATALOGUE or module.startswith(f"{CATALOGUE}."):
        return True
    if module == "stratoperf":
        return name is None or name in sp.__all__ or f"{module}.{name}" in OPEN_MODULES
    if module in ("stratoperf._core", "stratoperf._cuda"):
        return f"{module}.{name}" in OWN_BINDINGS
    public = module in OPEN_MODULES and name is not None and not name.startswith("_")
    return public or module in OWN_BINDINGS


def test_what_authors_may_use_is_there() -> None:
    before = dict(vars(sp))
    for name in authoring.__all__:
        assert getattr(authoring, name) is not None
    # It keeps its names to itself: `sp.memory` is the workload.
    assert {name: vars(sp)[name] for name in before} == before
    assert sp.memory.TierManager is not None


@pytest.mark.parametrize(
    "name", ["consensus", "containers", "kernel_modules", "memory", "synthesis"]
)
def test_a_short_name_has_the_same_public_names(name: str) -> None:
    short = importlib.import_module(f"stratoperf.{name}")
    long = importlib.import_module(f"{CATALOGUE}.{name}")
    assert short.__all__ == long.__all__
    for public in short.__all__:
        assert getattr(short, public) is getattr(long, public)
    assert getattr(sp, name) is short


def test_the_instrument_measures_without_the_catalogue() -> None:
    code = (
        "import sys, stratoperf as sp\n"
        "m = sp.measure(lambda: abs(-1), warmup_s=0, max_duration_s=0.01, "
        "min_iterations=10)\n"
        "print(m.count > 0, [name for name in sys.modules if 'stratoswarm' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True []\n", "")


INCLUDES = {
    "cpp/core": ("core/",),
    "cpp/bindings": ("core/", "bindings/"),
    "cpp/stratoswarm": ("core/", "stratoswarm/"),
    "cpp/stratoswarm/bindings": ("core/", "bindings/", "stratoswarm/"),
    "cuda/device": ("core/", "cuda/device/", "cuda_emulator/"),
    "cuda/bindings": ("core/", "bindings/", "cuda/device/", "cuda/bindings/"),
    "cuda/stratoswarm": ("core/", "stratoswarm/", "cuda/device/", "cuda/stratoswarm/"),
    "cuda/stratoswarm/bindings": ("core/", "bindings/", "stratoswarm/", "cuda/"),
}
"""What native sources may include, besides the public header and those of the system."""

NATIVE = {".cpp", ".hpp", ".cu", ".cuh", ".inc"}


def native_includes(folder: str) -> Iterator[tuple[str, str]]:
    """Yield each header that the sources below a folder include, with the name of the source."""
    for path in sorted((ROOT / folder).rglob("*.*")):
        name = str(path.relative_to(ROOT))
        deepest = max((known for known in INCLUDES if name.startswith(f"{known}/")), key=len)
        if deepest == folder and path.suffix in NATIVE:
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith("#include "):
                    yield name, line.removeprefix("#include ").strip()


@pytest.mark.parametrize("folder", INCLUDES)
def test_native_sources_include_only_what_lies_below_them(folder: str) -> None:
    allowed = (*INCLUDES[folder], "stratoperf/")
    python = ("<pybind11/", "<Python.h>")
    is_glue = folder.endswith("/bindings")
    includes = list(native_includes(folder))
    assert includes, f"{folder} has no sources"
    assert [
        f"{source}: {header}"
        for source, header in includes
        if (header.startswith('"') and not header[1:].startswith(allowed))
        or (header.startswith(python) and not is_glue)
        or ("bindings/" in header and not is_glue)
    ] == []


def test_only_the_modules_put_the_instrument_and_the_catalogue_together() -> None:
    outside = {
        str(path.relative_to(ROOT))
        for folder in ("cpp", "cuda")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in NATIVE and not str(path.relative_to(ROOT)).startswith(tuple(INCLUDES))
    }
    assert outside == {
        "cpp/module.cpp",
        "cuda/module.cpp",
        "cuda/topics.hpp",
    }
