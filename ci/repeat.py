"""Run the scenarios several times and compare what happened when: virtual time must repeat itself.

Each run writes its evidence; `events` in run.json holds a hash for each test. A difference is a
failure, but for the tests named in KERNEL, whose course the kernel's buffers decide.
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
WORKERS = 2
KERNEL = ("voice fails: a half open connection is noticed",)


def main() -> int:
    """Run, compare, say what came out; give the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=RUNS)
    arguments.add_argument("--thorough", action="store_true", help="every case of every table")
    chosen = arguments.parse_args()
    runs = chosen.runs
    places = ["scenarios", *(["--thorough"] if chosen.thorough else [])]
    with tempfile.TemporaryDirectory(prefix="repeat-") as folder:
        told = [one_run(Path(folder) / str(number), places) for number in range(runs)]
    if None in told:
        return 1
    known = [events for events in told if events is not None]
    names = sorted(set(known[0]).union(*known))
    differing = [name for name in names if len({events.get(name) for events in known}) > 1]
    for name in differing:
        say(f"{'kernel' if name in KERNEL else 'DIFFERS'}  {name}")
    bad = [name for name in differing if name not in KERNEL]
    say(f"{len(names) - len(differing)} of {len(names)} tests told the same in {runs} runs")
    return 1 if bad or not names else 0


def one_run(folder: Path, places: list[str]) -> dict[str, str] | None:
    """Run the scenarios once; give each test's hash, or None where the run failed."""
    began_at = time.monotonic()
    command = [sys.executable, "-m", "pytest", *places, "-q", "-n", str(WORKERS)]
    done = subprocess.run([*command, "--report", str(folder)], cwd=ROOT, check=False)
    say(f"run took {time.monotonic() - began_at:.1f} s")
    if done.returncode != 0:
        return None
    events: dict[str, str] = {}
    for path in sorted(folder.glob("*/run.json")):
        events |= json.loads(path.read_text(encoding="utf-8"))["events"]
    return events


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
