"""Benchmarks that close descriptors of others: no number is trusted that may name their files."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from stratoperf.running.kept_descriptor import DescriptorLost, KeptDescriptor
from wording import mentions

PROGRAM = textwrap.dedent(
    """
    import os, sys
    import stratoperf as sp

    # Out of reach of what the benchmark closes.
    report = os.dup2(os.open("report", os.O_CREAT | os.O_WRONLY), 300)
    files = []

    def take_over(first):
        os.closerange(first, 256)
        while len(files) < 64:
            files.append(os.open(f"theirs/{{len(files)}}", os.O_CREAT | os.O_RDWR))
            os.write(files[-1], b"theirs")

    @sp.benchmark("a.taking")
    def taking():
        {does}
        return lambda: None

    sp.benchmark("b.good")(lambda: lambda: None)
    run = sp.run(["a.taking", "b.good"], preset="ci", warmup_s=0, duration_s=0.02)
    for result in run.results:
        said = [note for note in result.notes if note.startswith("the benchmark ")]
        os.write(report, f"{{result.status}} {{' '.join(said)}}\\n".encode())
    """
)


@pytest.mark.parametrize(
    ("does", "lost"),
    [
        ("take_over(3)", []),
        ("take_over(0)", ["sys.stdin", "sys.stdout", "sys.stderr"]),
        ("os.close(2); take_over(3); os.dup2(files[0], 2)", ["sys.stderr"]),
        ("take_over(3); os.dup2(files[0], 1)", ["sys.stdout"]),
        ("sys.stderr.close(); take_over(2)", ["sys.stderr"]),
        ("os.chdir('theirs'); os.chdir('..'); take_over(3); os.chdir('/')", ["working directory"]),
    ],
)
def test_what_cannot_be_put_back_is_said_and_no_file_of_others_is_written(
    tmp_path: Path, does: str, lost: list[str]
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(does=does)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.returncode == 0, ended
    bad, good = (tmp_path / "report").read_text().splitlines()
    assert bad.startswith("ok")
    assert good.strip() == "ok"
    assert (mentions(bad, "put", "back")) == bool(lost), bad
    assert all(name in bad for name in lost), bad
    for path in theirs.iterdir():
        assert path.read_text() == "theirs"


def test_a_descriptor_is_ours_while_it_names_the_same_file(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for path in (ours, theirs):
        path.touch()
    kept = KeptDescriptor(os.open(ours, os.O_RDONLY))
    kept.check("ours")
    assert kept.is_ours()
    os.close(kept.number)
    assert not kept.is_ours()
    number = os.open(theirs, os.O_RDONLY)
    assert number == kept.number
    with pytest.raises(DescriptorLost, match="ours"):
        kept.check("ours")
    kept.close()
    os.close(number)
