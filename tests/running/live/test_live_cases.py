"""What two environments have in common, and what they have not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import stratoperf as sp
from stratoperf.analysis.comparison import Difference
from stratoperf.running.live.cases import Agenda, environment_cases
from wording import mentions, says

EnvironmentOf = Callable[..., sp.Environment]

PATIENCE_S = 100.0


def join(
    baseline: sp.Environment, current: sp.Environment, *select: str, backend: str = "auto"
) -> Agenda:
    return environment_cases(
        {"baseline": baseline, "current": current}, select or None, backend, PATIENCE_S
    )


BASE = """
    @sp.benchmark("t.same", params={"size": [1, 2]}, category="swarmlet")
    def same(size): return lambda: None

    @sp.benchmark("t.changed", version=1)
    def changed(): return lambda: None

    @sp.benchmark("t.sized", params={"size": [8]})
    def sized(size): return lambda: None

    @sp.benchmark("t.old")
    def old(): return lambda: None

    @sp.benchmark("t.gpu", backends=("cuda",))
    def gpu(): return lambda: None
    """

HEAD = BASE.replace("version=1", "version=2").replace("t.old", "t.new").replace("[8]", "[16]")


def test_only_what_both_sides_have_in_the_same_version_is_compared(
    environment_of: EnvironmentOf,
) -> None:
    agenda = join(environment_of(BASE), environment_of(HEAD), "t.*")
    assert [case.key for case in agenda.cases] == [
        "t.same[backend=cpu,size=1]",
        "t.same[backend=cpu,size=2]",
    ]
    first = agenda.cases[0]
    assert (first.benchmark, first.version, first.category) == ("t.same", 1, "swarmlet")
    assert first.arguments == {"baseline": {"size": 1}, "current": {"size": 1}}
    changed = Difference(
        what="benchmark version", key="t.changed[backend=cpu]", baseline="1", current="2"
    )
    assert changed in agenda.differences
    # Nothing is dropped silently: each is listed once, on its side.
    listed = {(difference.what, difference.key) for difference in agenda.differences}
    assert {
        ("only in baseline", "t.old[backend=cpu]"),
        ("only in current", "t.new[backend=cpu]"),
        ("only in baseline", "t.sized[backend=cpu,size=8]"),
        ("only in current", "t.sized[backend=cpu,size=16]"),
    } <= listed
    assert len(agenda.differences) == len(listed)


def test_what_a_case_writes_to_a_disk_is_said_before(environment_of: EnvironmentOf) -> None:
    side = environment_of("""
        @sp.benchmark("t.log", disk_bytes=lambda duration_s: 4e9 * duration_s)
        def log(): return lambda: None
        """)
    warnings = join(side, side, "t.log").warnings
    assert any(mentions(warning, "t.log[backend=cpu]", "2 GB", "GB") for warning in warnings)


def test_what_is_skipped_on_a_side_is_listed_with_the_reason(
    environment_of: EnvironmentOf,
) -> None:
    side = environment_of(BASE)
    agenda = join(side, side, "t.same", "t.gpu")
    assert {case.benchmark for case in agenda.cases} == {"t.same"}
    (skipped,) = agenda.differences
    assert skipped.what == "status"
    assert skipped.key == "t.gpu[backend=cuda]"
    for side_says in (skipped.baseline, skipped.current):
        assert side_says is not None
        assert side_says.startswith("skipped: ")
    with pytest.raises(sp.InvalidParameter, match=says("t.gpu", "nothing", "skipped")):
        join(side, side, "t.gpu")


def test_two_parameter_sets_share_a_key_that_shows_both(environment_of: EnvironmentOf) -> None:
    source = """
        @sp.benchmark("t.kv", params={"size": [1], "mode": ["fast"]})
        def kv(size, mode): return lambda: None
        """
    baseline = environment_of(source, size=64)
    current = sp.Environment(baseline.python, {"size": 128}, baseline.modules)
    (case,) = join(baseline, current, "t.kv").cases
    assert case.key == "t.kv[backend=cpu,baseline.size=64,current.size=128,mode=fast]"
    assert dict(case.params) == {"mode": "fast", "baseline.size": 64, "current.size": 128}
    assert case.arguments == {
        "baseline": {"size": 64, "mode": "fast"},
        "current": {"size": 128, "mode": "fast"},
    }


def test_a_side_with_several_values_has_no_counterpart(environment_of: EnvironmentOf) -> None:
    source = """
        @sp.benchmark("t.kv", params={"size": [1]})
        def kv(size): return lambda: None
        """
    baseline = environment_of(source, size=[1, 2])
    current = sp.Environment(baseline.python, {"size": 3}, baseline.modules)
    with pytest.raises(sp.InvalidParameter, match=says("baseline", "several", "size", "value")):
        join(baseline, current, "t.kv")
    # The same values on both sides are no difference.
    assert len(join(baseline, baseline, "t.kv").cases) == 2


def test_a_word_that_selects_nothing_anywhere_is_wrong(environment_of: EnvironmentOf) -> None:
    side = environment_of(BASE)
    with pytest.raises(sp.InvalidParameter, match=r"did you mean 't\.same'"):
        join(side, side, "t.same", "t.sane")


def test_a_word_that_selects_something_on_one_side_alone_is_a_difference(
    environment_of: EnvironmentOf,
) -> None:
    agenda = join(environment_of(BASE), environment_of(HEAD), "t.new", "t.same")
    assert {case.benchmark for case in agenda.cases} == {"t.same"}
    assert [(difference.what, difference.key) for difference in agenda.differences] == [
        ("only in current", "t.new[backend=cpu]")
    ]
    with pytest.raises(sp.InvalidParameter, match=says("nothing", "baseline", "t.new")):
        join(environment_of(BASE), environment_of(HEAD), "t.new")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise ImportError('no codec')", "ImportError: no codec"),
        ("sys.exit('not here')", "SystemExit: not here"),
        ("os._exit(9)", "the worker ended with status 9"),
        ("x = (", "SyntaxError"),
    ],
)
def test_a_module_that_cannot_be_imported_names_its_side(
    environment_of: EnvironmentOf, source: str, why: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^current ") as caught:
        join(environment_of(BASE), environment_of(source))
    assert why in str(caught.value)


def test_a_module_that_is_not_there_is_wrong(environment_of: EnvironmentOf) -> None:
    lost = sp.Environment(modules=("no_such_file.py",))
    with pytest.raises(sp.InvalidParameter, match=says("baseline", "'no_such_file.py'", "file")):
        join(lost, environment_of(BASE))


def test_a_module_with_the_name_of_another_one_is_not_passed_over(
    tmp_path: Path,
) -> None:
    taken = tmp_path / "json.py"
    taken.write_text("import stratoperf")
    side = sp.Environment(modules=(str(taken),))
    with pytest.raises(sp.InvalidParameter, match=r"json.py' has the name .* rename the file"):
        join(side, side)


def test_what_lies_beside_a_module_does_not_shadow_what_is_installed(
    environment_of: EnvironmentOf,
) -> None:
    source = """
        import numpy, beside
        assert numpy.__version__ != "a checkout"
        @sp.benchmark("t.it")
        def it(): return lambda: None
        """
    side = environment_of(source)
    for name in ("numpy", "beside"):
        Path(side.modules[0]).with_name(f"{name}.py").write_text("__version__ = 'a checkout'")
    assert len(join(side, side, "t.it").cases) == 1


@pytest.mark.parametrize(
    "call",
    [
        "sp.compare_live(sp.Environment(), sp.Environment(), 'kv.*', duration_s=1)",
        "sp.run('kv.*', preset='ci')",
    ],
)
def test_a_module_that_measures_when_it_is_imported_is_refused(tmp_path: Path, call: str) -> None:
    (tmp_path / "eager.py").write_text(f"import stratoperf as sp\n{call}\n")
    side = sp.Environment(modules=(str(tmp_path / "eager.py"),))
    with pytest.raises(sp.StratoperfError, match=r"importing it calls stratoperf\.\w+; .*__main__"):
        sp.compare_live(side, side, duration_s=1)
