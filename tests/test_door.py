"""What comes from outside is read within limits, or refused in one sentence."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from stratoperf import door
from stratoperf.errors import SchemaError
from wording import says

REFUSED = [
    (b"", "empty"),
    (b" \n\t", "empty"),
    (b"\xff", "byte 0 is not valid UTF-8"),
    (b'{"a": "\xff"}', "byte 7 is not valid UTF-8"),
    (b'{"\xed\xa0\x80": 1}', "not valid UTF-8"),
    (b'"\\ud800"', "JSON"),
    (b"[1, NaN]", "JSON"),
    (b"[1e400]", "out of range"),
    (b"[" * 100_000, "nested"),
    (b"[" * 51 + b"]" * 51 + b"]", "JSON"),
    (b"[" * 52 + b"]" * 52, "nested more than 50"),
    (b'{"a":' * 1000 + b"1" + b"}" * 1000, "nested more than 50"),
    (b'{"a": [0, 1' + b"0" * 400 + b"]}", r"a\[1\]: .*1329 bits"),
    (b'{"a": {"b": 18446744073709551616}}', "a.b: .*65 bits"),
    (b"[" + b"9" * 5000 + b"]", "out of range"),
    (b'{"' + b"k" * 1_000_000 + b'": 1}', "k…: the key has 1000000 characters"),
    (b"[" + b"{}," * 600_000 + b"{}]", "500,000 objects"),
    (b"[" + b"1," * 5_000_000 + b"1]", "4,000,000 values"),
]


@pytest.mark.parametrize(("content", "message"), REFUSED, ids=range(len(REFUSED)))
def test_refuses_json_that_is_malformed_or_beyond_the_limits(content: bytes, message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        door.parse_json(content, "a.json")
    assert str(caught.value).startswith("a.json: ")
    assert len(str(caught.value)) < 500


def test_refuses_more_bytes_than_the_limit_without_parsing_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(door, "LARGEST_JSON", 3 << 20)
    with pytest.raises(SchemaError, match="more than 3 MiB"):
        door.parse_json(b"0" * (3 << 20) + b"0", "a.json")


def test_refuses_nesting_however_little_of_the_stack_is_left() -> None:
    def deeper(levels: int) -> None:
        if levels:
            deeper(levels - 1)
        else:
            with pytest.raises(SchemaError, match="nested"):
                door.parse_json(b"[" * 900, "a.json")

    deeper(sys.getrecursionlimit() // 2)


def test_accepts_everything_up_to_the_limits() -> None:
    integers = f"[{door.SMALLEST_INTEGER}, {door.LARGEST_INTEGER}]"
    nested = "[" * 50 + "]" * 50
    text = f'{{"{"k" * 1000}": {integers}, "": "\\u0000\\ud83d\\ude00", "deep": [0.5, {nested}]}}'
    tree = door.parse_json(text.replace(nested, nested[1:-1]).encode(), "a.json")
    assert tree["k" * 1000] == [door.SMALLEST_INTEGER, door.LARGEST_INTEGER]
    assert tree[""] == "\0\U0001f600"


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        ({"a": ["fine", "\ud800"]}, r"^results\[3\].a\[1\]: .*surrogate"),
        ({"\udcff": 1}, "surrogate"),
        ({"a": (1, 2.0, -(2**63) - 1)}, r"a\[2\]: .*64 bits"),
        ([[2**64, True]], r"\[0\]\[0\]: .*65 bits"),
    ],
)
def test_names_the_place_of_what_cannot_be_saved(tree: object, place: str) -> None:
    with pytest.raises(SchemaError, match=place) as caught:
        door.check_tree(tree, "results[3]")
    # The message itself can be printed.
    str(caught.value).encode(errors="backslashreplace")


def test_reads_a_file_as_large_as_the_limit_and_none_larger(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert door.read_bytes(path, 5) == b"12345"
    with pytest.raises(SchemaError, match=says("a:", "4 bytes")):
        door.read_bytes(path, 4)


def test_bounds_files_whose_size_is_not_known() -> None:
    assert door.read_bytes("/proc/self/maps", 1 << 24)
    with pytest.raises(SchemaError, match="10 bytes"):
        door.read_bytes("/proc/self/maps", 10)


def test_opens_nothing_but_regular_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "loop").symlink_to("loop")
    opened = []
    is_listening = True

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        if is_listening and event == "open":
            opened.append(arguments)

    sys.addaudithook(listen)
    for name, message in (
        ("pipe", "named pipe"),
        ("link", "named pipe"),
        ("loop", "symbolic links"),
        (".", "directory"),
        ("/dev/zero", "device"),
        ("missing", "No such file"),
        ("a\0b", "null byte|NUL"),
        ("n" * 300, "too long"),
    ):
        with pytest.raises(SchemaError, match=message):
            door.read_bytes(tmp_path / name, 10)
    is_listening = False
    assert opened == []


def test_follows_a_link_only_where_the_user_named_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "link").symlink_to("file")
    assert door.read_bytes(tmp_path / "link", 10) == b"1"
    with pytest.raises(SchemaError, match=says("link:", "symbolic", "link")):
        door.read_bytes(tmp_path / "link", 10, follow_links=False)
