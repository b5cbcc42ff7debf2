"""What the package promises as a whole: a light import, and everything shipped that it names."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import importlib.resources
import importlib.util
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import stratoperf as sp

HEAVY = ["click", "matplotlib", "msgspec", "pandas", "pynvml", "rich", "scipy"]
DRIVERS = ["libcuda", "libnvidia-ml", "libcudart"]


def python(code: str) -> str:
    """Run code in a fresh process and return what it printed."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_loads_nothing_heavy() -> None:
    loaded = python(
        "import sys; before = set(sys.modules); import stratoperf; "
        f"print(sorted((set(sys.modules) - before) & set({HEAVY})))"
    )
    assert loaded == "[]"


def test_import_opens_no_driver_and_starts_no_thread() -> None:
    mapped, threads = python(
        "import os, stratoperf; print(open('/proc/self/maps').read().replace('\\n', ' ')); "
        "print(len(os.listdir('/proc/self/task')))"
    ).splitlines()
    assert not [library for library in DRIVERS if library in mapped]
    assert threads == "1"


def test_every_public_name_resolves() -> None:
    for name in sp.__all__:
        assert getattr(sp, name) is not None, name
    assert set(sp.__all__) <= set(dir(sp))


def test_no_submodule_shares_its_name_with_a_public_function() -> None:
    submodules = {module.name for module in pkgutil.iter_modules(sp.__path__)}
    functions = {name for name in sp.__all__ if not isinstance(getattr(sp, name), type(sp))}
    assert not submodules & functions


def test_every_submodule_imports() -> None:
    for module in pkgutil.walk_packages(sp.__path__, "stratoperf."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def test_every_dependency_is_imported() -> None:
    imported_names: set[object] = set()
    for file in Path(sp.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                imported_names.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                imported_names.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Constant):  # as in import_module("pynvml")
                imported_names.add(node.value)
    provided_by = importlib.metadata.packages_distributions()
    required = importlib.metadata.requires("stratoperf") or []
    names = {re.split(r"[^\w.-]", line)[0] for line in required if "extra ==" not in line}
    assert "numpy" in names
    for name in names:
        # Where it is not installed (for another version of Python), the module has its name.
        modules = {module for module, of in provided_by.items() if name in of} or {name}
        assert modules & imported_names, name


def test_the_version_is_that_of_the_distribution() -> None:
    assert sp.__version__ == importlib.metadata.version("stratoperf")
    assert re.fullmatch(r"\d+\.\d+\.\d+", sp.__version__)


def test_the_types_are_shipped() -> None:
    package = importlib.resources.files("stratoperf")
    assert package.joinpath("py.typed").is_file()
    assert package.joinpath("_core/__init__.pyi").is_file()


def test_the_stubs_do_not_hide_the_extension() -> None:
    spec = importlib.util.find_spec("stratoperf._core")
    assert spec is not None
    assert spec.origin is not None
    assert spec.origin.endswith(".so")


def test_the_header_is_shipped() -> None:
    header = Path(sp.get_include()) / "stratoperf" / "operation.h"
    assert "STRATOPERF_OPERATION_CAPSULE" in header.read_text(encoding="utf-8")


def test_the_wheel_holds_only_the_package() -> None:
    files = importlib.metadata.files("stratoperf")
    assert files is not None
    strays = [
        str(file)
        for file in files
        if file.parts[0] not in {"stratoperf", "..", "bin"}
        and ".dist-info" not in file.parts[0]
        # An editable install adds its finder.
        and not file.name.startswith(("_stratoperf", "_editable"))
        and "__pycache__" not in file.parts
    ]
    assert strays == []
    assert not [file for file in files if file.suffix in {".cpp", ".hpp"}]


def test_the_license_travels_with_the_distribution() -> None:
    metadata = importlib.metadata.metadata("stratoperf")
    assert metadata["License-Expression"] == "Apache-2.0"
    files = importlib.metadata.files("stratoperf") or []
    assert [file for file in files if file.name == "LICENSE"]
