"""Random sequences of allocating, migrating, reading and freeing, beside a plain dictionary."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)
from numpy.typing import NDArray

from memory_fakes import PAGE, noise
from stratoperf.stratoswarm.memory import Block, TierManager

# Around the sizes at which pieces, slabs and vectored calls end.
PAGES = st.integers(1, 40) | st.sampled_from([255, 256, 600])
TIERS = st.integers(0, 5)


class Blocks(RuleBasedStateMachine):
    """The manager beside a dictionary of what each block must hold, and where it must lie."""

    blocks = Bundle("blocks")
    make_manager: Callable[[Path], TierManager]

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.manager = type(self).make_manager(Path(self.directory.name))
        self.names = [tier.name for tier in self.manager.tiers]
        self.content: dict[Block, NDArray[np.uint8]] = {}
        self.place: dict[Block, str] = {}

    def name(self, index: int) -> str:
        return self.names[index % len(self.names)]

    @rule(target=blocks, pages=PAGES, tier=TIERS, seed=st.integers(0, 99))
    def allocate(self, pages: int, tier: int, seed: int) -> Block:
        content = np.zeros(pages * PAGE, np.uint8) if seed == 0 else noise(pages * PAGE, seed)
        block = self.manager.allocate(len(content), self.name(tier), None if seed == 0 else content)
        self.content[block], self.place[block] = content, self.name(tier)
        return block

    @rule(some=st.lists(blocks, min_size=1, max_size=8, unique=True), tier=TIERS)
    def migrate(self, some: list[Block], tier: int) -> None:
        self.manager.migrate(some, self.name(tier))
        self.place.update(dict.fromkeys(some, self.name(tier)))

    @rule(block=blocks, seed=st.integers(1, 99))
    def write(self, block: Block, seed: int) -> None:
        self.content[block] = noise(block.size, seed)
        self.manager.write(block, self.content[block])

    @rule(block=blocks)
    def read(self, block: Block) -> None:
        assert np.array_equal(self.manager.read(block), self.content[block])
        self.manager.verify(block)

    @rule(block=consumes(blocks))
    def free(self, block: Block) -> None:
        self.manager.free(block)
        del self.content[block], self.place[block]

    @rule()
    def trim(self) -> None:
        self.manager.trim()

    @invariant()
    def every_block_is_where_it_belongs(self) -> None:
        assert set(self.manager.blocks) == set(self.content)
        for block, name in self.place.items():
            assert block.tier == self.manager.tier(name)

    def teardown(self) -> None:
        for block in list(self.content):
            self.read(block)
        self.manager.close()
        assert list(Path(self.directory.name).iterdir()) == []
        self.directory.cleanup()


def hold_to_a_dictionary(make_manager: Callable[[Path], TierManager], examples: int) -> None:
    """Run random sequences on managers, each with a directory of its own."""

    class Made(Blocks):
        pass

    Made.make_manager = staticmethod(make_manager)
    run_state_machine_as_test(
        Made,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
