"""Benchmarks of other packages that cannot be imported: a warning, and the others stay usable."""

from __future__ import annotations

import importlib.metadata
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stratoperf.running import PluginWarning, Registry
from stratoperf.running.registry import ENTRY_POINTS
from wording import says

GOOD = """
from stratoperf.running import registry
@registry.benchmark("plugin.good")
def good():
    return lambda: None
"""


@pytest.fixture
def plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, benchmarks: Registry
) -> Callable[[str], Registry]:
    """Return what installs a plugin with this code beside a good one."""

    def install(code: str) -> Registry:
        (tmp_path / "plugin_bad.py").write_text(f"import os, sys, signal\n{code}\n")
        (tmp_path / "plugin_good.py").write_text(GOOD)
        monkeypatch.syspath_prepend(tmp_path)
        for module in ("plugin_bad", "plugin_good"):
            monkeypatch.delitem(sys.modules, module, raising=False)
        points = [
            importlib.metadata.EntryPoint(name, f"plugin_{name}", ENTRY_POINTS)
            for name in ("bad", "good")
        ]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points)
        vars(benchmarks)["_entry_points"] = ENTRY_POINTS
        return benchmarks

    return install


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("sys.exit('no licence')", "SystemExit: no licence"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("import no_such_module", "no_such_module"),
        ("syntax error", "SyntaxError"),
        ("class E(BaseException):\n    __str__ = lambda self: 1 / 0\nraise E", "E: "),
    ],
)
def test_a_plugin_that_raises_is_named_and_the_others_work(
    plugin: Callable[[str], Registry], code: str, words: str
) -> None:
    registry = plugin(code)
    with pytest.warns(PluginWarning, match=says("'bad'", "imported")):
        assert [benchmark.name for benchmark in registry.all()] == ["plugin.good"]
    (sentence,) = registry.warnings
    assert words in sentence


def test_what_a_plugin_changes_is_put_back_and_said(plugin: Callable[[str], Registry]) -> None:
    before = (sys.excepthook, Path.cwd(), signal.getsignal(signal.SIGINT))
    registry = plugin(
        "sys.excepthook = print; os.chdir('/'); signal.signal(signal.SIGINT, signal.SIG_IGN)"
    )
    with pytest.warns(PluginWarning, match="put back"):
        registry.all()
    assert (sys.excepthook, Path.cwd(), signal.getsignal(signal.SIGINT)) == before
    (sentence,) = registry.warnings
    assert all(
        word in sentence for word in ("'bad'", "sys.excepthook", "the working directory", "SIGINT")
    )


def test_ctrl_c_during_an_import_is_no_fault_of_the_plugin(
    plugin: Callable[[str], Registry],
) -> None:
    registry = plugin("signal.raise_signal(signal.SIGINT)")
    with pytest.raises(KeyboardInterrupt):
        registry.all()
