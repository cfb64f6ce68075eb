"""Our own SIPp scripts: what a caller does in the middle of a call, and what does not go well.

SIPp sends back each packet of sound that it gets, so the model hears its own stamps: proof of both
ways at once, and of when there was sound.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ci.interop_job import sipp
from ci.interop_job.baresip import RATE_HZ
from ci.interop_job.scene import Scene
from ci.interop_job.tools import ended, running
from simulator.audio.levels import FRAME_S, SPEECH_FRAME_DBFS, frame_levels
from simulator.audio.pcm import Pcm
from simulator.gemini.conversation import FakeSession

CALLS = 3
PASSWORD = "a-small-secret"
"""As digest.xml shows it."""
LOCKED = {
    "VOICEGATE_SIP__ALLOW": '["192.0.2.1"]',
    "VOICEGATE_SIP__USERS": json.dumps({"gate7": PASSWORD}),
    # neither SIPp 3.6.1 nor svcrack 0.3.3 can answer SHA-256
    "VOICEGATE_SIP__DIGEST": '["MD5"]',
}
"""A gateway that lets nobody call without a password."""
PATIENT = {"VOICEGATE_CALL__NO_SPEECH_TIMEOUT_S": "120"}
"""One that does not hang up before the 32 s without an ACK are over."""
HOLD_AT_LEAST_S = 1.2
"""Of the 1.5 s between the two re-INVITEs."""
RESENT_AT_LEAST = 5
"""RFC 3261 13.3.1.4: sent again after 0.5 s, 1 s, 2 s, then every 4 s, so 10 times in 32 s."""
SLOW_SETUP_S = 5.0


@dataclass(frozen=True)
class Script:
    """One of the files, and what must come of its calls."""

    name: str
    """The file's name without .xml."""
    reason: str = "caller_bye"
    """Why the calls end, in the gateway's words; "" where there is to be no call."""
    stamps: int = 0
    """How many stamps the model must hear at least; 0 where the call brings no sound."""
    silent_s: float = 0.0
    """The model must have heard nothing for so long in the middle of the call."""
    load: sipp.Load = field(default_factory=lambda: sipp.Load(CALLS, CALLS, give_up_s=60))
    more: tuple[str, ...] = ()
    """More words for SIPp."""
    also: Callable[[Scene, str, Path], None] | None = None
    """One more check, with the folder that SIPp has worked in."""


def _resent(scene: Scene, name: str, folder: Path) -> None:
    """Check that the 200s came again and again."""
    [log] = folder.glob("*_messages.log")
    got = log.read_text(encoding="utf-8", errors="replace").count("SIP/2.0 200 OK")
    # our answer to the BYE is in it, too
    each = got / CALLS - 1
    good = each >= 1 + RESENT_AT_LEAST
    scene.checks.check(f"{name}, the 200 comes again", good, f"{each:.1f} of them a call")


HOLD = Script("hold", stamps=2, silent_s=HOLD_AT_LEAST_S)
REINVITE = Script("reinvite", stamps=3)
DIGEST = Script("digest", stamps=2)
WRONG_PASSWORD = Script("wrong_password", reason="")
CANCEL = Script("cancel", reason="caller_cancel")
LOST_ACK = Script(
    "lost_ack",
    reason="no_ack",
    load=sipp.Load(CALLS, CALLS, give_up_s=90),
    more=("-trace_msg",),
    also=_resent,
)


async def play(scene: Scene, script: Script, transport: str) -> None:
    """Let SIPp play a script by that transport; see what came of it on all sides."""
    name = f"sipp {script.name} by {'TCP' if transport == 't1' else 'UDP'}"
    folder = scene.folder / f"sipp-{script.name}-{transport}"
    await asyncio.to_thread(folder.mkdir)
    ended_before = len(scene.gateway.lines("call ended"))
    talks_before = len(scene.gemini.sessions)
    port = scene.gateway.sip_port
    mirror = ("-rtp_echo", *script.more)
    words = sipp.command((*sipp.script(script.name), *mirror), port, script.load, transport)
    async with scene.nothing_left(name):
        async with running(words, folder / "sipp.out", folder=folder) as process:
            code = await ended(process, script.load.give_up_s + 5)
        tally = sipp.read_tally(folder)
        good = code == 0 and tally is not None and tally.is_all_of(CALLS)
        told = f"{tally or 'no statistics'}, exit code {code}"
        scene.checks.check(name, good, told if good else f"{told}: {sipp.why(folder)}")
    reasons = scene.gateway.reasons(ended_before)
    wanted = {script.reason: CALLS} if script.reason else {}
    scene.checks.check(f"{name}, ends", reasons == wanted, str(dict(reasons)))
    # in a thread: to listen takes time, which the other models need
    talks = scene.gemini.sessions[talks_before:]
    await asyncio.to_thread(_check_talks, scene, name, script, talks)
    if script.also is not None:
        script.also(scene, name, folder)


async def cancelled(scene: Scene, transport: str) -> None:
    """The model takes its time, so that the caller hears ringing and gives up."""
    scene.gemini.stall_setup(SLOW_SETUP_S, times=CALLS)
    await play(scene, CANCEL, transport)
    scene.gemini.entrance.obstacles.clear()


def _check_talks(scene: Scene, name: str, script: Script, talks: list[FakeSession]) -> None:
    wanted = CALLS if script.reason else 0
    told = f"{len(talks)} conversations for {wanted} calls"
    # who gives up early may do so before the model is reached
    good = len(talks) <= wanted if script is CANCEL else len(talks) == wanted
    scene.checks.check(f"{name}, conversations", good, told)
    if not script.stamps:
        return
    found = [talk.heard.only_from(talk, at_least=script.stamps) for talk in talks]
    told = "; ".join(repr(evidence) for evidence in found)
    scene.checks.check(f"{name}, each model hears its sound come back", found and all(found), told)
    if script.silent_s:
        quiet = [longest_quiet_s(talk.heard.pcm(RATE_HZ)) for talk in talks]
        told = f"{', '.join(f'{quiet_s:.1f}' for quiet_s in quiet)} s without a sound"
        good = min(quiet, default=0.0) >= script.silent_s
        scene.checks.check(f"{name}, each model hears the hold", good, told)


def longest_quiet_s(pcm: Pcm, rate: int = RATE_HZ) -> float:
    """Give the longest time without a loud frame, also at the start: stamps may have been lost."""
    loud = np.flatnonzero(frame_levels(pcm, rate) > SPEECH_FRAME_DBFS)
    return (int(np.diff(np.concatenate(([-1], loud))).max(initial=1)) - 1) * FRAME_S
