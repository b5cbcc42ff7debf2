"""Each default stands in one place: change it there, and signatures, options and help follow."""

from __future__ import annotations

import json
import subprocess
import sys

CHANGED = {
    "THRESHOLD": 0.07,
    "CONFIDENCE": 0.97,
    "STATISTIC": "p95",
    "DURATION_S": 43.0,
    "TIMEOUT_S": 780.0,
    "INCONCLUSIVE": "fail",
    "LEAST_CHANGE": 0.03,
}

SCRIPT = """
import inspect, json, sys
from stratoperf.analysis import defaults

wanted = json.loads(sys.argv[1])
assert wanted.keys() == {name for name in vars(defaults) if name.isupper()}
for name, value in wanted.items():
    setattr(defaults, name, value)

from click.testing import CliRunner
from stratoperf import compare, compare_live
from stratoperf.analysis import decide
from stratoperf.analysis.history import history
from stratoperf.analysis.settings import ComparisonSettings
from stratoperf.cli.application import application
from stratoperf.running.live.settings import default_timeout_s

made = ComparisonSettings()
signatures = {
    function.__name__: {
        name: argument.default
        for name, argument in inspect.signature(function).parameters.items()
        if isinstance(argument.default, (int, float, str, tuple))
    }
    for function in (compare, compare_live, history, decide)
}
pages = {
    name: " ".join(CliRunner().invoke(application, [name, "--help"]).output.split())
    for name in ("compare", "check", "history")
}
made = [made.threshold, made.confidence, default_timeout_s(1.0)]
print(json.dumps([signatures, pages, made]))
"""


def test_a_changed_default_reaches_signatures_options_and_help() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(CHANGED)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    signatures, pages, made = json.loads(done.stdout)
    judged = {"threshold": 0.07, "confidence": 0.97}
    assert signatures["compare"] == {**judged, "statistics": ["p95"]}
    assert signatures["compare_live"] == {
        **judged,
        "backend": "auto",
        "statistic": "p95",
        "duration_s": 43.0,
        "stop_early": True,
    }
    assert signatures["history"] == {"statistic": "p95", "threshold": 0.03, "error": 0.01}
    assert signatures["decide"] == {"inconclusive": "fail"}
    assert made == [0.07, 0.97, 780.0]
    for page in (pages["compare"], pages["check"]):
        shown = ("7", "p95", "97", "43s", "13m, or ten budgets if longer")
        assert [value for value in shown if f"[default: {value}]" not in page] == []
    assert "[default: fail]" in pages["check"]
    assert "[default: 3]" in pages["history"]
