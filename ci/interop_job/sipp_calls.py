"""SIPp's own `uac` scenario: a hundred short calls, fifty that stay for a while."""

import asyncio

from ci.interop_job.scene import Scene
from ci.interop_job.sipp import Load, command, read_tally
from ci.interop_job.tools import ended, running
from ci.interop_job.verdicts import summary

SHORT = Load(100, 6)
LONGER = Load(50, 5, 1500)
"""Some 8 at once: a busy machine must carry their sound, too."""
MIDDLE_S = 5.0
UP_AT_LEAST = 3
"""In the middle of the run, with two sockets each."""


async def short_calls(scene: Scene) -> None:
    """Calls that end with the ACK."""
    await _run(scene, "sipp uac", SHORT)


async def longer_calls(scene: Scene) -> None:
    """Calls that stay long enough for sound to flow."""
    await _run(scene, "sipp uac with sound", LONGER)


async def calls_by_tcp(scene: Scene) -> None:
    """The short calls over one TCP connection."""
    await _run(scene, "sipp uac by TCP", SHORT, "t1")


async def _run(scene: Scene, name: str, load: Load, transport: str = "u1") -> None:
    folder = scene.folder / f"sipp-{transport}-{load.calls}"
    folder.mkdir()
    ended_before = len(scene.gateway.lines("call ended"))
    words = command(("-sn", "uac"), scene.gateway.sip_port, load, transport)
    async with scene.nothing_left(name):
        async with running(words, folder / "sipp.out", folder=folder) as sipp:
            if load.duration_ms:
                await _check_in_the_middle(scene, name)
            code = await ended(sipp, load.give_up_s + 5)
        tally = read_tally(folder)
        good = code == 0 and tally is not None and tally.is_all_of(load.calls)
        scene.checks.check(name, good, f"{tally or 'no statistics'}, exit code {code}")
    reasons = scene.gateway.reasons(ended_before)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"
    scene.checks.check(f"{name}, ends", reasons == {"caller_bye": load.calls}, told)


async def _check_in_the_middle(scene: Scene, name: str) -> None:
    """Check that `/resources` sees calls while they are up: a blind one would always pass."""
    await asyncio.sleep(MIDDLE_S)
    sample = await scene.gateway.resources()
    held = (sample["calls"], sample["gemini_sessions"], sample["sockets"] // 2)
    scene.checks.check(
        f"{name}, resources in the middle", min(held) >= UP_AT_LEAST, summary(sample)
    )
