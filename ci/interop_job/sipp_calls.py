"""SIPp's own `uac` scenario, 100 calls at 10 a second."""

import asyncio
import csv
from dataclasses import dataclass
from pathlib import Path

from ci.interop_job.ports import HOST, free_block
from ci.interop_job.scene import Scene
from ci.interop_job.tools import ended, running
from ci.interop_job.verdicts import summary

CALLS = 100
RATE_PER_S = 10
GIVE_UP_S = 35
LONGER_MS = 1500
MIDDLE_S = 6.0
UP_AT_LEAST = 5
"""Of some 15 calls that are up in the middle of the run, with two sockets each."""


@dataclass(frozen=True)
class Tally:
    """What SIPp counted."""

    created: int
    """Calls it started."""
    successful: int
    failed: int
    retransmissions: int
    """Messages it had to send again."""
    unexpected: int
    """Calls that failed for a message that the scenario does not know."""


async def short_calls(scene: Scene) -> None:
    """Calls that end with the ACK."""
    await _run(scene, f"sipp uac {CALLS} calls", 0)


async def longer_calls(scene: Scene) -> None:
    """Calls that stay long enough for sound to flow."""
    await _run(scene, f"sipp uac {CALLS} calls of {LONGER_MS} ms", LONGER_MS)


async def calls_by_tcp(scene: Scene) -> None:
    """The short calls over one TCP connection."""
    await _run(scene, f"sipp uac {CALLS} calls by TCP", 0, "t1")


async def _run(scene: Scene, name: str, duration_ms: int, transport: str = "u1") -> None:
    folder = scene.folder / f"sipp-{transport}-{duration_ms}"
    folder.mkdir()
    statistics, output = folder / "statistics.csv", folder / "sipp.out"
    ended_before = len(scene.gateway.lines("call ended"))
    command = _command(scene.gateway.sip_port, duration_ms, statistics, transport)
    async with scene.nothing_left(name):
        async with running(command, output, folder=folder) as sipp:
            if duration_ms:
                await _check_in_the_middle(scene, name)
            code = await ended(sipp, GIVE_UP_S + 5)
        tally = read_tally(statistics) if statistics.is_file() else None
        good = code == 0 and tally is not None and (tally.successful, tally.failed) == (CALLS, 0)
        told = f"exit code {code}, no statistics" if tally is None else _told(tally, code)
        scene.checks.check(name, good, told)
    reasons = scene.gateway.reasons(ended_before)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"
    scene.checks.check(f"{name}, ends", reasons == {"caller_bye": CALLS}, told)


async def _check_in_the_middle(scene: Scene, name: str) -> None:
    """Check that `/resources` sees calls while they are up: a blind one would always pass."""
    await asyncio.sleep(MIDDLE_S)
    sample = await scene.gateway.resources()
    held = (sample["calls"], sample["gemini_sessions"], sample["sockets"] // 2)
    scene.checks.check(
        f"{name}, resources in the middle", min(held) >= UP_AT_LEAST, summary(sample)
    )


def _command(port: int, duration_ms: int, statistics: Path, transport: str) -> list[str]:
    own = free_block(6)
    where = ["-t", transport, "-i", HOST, "-p", str(own), "-mi", HOST, "-mp", str(own + 2)]
    # its remote control would listen on all addresses
    control = ["-ci", HOST, "-cp", str(own + 5), "-nostdin"]
    # -l: by default it holds new calls back while others are up
    load = ["-m", str(CALLS), "-r", str(RATE_PER_S), "-l", str(CALLS), "-d", str(duration_ms)]
    bounds = ["-timeout", f"{GIVE_UP_S}s", "-timeout_error"]
    trace = ["-trace_stat", "-fd", "1", "-stf", str(statistics)]
    return ["sipp", "-sn", "uac", f"{HOST}:{port}", *where, *control, *load, *bounds, *trace]


def _told(tally: Tally, code: int | None) -> str:
    return (
        f"{tally.successful} of {CALLS} succeeded, {tally.failed} failed"
        f" ({tally.unexpected} for an unexpected message),"
        f" {tally.retransmissions} retransmissions, exit code {code}"
    )


def read_tally(statistics: Path) -> Tally:
    """Read the last line of SIPp's statistics file: the sums over the whole run."""
    with statistics.open(encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    last = rows[-1] if rows else {}

    def count(column: str) -> int:
        return int(last.get(column) or 0)

    return Tally(
        created=count("TotalCallCreated"),
        successful=count("SuccessfulCall(C)"),
        failed=count("FailedCall(C)"),
        retransmissions=count("Retransmissions(C)"),
        unexpected=count("FailedUnexpectedMessage(C)"),
    )
