"""Payloads in every place that others can write to, read back from every medium.

All payloads stand in one pair of run files, in all places at once, so that each medium is looked
at once for all of them.
"""

from __future__ import annotations

import ast
import json
import os
import pty
import re
import shlex
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import stratoperf
from stratoperf.analysis.history import history
from stratoperf.analysis.stored import compare
from stratoperf.presentation.figures import save_history
from stratoperf.results import load
from stratoperf.text.safety import log_line, visible

PAYLOADS = {
    "color": "\x1b[35mred",
    "title": "\x1b]0;owned\x07",
    "c1": "\x9b2Jgone",
    "overwrite": "same\rFAKE",
    "delete": "a\x7f\x08b",
    "lines": "a\nverdict: same\n",
    "separators": "a\u2028::error::b\u2029c\x85d\x0be",
    "right-to-left": "\u202egnp.exe\u2066\u200f",
    "zero-width": "a\u200bb\ufeffc\u2060d",
    "tags": "a\U000e0041\U000e007f",
    "private": "\ue000\U000f1234\u0378",
    "filler": "a\u3164b\u115fc",
    "marks": "a" + "\u0301" * 40,
    "long": "x" * 900,
    "command": "::error title=x::y",
    "spaced": " \u00a0::stop-commands::z",
    "new line": "a\n::warning::b",
    "within": "a::group::b",
    "percent": "%0A::error::b",
    "brackets": "##[error]a",
    "azure": "a ##vso[task.complete result=Succeeded;]",
    "teamcity": "##teamcity[testFailed name='a']",
    "gitlab": "\r\x1b[0Ksection_start:1:a\r\x1b[0K",
    "table": "a|b\\|c`d`",
    "markup": "<script>a</script><img src=x onerror='b'>&amp;",
    "attribute": "\" onmouseover=\"a' b='",
    "cdata": "]]>-->",
    "link": "[a](javascript:b) ![c](http://d) @e www.f.org https://g h@i.org",
    "emphasis": "# **a** _b_ ~~c~~ $d$ - e",
    "rich": "[bold red]a[/] :warning:",
}
READABLE = {"greek": "Ταχύτητα", "chinese": "速度", "hebrew": "מהירות", "emoji": "🚀 👩\u200d💻"}
ALL = {**PAYLOADS, **READABLE}

ESCAPES_OF_OURS = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|2K|1A)")
ANNOTATION = re.compile(r"::(?:error|warning|notice) title=[^:,]*::.*")
HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
MAIN = "from stratoperf.cli import main; main()"


def result(number: int, text: str, side: str) -> dict[str, Any]:
    """Return a result that has a payload wherever text can stand."""
    key = f"{text} {number}[backend=cpu,size={text}]"
    common = {
        "key": key,
        "benchmark": f"{text} {number}",
        "benchmark_version": 1,
        "category": "single-node",
        "backend": "cpu",
        "params": {"size": text, text: 1},
        "warnings": [f"{text} disturbed"],
        "notes": [text],
        "below_standard": [text],
    }
    if number % 3 == 0 and side == "current":
        return {**common, "status": "failed", "reason": text, "metrics": {}, "series": []}
    slower = 2.0 if number % 3 == 1 and side == "current" else 1.0
    samples = [slower * 1000 * (1 + 0.001 * (place % 5 - 2)) for place in range(50)]
    series = {
        "system": "box",
        "process": f"{text}{side}",
        "arm": None,
        "pair": None,
        "started_ns": 1,
        "batch": 1,
        "columns": {"latency": samples},
    }
    metric = {"unit": "ns", "better": "lower", "primary": True}
    return {**common, "status": "ok", "metrics": {"latency": metric}, "series": [series]}


def write_runs(folder: Path) -> list[Path]:
    """Write two runs a side, and return their folders."""
    for side in ("baseline", "current"):
        (folder / side).mkdir()
        for copy in range(2):
            everything = " ".join(PAYLOADS.values())
            document = {
                "schema": "stratoperf.run/1",
                "id": f"{everything}{side}{copy}",
                "created": f"2026-11-23T09:37:0{copy}Z",
                "preset": side,
                "command": [everything],
                "stratoperf_version": "\x1b[35m",
                "systems": {"box": {"cpu": {"model": everything}, "warnings": [everything]}},
                "results": [result(number, text, side) for number, text in enumerate(ALL.values())],
            }
            path = folder / side / f"run{copy}.json"
            path.write_text(json.dumps(document))
    return [folder / "baseline", folder / "current"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_runs(tmp_path_factory.mktemp("runs"))


def clean_environment(**changes: str) -> dict[str, str]:
    ours = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "FORCE_COLOR", "NO_COLOR", "LC_ALL", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "PYTHONUTF8": "1", **changes}


