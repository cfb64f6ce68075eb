"""What every check works with: a gateway, its voice, and what must hold after each of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ci.interop_job.checks import Checks
from ci.interop_job.gateway import RunningGateway
from ci.interop_job.verdicts import faults_in, left_behind, summary
from simulator.audio.sound import sequence, silence_for, speech, stamps
from simulator.gemini.server import FakeGemini

SETTLE_S = 30.0
STEP_S = 0.25
END_WITHIN_S = 30.0
GREETING_S = 0.8
STAMP_EVERY_S = 0.6
REPLY_STAMPS = 4
LONG_STAMPS = 20
"""Of the monologue: longer than any call that only listens to it."""
REPLY = sequence(stamps(STAMP_EVERY_S, REPLY_STAMPS), speech(0.8))


@asynccontextmanager
async def open_gemini() -> AsyncIterator[FakeGemini]:
    """Open a voice that greets and answers each utterance with stamps and speech-like sound."""
    async with FakeGemini() as gemini:
        gemini.on_text(say=speech(GREETING_S))
        gemini.on_speech(say=REPLY)
        yield gemini


@asynccontextmanager
async def open_monologue() -> AsyncIterator[FakeGemini]:
    """Open a voice that speaks in stamps from the greeting on, whoever speaks over it.

    The gateway must be set so too: SPEAKS_ON."""
    async with FakeGemini() as gemini:
        gemini.on_text(say=stamps(STAMP_EVERY_S, LONG_STAMPS), containing="Greet them")
        gemini.on_text(say=silence_for(0.1))
        gemini.on_speech(say=silence_for(0.1))
        yield gemini


SPEAKS_ON = {"VOICEGATE_GEMINI__NO_INTERRUPTION": "true"}


class Scene:
    """A gateway and its voice, the checks they are in, and a folder for evidence."""

    def __init__(
        self,
        name: str,
        checks: Checks,
        gateway: RunningGateway,
        gemini: FakeGemini,
        folder: Path,
    ) -> None:
        self.name = name
        self.checks = checks
        self.gateway = gateway
        self.gemini = gemini
        self.folder = folder

    @asynccontextmanager
    async def nothing_left(self, name: str) -> AsyncIterator[None]:
        """Check that what happens in the block leaves nothing behind and no bad line."""
        before = await self.gateway.resources()
        log_was = len(self.gateway.log_text())
        yield
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        after = await self.gateway.resources()
        while (left := left_behind(before, after)) and loop.time() - began_at < SETTLE_S:
            await asyncio.sleep(STEP_S)
            after = await self.gateway.resources()
        told = f"as at the start {loop.time() - began_at:.1f} s after ({summary(after)})"
        self.checks.check(f"{name}, resources", not left, "; ".join(left) or told)
        self._check_log(name, self.gateway.log_text()[log_was:])

    def _check_log(self, name: str, log: str) -> None:
        faults = faults_in(log)
        told = "\n      ".join(faults[:5]) or f"{len(log.splitlines())} lines, none bad"
        self.checks.check(f"{name}, log", not faults, told)

    async def ends_clean(self) -> None:
        """End the gateway as Ctrl+C does; check its exit, its last words and its manners."""
        checks, name = self.checks, f"the {self.name} gateway"
        code = await self.gateway.interrupted(END_WITHIN_S)
        log = self.gateway.log_text()
        stopped = bool(self.gateway.lines("gateway stopped"))
        checks.check(
            f"{name} ends",
            code == 0 and stopped,
            f"exit code {code}, 'gateway stopped' in its log: {stopped}",
        )
        self._check_log(f"{name}, whole run", log)
        broken = [str(one) for one in self.gemini.violations]
        told = "; ".join(broken[:3]) or f"none in {len(self.gemini.sessions)} conversations"
        checks.check(f"{name} breaks rules of the Live service", not broken, told)
        still = self.gemini.open_sessions
        checks.check(f"{name} leaves connections at the Live service", still == 0, f"{still} open")
