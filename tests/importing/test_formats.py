"""What becomes of the files of other tools, held against the files themselves."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import made_files
import stratoperf as sp
from stratoperf.importing.formats import KNOWN
from stratoperf.results import Result, Run

FILES = Path(__file__).parent / "files"

REAL = (
    "google_benchmark.json",
    "google_benchmark_aggregates.json",
    "pytest_benchmark.json",
    "pytest_benchmark_without_data.json",
    "hyperfine.json",
    "hyperfine_failing.json",
    "pyperf.json",
    "pyperf.json.gz",
    "pyperf_memory.json",
    "asv/machine/33354c90-existing.json",
    "criterion",
)
"""Files that the tools wrote (paths of the machine are shortened in asv's and pyperf's)."""


def read(name: str, **options: Any) -> Run:
    return sp.import_results(FILES / name, **options)


def result(run: Run, benchmark: str) -> Result:
    return next(each for each in run.results if each.benchmark == benchmark)


def latency(measured: Result) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the samples of all processes."""
    return np.concatenate([series.columns["latency"] for series in measured.series_of("latency")])


@pytest.mark.parametrize("name", REAL)
def test_a_file_becomes_a_run_file_that_reads_back_alike(name: str, tmp_path: Path) -> None:
    run = read(name)
    assert run.results
    again = sp.load(run.save(tmp_path / "run.json"))
    assert [each.key for each in again.results] == [each.key for each in run.results]
    for own, other in zip(run.results, again.results, strict=True):
        assert own.metrics == other.metrics
        assert [series.kind for series in own.series] == [series.kind for series in other.series]
        assert own.category == "imported"
        assert own.params["tool"]
    # Comparing a run with itself finds nothing, and needs no more than what the file has.
    comparison = sp.compare(run, again)
    assert {metric.verdict for metric in comparison.metrics} <= {"same", "inconclusive"}


def test_repetitions_of_google_benchmark_are_means_over_their_iterations() -> None:
    tree = json.loads((FILES / "google_benchmark.json").read_text())
    run = read("google_benchmark.json")
    rows = [
        row
        for row in tree["benchmarks"]
        if row["run_name"] == "BM_sum/64" and row["run_type"] == "iteration"
    ]
    own = result(run, "BM_sum/64")
    assert latency(own).tolist() == [row["real_time"] for row in rows]
    assert [series.batch for series in own.series_of("latency")] == [rows[0]["iterations"]]
    assert {series.kind for series in own.series} == {"batch_mean"}
    assert own.items == 64
    p95 = own.metrics["latency"].statistic("p95")
    assert p95 is not None
    assert "means over batches" in p95.method
    # Both times are of the clock on the wall and of the CPU, in the unit of the row.
    threads = result(run, "BM_threads/threads:2")
    assert threads.params["threads"] == 2
    micro = [row for row in tree["benchmarks"] if row["run_name"] == threads.benchmark]
    assert latency(threads)[0] == pytest.approx(micro[0]["real_time"] * 1e3)
    broken = result(run, "BM_broken")
    assert (broken.status, broken.reason) == ("failed", "no input")


def test_aggregates_of_google_benchmark_are_taken_only_where_there_is_nothing_else() -> None:
    run = read("google_benchmark_aggregates.json")
    own = result(run, "BM_sum/64")
    tree = json.loads((FILES / "google_benchmark_aggregates.json").read_text())
    mean = next(row for row in tree["benchmarks"] if row["name"] == "BM_sum/64_mean")
    summary = own.metrics["latency"].summary
    assert summary is not None
    assert summary.count == 3
    assert summary.mean == mean["real_time"]
    assert own.series == ()


def test_each_run_of_hyperfine_is_a_process() -> None:
    run = read("hyperfine.json")
    times = json.loads((FILES / "hyperfine.json").read_text())["results"][1]["times"]
    own = result(run, "sleep 0.01")
    assert latency(own).tolist() == pytest.approx([time * 1e9 for time in times])
    summary = own.metrics["latency"].summary
    assert summary is not None
    assert summary.scope == f"{len(times)} processes"
    assert {series.kind for series in own.series} == {"event"}
    user = own.metrics["user_time"].summary
    assert user is not None
    assert user.count == len(times)
    too_short = result(run, "named")
    assert too_short.status == "failed"
    assert "--shell=none" in (too_short.reason or "")


def test_failed_commands_of_hyperfine_are_told_and_parameters_are_numbers() -> None:
    own = result(read("hyperfine_failing.json"), "false 1")
    assert own.params == {"delay": 1, "tool": "hyperfine"}
    assert any("4 of 4" in note for note in own.notes)


