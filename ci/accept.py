"""The acceptance list from the shell: a good gateway passes all of it, broken ones fail their rows.

Each gateway is a process of its own, as somebody would start it by hand; loopback only.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.target.command import free_block, running
from simulator.target.voice import kept_environment

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
LIMIT_S = 240.0


@dataclass(frozen=True)
class Case:
    """One gateway, and what the list must say of it."""

    name: str
    """voicegate, or the sin."""
    command: tuple[str, ...]
    """Starts it; {sip}, {admin}, {low} and {high} stand for ports."""
    fails: tuple[str, ...] = ()
    """Rows (their first character) of which at least one must fail; none: all must pass."""


CASES = (
    Case("voicegate", ("-m", "voicegate", "serve")),
    *(
        Case(
            sin,
            (f"tests/bad_gateways/{sin}.py", *["--port", "{sip}", "--admin-port", "{admin}"]),
            rows,
        )
        for sin, rows in (
            ("goodbye_cut_off", ("6",)),
            ("second_call_silent", ("3", "4", "7")),
            ("leaked_task", ("1", "2", "3", "4", "7")),
        )
    ),
)


async def judged(case: Case, folder: Path) -> str:
    """Run the list against one gateway; give what is wrong with the verdict, "" for nothing."""
    low = free_block(600) if case.name == "voicegate" else 40000 + 700 * CASES.index(case)
    ports = {"sip": low, "admin": low + 1, "gemini": low + 2, "low": low + 4, "high": low + 400}
    listen = f"{HOST}:{ports['gemini']}"
    variables = _plain() | kept_environment(listen)
    variables |= {
        "VOICEGATE_SIP__PORT": str(ports["sip"]),
        "VOICEGATE_ADMIN__PORT": str(ports["admin"]),
        "VOICEGATE_MEDIA__RTP_PORTS": json.dumps([ports["low"], ports["high"]]),
    }
    place = folder / case.name
    place.mkdir()
    command = [sys.executable, *(part.format(**ports) for part in case.command)]
    if command[1].endswith(".py"):
        command[1] = str(ROOT / command[1])
    with running(command, place / "gateway.log", variables):
        found = await _accept(ports, listen, place)
    for row in found["rows"]:
        say(f"  {case.name}: {row['outcome']:12} {row['row']} {row['message'][:100]}")
    failed = [row["row"] for row in found["rows"] if row["outcome"] == "failed"]
    if not (place / "evidence" / "report.html").exists():
        return "no report.html was written"
    if not case.fails:
        return "" if found["passed"] and found["code"] == 0 else f"failed: {failed}"
    right = [row for row in failed if row.startswith(case.fails)]
    return "" if right and found["code"] == 1 else f"failed {failed}, exit code {found['code']}"


async def _accept(ports: Mapping[str, int], listen: str, place: Path) -> dict[str, Any]:
    arguments = [
        *("-m", "simulator", "accept", "--json", "--wait-s", "30"),
        *("--gateway", f"sip:{HOST}:{ports['sip']}", "--gemini-listen", listen),
        *("--resources", f"http://{HOST}:{ports['admin']}/resources"),
        *("--report", str(place / "evidence")),
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE, env=_plain()
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return {"rows": [], "passed": False, "code": -1}
    found = json.loads(output) if output else {"rows": [], "passed": False}
    return dict(found) | {"code": process.returncode}


def _plain() -> dict[str, str]:
    steering = ("VOICEGATE_", "GEMINI_", "GOOGLE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return kept | {"PYTHONPATH": str(ROOT)}


async def main(cases: tuple[Case, ...]) -> int:
    """Judge them side by side, since each mostly waits; give the exit code."""
    with tempfile.TemporaryDirectory(prefix="accept-ci-") as folder:
        verdicts = await asyncio.gather(*(judged(case, Path(folder)) for case in cases))
    for case, wrong in zip(cases, verdicts, strict=True):
        say(f"{'FAIL' if wrong else 'PASS'}  acceptance list against {case.name} {wrong}")
    return 1 if any(verdicts) else 0


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    # one broken gateway shows that the list can fail; `--all` takes some minutes more
    sys.exit(asyncio.run(main(CASES if "--all" in sys.argv else CASES[:2])))
