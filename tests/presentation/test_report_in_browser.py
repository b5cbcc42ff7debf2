"""A report as a browser shows it: what runs, what is asked for, what is left without scripts."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from report_ground import HOSTILE, suite
from stratoperf.presentation.report.page import page as report_page
from stratoperf.presentation.report.subject import Subject, subject_of
from stratoperf.presentation.report.writing import write_report
from stratoperf.text.safety import visible

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
JENKINS = "sandbox; default-src 'none'; img-src 'self'; style-src 'self'"
"""What Jenkins sends with the files of a job."""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, of Debian's package chromium"),
    pytest.mark.slow("starts a browser"),
]


class Site(NamedTuple):
    """A folder with reports, and its address for a given policy."""

    folder: Path
    address: str


class Opened(NamedTuple):
    """A page, what it asked for, and what its console said."""

    page: Any
    asked: list[str]
    said: list[str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve a report in one file and one in parts, the latter as Jenkins does."""
    folder = tmp_path_factory.mktemp("site")
    before, after = suite(1.0, 1), suite(3.0, 2)
    (folder / "one.html").write_text(
        report_page(with_a_case_that_is_the_same(subject_of([after], before)))
    )
    write_report([after], folder / "split" / "report.html", before, folder / "split" / "parts")
    write_report([before, after], folder / "history.html")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            if self.path.startswith("/split/"):
                self.send_header("Content-Security-Policy", JENKINS)
            super().end_headers()

        def log_message(self, *arguments: Any) -> None:
            del arguments

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Site(folder, f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra dev)")
    with playwright.sync_playwright() as started:
        # A sandbox of its own needs rights that containers do not have; the pages are ours.
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Opened]]:
    contexts = []

    def open_page(address: str, **settings: Any) -> Opened:
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(address)
        return Opened(page, asked, said)

    yield open_page
    for context in contexts:
        context.close()


def with_a_case_that_is_the_same(subject: Subject) -> Subject:
    """Return a subject with another verdict: two runs are too few for one that is the same."""
    cases = [
        case._replace(
            compared=tuple(msgspec.structs.replace(own, verdict="same") for own in case.compared)
        )
        if case.result.benchmark == "demo.steady"
        else case
        for case in subject.cases
    ]
    return subject._replace(cases=cases)


def shown_cards(page: Any) -> list[str]:
    return [card.inner_text() for card in page.locator(".grid > li").all() if card.is_visible()]


@pytest.mark.parametrize("name", ["one.html", "history.html"])
def test_one_file_asks_for_nothing_and_its_console_is_silent(
    site: Site, opened: Callable[..., Opened], name: str
) -> None:
    own = opened((site.folder / name).as_uri())
    assert [url for url in own.asked if not url.startswith("data:")] == [own.page.url]
    assert own.said == []


def test_hostile_names_are_text(site: Site, opened: Callable[..., Opened]) -> None:
    own = opened((site.folder / "one.html").as_uri())
    assert own.page.locator("img").count() == 0
    assert own.page.locator("script").count() == 1
    assert visible(HOSTILE) in own.page.locator("body").text_content()
    assert own.said == []


def test_a_click_on_a_title_sorts_the_table(site: Site, opened: Callable[..., Opened]) -> None:
    page = opened((site.folder / "one.html").as_uri()).page
    table = page.locator("table.sort", has=page.locator("a", has_text="size=100"))
    title = table.locator("thead th").nth(1)

    def sizes() -> list[str]:
        return [cell.inner_text() for cell in table.locator("tbody th").all()]

    title.locator("button").click()
    assert (title.get_attribute("aria-sort"), sizes()) == (
        "ascending",
        ["size=1", "size=10", "size=100"],
    )
    title.locator("button").press("Enter")
    assert (title.get_attribute("aria-sort"), sizes()) == (
        "descending",
        ["size=100", "size=10", "size=1"],
    )
    table.locator("thead th").first.locator("button").click()
    assert title.get_attribute("aria-sort") is None


def test_the_filter_leaves_what_matches_and_says_how_much(
    site: Site, opened: Callable[..., Opened]
) -> None:
    page = opened((site.folder / "one.html").as_uri()).page
    page.locator("#relevant").uncheck()
    page.locator("#filter").fill("scaling 100")
    page.locator("#shown", has_text="1 of").wait_for()
    assert ["size=100" in text for text in shown_cards(page)] == [True]
    assert page.locator("h2", has_text="demo.scaling").is_visible()
    assert not page.locator("h2", has_text="demo.changed").is_visible()
    assert page.locator("#shown").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("scripts", [True, False])