def test_rounds_of_pytest_benchmark_are_means_over_their_iterations() -> None:
    run = read("pytest_benchmark.json")
    tree = json.loads((FILES / "pytest_benchmark.json").read_text())
    for benchmark in tree["benchmarks"]:
        own = result(run, benchmark["fullname"])
        stats = benchmark["stats"]
        assert latency(own) == pytest.approx(np.array(stats["data"]) * 1e9)
        (series,) = own.series
        assert series.batch == stats["iterations"]
        assert series.kind == ("event" if stats["iterations"] == 1 else "batch_mean")
    (system,) = run.systems.values()
    assert isinstance(system.python, dict)
    assert system.python["version"] == tree["machine_info"]["python_version"]


def test_without_data_what_pytest_benchmark_states_is_shown_and_told() -> None:
    (own,) = read("pytest_benchmark_without_data.json").results
    tree = json.loads((FILES / "pytest_benchmark_without_data.json").read_text())
    stats = tree["benchmarks"][0]["stats"]
    p50 = own.metrics["latency"].statistic("p50")
    assert p50 is not None
    assert p50.value == pytest.approx(stats["median"] * 1e9)
    assert (p50.low, p50.high) == (None, None)
    assert own.metrics["latency"].statistic("p99") is None
    assert any("--benchmark-save-data" in note for note in own.notes)


@pytest.mark.parametrize("name", ["pyperf.json", "pyperf.json.gz"])
def test_each_run_of_pyperf_with_values_is_a_process(name: str) -> None:
    run = read(name)
    own = result(run, "sum")
    assert len(own.series) == 3
    assert {series.kind for series in own.series} == {"batch_mean"}
    assert all(len(series.columns["latency"]) == 4 for series in own.series)
    if name == "pyperf.json":
        tree = json.loads((FILES / name).read_text())
        values = [
            value for each in tree["benchmarks"][0]["runs"] for value in each.get("values", [])
        ]
        assert latency(own).tolist() == pytest.approx([value * 1e9 for value in values])
        assert own.series[0].batch == tree["benchmarks"][0]["metadata"]["loops"]


def test_memory_of_pyperf_is_no_time() -> None:
    (own,) = read("pyperf_memory.json").results
    assert own.metrics["memory"].unit == "B"
    assert own.metrics["memory"].primary
    assert "latency" not in own.metrics


def test_cases_of_asv_have_their_parameters_and_units() -> None:
    run = read("asv/machine/33354c90-existing.json")
    cases = [each for each in run.results if each.benchmark == "b.TimeSuite.time_sum"]
    assert [(each.params["n"], each.params["mode"]) for each in cases] == [
        (10, "a"),
        (10, "b"),
        (1000, "a"),
        (1000, "b"),
    ]
    tree = json.loads((FILES / "asv/machine/33354c90-existing.json").read_text())
    row = dict(zip(tree["result_columns"], tree["results"]["b.TimeSuite.time_sum"], strict=False))
    assert latency(cases[2]) == pytest.approx(np.array(row["samples"][2]) * 1e9)
    assert result(run, "b.time_fails").status == "failed"
    assert result(run, "b.peakmem_x").metrics["memory"].unit == "B"


def test_asv_without_its_list_of_benchmarks_has_units_by_name(tmp_path: Path) -> None:
    source = FILES / "asv/machine/33354c90-existing.json"
    alone = tmp_path / "alone.json"
    # asv writes NaN, which is no JSON, for a case that was skipped.
    alone.write_text(source.read_text().replace("[[9.515001693216618e-07,", "[[NaN,"))
    run = sp.import_results(alone)
    cases = [each for each in run.results if each.benchmark == "b.TimeSuite.time_sum"]
    assert cases[0].params == {"param1": 10, "param2": "a", "tool": "asv"}
    assert cases[0].status == "skipped"
    assert cases[1].metrics["latency"].unit == "ns"


