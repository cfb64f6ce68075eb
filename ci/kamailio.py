"""The acceptance list through somebody else's proxy: `gatesim accept --gate` by Kamailio.

`python ci/kamailio.py` stands Kamailio (Debian's package) between the simulated gate and
`voicegate serve`, as a PBX stands at a site: it asks for a password and records its route. Prints
one line for each check and ends with 1 if one failed; stays on loopback, leaves nothing running.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ci.interop_job.checks import Checks
from ci.interop_job.gateway import ROOT, RunningGateway, open_gateway
from ci.interop_job.kamailio import NUMBER, PASSWORD, USER, RunningKamailio, open_kamailio
from ci.interop_job.ports import HOST, free_block
from ci.interop_job.tools import ended, missing_tool, plain_environment, program_of, running
from ci.interop_job.verdicts import NEVER_LOGGED
from ci.job import evidence_folder, run_bounded
from simulator.target.voice import kept_environment

LIMIT_S = 400.0
"""The job ends by then, whatever hangs."""
LIST_WITHIN_S = 180.0
"""It takes some 90 s; a busy machine gets twice as long."""
CHECK_WITHIN_S = 60.0
END_WITHIN_S = 30.0
NOT_CONNECTED = 3
TAIL_CHARS = 1500


def main() -> int:
    """Run the job; give the exit code."""
    arguments = argparse.ArgumentParser(description="Run the acceptance list through Kamailio.")
    arguments.add_argument("--out", type=Path, help="new folder that keeps logs and the report")
    out: Path | None = arguments.parse_args().out
    checks = Checks("kamailio")
    if os.name != "posix":
        checks.skip("kamailio", "it is looked for on Linux only")
    elif not checks.skipped_for_want_of("kamailio", missing_tool("kamailio")):
        with evidence_folder(out) as folder:
            run_bounded(checks, play(checks, folder), LIMIT_S)
    return checks.close()


async def play(checks: Checks, folder: Path) -> None:
    """Run the checks: two sites side by side, each with a proxy and a gateway, mostly waiting."""
    async with asyncio.TaskGroup() as group:
        group.create_task(by_udp(checks, folder), name="by UDP")
        group.create_task(by_tcp(checks, folder), name="by TCP")


async def by_udp(checks: Checks, folder: Path) -> None:
    """A proxy that asks by SHA-256 and reaches the gateway by UDP."""
    async with site(checks, folder / "udp") as (gateway, listen):
        place = folder / "sha"
        program = program_of("kamailio")
        async with open_kamailio(program, place, gateway.sip_port, "SHA-256") as proxy:
            await whole_list(checks, folder / "list-by-udp", proxy, gateway, listen)
            no_faults(checks, "kamailio with SHA-256", proxy)


async def by_tcp(checks: Checks, folder: Path) -> None:
    """A proxy that asks by MD5 and reaches the gateway by TCP; and callers whom it refuses."""
    async with site(checks, folder / "tcp") as (gateway, listen):
        place = folder / "md5"
        program = program_of("kamailio")
        async with open_kamailio(program, place, gateway.sip_port, "MD5", "tcp") as proxy:
            await whole_list(checks, folder / "list-by-tcp", proxy, gateway, listen)
            await wrong_password(checks, folder / "wrong-password", proxy)
            await wrong_number(checks, folder / "wrong-number", proxy)
            no_faults(checks, "kamailio with MD5", proxy)


@asynccontextmanager
async def site(checks: Checks, folder: Path) -> AsyncIterator[tuple[RunningGateway, str]]:
    """Open a gateway whose model is at the address that is given with it; it must end well."""
    listen = f"{HOST}:{free_block(2)}"
    async with open_gateway(folder, None, kept_environment(listen)) as gateway:
        yield gateway, listen
        await ends_clean(checks, f"the gateway behind {folder.name}", gateway)


async def whole_list(
    checks: Checks, folder: Path, proxy: RunningKamailio, gateway: RunningGateway, listen: str
) -> None:
    """Every row passes: nothing fails, nothing is left out."""
    resources = f"http://{HOST}:{gateway.admin_port}/resources"
    more = ("--gemini-listen", listen, "--resources", resources)
    began_at = asyncio.get_running_loop().time()
    code, told = await accept(folder, proxy, more, within_s=LIST_WITHIN_S + CHECK_WITHIN_S)
    took_s = asyncio.get_running_loop().time() - began_at
    rows, name = rows_of(told), folder.name
    for row in rows:
        passed = row["outcome"] == "passed"
        found = row["message"] or f"{row['seconds']} s"
        checks.check(f"{name}, row {row['row']}", passed, found)
    sound = code == 0 and len(rows) > 0
    checks.check(name, sound, f"exit code {code}" if sound else tail(code, told))
    checks.check(f"{name}, time", took_s < LIST_WITHIN_S, f"{took_s:.0f} s")
    there = (folder / "report" / "report.html").is_file()
    checks.check(f"{name}, report", there, "report.html is written" if there else "none")
    relayed = proxy.relayed()
    good = 0 < len(rows) <= relayed
    checks.check(f"{name}, way", good, f"{relayed} calls with credentials relayed")


async def wrong_password(checks: Checks, folder: Path, proxy: RunningKamailio) -> None:
    """It is told at once, in words that name the variable."""
    code, told = await accept(folder, proxy, (), password="no such secret")
    said = "does not let '100' in" in told and "VOICEGATE_GATE_PASSWORD" in told
    good = code == NOT_CONNECTED and said
    words = next((line for line in told.splitlines() if "does not let" in line), "")
    checks.check("a wrong password", good, f"exit code {code}, {words!r}" if good else told)


async def wrong_number(checks: Checks, folder: Path, proxy: RunningKamailio) -> None:
    """A right password is taken by the other digest, too: the call gets as far as its number."""
    before = proxy.relayed()
    code, told = await accept(folder, proxy, ("--dial", "4711"), number="")
    good = code == 1 and "404" in told and proxy.relayed() == before
    checks.check(
        "a wrong number", good, "every row says 404, exit code 1" if good else tail(code, told)
    )


async def accept(
    folder: Path,
    proxy: RunningKamailio,
    more: tuple[str, ...],
    *,
    password: str = PASSWORD,
    number: str = NUMBER,
    within_s: float = CHECK_WITHIN_S,
) -> tuple[int | None, str]:
    """Run `gatesim accept` through the proxy; give its exit code and all that it said."""
    make(folder)
    command = [sys.executable, "-m", "simulator", "accept", "--json", *more]
    command += ["--gate", f"sip:{USER}@{HOST}:{proxy.port}", "--report", str(folder / "report")]
    command += ["--dial", number] if number else []
    variables = plain_environment() | {"PYTHONPATH": str(ROOT), "VOICEGATE_GATE_PASSWORD": password}
    output = folder / "accept.log"
    async with running(command, output, folder=folder, environment=variables) as process:
        code = await ended(process, within_s)
    return code, output.read_text(encoding="utf-8", errors="replace")


def make(folder: Path) -> None:
    """Make a new folder."""
    folder.mkdir()


def rows_of(told: str) -> list[dict[str, Any]]:
    """Give the rows of the JSON object among the lines."""
    for line in told.splitlines():
        if line.startswith("{"):
            found: list[dict[str, Any]] = json.loads(line)["rows"]
            return found
    return []


def tail(code: int | None, told: str) -> str:
    """Give the exit code and the end of what was said."""
    return f"exit code {code}\n{told[-TAIL_CHARS:]}"


def no_faults(checks: Checks, name: str, proxy: RunningKamailio) -> None:
    """Check what the proxy says of what it was sent."""
    faults = proxy.faults()
    checks.check(name, not faults, "\n      ".join(faults[:5]) or "tells of no errors")


async def ends_clean(checks: Checks, name: str, gateway: RunningGateway) -> None:
    """End the gateway as Ctrl+C does; check its exit and its log."""
    code = await gateway.interrupted(END_WITHIN_S)
    checks.check(f"{name} ends", code == 0, f"exit code {code}")
    # errors are due in it: the list lets the voice fail
    words = (word for word in NEVER_LOGGED if word in gateway.log_text())
    found = ", ".join(words)
    checks.check(f"{name}, log", not found, found or "nothing that must never be there")


if __name__ == "__main__":
    sys.exit(main())
