"""What packages contribute besides benchmarks, and what happens when that is wrong."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import stratoperf as sp
from stratoperf import backends
from stratoperf.cli import main
from stratoperf.results import SCHEMA, Run
from stratoperf.running import Category, Claim, DoctorCheck, FurtherCommand, PluginWarning, Registry
from stratoperf.running.doctor_checks import findings
from stratoperf.running.registry import ENTRY_POINTS

TARGET = sp.Target("latency.p95", "<", 100, "us")

GOOD = """
import stratoperf as sp
sp.category("good-category", "Select the good.")
@sp.benchmark("good.work", category="good-category")
def work():
    return lambda: None
target = sp.Target("latency.p95", "<", 1, "s")
sp.claim("Good", "work p95", "< 1 s", benchmark="good.work", target=target)
@sp.doctor_check
def good_server():
    return sp.Check(name="good server", status="ok", detail="runs", topic="measures")
"""

Install = Callable[[str], Registry]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, benchmarks: Registry) -> Install:
    """Return what installs a package with this code before a good one."""

    def with_code(code: str) -> Registry:
        (tmp_path / "bad_package.py").write_text(f"import click\nimport stratoperf as sp\n{code}\n")
        (tmp_path / "good_package.py").write_text(GOOD)
        monkeypatch.syspath_prepend(tmp_path)
        names = ("bad_package", "good_package")
        for module in names:
            monkeypatch.delitem(sys.modules, module, raising=False)
        points = [importlib.metadata.EntryPoint(name, name, ENTRY_POINTS) for name in names]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points)
        vars(benchmarks)["_entry_points"] = ENTRY_POINTS
        return benchmarks

    return with_code


@pytest.fixture
def further_backends() -> Iterator[None]:
    """Forget the backends that a test adds."""
    before = dict(backends._BACKENDS)
    yield
    backends._BACKENDS.clear()
    backends._BACKENDS.update(before)


def run_of(*names: str) -> Run:
    results = [
        {"key": f"{name}[backend=cpu]", "benchmark": name, "backend": "cpu", "status": "ok"}
        for name in names
    ]
    document = {"schema": SCHEMA, "id": "x", "created": "2026-11-23T09:37:00Z", "systems": {}}
    return Run({**document, "results": [{**result, "metrics": {}} for result in results]})


def test_a_package_contributes_through_its_entry_point(install: Install) -> None:
    registry = install("")
    assert [category.name for category in registry.contributed(Category)] == ["good-category"]
    assert [entry.package for entry in registry.contributed(Claim)] == ["good_package"]
    (finding,) = findings(registry.contributed(DoctorCheck))
    assert (finding.name, finding.status) == ("good server", "ok")
    assert registry.warnings == ()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_module", ["bad_package", "no_such_module"]),
        ("sp.category('a b', 'x')", ["bad_package", "'a b'", "use lower-case"]),
        ("sp.category('Stress', 'x')", ["bad_package", "'Stress'", "use lower-case"]),
        ("sp.category('single-node', 'x')", ["bad_package", "'single-node'", "choose another"]),
        ("sp.category('x', '')", ["bad_package", "description"]),
        (
            "sp.benchmark('a')(lambda: None)\nsp.category('a', 'x')",
            ["bad_package", "'a'", "benchmark", "choose another"],
        ),
        (
            "sp.category('a', 'x')\nsp.benchmark('a')(lambda: None)",
            ["bad_package", "'a'", "category", "choose another"],
        ),
        (
            "sp.claim('A', 'p95', '< 1')\nsp.claim('A', 'p95', '< 2')",
            ["bad_package", "'A, p95'", "choose another"],
        ),
        ("sp.claim('A', 'p95', 5)", ["bad_package", "text", "5"]),
        ("sp.claim('A', 'p95', '< 1', benchmark='a')", ["'A, p95'", "no target", "give both"]),
        ("sp.claim('A', 'p95', '< 1', target='< 1')", ["target", "'A, p95'", "'< 1'"]),
        (
            "sp.claim('A', 'p95', '< 1', benchmark='good.wrk', "
            "target=sp.Target('latency', '<', 1, 's'))",
            ["bad_package", "'A, p95'", "'good.wrk'", "good.work"],
        ),
        ("sp.benchmark_module('no_such_module')", ["bad_package", "no_such_module"]),
        ("sp.benchmark_module('a-b')", ["bad_package", "'a-b'", "after import"]),
        ("sp.benchmark_module(5)", ["bad_package", "name", "5"]),
        (
            "sp.benchmark_module('good_package')\nsp.benchmark_module('good_package')",
            ["bad_package", "'good_package'", "choose another"],
        ),
        ("sp.doctor_check(5)", ["bad_package", "function", "5"]),
        ("sp.cli_command(print)", ["bad_package", "command", "@click.command"]),
        ("sp.backend('auto', lambda: None)", ["bad_package", "'auto'", "'rocm'"]),
        ("sp.backend('cuda', lambda: None)", ["bad_package", "'cuda'", "choose another"]),
        ("sp.backend('x', 'y')", ["unavailable_reason", "'x'", "'y'"]),
    ],
)
def test_a_fault_is_a_sentence_and_all_else_works(
    install: Install, code: str, words: list[str]
) -> None:
    registry = install(code)
    with pytest.warns() if "good.wrk" not in code else _nothing():
        assert "good.work" in [benchmark.name for benchmark in registry.all()]
    assert [category.name for category in registry.contributed(Category)][-1] == "good-category"
    (sentence,) = registry.warnings
    for word in words:
        assert word in sentence


def _nothing() -> Any:
    import contextlib

    return contextlib.nullcontext()


def test_the_name_of_another_package_is_refused_with_both_names(install: Install) -> None:
    registry = install("sp.category('good-category', 'x')")
    with pytest.warns(PluginWarning, match="good_package"):
        registry.all()
    (sentence,) = registry.warnings
    for word in ("good-category", "bad_package", "good_package", "choose another"):
        assert word in sentence


@pytest.mark.parametrize(
    ("names", "components"),
    [
        (["good.work"], ["Good"]),
        (["other.work"], ["Other"]),
        (["good.work", "other.work"], ["Other", "Good"]),
        (["other.unclaimed"], ["Other"]),
        (["unknown"], []),
        ([], ["Other", "Good"]),
    ],
)
def test_a_run_is_held_against_the_claims_of_its_own_packages(
    install: Install, names: list[str], components: list[str]
) -> None:
    install(
        "sp.benchmark('other.work')(lambda: None)\nsp.benchmark('other.unclaimed')(lambda: None)\n"
        "sp.claim('Other', 'p95', '< 1 s', benchmark='other.work', "
        "target=sp.Target('latency.p95', '<', 1, 's'))"
    )
    assert [row.component for row in sp.claims(run_of(*names)).rows] == components


LATE = """
import stratoperf as sp
@sp.benchmark("late.work")
def work():
    return lambda: None
