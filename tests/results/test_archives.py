"""Arrays beside a run file: nothing is unpacked before it is known to be harmless."""

from __future__ import annotations

import io
import os
import resource
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.results import Run, archives
from stratoperf.results.archives import open_archive
from stratoperf.results.columns import digest
from stratoperf.results.files import write_arrays
from stratoperf.results.storage import MOST_INLINE_SAMPLES, encode
from wording import says

Tree = dict[str, Any]

DOUBLES = "{'descr': '<f8', 'fortran_order': False, 'shape': (%s,), }"


def npy(header: str, data: bytes = bytes(80), version: bytes = b"\1\0") -> bytes:
    text = header.encode() + b"\n"
    width = 2 if version == b"\1\0" else 4
    return b"\x93NUMPY" + version + len(text).to_bytes(width, "little") + text + data


def zipped(
    *members: tuple[str, bytes], method: int = zipfile.ZIP_STORED, changes: bytes = b""
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue() + changes


def patched(content: bytes, mark: bytes, offset: int, value: bytes) -> bytes:
    at = content.index(mark) + offset
    return content[:at] + value + content[at + len(value) :]


GOOD = zipped(("a.npy", npy(DOUBLES % 10)))
FLAGS = 8
BOTH_NAMES = zipped(("a.npy", npy(DOUBLES % 10)), ("b.npy", npy(DOUBLES % 10))).replace(
    b"b.npy", b"a.npy"
)

REFUSED: dict[str, tuple[bytes, str]] = {
    "a plain array": (npy(DOUBLES % 10), "not an .npz"),
    "nothing": (b"", "not an .npz"),
    "text": (b"root:x:0:0:root", "not an .npz"),
    "cut off": (GOOD[:-30], "not an .npz"),
    "broken deflate": (
        patched(
            zipped(("a.npy", npy(DOUBLES % 10)), method=zipfile.ZIP_DEFLATED),
            b"a.npy",
            8,
            b"\xff" * 8,
        ),
        "damaged",
    ),
    "a changed byte": (patched(GOOD, b"}\n", 10, b"\1"), "CRC"),
    "shape of 10^12": (zipped(("a.npy", npy(DOUBLES % 10**12))), "1000000000000 numbers"),
    "shape that is too long": (zipped(("a.npy", npy(DOUBLES % 11))), "promises 11"),
    "shape that is too short": (zipped(("a.npy", npy(DOUBLES % 9))), "promises 9"),
    "shape that overflows": (zipped(("a.npy", npy(DOUBLES % ("9" * 40)))), "one dimension"),
    "negative shape": (zipped(("a.npy", npy(DOUBLES % -1))), "one dimension"),
    "two dimensions": (zipped(("a.npy", npy(DOUBLES % "2, 5"))), "one dimension"),
    "no dimension": (zipped(("a.npy", npy(DOUBLES.replace("%s,", "")))), "one dimension"),
    "objects": (zipped(("a.npy", npy((DOUBLES % 10).replace("<f8", "|O")))), "type '|O'"),
    "strings": (zipped(("a.npy", npy((DOUBLES % 10).replace("<f8", "<U2")))), "type '<U2'"),
    "times": (zipped(("a.npy", npy((DOUBLES % 10).replace("<f8", "<M8[ns]")))), "one dimension"),
    "complex": (zipped(("a.npy", npy((DOUBLES % 5).replace("<f8", "<c16")))), "type '<c16'"),
    "big-endian": (zipped(("a.npy", npy((DOUBLES % 10).replace("<f8", ">f8")))), "type '>f8'"),
    "fields": (
        zipped(("a.npy", npy((DOUBLES % 10).replace("'<f8'", "[('x', '<f8')]")))),
        "one dimension",
    ),
    "parentheses": (zipped(("a.npy", npy("(" * 3000))), "one dimension"),
    "a header of 4 GB": (
        zipped(("a.npy", b"\x93NUMPY\2\0" + b"\xff" * 4 + bytes(100))),
        "one dimension",
    ),
    "another version": (zipped(("a.npy", npy(DOUBLES % 10, version=b"\7\0"))), "NumPy"),
    "no array": (zipped(("a.txt", b"hello")), "'a.txt' in it is not an array"),
    "two of one name": (BOTH_NAMES, "two arrays with the same name"),
    "encrypted": (patched(GOOD, b"PK\1\2", FLAGS, b"\1"), "encrypted"),
    "another compression": (
        zipped(("a.npy", npy(DOUBLES % 10)), method=zipfile.ZIP_LZMA),
        "deflate",
    ),
    "two sizes": (patched(GOOD, b"PK\1\2", 24, b"\xff\xff\xff\x00"), "two sizes"),
    "an offset beyond the file": (patched(GOOD, b"PK\1\2", 42, b"\xff\xff\xff\x00"), "overlaps"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_archive_that_is_not_what_we_write_is_refused(what: str, tmp_path: Path) -> None:
    content, says = REFUSED[what]
    path = tmp_path / "a.npz"
    path.write_bytes(content)

    def read() -> None:
        with open_archive(path, follow_links=False) as archive:
            for name in archive.names:
                archive.read(name)

    with pytest.raises(sp.SchemaError) as caught:
        read()
    assert says in str(caught.value)


def test_overlapping_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    content = zipped(("a.npy", npy(DOUBLES % 10)), ("b.npy", npy(DOUBLES % 10)))
    # The second entry of the directory claims the place of the first.
    second = content.index(b"PK\1\2", content.index(b"PK\1\2") + 4)
    path.write_bytes(content[: second + 42] + bytes(4) + content[second + 46 :])
    with (
        pytest.raises(sp.SchemaError, match="overlaps"),
        open_archive(path, follow_links=False),
    ):
        pass


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "u8", "i4", "u4", "i2", "u1"])
def test_arrays_that_numpy_wrote_are_read(method: int, dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    expected = np.arange(200).astype(dtype)
    save = np.savez if method == zipfile.ZIP_STORED else np.savez_compressed
    save(path, a=expected, none=np.empty(0))
    with open_archive(path, follow_links=False) as archive:
        assert archive.names == ["a", "none"]
        np.testing.assert_array_equal(archive.read("a"), expected)
        assert archive.read("a").dtype == expected.dtype
        assert archive.read("none").size == 0


def test_what_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w", force_zip64=True) as member,
    ):
        member.write(npy(DOUBLES % (3 << 27), b""))
        for _ in range(300):
            member.write(bytes(1 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with (
        pytest.raises(sp.SchemaError, match=r"unpack to .* bytes"),
        open_archive(path, follow_links=False),
    ):
        pass
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 << 10


def test_a_directory_of_millions_of_entries_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "many.npz"
    path.write_bytes(zipped(*((f"{number}.npy", b"") for number in range(2000))))
    monkeypatch.setattr(archives, "MOST_ARRAYS", 1000)
    with pytest.raises(sp.SchemaError, match="1000 arrays"), open_archive(path, follow_links=False):
        pass
    monkeypatch.setattr(archives, "_LARGEST_DIRECTORY", 1 << 16)
    with pytest.raises(sp.SchemaError, match="directory"), open_archive(path, follow_links=False):
        pass


def reference(folder: Path, document: Tree, file: str) -> Path:
    """Write a run file whose samples are said to lie in `file`."""
    samples = np.arange(3.0)
    with (folder / "good.npz").open("wb") as archive:
        write_arrays(archive, {"a": samples.copy})
    document["results"][0]["series"][0]["columns"] = {
        "latency": {"file": file, "member": "a", "sha256": digest(samples)}
    }
    path = folder / "run.json"
    path.write_bytes(encode(document))
    return path


OUTSIDE: dict[str, Callable[[Path], str]] = {
    "absolute": lambda folder: str(folder / "good.npz"),
    "climbs": lambda folder: "../outside.npz",
    "climbs and returns": lambda folder: f"../{folder.name}/good.npz",
    "below": lambda folder: "folder/good.npz",
    "device": lambda folder: "/dev/zero",
    "a pipe": lambda folder: "pipe",
    "a folder": lambda folder: "folder",
    "itself": lambda folder: ".",
    "above": lambda folder: "..",
    "nothing": lambda folder: "",
    "a NUL": lambda folder: "good.npz\0",
    "a link out": lambda folder: "link.npz",
    "a link inside": lambda folder: "inside.npz",
    "a link to nothing": lambda folder: "dangling.npz",
    "too long": lambda folder: "n" * 300,
}


@pytest.mark.parametrize("what", OUTSIDE)
def test_nothing_but_a_regular_file_beside_the_run_file_is_opened(
    what: str, document: Tree, tmp_path: Path
) -> None:
    folder = tmp_path / "runs"
    (folder / "folder").mkdir(parents=True)
    os.mkfifo(folder / "pipe")
    path = reference(folder, document, OUTSIDE[what](folder))
    for place in (tmp_path / "outside.npz", folder / "folder/good.npz"):
        place.write_bytes((folder / "good.npz").read_bytes())
    (folder / "link.npz").symlink_to("../outside.npz")
    (folder / "inside.npz").symlink_to("good.npz")
    (folder / "dangling.npz").symlink_to("nowhere")
    run = sp.load(path)
    opened = []
    is_listening = True

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        if is_listening and event == "open" and "site-packages" not in str(arguments[0]):
            opened.append(arguments[0])

    sys.addaudithook(listen)
    for use in (
        lambda: run.results[0].series[0].columns["latency"],
        lambda: run.save(tmp_path / "elsewhere" / "copy.json"),
    ):
        with pytest.raises(sp.SchemaError, match=r"results\[0\].series\[0\].columns.latency"):
            use()
    is_listening = False
    assert [place for place in opened if str(place).endswith((".npz", "pipe", "zero"))] == []


def test_a_file_beside_the_run_file_is_read(document: Tree, tmp_path: Path) -> None:
    run = sp.load(reference(tmp_path, document, "good.npz"))
    np.testing.assert_array_equal(run.results[0].series[0].columns["latency"], [0.0, 1.0, 2.0])


def test_many_samples_leave_the_json_before_it_is_too_large(document: Tree, tmp_path: Path) -> None:
    series = document["results"][0]["series"][0]
    count = MOST_INLINE_SAMPLES // 10_000 + 2
    document["results"][0]["series"] = [
        {**series, "columns": {"latency": np.full(10_000, 2.0)}} for _ in range(count)
    ]
    path = Run(document).save(tmp_path / "run.json")
    again = sp.load(path)
    kinds = [type(entry["columns"]["latency"]) for entry in again.document["results"][0]["series"]]
    assert kinds.count(list) == MOST_INLINE_SAMPLES // 10_000
    assert kinds.count(dict) == 2
    np.testing.assert_array_equal(
        again.results[0].series[-1].columns["latency"], np.full(10_000, 2.0)
    )


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_samples_that_json_has_no_word_for_are_kept(
    odd: float, document: Tree, tmp_path: Path
) -> None:
    document["results"][0]["series"][0]["columns"]["latency"] = np.array([1.0, odd])
    path = Run(document).save(tmp_path / "run.json")
    np.testing.assert_array_equal(sp.load(path).results[0].series[0].columns["latency"], [1.0, odd])


@pytest.mark.parametrize(
    "column",
    [
        np.zeros((2, 2)),
        np.array(["a"]),
        np.array([object()]),
        np.zeros(2, "c16"),
        np.zeros(2, "M8[s]"),
    ],
)
def test_columns_that_could_not_be_read_again_are_refused_before_they_are_saved(
    column: np.ndarray[Any, Any], document: Tree
) -> None:
    document["results"][0]["series"][0]["columns"]["latency"] = column
    with pytest.raises(sp.SchemaError, match=says("columns.latency:", "numbers", "dimension")):
        Run(document)


def test_more_samples_than_can_be_read_are_refused_before_they_are_saved(
    document: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stratoperf.results.validation.MOST_NUMBERS", 10)
    document["results"][0]["series"][0]["columns"]["latency"] = np.zeros(11)
    with pytest.raises(sp.SchemaError, match=says("11 samples", "10")):
        Run(document)
