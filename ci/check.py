"""The one command that checks everything, on any system: `python ci/check.py`.

Runs each step to its end and says at the end which failed. `--only NAME` runs one step.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Step:
    """One check."""

    name: str
    """What it is called on the command line and in the summary."""
    command: tuple[str, ...]
    """What is run, from the project's root."""
    on_request: bool = False
    """Only with `--only`: it takes minutes, and all together must stay under twenty."""


STEPS = (
    Step("lint", ("uv", "run", "ruff", "check", ".")),
    Step("format", ("uv", "run", "ruff", "format", "--check", ".")),
    Step("types", ("uv", "run", "mypy")),
    Step("tests", ("uv", "run", "pytest", "tests")),
    # every case of every table, then the README's own `pytest scenarios`, which must tell the same
    Step("scenarios", ("uv", "run", "python", "ci/repeat.py", "--runs", "2", "--thorough")),
    Step("docs", ("uv", "run", "--group", "docs", "mkdocs", "build", "--strict")),
    Step("demo", ("uv", "run", "voicegate", "demo", "--out", "build/demo")),
    Step("browser", ("uv", "run", "python", "ci/report_browser.py", "build/demo")),
    Step("live-page", ("uv", "run", "python", "ci/live_page.py", "build/live")),
    Step("endurance", ("uv", "run", "python", "ci/endurance.py")),
    Step("bundle", ("uv", "run", "python", "ci/bundle.py", "--check"), on_request=True),
    Step("accept", ("uv", "run", "python", "ci/accept.py"), on_request=True),
    Step("interop", ("uv", "run", "python", "ci/interop.py")),
    Step("windows", ("uv", "run", "python", "ci/windows/wine.py")),
    Step("torture", ("uv", "run", "python", "ci/torture.py")),
    Step("fleet", ("uv", "run", "python", "ci/fleet.py")),
    Step("kamailio", ("uv", "run", "python", "ci/kamailio.py")),
)


def main() -> int:
    """Run the steps; give the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--only", choices=[step.name for step in STEPS], action="append")
    chosen = arguments.parse_args().only
    if shutil.which("uv") is None:
        say("uv is missing: pip install uv")
        return 2
    results = [(step, *run(step)) for step in chosen_steps(chosen)]
    say("\n=== summary")
    for step, code, seconds in results:
        say(f"{'ok    ' if code == 0 else 'FAILED'} {step.name:16} {seconds:6.1f} s")
    return 1 if any(code for _, code, _ in results) else 0


def chosen_steps(names: list[str] | None) -> list[Step]:
    """Give the steps that were named, else all that are run without being asked for."""
    return [step for step in STEPS if (step.name in names if names else not step.on_request)]


def run(step: Step) -> tuple[int, float]:
    """Run one step; give its exit code and how many seconds it took."""
    say(f"\n=== {step.name}: {' '.join(step.command)}")
    began_at = time.monotonic()
    code = subprocess.run(step.command, cwd=ROOT, env=environment(), check=False).returncode
    return code, time.monotonic() - began_at


def environment() -> dict[str, str]:
    """Give the environment without what would steer the gateway or the tests from outside."""
    # the last one: a hundred processes would each compile everything anew
    steering = (
        "VOICEGATE_",
        "GEMINI_",
        "GOOGLE_",
        "VIRTUAL_ENV",
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
    )
    return {name: value for name, value in os.environ.items() if not name.startswith(steering)}


def say(text: str) -> None:
    """Print at once, so that the lines stand in order among the steps' own."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
