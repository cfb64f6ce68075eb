"""A talk over a fake line and a fake voice, for the tests of what lies between them."""

import asyncio
import struct
from collections.abc import Mapping
from typing import NoReturn, cast

from voicegate.endings import SilenceClock
from voicegate.goodbye import GoodbyeWatch, Speaker, load_phrases
from voicegate.media.comfort import Comfort
from voicegate.media.session import MediaSession
from voicegate.story import Story
from voicegate.talk import Talk
from voicegate.voice.session import Heed, ModelAudio, VoiceError, VoiceEvent

LOUD = struct.pack("<160h", *([8000, -8000] * 80))
QUIET = bytes(320)
AUDIO = ModelAudio(bytes(4800), 24000)


class FakeLine:
    """The media side as the bridge sees it: 100 ms of sound stay queued until they are played."""

    def __init__(self) -> None:
        self.queued_ms = 0.0
        self.flushed = 0
        self.comfort = Comfort()
        self.last_played_at: float | None = None
        self.last_digit_at: float | None = None
        self.last_parked_at: float | None = None
        self._drained = asyncio.Event()
        self._drained.set()

    def say(self, pcm16: bytes, sample_rate_hz: int) -> None:
        self.queued_ms += len(pcm16) / 2 / sample_rate_hz * 1000
        self._drained.clear()

    def flush(self) -> float:
        self.flushed += 1
        self.played()
        return 0.0

    def played(self) -> None:
        self.queued_ms = 0.0
        self.last_played_at = asyncio.get_running_loop().time()
        self._drained.set()

    async def drained(self) -> None:
        await self._drained.wait()

    async def hear(self, frames: int = 1) -> bytes:
        await asyncio.sleep(0.02 * frames)
        return QUIET * frames


class FakeVoice:
    """A voice that keeps what it is sent and is lost after so many chunks, if any."""

    speaks_first = True

    def __init__(self, chunks: int = 0) -> None:
        self.sent: list[bytes] = []
        self.told: list[tuple[float, str]] = []
        """What it was told in words, and when."""
        self.renewed: list[str] = []
        self._chunks = chunks

    async def send_audio(self, pcm16: bytes) -> None:
        self.sent.append(pcm16)
        if len(self.sent) == self._chunks:
            raise VoiceError("lost")

    async def greet(self, instruction: str) -> None:
        raise AssertionError("not asked for")

    async def send_text(self, text: str) -> None:
        self.told.append((asyncio.get_running_loop().time(), text))

    async def send_tool_result(self, call_id: str, name: str, result: Mapping[str, object]) -> None:
        raise AssertionError("not asked for")

    async def listen(self, heed: Heed) -> NoReturn:
        heed(AUDIO)
        raise VoiceError("lost")

    def renew(self, why: str) -> None:
        self.renewed.append(why)


class Stage:
    """A talk over a fake line, with the clock of its loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.line = FakeLine()
        self.silence = SilenceClock(self.loop.time(), 15.0)
        watch = GoodbyeWatch(load_phrases(), (Speaker.CALLER, Speaker.MODEL))
        self.story = Story(self.loop.time)
        self.talk = Talk(self.media, self.silence, watch, self.story)
        self.began_at = self.loop.time()

    @property
    def media(self) -> MediaSession:
        return cast(MediaSession, self.line)

    @property
    def elapsed_s(self) -> float:
        return self.loop.time() - self.began_at

    def after(self, seconds: float, *events: VoiceEvent) -> None:
        """Let the voice say this then; timers of one moment run in any order, so one for all."""

        def heed() -> None:
            for event in events:
                self.talk.heed(event)

        self.loop.call_later(seconds, heed)
