"""Routes, transfers and sizes are parsed in one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import stratoperf as sp
from memory_fakes import PAGE
from stratoperf.stratoswarm.memory.routes import ACCESSES, Route, Size, Transfer
from wording import says

CATALOGUE = Path(sp.__file__).parent / "stratoswarm"
NAMES = ("cpu", "cpu1", "cpu0-huge", "huge", "disk", "nvme3", "gpu", "hdd")


@pytest.mark.parametrize("source", NAMES)
@pytest.mark.parametrize("target", NAMES)
def test_a_route_is_two_tiers_that_differ(source: str, target: str) -> None:
    if source == target:
        with pytest.raises(sp.InvalidParameter, match=says("route:", source, "two tiers")):
            Route.parse(f"{source}:{target}")
    else:
        assert Route.parse(f"{source}:{target}") == (source, target)


@pytest.mark.parametrize("text", ["", "cpu", "cpu:", ":cpu", "cpu:disk:gpu", "cpu disk", None, 3])
def test_no_other_text_is_a_route(text: object) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("route:", repr(text))):
        Route.parse(text)


@pytest.mark.parametrize("name", ["cpu", "huge", "disk", "ssd0"])
def test_a_transfer_is_an_access_to_one_tier_or_a_copy_between_two(name: str) -> None:
    assert Transfer.parse(f"read:{name}") == ("read", name, None)
    assert Transfer.parse(f"write:{name}").tiers == (name,)
    assert Transfer.parse(f"copy:{name}:{name}").tiers == (name, name)


@pytest.mark.parametrize(
    "text", ["", "cpu", "copy", "copy:cpu", "read:cpu:disk", "erase:cpu", "read:", None, 7]
)
def test_no_other_text_is_a_transfer(text: object) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("transfer:", repr(text))):
        Transfer.parse(text)


@pytest.mark.parametrize("parts", [1, 3, 64])
def test_a_size_fills_whole_pages_and_the_message_names_one_that_does(parts: int) -> None:
    step = parts * PAGE
    for size in (step, 5 * step):
        assert Size.parse(size, parts=parts) == size
        with pytest.raises(sp.InvalidParameter, match=says("size:", str(size + 1), str(size))):
            Size.parse(size + 1, parts=parts)


@pytest.mark.parametrize("value", [0, -PAGE, PAGE - 1, 2 * PAGE, 1e6, True, "4096", None])
def test_no_other_value_is_a_size(value: object) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("size:")):
        Size.parse(value, at_most=PAGE)


def test_nothing_else_splits_a_route_or_checks_that_a_size_fills_pages() -> None:
    pattern = re.compile(r"""split\(["']:["']\)|% PAGE""")
    found = {
        path.name for path in CATALOGUE.rglob("*.py") if pattern.search(path.read_text("utf-8"))
    }
    assert found == {"routes.py"}
    assert set(ACCESSES) == {"read", "write", "copy"}
