"""The command words and layouts, held to a second encoding in Python."""

from __future__ import annotations

import pytest

import command_encoding
from stratoperf._core import kernel


def test_the_native_words_are_those_of_the_second_encoding() -> None:
    assert kernel.command_words() == {
        command: command_encoding.word_of(command) for command in command_encoding.COMMANDS
    }


def test_the_second_encoding_gives_the_published_words() -> None:
    assert len(command_encoding.PUBLISHED_WORDS) == 17
    assert {
        command: command_encoding.word_of(command) for command in command_encoding.COMMANDS
    } == command_encoding.PUBLISHED_WORDS


@pytest.mark.parametrize(
    ("structure", "size"),
    [
        ("gpu_alloc", 32),
        ("gpu_stats", 40),
        ("gpu_quota", 24),
        ("dma_check", 32),
        ("dma_grant", 32),
        ("agent_config", 104),
        ("agent_query", 40),
        ("namespace_config", 16),
        ("tier_stats", 56),
        ("memory_pressure", 24),
        ("migration_request", 24),
        ("bind_mount", 528),
        ("overlayfs", 1032),
        ("mount", 9560),
    ],
)
def test_the_layouts_have_the_published_sizes(structure: str, size: int) -> None:
    assert command_encoding.size_of(structure) == size