sp.claim("Late", "work p95", "< 1 s")
"""


@pytest.fixture
def late(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Registry]:
    """Return what installs a package whose benchmarks are in a module of their own."""

    def with_code(code: str = "", contributes: str = "") -> Registry:
        (tmp_path / "late_benchmarks.py").write_text(f"{LATE}{code}\n")
        monkeypatch.delitem(sys.modules, "late_benchmarks", raising=False)
        return install(f"sp.benchmark_module('late_benchmarks')\n{contributes}")

    return with_code


@pytest.mark.parametrize("kind", [Category, DoctorCheck, FurtherCommand])
def test_a_module_of_benchmarks_is_imported_for_benchmarks_and_claims_alone(
    late: Callable[..., Registry], kind: type[Category]
) -> None:
    registry = late()
    registry.contributed(kind)
    assert registry.warnings == ()
    assert "late_benchmarks" not in sys.modules
    assert [claim.package for claim in registry.contributed(Claim)] == [
        "good_package",
        "late_benchmarks",
    ]
    assert [benchmark.name for benchmark in registry.select("*.work")] == ["good.work", "late.work"]


@pytest.mark.parametrize(
    "code",
    [
        "sp.category('late', 'x')",
        "sp.doctor_check(lambda: None)",
        "import click\nsp.cli_command(click.Command('late'))",
        "sp.benchmark_module('later')",
    ],
)
def test_what_help_and_doctor_would_not_see_is_refused_there(
    late: Callable[..., Registry], code: str
) -> None:
    registry = late(code)
    with pytest.warns(PluginWarning, match="late_benchmarks"):
        registry.all()
    (sentence,) = registry.warnings
    for word in ("late_benchmarks", "the module that the entry point names"):
        assert word in sentence


def test_of_two_benchmarks_of_a_name_the_newcomer_is_refused() -> None:
    done = python(
        "import stratoperf as sp\n"
        "try: sp.benchmark('clock.overhead')(lambda: None)\n"
        "except sp.InvalidParameter as error: print(error)\n"
        "try: sp.claim('GPU consensus', 'latency p95', '< 1')\n"
        "except sp.InvalidParameter as error: print(error)"
    )
    first, second = done.splitlines()
    assert "'clock.overhead'" in first
    assert "'GPU consensus, latency p95' of __main__" in second


def test_a_cell_that_runs_again_replaces_its_claim(benchmarks: Registry) -> None:
    code = "import stratoperf as sp; sp.claim('A', 'p95', {!r})"
    for text in ("< 1", "< 2"):
        exec(code.format(text), {"__name__": "__main__"})
    assert [contribution.text for contribution in benchmarks.contributed(Claim)] == ["< 2"]


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: sys.exit("no licence"), "SystemExit"),
        (lambda: None, "TypeError"),
        (lambda: ["text"], "str"),
        (lambda needed: needed, "TypeError"),
        (lambda: threading.Event().wait(5), "did not answer within 0.05 s"),
    ],
)
def test_a_check_that_fails_is_a_finding(function: Callable[..., Any], says: str) -> None:
    well = sp.Check(name="well", status="ok", detail="")
    bad, good = findings(
        [DoctorCheck("pkg", "pkg.server", function), DoctorCheck("other", "good", lambda: well)],
        patience_s=0.05,
    )
    assert (bad.name, bad.status, good) == ("pkg.server", "unknown", well)
    assert says in bad.detail
    assert "pkg" in (bad.remedy or "")


def test_the_root_is_handed_to_who_asks_for_it(tmp_path: Path) -> None:
    def named(root: Path) -> sp.Check:
        return sp.Check(name=str(root), status="ok", detail="")

    (finding,) = findings([DoctorCheck("pkg", "pkg.named", named)], tmp_path)
    assert finding.name == str(tmp_path)


def test_a_backend_of_a_package_is_planned_like_ours(
    benchmarks: Registry, further_backends: None
) -> None:
    sp.backend("rocm", lambda: "no driver; install one", has_device=True, other_names=("amd",))
    assert backends.has_device("rocm")
    with pytest.raises(sp.InvalidParameter, match=r"'amd'.*rocm"):
        backends.unavailable_reason("amd")
    sp.benchmark("a", backends=("cpu", "rocm"))(lambda: lambda: None)
    skipped = [result for result in sp.run("a", preset="ci").results if result.status == "skipped"]
    assert [(entry.backend, entry.reason) for entry in skipped] == [
        ("rocm", "no driver; install one")
    ]


def test_a_backend_that_cannot_be_asked_is_not_available(further_backends: None) -> None:
    sp.backend("rocm", lambda: str(1 / 0))
    reason = backends.unavailable_reason("rocm")
    assert reason is not None
    assert "ZeroDivisionError" in reason
    assert backends.resolve("auto", ("rocm", "cpu")) == "cpu"


class TestCommandLine:
    @pytest.fixture
    def stratoperf(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> Callable[..., tuple[object, str, str]]:
        monkeypatch.chdir(tmp_path)

        def call(*words: str) -> tuple[object, str, str]:
            with pytest.raises(SystemExit) as ending:
                main(words)
            shown = capsys.readouterr()
            return ending.value.code, shown.out, " ".join(shown.err.split())

        return call

    @pytest.fixture
    def packages(self, install: Install, monkeypatch: pytest.MonkeyPatch) -> Registry:
        import stratoperf.running

        registry = install(
            "sp.category('quick', 'Select what is quick.')\n"
            "@sp.cli_command\n@click.command('greet')\ndef greet():\n"
            "    '''Greet the user.'''\n    click.echo('hello')\n"
            "sp.cli_command(click.Command('doctor'))"
        )
        monkeypatch.setitem(vars(stratoperf.running), "REGISTRY", registry)
        return registry

    def test_a_flag_selects_the_category(
        self, packages: Registry, stratoperf: Any, measured_here: None
    ) -> None:
        code, out, _ = stratoperf("run", "--good-category", "--ci", "--duration", "10ms")
        assert code == 0
        assert "good.work" in out

    def test_the_help_of_run_names_all_categories(
        self, packages: Registry, stratoperf: Any
    ) -> None:
        code, out, err = stratoperf("run", "--help")
        assert code == 0
        for word in ("--good-category", "Select the good.", "--single-node", "--all"):
            assert word in out
        # One whose flag is an option already is named with the remedy.
        for word in ("'quick'", "bad_package", "stratoperf run quick"):
            assert word in err

    def test_a_misspelled_flag_is_wrong_usage(self, packages: Registry, stratoperf: Any) -> None:
        code, _, err = stratoperf("run", "--good-categry")
        assert code == 2
        assert "--good-category" in err

    def test_a_command_of_a_package_runs(self, packages: Registry, stratoperf: Any) -> None:
        assert stratoperf("greet")[:2] == (0, "hello\n")
        code, _, err = stratoperf("gret")
        assert code == 2
        assert "greet" in err
        _, _, err = stratoperf("list")
        for word in ("stratoperf greet", "Greet the user.", "'doctor'", "bad_package"):
            assert word in err
        assert [command.name for command in packages.contributed(FurtherCommand)] == [
            "greet",
            "doctor",
        ]

    def test_a_command_is_a_click_command(self, benchmarks: Registry) -> None:
        greet = click.Command("greet")
        assert sp.cli_command(greet) is greet


def python(code: str) -> str:
    """Run code in a fresh process and return what it printed."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("words", "unneeded"),
    [
        (["--help"], ["importlib.metadata", "numpy", "stratoperf.running.registry"]),
        # The flags of categories come from packages, and take neither NumPy nor a workload.
        (
            ["run", "--help"],
            [
                *("matplotlib", "numpy", "scipy", "stratoperf._core", "stratoperf.measuring"),
                *("stratoperf.stratoswarm.benchmarks", "stratoperf.stratoswarm.memory"),
            ],
        ),
    ],
)
def test_the_help_imports_only_what_it_shows(words: list[str], unneeded: list[str]) -> None:
    shown = python(
        "import sys\nfrom stratoperf.cli import main\n"
        f"try:\n    main({words})\nexcept SystemExit: pass\n"
        f"print([name for name in {unneeded} if name in sys.modules])"
    )
    assert "--help" in shown
    assert shown.splitlines()[-1] == "[]"
