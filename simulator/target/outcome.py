"""From pytest's report of a test to a check of the run."""

from typing import Any

import pytest

from simulator.report.model import Outcome
from simulator.target.evidence import RunLog, Scene

NOT_TESTABLE = "not testable"
NOTED: pytest.StashKey[bool] = pytest.StashKey()


def note(log: RunLog, item: Any, report: Any, scene: Scene | None) -> None:
    """Log a test once: when it failed or was skipped, else at its end."""
    if item.stash.get(NOTED, False):
        return
    item.stash[NOTED] = True
    log.add(title(item), outcome(report), reason(report), scene)


def title(item: Any) -> str:
    """Give the row of the acceptance list that the test stands for, else its name."""
    marker = item.get_closest_marker("acceptance")
    name = f"{item.path.stem.removeprefix('test_')}: {item.name.removeprefix('test_')}"
    return str(marker.args[0]) if marker else name.replace("_", " ")


def outcome(report: Any) -> Outcome:
    """Give passed, failed, skipped or not testable."""
    if report.skipped:
        return Outcome.NOT_TESTABLE if NOT_TESTABLE in reason(report) else Outcome.SKIPPED
    return Outcome.PASSED if report.passed else Outcome.FAILED


def reason(report: Any) -> str:
    """Give the line that says why a test failed or was skipped."""
    if report.passed or report.longrepr is None:
        return ""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr).splitlines()[0]
