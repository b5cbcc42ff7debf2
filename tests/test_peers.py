"""``tests/performance/peers.py`` prints what it has measured, also where it ends early."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import stratoperf as sp
from wording import mentions

PERFORMANCE = Path(__file__).parent / "performance"


@pytest.fixture
def error() -> BaseException:
    """What a topic ends with after its first row."""
    return RuntimeError("the device is gone")


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Any:
    """Return the module, with a topic that fails after a row."""
    monkeypatch.syspath_prepend(PERFORMANCE)
    module = importlib.import_module("peers")
    row = importlib.import_module("side_by_side").Row

    def measure() -> Iterator[object]:
        yield row("first", 1.5, None, "a peer", "us", "lower", note="its note")
        raise error

    monkeypatch.setattr(importlib, "import_module", lambda name: SimpleNamespace(measure=measure))
    return module


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_row_is_printed_when_it_is_measured(
    peers: Any,
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["peers.py", "clock", *options])
    with pytest.raises(RuntimeError, match="the device is gone"):
        peers.main()
    shown = capsys.readouterr().out
    for word in ("first", "1.5", "us", "a peer", "its note"):
        assert word in shown


@pytest.mark.parametrize("error", [KeyboardInterrupt(), sp.Interrupted("stopped")], ids=repr)
def test_rows_are_not_hidden_by_where_it_was_interrupted(
    peers: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["peers.py", "clock"])
    assert peers.main() == 130
    shown = capsys.readouterr()
    assert "its note" in shown.out
    assert mentions(shown.err, "interrupted", "not measured")


@pytest.mark.parametrize("part", ["consensus_gpu", "synthesis_gpu", "memory_gpu"])
def test_without_a_device_each_row_says_why_it_has_no_figure(part: str) -> None:
    done = subprocess.run(
        [sys.executable, str(PERFORMANCE / "peers.py"), part, "--json"],
        env={"CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    rows = json.loads(done.stdout)
    assert rows
    for row in rows:
        assert (row["ours"], row["peer"], row["ratio"], row["met"]) == (None, None, None, None)
        assert row["note"].startswith("not measured: ")
