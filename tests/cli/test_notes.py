"""What a benchmark did to the process is a note of its result, and no noise."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import stratoperf as sp

if TYPE_CHECKING:
    from tests.cli.conftest import Ending

NOTE = "the benchmark changed what other cases share, which was put back: the working directory"
SHORT = ("--duration", "20ms", "--warmup", "0", "--processes", "1")


def with_note(write_run: Callable[..., Path], name: str) -> Path:
    """Write a run of which each result has the same note."""
    path = write_run(name, 1000.0, 2000.0)
    run = sp.load(path)
    document = dict(run.document)
    document["results"] = [{**result, "notes": [NOTE]} for result in document["results"]]
    return sp.Run(document).save(path)


def test_a_run_shows_each_note_once_and_does_not_call_it_noise(
    stratoperf: Callable[..., Ending],
) -> None:
    @sp.benchmark("moving", params={"step": [1, 2]})
    def moving(step: int) -> Callable[[], None]:
        os.chdir("/")
        return lambda: None

    ending = stratoperf("run", "moving", *SHORT)
    (line,) = [line for line in ending.out.splitlines() if "working directory" in line]
    assert line.startswith("note: moving[")
    assert line.endswith(f"{NOTE} (2 cases)")
    for result in sp.load("results/latest.json").results:
        assert NOTE in result.notes
        assert not any("put back" in warning for warning in result.warnings)


def test_a_comparison_names_notes_and_does_not_call_them_noise(
    stratoperf: Callable[..., Ending], write_run: Callable[..., Path], tmp_path: Path
) -> None:
    baseline, current = (with_note(write_run, name) for name in ("a.json", "b.json"))
    ending = stratoperf("compare", str(baseline), str(current), "--markdown", "summary.md")
    assert ending.code == 0
    assert "noise" not in ending.out
    for text in (ending.out, (tmp_path / "summary.md").read_text()):
        assert "4 results have notes" in text
        assert NOTE in text
    assert "4 results have notes" in sp.compare(baseline, current)._repr_html_()
