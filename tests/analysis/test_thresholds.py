from __future__ import annotations

from pathlib import Path

import pytest

import stratoperf as sp
from stratoperf.analysis import Thresholds, load_thresholds
from wording import says

KNOWN = ("consensus.round", "clock.overhead", "kv.put")


def written(folder: Path, text: str) -> Path:
    path = folder / "limits.toml"
    path.write_text(text)
    return path


def test_percentages_become_fractions_and_names_come_before_patterns(tmp_path: Path) -> None:
    path = written(tmp_path, 'default = 7.5\n[benchmarks]\n"kv.*" = 20\n"kv.put" = 3\n')
    limits = load_thresholds(path)
    assert limits.default == pytest.approx(0.075)
    assert list(limits.benchmarks.items()) == [("kv.put", 0.03), ("kv.*", 0.2)]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[benchmarks]\n"])
def test_a_file_without_thresholds_leaves_them_to_the_caller(tmp_path: Path, text: str) -> None:
    limits = load_thresholds(written(tmp_path, text))
    assert limits.default is None
    assert not limits.benchmarks


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("default = 0", says("default:", "above 0", "percentage")),
        ("default = -1", says("default:", "above 0", "percentage")),
        ("default = 1001", "at most 1000"),
        ("default = nan", says("default:", "5", "percentage")),
        ("default = inf", says("default:", "5", "percentage")),
        ("default = true", "got True"),
        ('default = "5 %"', "got '5 %'"),
        ("default = [5]", r"got \[5\]"),
        ('[benchmarks]\n"kv.put" = "much"', "benchmarks.'kv.put': expected a percentage"),
        ("benchmarks = 5", says("table", "percentages")),
        ("[benchmarks]\nkv.put = 5", says('"kv.put"', "5")),
        ("defualt = 5", says("defualt'", "key")),
        ('"kv.put" = 5', says("[benchmarks]", '"kv.put"', "5")),
        ("[benchmark]", "did you mean 'benchmarks'"),
        ("default = ", "is not TOML"),
        ("default = 5\ndefault = 6", "is not TOML"),
    ],
)
def test_what_is_no_threshold_is_refused_with_the_file_and_the_key(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match=message) as refusal:
        load_thresholds(written(tmp_path, text))
    assert "limits.toml" in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\x00", "not valid UTF-8: byte 0"),
        (b'"\xed\xa0\x80" = 5', "not valid UTF-8"),
        (b"default = " + b"[" * 20_000, says("limits.toml", "nested")),
        (b"default = " + b"[" * 100 + b"]" * 100, "nested more than 50"),
        (b"benchmarks." + b"a." * 130_000 + b"a = 5", "line 1 of .* more than 200 dots"),
        (b"[" + b"a." * 20_000 + b"a]", "line 1 of .* more than 200 dots"),
        (b"[" + b"a." * 60 + b"a]", "nested more than 50"),
        (b"default = 1" + b"0" * 400, "bits"),
        (b"default = 1" + b"0" * 5000, "not TOML"),
        (b"default = 1e400", "got inf"),
        (b"default = 0000-00-00", "not TOML"),
        (b'"' + b"k" * 10_000 + b'" = 5', "10000 characters"),
        (b"a = 1\n" * 60_000, "256 KiB"),
        (b'default = "' + b"x" * 200_000 + b'"', "got 'xxx"),
    ],
    ids=range(14),
)
def test_a_file_that_is_not_toml_within_the_limits_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "limits.toml"
    path.write_bytes(content)
    with pytest.raises(sp.InvalidParameter, match=message) as caught:
        load_thresholds(path)
    assert len(str(caught.value)) < 700


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"cannot read .*none.toml: No such file"):
        load_thresholds(tmp_path / "none.toml")
    with pytest.raises(sp.InvalidParameter, match="a directory"):
        load_thresholds(tmp_path)


def test_a_name_that_no_benchmark_has_gets_the_nearest() -> None:
    limits = Thresholds(benchmarks={"clock.overhead": 0.05, "consensus.ruond": 0.05})
    assert limits.unknown(KNOWN) == ["consensus.ruond"]
    with pytest.raises(sp.InvalidParameter, match=r"did you mean 'consensus\.round'"):
        limits.check(KNOWN)


def test_a_pattern_has_to_match_a_benchmark() -> None:
    Thresholds(benchmarks={"k?.*": 0.05}).check(KNOWN)
    with pytest.raises(sp.InvalidParameter, match=says("pattern", "benchmark")):
        Thresholds(benchmarks={"kv.get*": 0.05}).check(KNOWN)