def test_switches_work_with_and_without_scripts(
    site: Site, opened: Callable[..., Opened], scripts: bool
) -> None:
    page = opened((site.folder / "one.html").as_uri(), java_script_enabled=scripts).page
    relevant = shown_cards(page)
    assert any("demo.changed" in text for text in relevant)
    assert not any("demo.steady" in text for text in relevant)
    page.locator("#regressions").check()
    assert ["demo.changed" in text for text in shown_cards(page)] == [True]
    page.locator("#regressions").uncheck()
    page.locator("#relevant").uncheck()
    assert any("demo.steady" in text for text in shown_cards(page))


def test_all_is_there_without_scripts(site: Site, opened: Callable[..., Opened]) -> None:
    page = opened((site.folder / "one.html").as_uri(), java_script_enabled=False).page
    assert not page.locator("#filter").is_visible()
    assert page.locator("thead button").count() == 0
    assert page.locator("figure svg").first.is_visible()
    page.locator("summary", has_text="reasons and notes").click()
    assert page.get_by_text("slower: demo.changed").is_visible()


def test_parts_are_read_under_the_policy_of_jenkins(
    site: Site, opened: Callable[..., Opened]
) -> None:
    own = opened(f"{site.address}/split/report.html")
    page = own.page
    assert {Path(url).name for url in own.asked if url.startswith("http")} == {
        "report.html",
        "stratoperf-report.css",
    }
    # The styles hold, and the script is not even loaded.
    assert page.locator(".grid").evaluate("e => getComputedStyle(e).display") == "grid"
    assert page.locator(".sp-chart .l").first.evaluate("e => getComputedStyle(e).fill") == "none"
    assert not page.locator("#filter").is_visible()
    assert page.locator("style").count() == 0
    assert page.locator("[style]").count() == 0
    assert not [text for text in own.said if "style" in text]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_link_to_a_case_opens_it(
    site: Site, opened: Callable[..., Opened], scripts: bool
) -> None:
    page = opened((site.folder / "one.html").as_uri(), java_script_enabled=scripts).page
    page.locator(".grid a", has_text="demo.changed").click()
    case = page.locator("details.one:has([id^='demo.changed'])")
    case.locator("figure").first.wait_for(state="visible")
    assert page.url.endswith("#demo.changed-backend-cpu")


def test_axes_begin_at_zero_and_go_back(site: Site, opened: Callable[..., Opened]) -> None:
    page = opened((site.folder / "one.html").as_uri()).page
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    chart = page.locator("figure", has=page.locator("[data-zero]")).first

    def numbers() -> list[str]:
        texts = chart.locator("g.t").nth(1).locator("text:not([visibility=hidden])").all()
        return [text.text_content() for text in texts]

    marks = chart.locator("[data-zero]")
    before, height = numbers(), marks.bounding_box()["height"]
    assert "0" not in before
    page.locator("#zero").check()
    assert numbers()[-1] == "0"
    assert marks.bounding_box()["height"] < height / 2
    page.locator("#zero").uncheck()
    assert numbers() == before
    assert marks.bounding_box()["height"] == pytest.approx(height, abs=1)


def test_a_figure_is_enlarged_and_closed_with_the_keyboard(
    site: Site, opened: Callable[..., Opened]
) -> None:
    page = opened((site.folder / "one.html").as_uri()).page
    button = page.locator("figure > button").first
    button.press("Enter")
    picture = page.locator("dialog svg")
    whole = picture.get_attribute("viewBox")
    page.keyboard.press("+")
    near = picture.get_attribute("viewBox")
    assert near != whole
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    assert button.evaluate("e => e === document.activeElement")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(
    site: Site, opened: Callable[..., Opened], width: int, scheme: str
) -> None:
    page = opened(
        (site.folder / "one.html").as_uri(),
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
    ).page
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(site: Site, opened: Callable[..., Opened], scheme: str) -> None:
    """The threshold is that of WCAG 2, level AA, for text of usual size."""
    page = opened((site.folder / "one.html").as_uri(), color_scheme=scheme).page
    assert page.evaluate(CONTRASTS) == []


CONTRASTS = """() => {
  const parse = (color) => color.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const texts = 'p, a, b, dd, dt, th, td, li, h1, h2, h3, span, small, text, summary';
  for (const e of document.querySelectorAll(texts)) {
    if (!e.textContent.trim()) continue;
    const style = getComputedStyle(e);
    const color = e.namespaceURI.endsWith('svg') ? style.fill : style.color;
    if (!color.startsWith('rgb')) continue;
    const [a, b] = [light(parse(color)), light(behind(e))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) poor.push(`${e.outerHTML.slice(0, 80)} ${color} ${contrast}`);
  }
  return [...new Set(poor)];
}"""