def piped(
    *arguments: str | bytes, cwd: Path | None = None, **environment: str
) -> tuple[int, str, str]:
    ended = subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        cwd=cwd,
        env=clean_environment(**environment),
        timeout=100,
    )
    return ended.returncode, ended.stdout.decode(), ended.stderr.decode()


def in_terminal(columns: int, *arguments: str) -> str:
    main, secondary = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *arguments],
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env=clean_environment(TERM="xterm", COLUMNS=str(columns)),
    )
    os.close(secondary)
    parts = []
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:  # The other end is closed.
            break
        if not part:
            break
        parts.append(part)
    os.close(main)
    process.wait(100)
    return b"".join(parts).decode()


def joiners_of_emoji(line: str) -> str:
    return line.replace("👩\u200d💻", "")


def assert_harmless(text: str, annotations: int = 0) -> None:
    """Hold what a log or a terminal gets against what a payload wants to do there."""
    lines = text.split("\n")
    assert sum(ANNOTATION.fullmatch(line) is not None for line in lines) == annotations
    for line in lines:
        if ANNOTATION.fullmatch(line) is None:
            assert not line.lstrip().startswith("::"), line
            assert "##[" not in line
        assert not re.search(r"##\w+\[", line) or line.startswith("::"), line
        hidden = [letter for letter in line if unicodedata.category(letter) in HIDDEN]
        if hidden:
            left = joiners_of_emoji(line)
            assert not [path for path in left if unicodedata.category(path) in HIDDEN], ascii(line)
        assert "\u0301" * 10 not in line
        assert not re.search("[\u3164\u115f]", line)
    assert "\nverdict: same\n" not in text


def as_one_text(text: str) -> str:
    return "".join(text.split())


COMMANDS = ("compare", "check", "history", "claims", "resume")


