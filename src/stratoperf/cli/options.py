"""Values of options: durations, percentages and parameters of benchmarks."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import click

from stratoperf.door import LONGEST_S, shortened

UNITS_S = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}

# Each text matches in one way only, so that a long text without a match is rejected at once.
_DECIMAL = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_DURATION = re.compile(rf"({_DECIMAL})\s*([a-zµ]*)")
_PERCENTAGE = re.compile(rf"([+-]?{_DECIMAL}(?:[eE][+-]?[0-9]+)?)\s*%?")

RESULTS = Path("results")
"""The folder of run files, unless another one is given."""

_LONGEST_PARAMETER = 10_000


def positive_duration(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> float | None:
    """Return an option's value in seconds; zero or no duration is wrong usage."""
    del context, parameter
    return _duration(value, positive=True)


def any_duration(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> float | None:
    """Return an option's value in seconds, zero included; no duration is wrong usage."""
    del context, parameter
    return _duration(value, positive=False)


def _duration(value: str | None, *, positive: bool) -> float | None:
    try:
        return None if value is None else parse_duration(value, positive=positive)
    except ValueError as error:
        # click adds the option's name.
        raise click.BadParameter(str(error)) from error


def parse_duration(text: str, *, positive: bool = True) -> float:
    """Return the seconds of a text such as ``1.5h``.

    Raises
    ------
    ValueError
        When it is not a duration, or is zero where `positive` is set.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or (match[2] or "s") not in UNITS_S:
        raise ValueError(f"{shortened(text)!r} is not a duration; write 500ms, 60s, 5m or 1h")
    seconds = float(match[1]) * UNITS_S[match[2] or "s"]
    if seconds > LONGEST_S:
        raise ValueError(
            f"{shortened(text)!r} is longer than {LONGEST_S / UNITS_S['h']:.0f}h, the longest "
            "duration; write 500ms, 60s, 5m or 1h"
        )
    if positive and seconds == 0:
        raise ValueError(
            f"{shortened(text)!r} leaves no time to measure; write 500ms, 60s, 5m or 1h"
        )
    return seconds


def parse_params(texts: tuple[str, ...], option: str = "--param") -> dict[str, list[str]]:
    """Return the values by parameter from texts such as ``votes=100,1000``.

    Raises
    ------
    click.BadParameter
        For a text without a name, an equals sign or a value.
    """
    params: dict[str, list[str]] = {}
    for text in texts:
        if len(text) > _LONGEST_PARAMETER or not text.isprintable():
            raise click.BadParameter(
                f"{shortened(ascii(text))} cannot be a parameter; write NAME=VALUE with at most "
                f"{_LONGEST_PARAMETER} printable characters",
                param_hint=repr(option),
            )
        name, equals, values = text.partition("=")
        chosen = [value.strip() for value in values.split(",")]
        if not name.strip() or not equals or not all(chosen):
            raise click.BadParameter(
                f"{shortened(text)!r} is not NAME=VALUE; write votes=1000, or votes=100,1000 for "
                "several",
                param_hint=repr(option),
            )
        if any(re.fullmatch(r"0[0-9]+", value) for value in chosen[1:]):
            whole = "".join(chosen)
            raise click.BadParameter(
                f"{text!r} gives {name.strip()} the values {' and '.join(chosen)}; write "
                f"{name.strip()}={whole} if that is one number",
                param_hint=repr(option),
            )
        params.setdefault(name.strip(), []).extend(chosen)
    return params


def percentage(
    most: float, above: float = 0.0
) -> Callable[[click.Context, click.Parameter, str | None], float | None]:
    """Return a callback that turns an option's value in percent into a fraction within limits."""

    def convert(
        context: click.Context, parameter: click.Parameter, value: str | None
    ) -> float | None:
        del context, parameter
        if value is None:
            return None
        # Python reads digits of all scripts, and underscores between them.
        match = _PERCENTAGE.fullmatch(value.strip())
        percent = float(match[1]) if match else math.nan
        # NaN fails every comparison.
        if not above < percent <= most:
            meant = f"; write {100 * percent:g} for {100 * percent:g} %"
            raise click.BadParameter(
                f"{shortened(value)!r} is not a percentage above {above:g} and at most {most:g}"
                + (meant if above < 100 * percent <= most else "")
            )
        return percent / 100

    return convert
