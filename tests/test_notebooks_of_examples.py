"""The notebooks of `examples/` run again, and give what they show."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "examples" / "notebooks").glob("*.ipynb"))

EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""


def outputs(notebook: Path) -> list[list[str]]:
    """Return the forms of what each cell of code shows."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [
        [form for output in cell["outputs"] for form in output.get("data", output)]
        for cell in cells
        if cell["cell_type"] == "code"
    ]


def shown(notebook: Path) -> list[dict[str, Any]]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [output for cell in cells for output in cell.get("outputs", [])]


def test_there_are_notebooks() -> None:
    assert {notebook.stem for notebook in NOTEBOOKS} == {"claims", "gate", "measure"}


@pytest.mark.slow("measures for as long as the notebook does")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_runs_again(notebook: Path, tmp_path: Path) -> None:
    pytest.importorskip("nbclient", reason="needs nbclient (extra docs)")
    pytest.importorskip("ipykernel", reason="needs ipykernel (extra docs)")
    again = tmp_path / "again.ipynb"
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, str(notebook), str(again)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=550,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert outputs(again) == outputs(notebook)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_is_kept_with_what_it_showed(notebook: Path) -> None:
    assert all(outputs(notebook))
    text = json.dumps(shown(notebook))
    assert "image/svg+xml" in text
    assert '"error"' not in [output["output_type"] for output in shown(notebook)]
