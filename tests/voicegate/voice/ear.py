"""Who listens to a voice in these tests, and speaks to it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from voicegate.config import load
from voicegate.voice.gemini import Gemini, open_gemini
from voicegate.voice.session import (
    AS_CONFIGURED,
    Reconnected,
    Voice,
    VoiceError,
    VoiceEvent,
    VoiceSession,
    VoiceSetup,
)

CHUNK = bytes(1280)
"""40 ms of silence."""


@asynccontextmanager
async def serving(**settings: object) -> AsyncIterator[Gemini]:
    configured = load(dotenv=None, overrides={"gemini": settings}).gemini
    async with open_gemini(configured, Random(1)) as service:
        yield service


@dataclass
class Ear:
    """Listens to a conversation, and speaks silence or a sound into it."""

    voice: VoiceSession
    events: list[VoiceEvent] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    lost: VoiceError | None = None

    def heed(self, event: VoiceEvent) -> None:
        self.events.append(event)
        self.changed.set()

    async def listen(self) -> None:
        try:
            await self.voice.listen(self.heed)
        except VoiceError as error:
            self.lost = error
            self.changed.set()

    async def speak(self, chunks: Iterator[bytes]) -> None:
        for chunk in chunks:
            await self.voice.send_audio(chunk)
            await asyncio.sleep(0.04)

    async def until(self, condition: Callable[[], object], within_s: float = 60.0) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    def of(self, kind: type) -> list[VoiceEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    async def reconnected(self, times: int = 1) -> Reconnected:
        await self.until(lambda: len(self.of(Reconnected)) >= times)
        event = self.of(Reconnected)[times - 1]
        assert isinstance(event, Reconnected)
        return event


def silence() -> Iterator[bytes]:
    while True:
        yield CHUNK


@asynccontextmanager
async def heard(
    gemini: Voice, setup: VoiceSetup = AS_CONFIGURED, *, quiet: bool = True
) -> AsyncIterator[Ear]:
    """A conversation that is listened to; where quiet, with a caller who says nothing."""
    async with gemini.converse(setup) as voice, asyncio.TaskGroup() as group:
        ear = Ear(voice)
        tasks = [group.create_task(ear.listen())]
        if quiet:
            tasks.append(group.create_task(ear.speak(silence())))
        yield ear
        for task in tasks:
            task.cancel()
