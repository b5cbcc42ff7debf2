"""The pages name what exists, their links lead somewhere, and the lists in them are complete."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stratoperf.cli.exits import ExitCode

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "stratoperf"

FENCE = re.compile(r"^(`{3,}|:{3,}).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"(?<!\\)\]\(([^()\s]+)\)")
DOWNLOAD = re.compile(r"\{download\}`[^`<]*<([^>]+)>`")
HEADING = re.compile(r"^#+ (.*)", re.MULTILINE)


def pages() -> list[Path]:
    """Return the pages in Markdown that git knows, or would add."""
    return repository_files("*.md")


def repository_files(pattern: str = "*") -> list[Path]:
    """Return the files that git knows, or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("needs a checkout of git")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.exists()]


def prose(path: Path) -> str:
    """Return a page without its code, in which brackets are no links."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def links(path: Path) -> Iterator[str]:
    text = prose(path)
    yield from DOWNLOAD.findall(text)
    yield from LINK.findall(CODE.sub("code", text))


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MyST make them."""
    titles = HEADING.findall(prose(path))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def section(page: str, title: str) -> str:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found is not None, f"{page} has no section {title!r}"
    return found[1]


def test_every_link_to_the_repository_leads_somewhere() -> None:
    broken = []
    for page in pages():
        for link in links(page):
            place, _, anchor = link.partition("#")
            if urlsplit(link).scheme:
                continue
            target = (page.parent / place).resolve() if place else page
            is_there = target.exists() and ROOT in (target, *target.parents)
            if not is_there or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert broken == []


def test_every_link_to_elsewhere_is_well_formed() -> None:
    """CI has no network, so whether these pages exist is not checked."""
    odd = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages()
        for link in links(page)
        if (parts := urlsplit(link)).scheme and not (parts.scheme == "https" and parts.netloc)
    ]
    assert odd == []


def test_links_are_found_where_they_stand(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A title, `code`\n[a](b.md#c) and {download}`text <../d.py>`, not `[x](y)`\n"
        "```text\n# no title\n[no](link)\n```\n"
    )
    assert sorted(links(page)) == ["../d.py", "b.md#c"]
    assert anchors(page) == {"a-title-code"}


def test_every_exit_code_is_described() -> None:
    text = (ROOT / "docs/reference/exit-codes.md").read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.M)} == set(
        map(int, ExitCode)
    )


def test_every_environment_variable_is_described() -> None:
    text = (ROOT / "docs/reference/environment.md").read_text(encoding="utf-8")
    described = set(re.findall(r"`([A-Z][A-Z_]+)`", text))
    sources = [*PACKAGE.rglob("*.py"), *(ROOT / "cpp").rglob("*.cpp"), *ROOT.rglob("cuda/**/*.cpp")]
    read = set()
    for path in sources:
        source = path.read_text(encoding="utf-8")
        read |= set(re.findall(r'getenv\("(\w+)"\)', source))
        read |= set(re.findall(r'environ(?:\.get\(|\.pop\(|\[)"(\w+)"', source))
        # Named by a constant where they are read.
        read |= set(re.findall(r'^[A-Z_]+ = "((?:STRATO|GITHUB_)[A-Z_]+)"', source, re.M))
    assert {"STRATOPERF_CLOCK", "STRATOPERF_TIER_DIRECTORIES", "NO_COLOR"} <= read
    assert read <= described
    # The compilers of the build read the others.
    assert described - read <= {"CUDAARCHS", "CUDACXX", "POSIX", "COLUMNS", "GITHUB_ACTIONS"}


