"""Run the scenarios several times and compare what happened when: virtual time must repeat itself.

Each test has a hash of it (`ci/told.py`). A difference is a failure, but for the tests named in
KERNEL, whose course the kernel's buffers decide. With `--thorough` the first run takes every case
of every table and the others the first cases: they must tell the same among fewer others.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 3
KERNEL = ("scenarios/test_voice_fails.py::test_a_half_open_connection_is_noticed",)


def main() -> int:
    """Run, compare, say what came out; give the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=RUNS)
    arguments.add_argument("--thorough", action="store_true", help="every case in the first run")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="repeat-") as folder:
        told = []
        for number in range(chosen.runs):
            more = ["--thorough"] if chosen.thorough and number == 0 else []
            found = one_run(Path(folder) / str(number), more)
            if found is None:
                return 1
            told.append(found)
    bad, same = verdict(told)
    for line in bad:
        say(line)
    say(f"{same} of {len(told[-1])} tests told the same in {chosen.runs} runs")
    return 1 if bad or not same else 0


def verdict(told: list[dict[str, str]]) -> tuple[list[str], int]:
    """Give what differs and is no kernel's doing, and how many tests of the last run do not."""
    first, later = told[0], told[1:]
    names = sorted(set().union(*later))
    bad = [f"MISSING  {name}" for name in names if any(name not in events for events in told)]
    differing = [
        name for name in names if len({events[name] for events in told if name in events}) > 1
    ]
    bad += [f"DIFFERS  {name}" for name in differing if name not in KERNEL]
    same = sum(name in first and name not in differing for name in names)
    return bad, same


def one_run(folder: Path, more: list[str]) -> dict[str, str] | None:
    """Run the scenarios once; give each test's hash, or None where the run failed."""
    began_at = time.monotonic()
    folder.mkdir()
    command = [sys.executable, "-m", "pytest", "scenarios", "-q", *more]
    done = subprocess.run([*command, "-p", "ci.told", "--told", folder], cwd=ROOT, check=False)
    say(f"run took {time.monotonic() - began_at:.1f} s")
    if done.returncode != 0:
        return None
    events: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")):
        events |= json.loads(path.read_text(encoding="utf-8"))
    return events


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
