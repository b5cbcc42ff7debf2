"""Planning: which cases a run measures, with which values and in how many processes."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from stratoperf import arguments, backends
from stratoperf.errors import BackendUnavailable, InvalidParameter, did_you_mean
from stratoperf.results.plans import Request
from stratoperf.running.cases import Case, Plan
from stratoperf.running.containment import Containment
from stratoperf.running.declaration import Benchmark
from stratoperf.running.presets import (
    LEAST_PROCESSES,
    LONG_RUN_PROCESSES,
    MOST_PROCESSES,
    PROCESS_S,
    Preset,
    Sampling,
    preset_named,
)
from stratoperf.running.registry import Registry
from stratoperf.running.values import Value, values_of

Selection: TypeAlias = str | Benchmark | Iterable[str | Benchmark] | None


NOWHERE = "it is declared in a function, a notebook or at a prompt, which no process can import"


DECLARE = "declare it at the top level of a module or script"


def make_request(
    select: Selection,
    params: Mapping[str, Any] | None,
    *,
    preset: str,
    backend: str,
    iterations: int | None,
    duration_s: float | None,
    warmup_s: float | None,
    profile: bool,
    processes: int | None = None,
) -> Request:
    """Bring the parameters of `stratoperf.run` into the form that the run file keeps.

    Raises
    ------
    InvalidParameter
        For a parameter value that is not a bool, number or string, and a number of processes out of
        range.
    """
    words = [select] if isinstance(select, str | Benchmark) else list(select or ())
    return Request(
        select=tuple(str(getattr(word, "name", word)) for word in words) or None,
        preset=preset,
        backend=backend,
        params={name: values_of(name, values) for name, values in (params or {}).items()},
        # As plain Python numbers, which the run file can hold.
        iterations=None if iterations is None else arguments.count("iterations", iterations),
        duration_s=_seconds("duration_s", duration_s),
        warmup_s=_seconds("warmup_s", warmup_s),
        profile=bool(profile),
        processes=(
            None
            if processes is None
            else arguments.whole_number("processes", processes, 1, MOST_PROCESSES)
        ),
    )


def _seconds(argument: str, seconds: float | None) -> float | None:
    return None if seconds is None else arguments.seconds(argument, seconds)


def make_plan(
    request: Request, registry: Registry, *, saves: bool, seed: int | None = None
) -> Plan:
    """Plan a run.

    Parameters
    ----------
    request
        What is asked.
    registry
        What is selected from.
    saves
        Whether a run file is written.
    seed
        Seed of the order of measurement; drawn at random by default.

    Raises
    ------
    InvalidParameter
        For an unknown benchmark, preset, backend or parameter (suggests the nearest name), or a
        value out of range.
    BackendUnavailable
        When a backend was asked for by name that cannot run here, or that none of the selected
        benchmarks has.
    """
    preset = preset_named(request.preset)
    benchmarks = registry.select(request.select)
    if not benchmarks:
        raise InvalidParameter(
            "benchmark: no benchmark is registered; declare one with @sp.benchmark"
        )
    reasons = _unavailable(request.backend, benchmarks)
    _check_names(request.params, benchmarks, reasons)
    cases: list[Case] = []
    # Functions of the declarations are asked, which may change the process like all foreign code.
    with Containment() as around:
        for benchmark in benchmarks:
            division = _division(benchmark, preset, request)
            for backend, reason in reasons[benchmark.name]:
                chosen = _typed(benchmark, backend, request.params)
                cases += [
                    _case(benchmark, params, backend, reason, division, request)
                    for params in benchmark.combinations(chosen, backend)
                ]
    around.pass_on()
    distinct = {case.key: case for case in cases}
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    return Plan(request, tuple(distinct.values()), saves, seed, registry.warnings)


class _Division(NamedTuple):
    """How what is asked of a case is divided among processes."""

    sampling: Sampling
    share: Sampling
    least: int
    most: int
    seconds: float = math.inf
    disk_bytes: float = math.inf


def _division(benchmark: Benchmark, preset: Preset, request: Request) -> _Division:
    sampling = preset.sampling.changed(request.iterations, request.duration_s, request.warmup_s)
    sustained_s = 0.0 if request.duration_s is not None else benchmark.sustained_s
    if sustained_s:
        sampling = sampling.changed(duration_s=max(sampling.max_duration_s, sustained_s))
    if benchmark.origin is None:
        if request.processes not in (None, 1):
            raise InvalidParameter(
                f"processes: {benchmark.name} cannot run in {request.processes} fresh processes, "
                f"since {NOWHERE}; {DECLARE}, or leave processes out"
            )
        return _Division(sampling, sampling, 1, 1)
    if request.processes is not None:
        least = most = request.processes
        seconds = disk_bytes = math.inf
    elif request.duration_s is not None:
        # Who gives a duration wants it used: the number is fixed.
        long = min(math.floor(request.duration_s / PROCESS_S), LONG_RUN_PROCESSES)
        least = most = max(preset.most, long)
        seconds, disk_bytes = max(preset.seconds, 2 * request.duration_s), preset.disk_bytes
    else:
        least, most = LEAST_PROCESSES, preset.most
        seconds, disk_bytes = preset.seconds, preset.disk_bytes
    share = sampling.shared(least)
    if sustained_s:
        # By each process: what it would not sustain alone says nothing.
        share = share.changed(duration_s=max(share.max_duration_s, sustained_s))
    return _Division(sampling, share, least, most, seconds, disk_bytes)


def _case(
    benchmark: Benchmark,
    params: Mapping[str, Value],
    backend: str,
    skip_reason: str | None,
    division: _Division,
    request: Request,
) -> Case:
    shared = benchmark.declared(params, division.share.max_duration_s)
    case = Case(
        benchmark,
        params,
        backend,
        benchmark.key(params, backend),
        division.sampling,
        division.share,
        shared,
        division.least,
        division.most,
        is_exact=request.processes is not None,
        seconds_allowed=division.seconds,
        skip_reason=skip_reason,
        profile=request.profile,
    )
    whole = benchmark.declared(params, division.sampling.max_duration_s)
    if shared.disk_bytes == 0 < whole.disk_bytes and division.least > 1:
        # A share of the time is too short for writing so much; one process has all of it.
        return dataclasses.replace(
            case,
            share=division.sampling,
            declared=whole,
            least=1,
            most=1,
            shortfall=f"each writes up to {whole.disk_bytes / 1e9:.3g} GB to a disk",
        )
    return _within(case, division.disk_bytes)


def _within(case: Case, disk_bytes: float) -> Case:
    """Return a case with as many processes as the time and the bytes allow it."""
    process_s, written = case.process_seconds, case.declared.disk_bytes
    reasons = {
        _fitting(case.seconds_allowed, process_s): f"each takes about {process_s:.3g} s",
        _fitting(disk_bytes, written): f"each writes up to {written / 1e9:.3g} GB to a disk",
    }
    most = min(reasons)
    if most >= case.most:
        return case
    shortfall = None
    if most < case.least:
        shortfall = reasons[most]
    return dataclasses.replace(case, least=min(case.least, most), most=most, shortfall=shortfall)


def _fitting(allowed: float, each: float) -> int:
    """Return how many fit; the first always does."""
    return MOST_PROCESSES if each * MOST_PROCESSES <= allowed else max(1, int(allowed / each))


def _unavailable(
    backend: str, benchmarks: Sequence[Benchmark]
) -> dict[str, list[tuple[str, str | None]]]:
    """Return, for each benchmark, the backends to measure and why one of them cannot be."""
    if backend == "auto":
        return {
            benchmark.name: [
                (name, backends.unavailable_reason(name)) for name in benchmark.measured_backends
            ]
            for benchmark in benchmarks
        }
    reason = backends.unavailable_reason(backend)
    if reason is not None:
        raise BackendUnavailable(f"backend {backend!r} cannot run here: {reason}")
    if not any(backend in benchmark.backends for benchmark in benchmarks):
        known = sorted({name for benchmark in benchmarks for name in benchmark.backends})
        raise BackendUnavailable(
            f"backend: none of the selected benchmarks has {backend!r}; "
            f"they have {', '.join(known)}"
        )
    return {
        benchmark.name: [
            (
                backend,
                None
                if backend in benchmark.backends
                else f"{benchmark.name} has no backend {backend}",
            )
        ]
        for benchmark in benchmarks
    }


def _check_names(
    params: Mapping[str, Any],
    benchmarks: Sequence[Benchmark],
    reasons: Mapping[str, list[tuple[str, str | None]]],
) -> None:
    known = {
        name
        for benchmark in benchmarks
        for backend, _ in reasons[benchmark.name]
        for name in benchmark.axes(backend)
    }
    for name, values in params.items():
        if name not in known:
            raise InvalidParameter(
                f"params: none of the selected benchmarks has {name!r}; {did_you_mean(name, known)}"
            )
        if not values:
            raise InvalidParameter(f"params: {name!r} has no values; give at least one")


def _typed(
    benchmark: Benchmark, backend: str, params: Mapping[str, tuple[Value, ...]]
) -> dict[str, tuple[Value, ...]]:
    """Return the values of this benchmark's parameters, text turned into the declared type."""
    axes = benchmark.axes(backend)
    return {
        name: values_of(name, [_like(value, axes[name], name) for value in values])
        for name, values in params.items()
        if name in axes
    }


def _like(value: Value, examples: tuple[Value, ...], name: str) -> Value:
    """Return a value of the kind that the declared ones are; a command line has only text."""
    if any(isinstance(example, str) for example in examples):
        return value if isinstance(value, str) else str(value)
    if all(isinstance(example, bool) for example in examples):
        known = {"true": True, "false": False, "1": True, "0": False}
        if str(value).lower() not in known:
            raise InvalidParameter(f"params: {name!r} is true or false, got {value!r}")
        return known[str(value).lower()]
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidParameter(f"params: {name!r} is a number, got {value!r}")
    if not all(isinstance(example, int) for example in examples):
        return number
    if not number.is_integer():
        raise InvalidParameter(f"params: {name!r} is a whole number, got {value!r}")
    (whole,) = values_of(name, int(number))
    return whole
