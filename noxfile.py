"""The tasks of a developer: ``nox -l`` lists them, ``nox -s test -- tests/cli`` runs one.

They use the tools of the active environment, which CONTRIBUTING.md sets up, and install nothing.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "test"]

COVERAGE = Path("build/coverage")
NATIVE_SOURCES = ("*.hpp", "*.cpp", "*.inc", "*.h", "*.c", "*.cu", "*.cuh")


@nox.session(python=False)
def test(session: nox.Session) -> None:
    """Run the Python tests, or those given after ``--``."""
    session.run("python", "-m", "pytest", "-n", "2", *session.posargs)


@nox.session(python=False)
def lint(session: nox.Session) -> None:
    """Check format and lint of Python and C++."""
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")
    native = session.run("git", "ls-files", "--", *NATIVE_SOURCES, silent=True, external=True)
    session.run("clang-format", "--dry-run", "-Werror", *str(native).split())


@nox.session(python=False)
def types(session: nox.Session) -> None:
    """Check the types, and that the stubs are those of the extension."""
    session.run("mypy", "--strict")
    session.run("python", "tools/stubs.py", "--check")


@nox.session(python=False)
def docs(session: nox.Session) -> None:
    """Build the documentation into ``build/site``, and run the code of the pages that changed."""
    session.run("mypy", "--strict", "docs")
    session.run(
        *("python", "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-j", "2"),
        *session.posargs,
        *("-b", "html", "docs", "build/site"),
    )


@nox.session(python=False)
def build(session: nox.Session) -> None:
    """Build the extension again after a change of C++, into this environment."""
    launcher = {"CMAKE_CXX_COMPILER_LAUNCHER": "ccache"} if shutil.which("ccache") else {}
    session.run(
        *("python", "-m", "pip", "install", "--no-build-isolation", "-Cbuild-dir=build/editable"),
        *("-Ccmake.define.STRATOPERF_WERROR=ON", "-e", ".[dev]"),
        env=launcher,
    )


@nox.session(python=False)
def bench(session: nox.Session) -> None:
    """Measure ours beside a peer: ``nox -s bench -- statistics``."""
    if not session.posargs:
        session.error("give a topic, such as: nox -s bench -- statistics")
    session.run("python", "tests/performance/peers.py", *session.posargs)


@nox.session(python=False)
def coverage(session: nox.Session) -> None:
    """Show the uncovered lines of the change since ``main``, of Python and C++.

    ``nox -s coverage -- tests/statistics`` runs fewer Python tests. In the environment,
    COVERAGE_BASE names another base than ``main``, and COVERAGE_NATIVE a pattern of native tests
    (``^native.quantile$``), or nothing to leave them out.
    """
    COVERAGE.mkdir(parents=True, exist_ok=True)
    reports = [_python_coverage(session)]
    native = os.environ.get("COVERAGE_NATIVE", ".")
    if native:
        reports.append(_native_coverage(session, native))
    base = os.environ.get("COVERAGE_BASE", "main")
    session.run("diff-cover", *map(str, reports), f"--compare-branch={base}", "--show-uncovered")


def _python_coverage(session: nox.Session) -> Path:
    """Run Python tests, fresh processes included, and return the report."""
    report = COVERAGE / "python.xml"
    # What judges wall time means nothing where every line is counted.
    session.run(
        *("python", "-m", "pytest", "-n", "2", "-m", "not timing and not slow"),
        # What is measured there serves tests, and coverage is the tracer that measurements warn of.
        *("-W", "ignore:a trace function:RuntimeWarning", "-W", "ignore:the tool:RuntimeWarning"),
        *("--cov=src/stratoperf", f"--cov-report=xml:{report}", "--cov-report="),
        *session.posargs,
    )
    return report


def _native_coverage(session: nox.Session, pattern: str) -> Path:
    """Build and run native tests with counters, and return the report."""
    folder = COVERAGE / "native"
    report = COVERAGE / "native.xml"
    session.run(
        *("cmake", "-S", ".", "-B", str(folder), "-G", "Ninja"),
        *("-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS=--coverage"),
        *("-DSTRATOPERF_PYTHON=OFF", "-DSTRATOPERF_NATIVE_TESTS=ON"),
        external=True,
    )
    session.run("cmake", "--build", str(folder), "--", "--quiet", external=True)
    # Counters add up over runs.
    for counters in folder.rglob("*.gcda"):
        counters.unlink()
    session.run(
        *("ctest", "--test-dir", str(folder), "--tests-regex", pattern),
        *("--parallel", "2", "--output-on-failure"),
        external=True,
    )
    session.run(
        *("gcovr", "--root", ".", "--filter", "cpp/", "--filter", "cuda/"),
        *("--cobertura", str(report), "--print-summary", str(folder)),
    )
    return report
