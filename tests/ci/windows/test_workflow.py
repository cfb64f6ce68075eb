"""The workflow for Windows runners runs what this project runs, on the releases that Wine has."""

import re
from pathlib import Path

from ci.check import STEPS
from ci.windows.wine import RELEASES

ROOT = Path(__file__).parents[3]
WORKFLOW = (ROOT / ".github/workflows/windows.yml").read_text(encoding="utf-8")


def test_each_command_is_one_of_the_readme_or_of_the_checks() -> None:
    commands = re.findall(r"- run: (.+)", WORKFLOW)
    known = [" ".join(step.command) for step in STEPS]
    known += (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(commands) >= 6
    assert [one for one in commands if not any(line.startswith(one) for line in known)] == []


def test_it_runs_on_the_same_releases_as_the_job_under_wine() -> None:
    line = next(line for line in WORKFLOW.splitlines() if "python: [" in line)
    assert re.findall(r"[\d.]+", line) == [release.version for release in RELEASES]
