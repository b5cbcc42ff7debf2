"""The pages for readers of the code name what exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "stratoperf"


def section(page: str, title: str) -> str:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found is not None, f"{page} has no section {title!r}"
    return found[1]


def test_the_map_names_files_that_exist() -> None:
    named = re.findall(r"`([\w/]+(?:/|\.\w+))`", section("CONTRIBUTING.md", "Where do I find X?"))
    assert len(named) > 10
    missing = [name for name in named if not any((top / name).exists() for top in (ROOT, PACKAGE))]
    assert missing == []


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
