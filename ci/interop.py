"""Strangers call the gateway: SIPp, baresip, linphone; sipsak and sipvicious try what they can.

`python ci/interop.py` prints one line for each check and ends with 1 if one failed. All of it stays
on loopback, in programs of its own, bounded in time, and leaves none of them running. A tool that
is not there and cannot be had is told of loudly; its checks are then skipped.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from ci.interop_job import (
    baresip_calls,
    linphone,
    phone_calls,
    sipp_calls,
    sipp_scripts,
    soak,
    strangers,
)
from ci.interop_job.checks import Checks
from ci.interop_job.gateway import open_gateway
from ci.interop_job.scene import SPEAKS_ON, Scene, open_gemini, open_monologue
from ci.interop_job.tools import missing_tool
from ci.job import evidence_folder, run_bounded

LIMIT_S = 400.0
"""The job ends by then, whatever hangs: a busy machine of two cores has taken 178 s."""
TOOLS = {
    "sipp": ("sipp",),
    "baresip": ("baresip", "espeak-ng"),
    "linphone": ("linphonec",),
    "sipsak": ("sipsak",),
    "sipvicious": ("svmap",),
}
"""What each part of the job needs."""
NO_SPEECH_TIMEOUT_S = 2
TRANSPORTS = ("u1", "t1")


class Job:
    """The parts that can be played, and where."""

    def __init__(self, checks: Checks, folder: Path, parts: frozenset[str]) -> None:
        self.checks = checks
        self.folder = folder
        self._parts = parts

    def has(self, part: str) -> bool:
        """Whether the tools of a part are there."""
        return part in self._parts

    @asynccontextmanager
    async def scene(
        self, name: str, settings: Mapping[str, str] | None = None, *, speaks_on: bool = True
    ) -> AsyncIterator[Scene]:
        """Open a gateway and its voice; see at the end that it ends well."""
        folder = self.folder / name
        await asyncio.to_thread(folder.mkdir)
        more = dict(SPEAKS_ON if speaks_on else {}) | dict(settings or {})
        async with (
            open_monologue() if speaks_on else open_gemini() as gemini,
            open_gateway(folder / "gateway", gemini, more) as gateway,
        ):
            scene = Scene(name, self.checks, gateway, gemini, folder)
            yield scene
            await scene.ends_clean()


def main() -> int:
    """Run the job; give the exit code."""
    arguments = argparse.ArgumentParser(description="Let other people's programs call the gateway.")
    arguments.add_argument("--out", type=Path, help="new folder that keeps logs and recordings")
    arguments.add_argument("--part", choices=[*PARTS], action="append", help="only this part")
    chosen = arguments.parse_args()
    checks = Checks()
    if os.name != "posix":
        checks.skip("interop", "its tools are looked for on Linux only")
        return checks.close()
    parts = frozenset(
        part
        for part, tools in TOOLS.items()
        if not checks.skipped_for_want_of(part, next(filter(None, map(missing_tool, tools)), ""))
    )
    with evidence_folder(chosen.out) as folder:
        job = Job(checks, folder, parts)
        run_bounded(checks, play(job, chosen.part or [*PARTS]), LIMIT_S)
    return checks.close()


async def play(job: Job, parts: list[str]) -> None:
    """Run the checks of those parts."""

    async def along(lane: tuple[str, ...]) -> None:
        for part in lane:
            if part in parts:
                await PARTS[part](job)

    async with asyncio.TaskGroup() as group:
        for lane in LANES:
            group.create_task(along(lane), name=f"{lane[0]} and what follows")


async def many_calls(job: Job) -> None:
    """One gateway takes many calls, and the telephones that speak a sentence."""
    async with job.scene("busy", speaks_on=False) as scene:
        if job.has("sipp"):
            await sipp_calls.short_calls(scene)
            await sipp_calls.calls_by_tcp(scene)
            await sipp_calls.longer_calls(scene)
        if job.has("baresip"):
            await baresip_calls.talk(scene, "PCMA", identity=1)
            await baresip_calls.talk(scene, "PCMU", identity=2)


async def mid_call(job: Job) -> None:
    """What happens in the middle of calls, and callers who do not wait for the answer."""
    async with job.scene("mid-call") as scene:
        if job.has("sipp"):
            for script in (sipp_scripts.HOLD, sipp_scripts.REINVITE):
                for transport in TRANSPORTS:
                    await sipp_scripts.play(scene, script, transport)
            for transport in TRANSPORTS:
                await sipp_scripts.cancelled(scene, transport)
        if job.has("baresip"):
            await phone_calls.keys_and_hold(scene)
        if job.has("sipsak"):
            await strangers.sipsak(scene)
        await soak.judged(scene)


async def followed(job: Job) -> None:
    """A gateway that follows REFER, serves TLS and has G.722."""
    if not (job.has("baresip") or job.has("linphone")):
        return
    settings = await asyncio.to_thread(phone_calls.by_tls, job.folder)
    tls_port = settings["VOICEGATE_SIP__TLS_PORT"]
    wide = find_spec("G722") is not None
    if wide:
        settings |= phone_calls.WIDE
    else:
        job.checks.skip("G.722", "the gateway has no G722 package (pip install voicegate[g722])")
    async with job.scene("followed", settings | phone_calls.FOLLOWS) as scene:
        if job.has("baresip"):
            await phone_calls.transferred(scene)
            await phone_calls.call_by_tls(scene, tls_port)
            if wide:
                await phone_calls.call_wide(scene)
        if job.has("linphone"):
            for codec in ("PCMA", "PCMU", *(["G722"] if wide else [])):
                await linphone.talk(scene, codec)


async def guarded(job: Job) -> None:
    """A gateway that wants a password, and one that hangs up on callers who do not speak."""
    async with job.scene("guarded", sipp_scripts.LOCKED) as scene:
        if job.has("sipp"):
            for script in (sipp_scripts.DIGEST, sipp_scripts.WRONG_PASSWORD):
                for transport in TRANSPORTS:
                    await sipp_scripts.play(scene, script, transport)
        if job.has("sipvicious"):
            await strangers.sipvicious(scene)
    if job.has("baresip"):
        short = {"VOICEGATE_CALL__NO_SPEECH_TIMEOUT_S": str(NO_SPEECH_TIMEOUT_S)}
        async with job.scene("impatient", short, speaks_on=False) as scene:
            await baresip_calls.say_nothing(scene)


async def lost_ack(job: Job) -> None:
    """Callers whose ACK never comes: it takes 32 s."""
    if not job.has("sipp"):
        return
    async with job.scene("patient", sipp_scripts.PATIENT) as scene:
        for transport in TRANSPORTS:
            await sipp_scripts.play(scene, sipp_scripts.LOST_ACK, transport)


PARTS = {
    "many-calls": many_calls,
    "mid-call": mid_call,
    "followed": followed,
    "guarded": guarded,
    "lost-ack": lost_ack,
}
"""Each has gateways of its own."""
LANES = (("many-calls", "followed"), ("mid-call", "guarded"), ("lost-ack",))
"""Side by side, since they mostly wait; more at once would be a test of the machine."""


if __name__ == "__main__":
    sys.exit(main())
