"""Artifacts in one process: what they hold, what tells them apart, and what goes wrong."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.artifacts import building, content, shelf
from stratoperf.artifacts.keys import digest_of
from wording import mentions, says

KEY = bytes(content.KEY_BYTES)

CONTENTS: dict[str, Any] = {
    "bytes": b"abc\0",
    "no bytes": b"",
    "integers": np.arange(1000, dtype=np.int32),
    "nothing": np.empty((0, 3)),
    "a number": np.array(7.5),
    "columns": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "every other": np.arange(20)[::2],
    "fields": np.array([(1, b"x", (2, 3))], [("a", ">i2"), ("b", "S3"), ("c", "f4", (2,))]),
    "dates": np.array(["2020-01-01"], "M8[D]"),
    "several": {"a": np.arange(5000.0), "b": b"x" * 5000, "\u00e9'": np.zeros(3, bool)},
    "none": {},
}


@pytest.fixture(autouse=True)
def _no_descriptor_is_left() -> Iterator[None]:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    yield
    assert count() == before


@pytest.fixture(params=["memory", "file"])
def _kind_of_file(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in an interpreter that was built for a system without files in memory."""
    if request.param == "file":
        monkeypatch.delattr(os, "memfd_create")


def is_equal(one: Any, other: Any) -> Any:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_equal(one[name], other[name]) for name in one)
    if isinstance(one, bytes):
        return one == other
    return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())


def arrays_of(made: Any) -> list[Any]:
    parts = made.values() if isinstance(made, dict) else [made]
    return [part for part in parts if isinstance(part, np.ndarray)]


@pytest.mark.usefixtures("_kind_of_file")
@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("made", CONTENTS.values(), ids=CONTENTS)
def test_what_is_built_comes_back_equal_and_read_only(made: Any, mapped: bool) -> None:
    result = sp.artifact("x", build=lambda: made, mapped=mapped)
    assert is_equal(result, made)
    for array, original in zip(arrays_of(result), arrays_of(made), strict=True):
        assert not np.shares_memory(array, original)
        assert not array.flags.writeable
        if original.flags.f_contiguous:
            assert array.flags.f_contiguous
        if mapped and array.size:
            with pytest.raises(ValueError, match="WRITEABLE"):
                array.flags.writeable = True


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (None, "NoneType"),
        ("text", "str"),
        ([1], "list"),
        (np.array([object()]), "objects"),
        (np.ma.array([1], mask=[True]), "MaskedArray"),
        ({"a": 1}, "'a'"),
        ({1: b""}, "1"),
    ],
)
def test_what_an_artifact_cannot_hold_is_refused_with_the_remedy(made: Any, named: str) -> None:
    with pytest.raises(sp.InvalidParameter, match=rf"(?s)^build: .*{named}.*return bytes"):
        sp.artifact(build=lambda: made)


def test_build_must_be_a_function() -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^build: .*'corpus'"):
        sp.artifact("x", build="corpus")  # type: ignore[arg-type]


@pytest.mark.parametrize("part", [object(), Path("x"), {1, 2}, np.array([object()]), [[object()]]])
def test_a_key_that_differs_between_processes_is_refused(part: object) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("key[1]", "digest", "file")):
        sp.artifact("x", part, build=lambda: b"")


def made() -> bytes:
    return b""


def test_different_keys_have_different_digests() -> None:
    parts: list[Any] = [None, 0, False, 0.0, -0.0, "0", b"0", "", [], {}, [0], [[]], [0, 0]]
    arrays = [np.zeros(2, kind) for kind in ("i4", "u4", "f4")]
    keys: list[list[object]] = [
        *[[part] for part in [*parts, *arrays]],
        [np.zeros((2, 1), "i4")],
        ["ab", "c"],
        ["a", "bc"],
        [{"a": 1}],
        [{"a": 2}],
        [],
    ]
    assert len({digest_of(key, made) for key in keys}) == len(keys)
    assert digest_of([{"a": 1, "b": 2}], made) == digest_of([{"b": 2, "a": 1}], made)
    assert digest_of([np.int64(5)], made) == digest_of([np.array(5)], made)


