"""``stratoperf import`` and ``stratoperf export``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import stratoperf as sp

Command = Callable[..., Any]


def export_of_hyperfine(path: Path, factor: float = 1.0) -> Path:
    times = [factor * (0.1 + 0.001 * number) for number in range(12)]
    path.write_text(json.dumps({"results": [{"command": "sort words", "times": times}]}))
    return path


def test_an_import_is_shown_saved_and_compared(stratoperf: Command, tmp_path: Path) -> None:
    for side, factor in (("before", 1.0), ("after", 2.0)):
        files = [export_of_hyperfine(tmp_path / f"{side}-{n}.json", factor) for n in range(3)]
        ending = stratoperf("import", *map(str, files), "--output", f"{side}.json")
        assert ending.code == 0
        assert "sort words" in ending.out
        assert f"saved: {side}.json" in ending.out
    assert stratoperf("check", "--baseline", "before.json", "--current", "after.json").code == 1
    assert stratoperf("check", "--baseline", "before.json", "--current", "before.json").code == 0


def test_an_import_speaks_json(stratoperf: Command, tmp_path: Path) -> None:
    path = export_of_hyperfine(tmp_path / "a.json")
    document = json.loads(stratoperf("import", str(path), "--output", "r.json", "--json").out)
    assert document == {"path": "r.json", "results": 1, "lost": {"a.json (hyperfine)": []}}


def test_what_cannot_be_imported_leaves_an_older_file_alone(
    stratoperf: Command, tmp_path: Path
) -> None:
    path = export_of_hyperfine(tmp_path / "a.json")
    stratoperf("import", str(path), "--output", "r.json")
    before = Path("r.json").read_bytes()
    (tmp_path / "b.json").write_text("{")
    ending = stratoperf("import", str(path), str(tmp_path / "b.json"), "--output", "r.json")
    assert ending.code == 2
    assert "b.json" in ending.err
    assert Path("r.json").read_bytes() == before


def test_wrong_usage_of_both_is_told(stratoperf: Command, tmp_path: Path) -> None:
    path = export_of_hyperfine(tmp_path / "a.json")
    for arguments, word in (
        (("import", "--output", "r.json"), "FILE"),
        (("import", str(path)), "--output"),
        (("import", "missing.json", "--output", "r.json"), "missing.json"),
        (("import", str(path), "--output", str(tmp_path)), "directory"),
        (("export", "missing.json", "--format", "csv"), "missing.json"),
        (("export", str(path), "--format", "csv"), "a.json"),
        (("export", str(path), "--format", "word"), "word"),
    ):
        ending = stratoperf(*arguments)
        assert ending.code == 2, arguments
        assert word in ending.err
        assert "Traceback" not in ending.err


def test_an_export_goes_to_stdout_or_to_a_file(stratoperf: Command, tmp_path: Path) -> None:
    path = export_of_hyperfine(tmp_path / "a.json")
    run = sp.import_results(path)
    run.save("r.json")
    printed = stratoperf("export", "r.json", "--format", "csv")
    assert printed.code == 0
    ending = stratoperf("export", "r.json", "--format", "csv", "--output", "out/r.csv")
    assert ending.code == 0
    assert "saved: out/r.csv" in ending.err
    assert Path("out/r.csv").read_bytes().decode().splitlines() == printed.out.splitlines()
    refused = stratoperf("export", "r.json", "--format", "csv", "--output", "r.json")
    assert refused.code == 2
    assert "--output" in refused.err
