"""Choosing a backend."""

from __future__ import annotations

import pytest

from stratoperf import backends
from stratoperf.errors import BackendUnavailable, InvalidParameter


@pytest.mark.usefixtures("without_cuda")
def test_auto_is_the_best_that_runs_here() -> None:
    assert backends.resolve("auto", ("reference", "cpu")) == "cpu"


def test_a_backend_that_cannot_run_says_why(without_cuda: str) -> None:
    with pytest.raises(BackendUnavailable, match=f"'cuda' cannot run: {without_cuda}"):
        backends.resolve("cuda", ("cpu", "cuda"))


def test_a_backend_that_the_workload_lacks_is_refused() -> None:
    with pytest.raises(BackendUnavailable, match="only cpu"):
        backends.resolve("reference", ("cpu",))


def test_an_unknown_backend_gets_the_nearest_name() -> None:
    with pytest.raises(InvalidParameter, match="did you mean 'cuda'"):
        backends.resolve("cud", ("cpu",))
    # Not 'cpu', which has more letters in common.
    with pytest.raises(InvalidParameter, match="did you mean 'cuda'"):
        backends.resolve("GPU", ("cpu",))
