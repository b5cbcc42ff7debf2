from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratoperf.monitor.files import SystemFiles, format_cpu_list, parse_cpu_list


@given(st.sets(st.integers(0, 500)))
def test_a_cpu_list_survives_formatting_and_parsing(cpus: set[int]) -> None:
    assert parse_cpu_list(format_cpu_list(cpus)) == sorted(cpus)


def test_neighboring_cpus_are_joined() -> None:
    assert format_cpu_list([8, 3, 1, 0, 2]) == "0-3,8"


def test_text_that_is_no_cpu_list_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        parse_cpu_list("0-x")


def test_a_missing_file_is_unknown_and_not_an_error(tmp_path: Path) -> None:
    files = SystemFiles(tmp_path)
    assert files.text("/proc/stat") is None
    assert files.integer("/proc/stat") is None
    assert files.chosen("/proc/stat") is None
    assert files.table("/proc/stat") == {}
    assert not files.exists("/proc/stat")


def test_a_directory_in_place_of_a_file_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    assert SystemFiles(tmp_path).text("/proc") is None


def test_a_word_in_place_of_a_number_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "limit").write_text("max\n")
    assert SystemFiles(tmp_path).integer("/limit") is None


def test_the_chosen_word_is_the_one_in_brackets(tmp_path: Path) -> None:
    (tmp_path / "enabled").write_text("always [madvise] never\n")
    assert SystemFiles(tmp_path).chosen("/enabled") == "madvise"
