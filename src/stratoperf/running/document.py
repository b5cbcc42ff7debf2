"""The document of a run before anything is measured."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import stratoperf
from stratoperf.commands import this_command
from stratoperf.results import SCHEMA


def new_document(preset: str, **asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tree of a run file without systems and results, created now.

    Parameters
    ----------
    preset
        Name of a preset, or ``"live"``.
    asked
        The request, under the key that names its form.
    """
    return {
        "schema": SCHEMA,
        "id": uuid.uuid4().hex,
        "created": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        "preset": preset,
        "command": this_command(),
        "stratoperf_version": stratoperf.__version__,
        "systems": {},
        **asked,
        "results": [],
    }
