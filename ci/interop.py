"""Strangers call the gateway: SIPp and baresip, against `voicegate serve` with the fake Gemini.

`python ci/interop.py` prints one line for each check and ends with 1 if one failed. All of it stays
on loopback, in programs of its own, bounded in time, and leaves none of them running. A tool that
is not there and cannot be had is told of loudly; its checks are then skipped.
"""

import argparse
import os
import sys
from pathlib import Path

from ci.interop_job import baresip_calls, sipp_calls
from ci.interop_job.checks import Checks
from ci.interop_job.gateway import open_gateway
from ci.interop_job.scene import Scene, open_gemini
from ci.interop_job.tools import missing_tool
from ci.job import evidence_folder, run_bounded

LIMIT_S = 170.0
"""The job ends by then, whatever hangs; the parts have limits of their own far below it."""
SIPP = "sipp"
CALLER = ("baresip", "espeak-ng")
NO_SPEECH_TIMEOUT_S = 2


def main() -> int:
    """Run the job; give the exit code."""
    arguments = argparse.ArgumentParser(description="Let SIPp and baresip call the gateway.")
    arguments.add_argument("--out", type=Path, help="new folder that keeps logs and recordings")
    out: Path | None = arguments.parse_args().out
    checks = Checks()
    if os.name != "posix":
        checks.skip("interop", "sipp and baresip are looked for on Linux only")
        return checks.close()
    with_sipp = not checks.skipped_for_want_of("sipp", missing_tool(SIPP))
    wanting = next(filter(None, map(missing_tool, CALLER)), "")
    with_baresip = not checks.skipped_for_want_of("baresip", wanting)
    if with_sipp or with_baresip:
        with evidence_folder(out) as folder:
            run_bounded(checks, play(checks, folder, with_sipp, with_baresip), LIMIT_S)
    return checks.close()


async def play(checks: Checks, folder: Path, with_sipp: bool, with_baresip: bool) -> None:
    """Run the checks."""
    await busy_gateway(checks, folder, with_sipp=with_sipp, with_baresip=with_baresip)
    if with_baresip:
        await impatient_gateway(checks, folder)


async def busy_gateway(
    checks: Checks, folder: Path, *, with_sipp: bool, with_baresip: bool
) -> None:
    """One gateway takes all calls that the callers end."""
    async with open_gemini() as gemini, open_gateway(folder / "busy", gemini) as gateway:
        scene = Scene("busy", checks, gateway, gemini, folder)
        if with_sipp:
            await sipp_calls.short_calls(scene)
            await sipp_calls.calls_by_tcp(scene)
            await sipp_calls.longer_calls(scene)
        if with_baresip:
            await baresip_calls.talk(scene, "PCMA", identity=1)
            await baresip_calls.talk(scene, "PCMU", identity=2)
        await scene.ends_clean()


async def impatient_gateway(checks: Checks, folder: Path) -> None:
    """Another one hangs up on callers that do not speak."""
    settings = {"VOICEGATE_CALL__NO_SPEECH_TIMEOUT_S": str(NO_SPEECH_TIMEOUT_S)}
    async with (
        open_gemini() as gemini,
        open_gateway(folder / "impatient", gemini, settings) as gateway,
    ):
        scene = Scene("impatient", checks, gateway, gemini, folder)
        await baresip_calls.say_nothing(scene)
        await scene.ends_clean()


if __name__ == "__main__":
    sys.exit(main())