def test_what_a_function_takes_from_around_it_is_a_part_of_the_key() -> None:
    def maker(size: int) -> Callable[[], bytes]:
        return lambda: bytes(size)

    assert digest_of(["x"], maker(1)) != digest_of(["x"], maker(2))
    assert digest_of(["x"], maker(1)) == digest_of(["x"], maker(1))
    assert digest_of(["x"], made) != digest_of(["x"], maker(1))


def test_nobody_can_change_or_cut_off_what_is_stored() -> None:
    descriptor = content.stored(np.arange(10), KEY)
    try:
        for change in (
            lambda: os.pwrite(descriptor, b"x", 5000),
            lambda: os.ftruncate(descriptor, 0),
            lambda: os.ftruncate(descriptor, 1 << 20),
        ):
            with pytest.raises(PermissionError):
                change()
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("place", ["head", "table", "last", "end"])
def test_altered_content_is_never_used(
    place: str, mapped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without seals, as in an interpreter that was built for an old system.
    monkeypatch.delattr(os, "memfd_create")
    descriptor = content.stored({"a": np.arange(3000)}, KEY)
    size = os.fstat(descriptor).st_size
    copy = tmp_path / "copy"
    copy.write_bytes(os.pread(descriptor, size, 0))
    os.close(descriptor)
    with copy.open("r+b", buffering=0) as file:
        if place == "end":
            file.truncate(size - 1)
        else:
            file.seek({"head": 1, "table": 110, "last": size - 1}[place])
            file.write(b"\x55")
        with pytest.raises(sp.StratoperfError, match=says("artifact:", "changed", "built")):
            content.loaded(file.fileno(), mapped=mapped)


@pytest.mark.parametrize("call", ["pwrite", "memfd_create"])
def test_without_room_the_work_goes_on_with_what_was_built(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    result = sp.artifact("x", build=lambda: np.arange(3))
    assert result.tolist() == [0, 1, 2]
    assert not result.flags.writeable


def test_what_would_fill_the_memory_is_not_stored_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from stratoperf.monitor import memory

    monkeypatch.setattr(memory, "free_bytes", lambda: 100)
    monkeypatch.setattr(building, "stored", lambda *_: pytest.fail("it was stored"))
    assert sp.artifact("x", build=lambda: bytes(60)) == bytes(60)


def test_an_error_of_the_function_passes() -> None:
    def build() -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sp.artifact("x", build=build)


def handed_on(kept: shelf.Shelf, *, again: bool = False) -> shelf.Reach:
    """Return what a worker has of a shelf, as if it had inherited the descriptors."""
    _, variables = kept.handed(again=again)
    word, *numbers = variables[shelf.VARIABLE].split(",")
    reach = shelf.Reach()
    reach.take(",".join([word, *(str(os.dup(int(number))) for number in numbers)]))
    return reach


def drop(reach: shelf.Reach) -> None:
    for descriptor in reach._known.values():
        os.close(descriptor)
    assert reach._socket is not None
    reach._socket.close()


def test_of_two_builders_the_first_is_kept_and_its_death_changes_nothing() -> None:
    with shelf.Shelf() as kept:
        builders = [handed_on(kept), handed_on(kept)]
        for builder, made in zip(builders, (b"first", b"second"), strict=True):
            assert builder.find(KEY) is None
            assert builder.add(KEY, content.stored(made, KEY))
            assert builder.end_set_up()
            drop(builder)
        later = handed_on(kept)
        descriptor = later.find(KEY)
        assert descriptor is not None
        assert content.loaded(descriptor, mapped=False) == b"first"
        assert not later.end_set_up()
        drop(later)


def test_what_is_built_again_in_the_set_up_is_not_shared_and_said() -> None:
    with shelf.Shelf() as kept:
        builder = handed_on(kept, again=True)
        assert builder.add(KEY, content.stored(b"x", KEY))
        assert builder.end_set_up()
        assert any(mentions(note, "leave", "key") for note in builder.notes)
        drop(builder)
        later = handed_on(kept)
        assert later.find(KEY) is None
        drop(later)


def test_more_artifacts_than_descriptors_allow_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shelf, "MOST_ARTIFACTS", 2)
    with shelf.Shelf() as kept:
        builder = handed_on(kept)
        for number in range(3):
            key = bytes([number]) * content.KEY_BYTES
            assert builder.add(key, content.stored(b"x", key))
        drop(builder)
        later = handed_on(kept)
        assert len(later._known) == 2
        drop(later)