def test_samples_of_criterion_are_means_over_batches_that_grow() -> None:
    run = read("criterion")
    assert [each.benchmark for each in run.results] == [
        "fib 10",
        "flat/sleep",
        "sum/of/iter/16",
        "sum/of/iter/4096",
    ]
    own = result(run, "sum/of/iter/16")
    with (FILES / "criterion/sum_of/iter/16/new/raw.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    counts = [int(row["iteration_count"]) for row in rows]
    sums = [float(row["sample_measured_value"]) for row in rows]
    (series,) = own.series_of("latency")
    assert series.kind == "batch_mean"
    assert series.columns["iterations"].tolist() == counts
    assert series.columns["latency"] == pytest.approx(np.divide(sums, counts))
    assert (own.items, own.item_unit) == (128, "B")
    # All bytes over all the time, however unlike the batches are.
    rate = own.metrics["throughput"].mean
    assert rate is not None
    assert rate.value == pytest.approx(128e9 * sum(counts) / sum(sums))
    assert own.notes == ()
    flat = result(run, "flat/sleep").series_of("latency")[0]
    assert flat.batch == 28
    assert "iterations" not in flat.columns


def test_a_baseline_of_criterion_is_chosen_by_name() -> None:
    first = latency(result(read("criterion", baseline="first"), "fib 10"))
    latest = latency(result(read("criterion"), "fib 10"))
    base = latency(result(read("criterion", baseline="base"), "fib 10"))
    assert len(first) == len(latest) == len(base)
    with pytest.raises(sp.InvalidParameter, match=r"(?s)baseline.*'other'.*first"):
        read("criterion", baseline="other")
    with pytest.raises(sp.InvalidParameter, match="baseline"):
        read("hyperfine.json", baseline="first")


def test_an_old_tree_of_criterion_is_read_and_its_unit_told_as_assumed(tmp_path: Path) -> None:
    tree = made_files.write_old_criterion(tmp_path, [10.0, 20.0], [1000.0, 2100.0])
    (own,) = sp.import_results(tree).results
    assert latency(own).tolist() == [100.0, 105.0]
    assert any("nanoseconds" in note for note in own.notes)


def test_a_criterion_tree_in_another_unit_is_no_time(tmp_path: Path) -> None:
    tree = made_files.write_old_criterion(tmp_path, [10.0, 20.0], [1000.0, 2100.0])
    (tree / "old/new/raw.csv").write_text(
        "group,function,value,throughput_num,throughput_type,sample_measured_value,unit,"
        "iteration_count\nold,,,,,1000,cycles,10\n"
    )
    (own,) = sp.import_results(tree).results
    assert own.metrics["value"].unit == "cycles"
    assert "latency" not in own.metrics


@pytest.mark.parametrize(
    "filename",
    ["results.json-bin/0.bin", "some/other/place/results.json-bin/0.bin", None],
    ids=["relative to the file", "relative to where it ran", "none"],
)
def test_samples_of_nvbench_lie_beside_the_file(tmp_path: Path, filename: str | None) -> None:
    run = sp.import_results(made_files.write_nvbench(tmp_path, filename))
    own, skipped = run.results
    assert own.backend == "cuda"
    assert own.params == {"T": "I32", "Elements": 1048576, "tool": "nvbench"}
    assert (skipped.status, skipped.reason) == ("skipped", "Not enough memory")
    summary = own.metrics["latency"].summary
    assert summary is not None
    assert summary.mean == pytest.approx(3000, rel=1e-6)
    assert summary.count == 5
    if filename is not None:
        assert latency(own) == pytest.approx([1000, 2000, 3000, 4000, 5000], rel=1e-6)
    else:
        assert own.series == ()
        assert any("--jsonbin" in note for note in own.notes)
    assert next(iter(run.systems.values())).gpus[0]["name"] == "NVIDIA H200"


@pytest.mark.parametrize("old", [None, 90])
def test_gungraun_has_counts_without_an_interval(tmp_path: Path, old: int | None) -> None:
    path = tmp_path / "summary.json"
    counts = {
        "L1hits": made_files.difference(200, old),
        "Ir": made_files.difference(100, old),
        "gone": {"metrics": {"Right": {"Int": 5}}, "diffs": None},
    }
    path.write_text(json.dumps(made_files.gungraun_document(counts)))
    (own,) = sp.import_results(path).results
    assert own.benchmark == "b::group::sum::short"
    assert set(own.metrics) == {"instructions", "L1hits"}
    p50 = own.metrics["instructions"].statistic("p50")
    assert p50 is not None
    assert (p50.value, p50.low) == (100, None)
    assert own.metrics["instructions"].primary


def test_files_of_one_form_are_processes_of_one_result(tmp_path: Path) -> None:
    paths = []
    for number in range(3):
        path = tmp_path / f"{number}.json"
        path.write_bytes((FILES / "google_benchmark.json").read_bytes())
        paths.append(path)
    own = result(sp.import_results(paths), "BM_sum/64")
    summary = own.metrics["latency"].summary
    assert summary is not None
    assert summary.scope == "3 processes"
    assert len({series.process for series in own.series}) == 3


def test_files_of_several_tools_make_one_run() -> None:
    run = sp.import_results([FILES / "hyperfine.json", FILES / "pyperf.json"])
    assert {each.params["tool"] for each in run.results} == {"hyperfine", "pyperf"}
    assert [source["tool"] for source in run.document["imported"]["files"]] == [
        "hyperfine",
        "pyperf",
    ]


# What is refused.

WRONG = {
    "empty": (b"", "empty"),
    "no JSON": (b"hello", "truncated or not JSON"),
    "truncated": (b'{"benchmarks": [', "truncated or not JSON"),
    "a list": (b"[1]", "not the output of a known benchmark tool"),
    "unknown": (b'{"something": 1}', "'something'"),
    "nothing measured": (b'{"context": {}, "benchmarks": []}', "no benchmarks"),
    "wrong type": (b'{"context": {}, "benchmarks": [{"name": 5}]}', "benchmarks"),
    "unit": (
        b'{"context": {}, "benchmarks": [{"name": "a", "real_time": 1, "time_unit": "h"}]}',
        "'h'",
    ),
    "negative": (b'{"results": [{"command": "a", "times": [-1]}]}', "negative"),
    "infinite": (b'{"results": [{"command": "a", "times": [Infinity]}]}', "results"),
    "overflowing": (b'{"results": [{"command": "a", "times": [1e300]}]}', "a: latency|magnitude"),
    "twice": (b'{"results": [{"command": "a", "times": [1]}, {"command": "a"}]}', "twice"),
    "run file": (b'{"schema": "stratoperf.run/1", "results": []}', "run file already"),
    "divan": ("Timer precision: 20 ns\nb  fastest │ slowest │ median".encode(), "divan"),
    "gzip of nothing": (b"\x1f\x8b\x08\x00", "truncated"),
    "gzip of noise": (b"\x1f\x8bnoise", "gzip"),
    "old pyperf": (b'{"version": 6, "benchmarks": []}', "pyperf convert"),
    "old gungraun": (b'{"version": "2", "module_path": "a", "callgrind_summary": {}}', "'2'"),
    "old asv": (b'{"version": 1, "result_columns": [], "results": {}}', "asv update"),
}


@pytest.mark.parametrize(("content", "words"), WRONG.values(), ids=WRONG)
def test_a_file_that_is_none_is_refused_with_its_name(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "wrong.json"
    path.write_bytes(content)
    with pytest.raises(sp.SchemaError, match=rf"wrong\.json.*({words})"):
        sp.import_results(path)


def test_a_bomb_of_gzip_is_refused_before_it_bursts(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "bomb.json.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(140):
            file.write(bytes(1 << 20))
    with pytest.raises(sp.SchemaError, match="128 MiB"):
        sp.import_results(path)


def test_a_folder_without_measurements_is_refused(tmp_path: Path) -> None:
    with pytest.raises(sp.SchemaError, match="target/criterion"):
        sp.import_results(tmp_path)


def test_no_files_are_refused() -> None:
    with pytest.raises(sp.InvalidParameter, match="files"):
        sp.import_results([])


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../secret-bin/0.bin", "secret/0.bin", "x-bin/..", "0.bin", "", "a-bin/\0"],
)
def test_paths_in_a_file_stay_beside_it(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret-bin").mkdir()
    (tmp_path / "secret-bin/0.bin").write_bytes(bytes(20))
    with pytest.raises(sp.SchemaError, match=r"samples|cannot read"):
        sp.import_results(made_files.write_nvbench(inner, name))


@pytest.mark.parametrize("link", ["folder", "file"])
def test_samples_behind_a_symbolic_link_are_refused(tmp_path: Path, link: str) -> None:
    path = made_files.write_nvbench(tmp_path)
    own = tmp_path / "results.json-bin"
    target = own if link == "folder" else own / "0.bin"
    moved = tmp_path / "elsewhere"
    target.rename(moved)
    target.symlink_to(moved)
    with pytest.raises(sp.SchemaError, match="symbolic link"):
        sp.import_results(path)


def test_samples_of_another_size_are_refused(tmp_path: Path) -> None:
    path = made_files.write_nvbench(tmp_path)
    (tmp_path / "results.json-bin/0.bin").write_bytes(bytes(18))
    with pytest.raises(sp.SchemaError, match=r"expected 5 numbers.*18 bytes"):
        sp.import_results(path)


def test_a_claim_about_a_tail_is_not_judged_by_means_over_batches() -> None:
    """The claim of consensus speaks of single rounds, whatever a crate calls its benchmark."""
    from stratoperf.running import all_claims

    run = read("criterion")
    document = json.loads(json.dumps(dict(run.document), default=lambda array: array.tolist()))
    own = document["results"][0]
    own |= {"benchmark": "consensus.round", "backend": "cuda"}
    own["params"] |= {"votes": 10_000, "byzantine": 0.33}

    def verdicts(kind: str) -> set[str]:
        for series in own["series"]:
            series["kind"] = kind
        rows = [row for row in all_claims(Run(document)).rows if row.key == own["key"]]
        assert rows
        return {f"{row.verdict}: {row.why}" for row in rows}

    assert any("single events" in words for words in verdicts("batch_mean"))
    assert not any("single events" in words for words in verdicts("event"))


def test_the_message_for_an_unknown_file_names_every_tool() -> None:
    for tool in (
        "Google",
        "pytest",
        "hyperfine",
        "pyperf",
        "nvbench",
        "asv",
        "Gungraun",
        "criterion",
    ):
        assert tool in KNOWN
