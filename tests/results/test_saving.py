"""Saving: whole or not at all, long columns beside the run file."""

from __future__ import annotations

import copy
import json
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.results import Run
from stratoperf.results.storage import LONGEST_INLINE_COLUMN
from wording import says

Tree = dict[str, Any]
LONG = LONGEST_INLINE_COLUMN + 1


def with_samples(document: Tree, samples: object) -> Tree:
    document = copy.deepcopy(document)
    document["results"][0]["series"][0]["columns"]["latency"] = samples
    return document


def latency(run: Run) -> Any:
    return run.results[0].series[0].columns["latency"]


@pytest.mark.parametrize(("length", "external"), [(LONG - 1, False), (LONG, True)])
@pytest.mark.parametrize("kind", [np.ndarray.tolist, np.asarray])
def test_only_columns_above_the_limit_go_to_an_npz(
    tmp_path: Path, document: Tree, length: int, external: bool, kind: Any
) -> None:
    samples = np.arange(length) + 0.5
    path = Run(with_samples(document, kind(samples))).save(tmp_path / "run.json")
    assert (tmp_path / "run.npz").exists() == external
    np.testing.assert_array_equal(latency(sp.load(path)), samples)


@pytest.fixture
def saved(tmp_path: Path, document: Tree) -> Path:
    return Run(with_samples(document, np.arange(float(LONG)))).save(tmp_path / "run.json")


def test_references_are_relative_so_that_both_files_can_be_moved(saved: Path) -> None:
    moved = saved.parent / "elsewhere"
    moved.mkdir()
    for file in (saved, saved.with_suffix(".npz")):
        file.rename(moved / file.name)
    assert latency(sp.load(moved / "run.json"))[-1] == LONG - 1


def test_numpy_alone_reads_the_long_columns(saved: Path) -> None:
    column = json.loads(saved.read_text())["results"][0]["series"][0]["columns"]["latency"]
    with np.load(saved.parent / column["file"]) as archive:
        assert len(archive[column["member"]]) == LONG


def test_a_changed_array_is_noticed_when_it_is_used(saved: Path) -> None:
    with np.load(saved.with_suffix(".npz")) as archive:
        arrays = {name: archive[name].copy() for name in archive.files}
    next(iter(arrays.values()))[7] += 1
    np.savez(saved.with_suffix(".npz"), **arrays)
    run = sp.load(saved)
    with pytest.raises(sp.SchemaError, match=says("latency:", "run.npz", "changed")):
        latency(run)


def test_a_missing_array_file_is_named(saved: Path) -> None:
    saved.with_suffix(".npz").unlink()
    with pytest.raises(sp.SchemaError, match=says("run.npz", "missing")):
        latency(sp.load(saved))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut off"])
def test_a_damaged_array_file_is_named(saved: Path, content: bytes) -> None:
    saved.with_suffix(".npz").write_bytes(content)
    with pytest.raises(sp.SchemaError, match=r"run\.npz"):
        latency(sp.load(saved))


def test_a_truncated_array_file_is_named(saved: Path) -> None:
    arrays = saved.with_suffix(".npz")
    arrays.write_bytes(arrays.read_bytes()[:-1000])
    with pytest.raises(sp.SchemaError, match=r"run\.npz"):
        latency(sp.load(saved))


def test_unknown_keys_of_a_reference_survive_a_copy(saved: Path) -> None:
    tree = json.loads(saved.read_text())
    tree["results"][0]["series"][0]["columns"]["latency"]["later"] = 1
    saved.write_text(json.dumps(tree))
    copied = sp.load(saved).save(saved.parent / "copy" / "other.json")
    column = json.loads(copied.read_text())["results"][0]["series"][0]["columns"]["latency"]
    assert (column["later"], column["file"]) == (1, "other.npz")
    assert latency(sp.load(copied))[-1] == LONG - 1


def test_saving_over_another_run_leaves_its_arrays_alone(saved: Path, document: Tree) -> None:
    before = sp.load(saved)
    Run(with_samples(document, np.ones(LONG))).save(saved)
    assert latency(before)[-1] == LONG - 1
    assert latency(sp.load(saved))[-1] == 1


def test_a_file_in_place_of_the_directory_is_named(tmp_path: Path, document: Tree) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(sp.StratoperfError, match=r"cannot write .*file"):
        Run(document).save(tmp_path / "file" / "run.json")


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path: Path, document: Tree) -> None:
    path = Run(document).save(tmp_path / "run.json")
    before = path.read_bytes()
    document["id"] = "x" * 100_000
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(sp.StratoperfError, match=r"cannot write .*run\.json: File too large"):
            Run(document).save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]


def test_a_reader_never_sees_half_a_file(tmp_path: Path, document: Tree) -> None:
    path = tmp_path / "run.json"
    Run(document).save(path)
    program = textwrap.dedent(
        """
        import sys
        import stratoperf as sp
        run = sp.load(sys.argv[1])
        for _ in range(30):
            run.save(sys.argv[1])
        """
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)]) as writer:
        while writer.poll() is None:
            assert len(sp.load(path).results) == 2
    assert writer.returncode == 0
