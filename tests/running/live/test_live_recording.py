"""The run file of a live comparison."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.running.live import LiveListener
from stratoperf.running.live.pair_source import SideFailed
from wording import says

EnvironmentOf = Callable[..., sp.Environment]

TWO = """
    @sp.benchmark("t.work", params={"work": [1000, 2000]})
    def work(work):
        return lambda: sum(range(work))
    """

NOTHING = sp.Command(("true",))


def test_every_process_is_a_series_with_its_arm_and_pair(
    environment_of: EnvironmentOf, tmp_path: Path
) -> None:
    side = environment_of(TWO)
    comparison = sp.compare_live(
        side,
        side,
        "t.work",
        threshold=5,
        confidence=0.5,
        duration_s=10.0,
        seed=5,
        output=tmp_path / "results",
    )
    assert comparison.run_path is not None
    run = sp.load(comparison.run_path)
    assert run.document["preset"] == "live"
    assert run.document["live"]["settings"]["seed"] == 5
    assert run.document["live"]["baseline"]["label"] == side.python
    assert len(run.systems) == 1
    assert [result.key for result in run.results] == [metric.key for metric in comparison.metrics]
    for result in run.results:
        assert result.status == "ok"
        count = len(result.series)
        assert count > 0
        sides = ["baseline", "current"] * (count // 2)
        assert [(item.pair, item.arm) for item in result.series] == [
            (number // 2, side) for number, side in enumerate(sides)
        ]
        assert len({entry.process for entry in result.series}) == count
        assert {entry.system for entry in result.series} == set(run.systems)
        for entry in result.series:
            samples = np.asarray(entry.columns["latency"])
            assert (samples > 0).all()
            assert entry.batch >= 1
    # A live comparison is no run that another one is compared with by default.
    assert not (tmp_path / "results" / "latest.json").exists()
    assert list((tmp_path / "results").glob("*.journal")) == []


def test_the_file_holds_what_was_judged(tmp_path: Path) -> None:
    comparison = sp.compare_live(NOTHING, NOTHING, duration_s=1.0, output=tmp_path)
    (metric,) = comparison.metrics
    assert comparison.run_path is not None
    (result,) = sp.load(comparison.run_path).results
    assert metric.pairs == len(result.series) / 2
    for side, typical in (("baseline", metric.baseline), ("current", metric.current)):
        medians = [np.median(item.columns["latency"]) for item in result.series if item.arm == side]
        assert typical is not None
        assert typical.value == pytest.approx(np.median(medians))
    document = json.loads(Path(comparison.run_path).read_text())
    firsts = [entry["first"] for entry in document["results"][0]["series"]]
    # In each pair one side went first.
    assert all(firsts[at] != firsts[at + 1] for at in range(0, len(firsts), 2))


def test_the_file_can_be_both_sides_of_a_stored_comparison(tmp_path: Path) -> None:
    live = sp.compare_live(NOTHING, NOTHING, duration_s=1.5, stop_early=False, output=tmp_path)
    assert live.run_path is not None
    stored = sp.compare(live.run_path, live.run_path)
    (ours,), (theirs,) = live.metrics, stored.metrics
    assert theirs.pairs == ours.pairs
    assert ours.ratio is not None
    assert theirs.ratio is not None
    assert theirs.ratio.value == pytest.approx(ours.ratio.value)


def test_what_failed_keeps_the_samples_before(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    # Works twice: once to try it and once in the first pair, which it fills.
    script = f"echo >> {counter}; sleep 0.2; test $(wc -l < {counter}) -lt 3"
    failing = sp.Command(("sh", "-c", script))
    with pytest.raises(SideFailed) as caught:
        sp.compare_live(NOTHING, failing, duration_s=100.0, output=tmp_path / "results")
    assert caught.value.comparison is not None
    path = caught.value.comparison.run_path
    assert path is not None
    (result,) = sp.load(path).results
    assert result.status == "failed"
    assert result.reason is not None
    assert result.reason.startswith("current: the command ")
    assert len(result.series) == 2


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    proof = tmp_path / "it-ran"
    command = sp.Command(("touch", str(proof)))
    for output in (tmp_path / "file", "/proc/results"):
        with pytest.raises(sp.InvalidParameter, match=says("output:", "write")):
            sp.compare_live(command, command, duration_s=0.01, output=output)
    assert not proof.exists()


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], None]]:
    """Stand in for a full disk: no file can grow above a limit."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_fills_up_loses_only_the_case_in_progress(
    environment_of: EnvironmentOf, tmp_path: Path, small_disk: Callable[[int], None]
) -> None:
    class FullAfterTheFirst(LiveListener):
        def case_finished(self, index: int, case: object, outcome: sp.ComparedMetric) -> None:
            (lines,) = tmp_path.glob("*.journal/results.jsonl")
            small_disk(lines.stat().st_size + 100)

    side = environment_of(TWO)
    with pytest.raises(sp.StratoperfError, match=r"cannot write .*results\.jsonl") as caught:
        sp.compare_live(
            side,
            side,
            "t.work",
            threshold=5,
            confidence=0.5,
            duration_s=10.0,
            output=tmp_path,
            listener=FullAfterTheFirst(),
        )
    (journal,) = tmp_path.glob("*.journal")
    assert str(journal) in str(caught.value)
    # Nothing can go on with it at another moment.
    assert "--resume" not in str(caught.value)
    assert [result.params for result in sp.load(journal).results] == [{"work": 1000}]
    with pytest.raises(sp.StratoperfError):
        sp.run(resume=journal)


def test_what_a_process_costs_by_itself_is_a_note_and_no_noise(tmp_path: Path) -> None:
    command = sp.Command(("true",), shell=True)
    comparison = sp.compare_live(command, command, duration_s=0.2, output=tmp_path)
    assert comparison.run_path is not None
    (result,) = sp.load(comparison.run_path).results
    (note,) = result.notes
    assert "starting the shell" in note
    assert note in comparison.warnings
    assert not any("starting the shell" in warning for warning in result.warnings)
