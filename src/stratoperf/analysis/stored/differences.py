"""What two sides do not have in common: listed, never silently dropped."""

from __future__ import annotations

from collections.abc import Iterable

from stratoperf.analysis.comparison import Difference, Failure, Side
from stratoperf.analysis.stored.sides import SideRuns, is_live, run_name
from stratoperf.results.schema import Facts, Result, System


def side_differences(before: SideRuns, after: SideRuns) -> tuple[list[Difference], list[str]]:
    """Return what differs, and the keys that can be compared, in the order of the runs."""
    differences: list[Difference] = []
    keys: list[str] = []
    for key in {**before.results, **after.results}:
        difference = _difference(key, before, after)
        if difference is None:
            keys.append(key)
        else:
            differences.append(difference)
    return [*differences, *_of_the_whole(before, after)], keys


def _difference(key: str, before: SideRuns, after: SideRuns) -> Difference | None:
    """Return why a key cannot be compared."""
    if key not in after.results:
        return Difference(what="only in baseline", key=key, baseline=key)
    if key not in before.results:
        return Difference(what="only in current", key=key, current=key)
    if not before.of(key) or not after.of(key):
        return Difference(
            what="status",
            key=key,
            baseline=_status(before.results[key][-1][1]),
            current=_status(after.results[key][-1][1]),
        )
    versions = [
        {str(result.benchmark_version) for _, result in side.of(key)} for side in (before, after)
    ]
    if versions[0] != versions[1] or len(versions[0]) > 1:
        texts = [", ".join(sorted(some)) for some in versions]
        return Difference(what="benchmark version", key=key, baseline=texts[0], current=texts[1])
    return None


def separate(before: SideRuns, after: SideRuns) -> tuple[bool, list[str]]:
    """Make sure that each run is on one side only: compared with itself, it shows no change.

    It stays on the side that has no other, and on the current one where both have others.

    Returns
    -------
    bool
        Whether the sides are the very same runs, so that there is nothing to compare.
    list of str
        What to warn of.
    """
    known = {run.id for run in before.runs}
    shared = [run for run in after.runs if run.id in known and not is_live(run)]
    if not shared:
        return False, []
    name = run_name(shared[0])
    if len(shared) == len(before.runs) == len(after.runs):
        which = f"the same run, {name}" if len(shared) == 1 else f"the same {len(shared)} runs"
        return True, [
            f"THE SAME RUN ON BOTH SIDES: baseline and current are {which}, so there is no "
            "verdict; measure the code to check with stratoperf run"
        ]
    stays = "current" if len(shared) < len(before.runs) else "baseline"
    (before if stays == "current" else after).drop(shared)
    more = f" and {len(shared) - 1} more are" if len(shared) > 1 else " is"
    return False, [f"{name}{more} on both sides; counted on the {stays} side alone"]


def failures(before: SideRuns, after: SideRuns) -> list[Failure]:
    """Return what failed, also where other runs of the side have the result."""
    failing: list[Failure] = []
    sides: tuple[tuple[Side, SideRuns], ...] = (("baseline", before), ("current", after))
    for side, runs in sides:
        for key, results in runs.results.items():
            failed = [result for _, result in results if result.status == "failed"]
            if failed:
                reason = failed[-1].reason or "no reason given"
                times = f" (in {len(failed)} of {len(results)} runs)" if len(results) > 1 else ""
                failing.append(Failure(key=key, side=side, why=f"{reason}{times}"))
    return failing


def _status(result: Result) -> str:
    return result.status + (f": {result.reason}" if result.reason else "")


def _of_the_whole(before: SideRuns, after: SideRuns) -> list[Difference]:
    facts = [
        ("preset", *(_joined(str(run.preset) for run in side.runs) for side in (before, after))),
        (
            "system",
            *(
                _joined(_machine(system) for system in side.systems.values())
                for side in (before, after)
            ),
        ),
        (
            "stratoperf version",
            *(
                _joined(str(run.stratoperf_version) for run in side.runs)
                for side in (before, after)
            ),
        ),
    ]
    return [
        Difference(what=what, baseline=first, current=second, compared=True)
        for what, first, second in facts
        if first != second
    ]


def machine_warnings(before: SideRuns, after: SideRuns) -> list[str]:
    """Return what makes a comparison doubtful, the most serious first."""
    warnings: list[str] = []
    machines = [set(side.systems) for side in (before, after)]
    if machines[0] != machines[1]:
        texts = [
            _joined(_machine(system) for system in side.systems.values())
            for side in (before, after)
        ]
        warnings.append(
            f"ANOTHER MACHINE: the baseline was taken on {texts[0] or 'an unknown one'}, the "
            f"current side on {texts[1] or 'an unknown one'}; ratios between machines say nothing "
            "about the code"
        )
    # A live comparison may be both sides.
    results = {
        (run.id, key): result
        for side in (before, after)
        for key in side.results
        for run, result in side.of(key)
    }
    noise = [result.warnings[0] for result in results.values() if result.warnings]
    if noise:
        were = "result was" if len(noise) == 1 else "results were"
        warnings.append(f"{len(noise)} {were} taken under noise, for example: {noise[0]}")
    notes = [result.notes[0] for result in results.values() if result.notes]
    if notes:
        have = "result has a note" if len(notes) == 1 else "results have notes"
        warnings.append(f"{len(notes)} {have}, for example: {notes[0]}")
    return warnings


def _machine(system: System) -> str:
    parts = [_fact(system.cpu, "model"), _fact(system.kernel, "release")]
    python = _fact(system.python, "version")
    return ", ".join(part for part in (*parts, f"Python {python}" if python else "") if part)


def _fact(facts: Facts, name: str) -> str:
    if isinstance(facts, dict):
        value = facts.get(name)
        return "" if value is None else str(value)
    return facts or ""


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(sorted(dict.fromkeys(text for text in texts if text)))