def test_every_page_of_the_site_is_in_its_menu() -> None:
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    menu = {
        line
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```", index, re.M | re.S)
        for line in tree.splitlines()
        if line and not line.startswith(":")
    }
    site = {
        str(page.relative_to(ROOT / "docs").with_suffix(""))
        for page in pages()
        if ROOT / "docs" in page.parents
    }
    assert menu == site - {"index"}


@pytest.mark.parametrize("title", ["Layout", "Where do I find X?"])
def test_the_maps_name_files_that_exist(title: str) -> None:
    named = re.findall(r"`(\w+/[\w/]*(?:\.\w+)?)`", section("CONTRIBUTING.md", title))
    assert len(named) > 10
    missing = [name for name in named if not any((top / name).exists() for top in (ROOT, PACKAGE))]
    assert missing == []


PATH = re.compile(r"\.?\w[\w.-]*/[\w./-]*|\w+\.(?:py|hpp|cpp)")


def paths_named_in(text: str) -> list[str]:
    """Return the paths of files and folders that a page names as code."""
    words = [word for code in re.findall(r"`([^`\n]+)`", text) for word in code.split()]
    return [word for word in words if PATH.fullmatch(word)]


PLACES = ("", "src", "src/stratoperf")
"""Folders that paths in a page start from, beside that of the page."""

NOT_OURS = {
    "results/latest.json": "a file that a run writes",
    "results/baseline.json": "a file that a user keeps",
    "target/criterion": "the folder that Criterion writes",
    "build/site": "what the build of the site makes",
    "build/ci/tools": "what CI builds",
    "build/": "what a build makes",
    "corpus/": "what the fuzzer writes",
    "stratoperf.run/1": "a version",
    "stratoperf.operation/1": "a version",
    "nvme=/mnt/fast,hdd=/mnt/slow": "a value",
}
"""Names with a slash that are no files of the repository, and what they are."""


@pytest.mark.parametrize("page", ["SECURITY.md", "CONTRIBUTING.md", "README.md", "docs"])
def test_pages_name_files_of_the_repository_that_exist(page: str) -> None:
    texts = {path: prose(path) for path in pages() if path.relative_to(ROOT).is_relative_to(page)}
    assert texts
    names = {path.name for path in repository_files()}
    # Pages for users also name files that are the user's own.
    are_ours = page in ("SECURITY.md", "CONTRIBUTING.md")
    missing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, text in texts.items()
        for name in paths_named_in(text)
        if name not in NOT_OURS
        and ("/" in name or are_ours)
        and ("/" in name or name not in names)
        and not any((ROOT / place / name).exists() for place in (*PLACES, path.parent))
    ]
    assert missing == []


def test_the_table_of_what_is_not_trusted_names_where_each_is_held() -> None:
    rows = section("SECURITY.md", "What is not trusted").split("|---|---|---|\n")[1]
    places = [row.split("|")[3] for row in rows.split("\n\n")[0].splitlines()]
    assert len(places) > 5
    assert [place for place in places if not paths_named_in(place)] == []


def test_names_of_files_are_found_and_other_code_is_not() -> None:
    text = "`a/b.py`, `python tests/x.py --count 3`, `door.py`, `sp.run`, `--all`, `.ci/docs`"
    assert paths_named_in(text) == ["a/b.py", "tests/x.py", "door.py", ".ci/docs"]


GENERATED = re.compile(r"^```\{(?!code-cell|not-run|toctree)([\w-]+)\}\n(.*?)^```", re.M | re.S)


def test_each_generated_part_of_a_page_says_where_others_find_it() -> None:
    blocks = {
        (page.name, block[1]): block[2]
        for page in pages()
        if ROOT / "docs" in page.parents
        for block in GENERATED.finditer(page.read_text(encoding="utf-8"))
    }
    assert ("error-rates.md", "gate-records") in blocks
    assert len(blocks) >= 7
    assert [block for block, text in blocks.items() if "Without it, " not in text] == []


def test_the_changelog_keeps_to_its_form() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    headings = [line for line in lines if line.startswith("## ")]
    assert headings[0] == "## [Unreleased]"
    version = re.compile(r"## \[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}")
    assert [line for line in headings[1:] if not version.fullmatch(line)] == []
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    sections = [line.removeprefix("### ") for line in lines if line.startswith("### ")]
    assert set(sections) <= kinds
    unreleased = section("CHANGELOG.md", "[Unreleased]")
    titles = re.findall(r"^### (.*)", unreleased, re.M)
    assert len(titles) == len(set(titles))