def command(name: str, runs: list[Path]) -> list[str]:
    baseline, current = map(str, runs)
    return {
        "compare": ["compare", baseline, current],
        "check": ["check", "--baseline", baseline, "--current", current],
        "history": ["history", current],
        "claims": ["claims", str(runs[1] / "run0.json")],
        "resume": ["run", "--resume", str(runs[1] / "run0.json")],
    }[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_pipe_gets_every_payload_as_text(name: str, runs: list[Path]) -> None:
    code, out, err = piped(*command(name, runs))
    assert code in (0, 1, 2)
    assert "Traceback" not in err
    assert_harmless(out)
    assert_harmless(err)
    if name in ("compare", "check", "history"):
        for number, (kind, text) in enumerate(PAYLOADS.items()):
            assert kind == "long" or log_line(f"{text} {number}") in out
        for text in READABLE.values():
            assert text in out


@pytest.mark.parametrize("name", ["compare", "check", "history"])
@pytest.mark.parametrize("columns", [40, 100])
def test_a_terminal_gets_no_escape_but_ours(name: str, columns: int, runs: list[Path]) -> None:
    screen = in_terminal(columns, *command(name, runs))
    assert "\x1b[1m" in screen
    assert "\x1b[35m" not in screen
    assert "\x1b]" not in screen
    shown = ESCAPES_OF_OURS.sub("", screen.replace("\r\n", "\n").replace("\r", ""))
    assert_harmless(shown)
    assert r"\x1b]0;owned\x07" in as_one_text(shown)


@pytest.mark.parametrize("name", ["compare", "check", "history", "claims"])
def test_json_is_ascii_and_keeps_what_was_written(name: str, runs: list[Path]) -> None:
    _, out, err = piped(*command(name, runs), "--json")
    document = json.loads(out)
    assert out.isascii()
    assert "\x7f" not in out
    assert not re.search(r"##\w*\[", out)
    assert_harmless(out)
    assert_harmless(err)
    if name != "claims":
        assert r"\u001b]0;owned\u0007" in out
        assert "same\rFAKE" in json.dumps(document, ensure_ascii=False).replace(r"\r", "\r")


def test_only_our_own_annotations_are_commands(runs: list[Path], tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    _, out, err = piped(
        *command("check", runs), GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary)
    )
    annotations = [line for line in out.split("\n") if ANNOTATION.fullmatch(line)]
    assert len(annotations) > len(ALL)
    assert_harmless(out, annotations=len(annotations))
    assert_harmless(err)
    assert any("%250A\\x3a" in line or "%250A::error" in line for line in annotations)
    assert_markdown(summary.read_text())


def assert_markdown(text: str) -> None:
    rows = [line for line in text.split("\n") if line.startswith("|")]
    assert len(rows) == len(ALL) - (len(ALL) + 2) // 3 + 2
    bars = {re.sub(r"\\\\|\\\|", "", row).count("|") for row in rows}
    assert len(bars) == 1
    assert set(re.findall("<[^>]*>", text)) <= {"<!-- -->", "<sub>", "</sub>"}
    plain = re.sub(r"\\[\\`*_|\[\]~#$]", "", text)
    assert not re.search(r"[`\[\]$]", plain)
    assert not re.search(r"@\w|\bhttps?://|\bwww\.|:warning:", plain)
    allowed = [line for line in plain.split("\n") if line.startswith("#")]
    assert len(allowed) == 1
    for line in text.split("\n"):
        assert all(
            unicodedata.category(letter) not in HIDDEN for letter in joiners_of_emoji(line)
        ), ascii(line)


def test_markdown_and_junit_show_payloads_as_text(runs: list[Path], tmp_path: Path) -> None:
    markdown, junit = tmp_path / "a.md", tmp_path / "a.xml"
    piped(*command("check", runs), "--markdown", str(markdown), "--junit", str(junit))
    assert_markdown(markdown.read_text())
    (suite,) = ElementTree.parse(junit).getroot()
    names = {case.attrib["classname"] for case in suite.iter("testcase")}
    judged = {
        visible(f"stratoperf.{text} {number}")
        for number, text in enumerate(ALL.values())
        if number % 3
    }
    assert judged <= names
    for element in suite.iter():
        for text in (element.text or "", *element.attrib.values()):
            for line in text.split("\n"):
                assert visible(line) == line


class Page(HTMLParser):
    """Collects the tags, the attributes and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.data: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.data += [value or "" for name, value in attrs if name == "title"]

    def handle_data(self, data: str) -> None:
        self.data.append(data)


def pages(runs: list[Path]) -> Iterator[str]:
    yield compare(runs[0], runs[1])._repr_html_()
    yield history(runs[1])._repr_html_()
    yield load(runs[1] / "run0.json")._repr_html_()


def test_a_notebook_gets_text_alone(runs: list[Path]) -> None:
    for text in pages(runs):
        page = Page(text)
        assert page.tags <= {"div", "b", "table", "tr", "th", "td", "small", "ul", "li", "caption"}
        assert page.attributes <= {"style", "title"}
        data = "".join(page.data)
        assert "<script>a</script>" in data
        assert r"\x1b]0;owned\x07" in data
        for line in data.split("\n"):
            assert visible(line[:1000]) == line[:1000] or len(line) > 1000, ascii(line)


def test_a_prompt_gets_payloads_as_text(runs: list[Path]) -> None:
    some = compare(runs[0], runs[1])
    for text in (str(some), repr(some), repr(history(runs[1])), repr(load(runs[1] / "run0.json"))):
        assert_harmless(text)


ARGUMENTS = [text for name, text in ALL.items() if name != "long"] + ["\udc80\udcff"]


@pytest.mark.parametrize(
    "words",
    [
        ("claims", "{}"),
        ("history", "{}"),
        ("compare", "{}", "{}"),
        ("check", "--thresholds", "{}", "--baseline", "{}"),
        ("run", "{}"),
        ("run", "--param", "{}=1", "clock.overhead"),
        ("run", "--duration", "{}"),
        ("run", "--backend", "{}"),
        ("list", "{}"),
        ("{}",),
        ("--{}",),
        ("check", "--live", "{}"),
        ("check", "--live", "--module", "{}", "true", "true"),
    ],
    ids=" ".join,
)
def test_errors_show_arguments_as_text(
    words: tuple[str, ...],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from stratoperf.cli import main

    monkeypatch.chdir(tmp_path)
    for text in ARGUMENTS:
        with pytest.raises(SystemExit) as ending:
            main([word.format(text) for word in words])
        assert ending.value.code in (2, 3)
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        assert_harmless(out)
        assert_harmless(err)


def test_a_file_of_thresholds_is_quoted_as_text(runs: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    for content in (
        '"\x1b[35m\n::error::x" = 1',
        '[benchmarks]\n"\\u001b]0;owned\\u0007\\n::error::x" = 5',
        'default = "\\u202e##[error]x"',
        "::error::x = [",
    ):
        path.write_text(content)
        code, out, err = piped(*command("check", runs), "--thresholds", str(path))
        assert code == 2
        assert out == ""
        assert_harmless(err)


HOSTILE = r"""
import sys
for stream in (sys.stdout, sys.stderr):
    print("\x1b[35m\x1b]0;owned\x07\r::error::x\n  ::stop-commands::y\n\t##[error]z \u202e",
          file=stream)
sys.exit(3)
"""


def test_the_last_words_of_a_command_are_text(tmp_path: Path) -> None:
    script = tmp_path / "a\n::error::b \x1b[35m.py"
    script.write_text(HOSTILE)
    failing = f"{sys.executable} {shlex.quote(str(script))}"
    for words in ((failing, "true"), ("true", failing)):
        code, out, err = piped(
            "check", "--live", *words, "--duration", "60s", "--output", str(tmp_path / "results")
        )
        assert code in (1, 2)
        assert r"\x3a:stop-commands::y" in out + err
        assert_harmless(out)
        assert_harmless(err)


MODULE = r"""
import stratoperf as sp
@sp.benchmark("hostile")
def hostile():
    print("##[error]printed \x1b[35m")
    raise ValueError("\x1b[35m\n::error::x\u202e##vso[a]")
"""


def test_what_a_worker_reports_is_text(tmp_path: Path) -> None:
    (tmp_path / "hostile.py").write_text(MODULE)
    code, out, err = piped(
        *("check", "--live", "hostile", "--module", "hostile.py", "--duration", "60s"),
        *("--baseline-env", sys.executable, "--current-env", sys.executable),
        cwd=tmp_path,
    )
    assert code == 1
    assert "ValueError" in out
    assert_harmless(out)
    assert_harmless(err)


BROKEN = f"""
import logging, warnings
{MODULE.replace("print", "logging.getLogger('any').warning")}
from stratoperf.running.registry import REGISTRY
class Hostile(Exception):
    def __str__(self):
        raise self
def broken():
    warnings.warn("\\x1b[35m\\n::error::x")
    raise {{}}
REGISTRY.all = broken
from stratoperf.cli import main
main()
"""


@pytest.mark.parametrize("debug", ["0", "1"])
@pytest.mark.parametrize(
    "error",
    ["ValueError('\\x1b[35m\\n::error::x')", "Hostile()", "OSError(2, 'a\\n::error::x', 'b\\r')"],
)
def test_an_unexpected_error_is_text_also_in_a_traceback(
    error: str, debug: str, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", BROKEN.replace("{}", error), "list"],
        capture_output=True,
        env=clean_environment(STRATOSWARM_BENCH_DEBUG=debug),
        cwd=tmp_path,
        timeout=100,
    )
    assert ended.returncode in (1, 2)
    assert ended.stdout == b""
    assert ("Traceback" in ended.stderr.decode()) == (debug == "1")
    assert_harmless(ended.stderr.decode())


@pytest.mark.parametrize("debug", ["0", "1"])
def test_the_reason_of_a_failed_benchmark_is_text(debug: str, tmp_path: Path) -> None:
    program = f"{MODULE.replace('print', 'id')}\nfrom stratoperf.cli import main\nmain()\n"
    ended = subprocess.run(
        [sys.executable, "-c", program, "run", "hostile", "--duration", "10ms"],
        capture_output=True,
        env=clean_environment(STRATOSWARM_BENCH_DEBUG=debug),
        cwd=tmp_path,
        timeout=100,
    )
    assert ended.returncode == 1
    for text in (ended.stdout.decode(), ended.stderr.decode()):
        assert "ValueError" in text
        assert_harmless(text)


@pytest.mark.slow("draws a figure")
@pytest.mark.filterwarnings("ignore::UserWarning")  # A font without a letter, no room for a title.
def test_a_figure_draws_payloads_as_text(runs: list[Path], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "trends.svg"
    save_history(history(runs[1]), path)
    ElementTree.parse(path)


def test_a_report_shows_payloads_as_text(runs: list[Path], tmp_path: Path) -> None:
    run = load(runs[1] / "run0.json")
    page = Page(run.report(tmp_path / "report.html", baseline=runs[0]).read_text(encoding="utf-8"))
    assert not page.tags & {"img", "iframe", "object", "embed", "base", "form"}
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
    data = "".join(page.data)
    assert "<script>a</script>" in data
    assert r"\x1b]0;owned\x07" in data


def test_figures_show_payloads_as_text(runs: list[Path]) -> None:
    run = load(runs[1] / "run0.json")
    measured = [each for each in run.results if each.status == "ok"]
    pictures = [each.plot() for each in measured]
    for picture in (compare(runs[0], runs[1]).plot(), *pictures):
        root = ElementTree.fromstring(picture.svg)
        assert {each.tag.partition("}")[2] for each in root.iter()} <= {
            *("svg", "title", "desc", "style", "rect", "g", "path", "text")
        }
        assert not [name for each in root.iter() for name in each.attrib if name.startswith("on")]


PRINTERS = {"print", "echo", "secho", "print_exc", "print_exception", "writelines"}
PRINT_SAFE_TEXT = {
    "presentation/terminal/screen.py",
    "presentation/terminal/tables.py",
    "cli/application.py",
}
"""The last prints nothing but the version."""


def test_nothing_is_printed_past_the_functions_that_make_it_safe() -> None:
    package = Path(stratoperf.__file__).parent
    for path in package.rglob("*.py"):
        if path.relative_to(package).as_posix() in PRINT_SAFE_TEXT:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            assert called.rpartition(".")[2] not in PRINTERS, f"{path}:{node.lineno}"
            assert not re.search(r"\b(stdout|stderr)\.(buffer\.)?write$", called), path
