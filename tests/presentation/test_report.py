"""The page of a report, without a browser: what stands in it, and how it is written."""

from __future__ import annotations

import html.parser
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from report_ground import HOSTILE, made_result, made_run, skipped_result, suite
from stratoperf.errors import InvalidParameter, SchemaError, StratoperfError
from stratoperf.presentation.elements import Markup, element
from stratoperf.presentation.report import writing
from stratoperf.presentation.report.page import Assets, page, script, styles
from stratoperf.presentation.report.subject import subject_of
from stratoperf.results import Run
from stratoperf.text.safety import visible
from wording import says


class Parsed(html.parser.HTMLParser):
    """The elements and the texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def parsed(*runs: Run, baseline: Run | None = None) -> Parsed:
    return Parsed(page(subject_of(runs, baseline)))


def test_text_and_attributes_are_escaped() -> None:
    made = element("p", HOSTILE, element("b", "<", Markup("<i></i>")), title=HOSTILE, hidden=True)
    root = ElementTree.fromstring(made.text.replace(" hidden", ""))
    assert root.text == root.attrib["title"] == visible(HOSTILE)
    assert root[0].text == "<"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (element("p", None, ["a", 1, 2.55], class_="x"), '<p class="x">a12.5</p>'),
        (element("input", type="search", checked=False, data_f=None), '<input type="search">'),
        (
            element("path", d=Markup("M0 0"), stroke_width=1.5),
            '<path d="M0 0" stroke-width="1.5"/>',
        ),
        (element("td", -0.01), "<td>0"),
    ],
)
def test_an_element_is_written_as_short_as_it_can_be(made: Markup, expected: str) -> None:
    assert made.text == expected


def test_a_page_has_all_parts_in_their_order() -> None:
    own = parsed(suite(3.0, 2), baseline=suite(1.0, 1))
    text = page(subject_of([suite(3.0, 2)], suite(1.0, 1)))
    titles = [re.sub(r"<[^>]+>", "", title) for title in re.findall(r"<h2>(.*?)</h2>", text)]
    assert titles[:3] == ["Comparison", "Results", "demo.scaling"]
    assert titles[-2:] == ["Skipped", "Machines"]
    assert "1 slower" in own.text
    assert "6 ok" in own.text
    assert "1 failed" in own.text
    assert "noise: a busy neighbor" in own.text
    assert "skipped: 1 case of demo.gpu on cuda: no GPU was found" in own.text
    for title in ("Distribution", "Samples over time", "Within and between processes"):
        assert own.text.count(f" {title} ") >= 6
    assert "latency p50 over size" in own.text
    assert "throughput mean over size" in own.text
    assert "CPU taken by the host [%] 1.5" in own.text


def test_several_runs_have_a_history_and_show_the_newest_results() -> None:
    old = made_run([made_result(median=1000.0), made_result("demo.gone", {}, 5.0)], 1)
    new = made_run([made_result(median=2000.0)], 2)
    own = parsed(new, old)
    assert " History " in own.text
    assert "2.00 µs" in own.text
    assert "demo.gone" in own.text


def ratios_of(comparison: sp.Comparison) -> list[sp.Estimate]:
    return [metric.ratio for metric in comparison.metrics if metric.ratio is not None]


def test_several_runs_are_the_history_of_a_comparison() -> None:
    runs = [suite(1.0, number) for number in range(2, 14)]
    alone, together = (subject_of(own, suite(1.0, 1)).comparison for own in (runs[-1:], runs))
    assert alone is not None
    assert together is not None
    assert "history" in together.method
    widths = [
        [ratio.high - ratio.low for ratio in ratios_of(side) if ratio.high and ratio.low]
        for side in (alone, together)
    ]
    assert sum(widths[1]) < sum(widths[0])


def test_rows_have_one_unit() -> None:
    own = parsed(suite())
    assert "p50 [ns]" in own.text
    # From 10 ns to 1 µs.
    assert re.search(r"size=100 (99\d|10\d\d)(\.\d)? \[", own.text)
    assert re.search(r"size=1 (9\.|10\.)\d+ \[", own.text)


def test_nothing_of_a_page_comes_from_elsewhere_and_nothing_runs_inline() -> None:
    own = parsed(suite(3.0, 2), baseline=suite(1.0, 1))
    for tag, attributes in own.elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), tag
    ids = [attributes["id"] for _, attributes in own.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    links = {a["href"] for tag, a in own.elements if tag == "a"}
    assert {str(link)[1:] for link in links} <= set(ids)


def test_every_figure_has_a_title_a_description_and_a_table() -> None:
    text = page(subject_of([suite(3.0, 2)], suite(1.0, 1)))
    figures = re.findall(r"<figure>.*?</figure>", text)
    assert len(figures) > 15
    for own in figures:
        assert re.search(r"<title>[^<]+</title><desc>[^<]+</desc>", own)
        assert re.search(r"<details class=\"data\">.*<td>", own)


def test_the_script_is_small_and_a_curve_has_at_most_200_points() -> None:
    assert len(script()) < 10_500
    assert "<" not in styles()
    assert "</" not in script()
    random = np.random.default_rng(3)
    result = made_result()
    result["series"] = [
        {**result["series"][0], "columns": {"latency": random.lognormal(5, 1, 9000).tolist()}}
    ]
    text = page(subject_of([made_run([result])]))
    longest = max(re.findall(r' d="([^"]+)"', text), key=len)
    assert len(re.findall(r"-?[0-9]*\.?[0-9]+", longest)) <= 2 * 2 * 200


COUNT = {"unit": "", "better": "lower", "summary": {"count": 1, "mean": 3.0}}
NOTHING: dict[str, Any] = {"metrics": {}, "series": []}
RUNS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "skipped": [skipped_result(), skipped_result("demo.other", HOSTILE)],
    "failed": [{**made_result(), **NOTHING, "status": "failed", "reason": None}],
    "no samples": [{**made_result(), "series": []}],
    "a count": [{**made_result(), "metrics": {"count": COUNT}, "series": []}],
    "interrupted": [made_result(status="interrupted", disturbed="a neighbor", warnings=["w"])],
    "mixed": [made_result(params={"a": 1}), {**made_result(params={"a": "x"}), "backend": "cuda"}],
    "long": [made_result("x" * 300, {"p": "y" * 5000})],
    "zero": [made_result(params={"n": n}) for n in (0, 5, 10)],
}


@pytest.mark.parametrize("results", RUNS.values(), ids=RUNS)
def test_any_run_has_a_page(results: list[dict[str, Any]]) -> None:
    own = parsed(made_run(results))
    assert "Benchmark report" in own.text
    assert "Estimate(" not in own.text
    assert " None " not in own.text
    assert " nan" not in own.text


def test_imported_means_say_what_a_sample_is() -> None:
    result = made_result()
    for series in result["series"]:
        series.update(kind="batch_mean", batch=50)
    assert "each the mean of 50 iterations" in parsed(made_run([result])).text


def test_a_result_whose_samples_are_gone_says_so(tmp_path: Path) -> None:
    result = made_result()
    missing = {"file": "gone.npz", "member": "a", "sha256": "0" * 64}
    result["series"] = [{**result["series"][0], "columns": {"latency": missing}}]
    run = Run(dict(made_run([result]).document), tmp_path / "run.json")
    own = parsed(run)
    assert "gone.npz, which is missing" in own.text
    assert "No figures of the samples" in own.text


def live_run() -> Run:
    """Return the record of a live comparison whose current side takes twice the time."""
    random = np.random.default_rng(5)
    series = [
        {
            "system": "machine",
            "process": f"{arm}-{pair}",
            "arm": arm,
            "pair": pair,
            "started_ns": 2 * pair + (arm == "current"),
            "batch": 1,
            "columns": {"latency": [factor * random.lognormal(10, 0.01)]},
        }
        for pair in range(30)
        for arm, factor in (("baseline", 1.0), ("current", 2.0))
    ]
    metrics = {"latency": {"unit": "ns", "better": "lower", "primary": True}}
    result = {**made_result("command"), "metrics": metrics, "series": series}
    return made_run([result], 3, preset="live")


def test_a_live_comparison_has_a_report_of_its_own() -> None:
    live = live_run()
    alone = subject_of([live])
    assert alone.comparison is not None
    assert alone.comparison.verdict == "slower"
    (case,) = alone.cases
    assert case.sampled is not None
    assert case.baseline is not None
    assert case.sampled.size == case.baseline.size == 30
    assert case.sampled.sorted()[0] > case.baseline.sorted()[-1]
    assert "2.00 times slower" in parsed(live).text or "% slower" in parsed(live).text
    beside = subject_of([suite(), live])
    assert [entry.what for entry in beside.left_out] == [live.id]


def test_a_run_writes_its_report(tmp_path: Path) -> None:
    path = suite().report(tmp_path / "folder" / "report.html")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert text.endswith("</html>\n")
    assert [own.name for own in path.parent.iterdir()] == ["report.html"]


def test_a_split_report_refers_to_its_parts(tmp_path: Path) -> None:
    parts = tmp_path / "a b" / "parts"
    path = suite().report(tmp_path / "page" / "report.html", split=parts)
    own = Parsed(path.read_text(encoding="utf-8"))
    links = [a["href"] for tag, a in own.elements if tag == "link" and a["rel"] == "stylesheet"]
    scripts = [a["src"] for tag, a in own.elements if tag == "script"]
    assert links == ["../a%20b/parts/stratoperf-report.css"]
    assert scripts == ["../a%20b/parts/stratoperf-report.js"]
    assert (parts / "stratoperf-report.js").read_text(encoding="utf-8") == script()
    assert (parts / "stratoperf-report.css").read_text(encoding="utf-8") == styles()
    assert not [tag for tag, _ in own.elements if tag == "style"]


def test_an_interrupted_report_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("the old report")

    def interrupted(*arguments: Any) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writing, "page", interrupted)
        with pytest.raises(KeyboardInterrupt):
            suite().report(path)
    assert path.read_text() == "the old report"
    assert list(tmp_path.iterdir()) == [path]


def file(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("make", "kind", "named"),
    [
        (lambda own: suite().report(own), InvalidParameter, says("path:", "directory")),
        (lambda own: suite().report(""), InvalidParameter, says("path:")),
        (
            lambda own: suite().report(suite().save(own / "run.json")),
            InvalidParameter,
            says("path:", "run.json", "run file"),
        ),
        (
            lambda own: suite().report(file(own / "x", "") / "report.html"),
            InvalidParameter,
            says("path:", "x"),
        ),
        (
            lambda own: suite().report(own / "r.html", baseline=own / "none.json"),
            InvalidParameter,
            says("baseline:", "none.json", "does not exist"),
        ),
        (
            lambda own: suite().report(own / "r.html", baseline=file(own / "bad.json", "{")),
            SchemaError,
            says("bad.json"),
        ),
        (
            lambda own: suite().report(own / "r.html", split=file(own / "x", "")),
            InvalidParameter,
            says("split:", "x"),
        ),
        (lambda own: subject_of([own / "empty"]), InvalidParameter, says("input:", "empty")),
        (lambda own: subject_of([]), InvalidParameter, says("input:", "stratoperf run")),
    ],
    ids=["directory", "no path", "run file", "file", "baseline", "bad", "split", "empty", "none"],
)
def test_what_cannot_be_written_or_read_is_said(
    tmp_path: Path, make: Callable[[Path], Any], kind: type[StratoperfError], named: str
) -> None:
    with pytest.raises(kind, match=named):
        make(tmp_path)


def test_figures_of_runs_and_comparisons_are_those_of_the_report() -> None:
    before, after = suite(1.0, 1), suite(3.0, 2)
    comparison = sp.compare(before, after)
    for picture in (after.plot(), after.results[0].plot(), comparison.plot()):
        ElementTree.fromstring(picture.svg)
    assert "demo.scaling size=100" in after.plot().svg
    assert "slower" in comparison.plot().svg
    with pytest.raises(InvalidParameter, match=says("demo.gpu", "skipped", "no GPU was found")):
        after.results[-1].plot()
    with pytest.raises(InvalidParameter, match=says("run", "no result")):
        made_run([skipped_result()]).plot()
    with pytest.raises(InvalidParameter, match=says("comparison:", "no metric")):
        sp.compare(made_run([skipped_result()]), made_run([skipped_result()], 2)).plot()


def test_a_page_in_parts_has_no_policy_of_its_own() -> None:
    assert "Content-Security-Policy" in page(subject_of([suite()]))
    assert "Content-Security-Policy" not in page(subject_of([suite()]), Assets("a.css", "a.js"))
