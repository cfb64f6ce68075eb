"""Several gateways behind Kamailio: 300 calls while one gateway is killed and another drained.

`python ci/fleet.py` runs deploy/kamailio as it is shipped, three `voicegate serve` with the echo,
and SIPp; prints a table and one line for each check, and ends with 1 if one failed. Loopback only,
bounded in count and time, and nothing is left running.
"""

import asyncio
import csv
import os
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from ci.interop_job.checks import Checks, say
from ci.interop_job.fleet import Balancer, open_balancer
from ci.interop_job.gateway import RunningGateway, open_gateway
from ci.interop_job.ports import HOST, free_block
from ci.interop_job.tools import ended, missing_tool, program_of, running
from ci.job import evidence_folder, run_bounded

LIMIT_S = 150.0
GATEWAYS = 3
MAX_CALLS = 100
CALLS, RATE_PER_S, CALL_MS = 300, 15, 2000
KILL_AFTER_S, DRAIN_AFTER_S = 6.0, 12.0
SETTLE_S = 3.0
RUN_WITHIN_S = 70
IN_PROGRESS_MAX = RATE_PER_S * CALL_MS // 1000 + RATE_PER_S
"""Calls that may be up at once: no more can be lost with one gateway."""
CALLER = Path(__file__).resolve().parent / "sipp" / "caller.xml"
ECHO = {"VOICEGATE_VOICE__BACKEND": "echo", "VOICEGATE_SIP__MAX_CALLS": str(MAX_CALLS)}


@dataclass(frozen=True)
class Tally:
    """What SIPp counted, message by message."""

    invited: int
    """Calls begun."""
    answered: int
    """Calls that got their 200."""
    refused: int
    """Calls begun that got none: the ones that count."""
    lost: int
    """Calls that were answered and did not end as they should."""


def main() -> int:
    """Run the job; give the exit code."""
    checks = Checks("fleet")
    if os.name != "posix":
        checks.skip("fleet", "Kamailio does not run on Windows")
        return checks.close()
    wanting = next(filter(None, map(missing_tool, ("kamailio", "sipp"))), "")
    if not checks.skipped_for_want_of("fleet", wanting):
        with evidence_folder(None) as folder:
            run_bounded(checks, play(checks, folder), LIMIT_S)
    return checks.close()


async def play(checks: Checks, folder: Path) -> None:
    """Run the checks."""
    async with AsyncExitStack() as owned:
        gateways = [
            await owned.enter_async_context(open_gateway(folder / f"gate{n}", None, ECHO))
            for n in range(GATEWAYS)
        ]
        ports = [gateway.sip_port for gateway in gateways]
        balancer = await owned.enter_async_context(
            open_balancer(program_of("kamailio"), folder / "kamailio", ports, MAX_CALLS)
        )
        await asyncio.sleep(SETTLE_S)  # its first OPTIONS
        await under_load(checks, folder, gateways, balancer)


async def under_load(
    checks: Checks, folder: Path, gateways: list[RunningGateway], balancer: Balancer
) -> None:
    """Kill the first gateway and drain the second while calls come in."""
    killed, drained, stays = gateways
    place = folder / "sipp"
    await asyncio.to_thread(place.mkdir)
    async with running(sipp_command(balancer.port), place / "sipp.out", folder=place) as sipp:
        await asyncio.sleep(KILL_AFTER_S)
        killed.process.kill()
        await asyncio.sleep(DRAIN_AFTER_S - KILL_AFTER_S)
        drain_began = asyncio.get_running_loop().time()
        await drain(drained)
        code = await ended(drained.process, 20.0)
        drain_s = asyncio.get_running_loop().time() - drain_began
        await ended(sipp, RUN_WITHIN_S)
    tally = read_counts(place)
    reasons = drained.reasons()
    say(f"| {CALLS} calls of {CALL_MS / 1000:.0f} s at {RATE_PER_S}/s | new calls failed | lost |")
    say(f"| one gateway killed, one drained | {tally.refused} | {tally.lost} |")
    checks.check("new calls", tally.refused == 0 and tally.invited == CALLS, str(tally))
    checks.check("calls lost with the killed one", tally.lost <= IN_PROGRESS_MAX, str(tally.lost))
    checks.check("rerouted at once", balancer.rerouted() > 0, f"{balancer.rerouted()} calls")
    checks.check("the drain", code == 0, f"exit code {code}, over after {drain_s:.1f} s")
    ended_well = set(reasons) <= {"caller_bye"} and reasons.total() > 0
    checks.check("calls of the drained one end by themselves", ended_well, str(dict(reasons)))
    left = await stays.resources()
    checks.check("the one that stays", left["calls"] == 0, f"{left['calls']} calls left")
    spread = [len(gateway.lines("call began")) for gateway in gateways]
    checks.check("all three had calls", min(spread) > 0, str(spread))


async def drain(gateway: RunningGateway) -> None:
    """Tell a gateway to take no more calls, by its admin side."""
    url = f"http://{HOST}:{gateway.admin_port}/drain"
    async with aiohttp.ClientSession() as http, http.post(url) as answer:
        answer.raise_for_status()


def sipp_command(port: int) -> list[str]:
    """SIPp with its counts of every message."""
    own = free_block(6)
    where = ["-i", HOST, "-p", str(own), "-mi", HOST, "-mp", str(own + 2)]
    control = ["-ci", HOST, "-cp", str(own + 5), "-nostdin"]
    load = ["-m", str(CALLS), "-r", str(RATE_PER_S), "-l", str(CALLS), "-d", str(CALL_MS)]
    bounds = ["-timeout", f"{RUN_WITHIN_S}s", "-recv_timeout", "10000"]
    trace = ["-trace_counts", "-fd", "1", "-trace_err"]
    return ["sipp", "-sf", str(CALLER), f"{HOST}:{port}", *where, *control, *load, *bounds, *trace]


def read_counts(folder: Path) -> Tally:
    """Read the last line of SIPp's counts: the sums over the whole run."""
    rows: list[dict[str, str]] = []
    for file in sorted(folder.glob("*_counts.csv")):
        with file.open(encoding="ascii", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter=";"))
    last = rows[-1] if rows else {}

    def count(column: str) -> int:
        return int(last.get(column) or 0)

    invited, answered = count("0_INVITE_Sent"), count("3_200_Recv")
    return Tally(invited, answered, invited - answered, answered - count("7_200_Recv"))


if __name__ == "__main__":
    sys.exit(main())
