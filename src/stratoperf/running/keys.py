"""The key of a case, by which comparisons match results of other runs, machines and versions.

It reads ``consensus.round[backend=cpu,byzantine=0.33,votes=10000]``: the benchmark's name, then
the backend and the parameters sorted by name. Numbers have one spelling each, whether a run had
``1``, ``1.0`` or ``np.int64(1)``, and a string that could be taken for something else is quoted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

_LARGEST_EXACT = 2.0**53


def case_key(benchmark: str, params: Mapping[str, bool | int | float | str], backend: str) -> str:
    """Return the key of a case.

    Parameters
    ----------
    benchmark
        The benchmark's name.
    params
        Values by parameter.
    backend
        The backend's name.
    """
    facts = sorted({**params, "backend": backend}.items())
    return f"{benchmark}[{','.join(f'{name}={_spelled(value)}' for name, value in facts)}]"


def _spelled(value: bool | float | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < _LARGEST_EXACT
        return str(int(value)) if whole else repr(value)
    return value if _is_plain(value) else json.dumps(value, ensure_ascii=False)


def _is_plain(text: str) -> bool:
    if not text or text in ("true", "false") or any(letter in text for letter in ',=[]"\n'):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False
