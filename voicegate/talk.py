"""Talk: what is going on in one conversation, and whether goodbye was said."""

import asyncio

from voicegate.endings import HangupReason, SilenceClock, SpeechDetector
from voicegate.floor import Floor
from voicegate.goodbye import GoodbyeWatch, Speaker
from voicegate.media.level import level_dbfs
from voicegate.media.session import MediaSession
from voicegate.story import Happening, Story
from voicegate.voice.session import (
    CallerText,
    GenerationComplete,
    Interrupted,
    ModelAudio,
    ModelText,
    Reconnected,
    Reconnecting,
    TurnComplete,
    VoiceEvent,
)

TRANSCRIPT_LAG_S = 3.0
"""A transcript comes up to so long after the speech it stands for."""
FAREWELL_LIMIT_S = 10.0
"""After a goodbye the model's farewell is waited for so long where its end is never announced."""
PLAYOUT_MARGIN_S = 2.0
"""What is queued must be played out in its own length and this."""
SETTLE_S = 0.3
"""Between the farewell's last packet and the BYE: the caller's jitter buffer plays out too."""


class Talk:
    """What is going on in one conversation: who was heard when, and whether goodbye was said."""

    def __init__(
        self, media: MediaSession, silence: SilenceClock, goodbye: GoodbyeWatch, story: Story
    ) -> None:
        self._media = media
        self._story = story
        self._silence = silence
        self._goodbye = goodbye
        self._loop = asyncio.get_running_loop()
        self._speech = SpeechDetector()
        self._floor = Floor(story)
        self._caller_loud_at = float("-inf")
        self._leaving = asyncio.Event()
        self._generated = asyncio.Event()
        self.turns = 0
        self.interruptions = 0
        self.caller_spoke_until: float | None = None
        self.response_s: list[float] = []

    def caller_frame(self, pcm16: bytes) -> None:
        """Take 20 ms of the caller's sound."""
        speech = self._speech.frame(level_dbfs(pcm16))
        self._floor.caller_frame(speech, self._media.queued_ms)
        if speech:
            now = self._loop.time()
            self.caller_spoke_until = self._caller_loud_at = now
            self._silence.heard_at(now)

    def heed(self, event: VoiceEvent) -> None:
        """Take one event of the voice; it has its effect before this returns."""
        match event:
            case ModelAudio(pcm16, sample_rate_hz):
                self._model_speaks()
                self._media.say(pcm16, sample_rate_hz)
                self._floor.model_sound()
            case Interrupted():
                self.interruptions += 1
                self._media.flush()
                self._story.tell(Happening.INTERRUPTED)
                self._floor.model_silent()
                self._goodbye.turn_over(Speaker.MODEL)
            case CallerText(text):
                self._caller_said(text)
            case ModelText(text):
                self._story.tell(Happening.MODEL_SAID, text=text)
                self._goodbye.hears(Speaker.MODEL, text)
            case GenerationComplete():
                self._generated.set()
            case TurnComplete(reason):
                self._story.tell(Happening.TURN_COMPLETE, reason=reason)
                self._turn_over()
            case Reconnecting(why):
                self._story.tell(Happening.RECONNECTING, why=why)
            case Reconnected(resumed, ms):
                self._story.tell(Happening.RECONNECTED, resumed=resumed, ms=ms)
        self._mark_leaving()

    async def said_goodbye(self) -> HangupReason:
        """Wait until goodbye was said and the farewell was heard in full."""
        while True:
            await self._leaving.wait()
            await self._farewell_played()
            if self._leaving.is_set():
                return HangupReason.GOODBYE

    async def _farewell_played(self) -> None:
        """Wait for the end of the farewell's generation, its playout, and the far jitter buffer."""
        if self._media.queued_ms == 0:
            self._generated.clear()
        try:
            async with asyncio.timeout(FAREWELL_LIMIT_S):
                await self._generated.wait()
        except TimeoutError:
            pass  # the end of generation never came: what is queued is all there is
        try:
            async with asyncio.timeout(self._media.queued_ms / 1000 + PLAYOUT_MARGIN_S):
                await self._media.drained()
        except TimeoutError:
            pass  # the bound is the point: a playout that does not end must not hold the call
        await asyncio.sleep(SETTLE_S)

    def _caller_said(self, text: str) -> None:
        """Take a transcript: proof of speech that the level alone did not show."""
        now = self._loop.time()
        if text.strip() and now - self._caller_loud_at > TRANSCRIPT_LAG_S:
            self._silence.heard_at(now)
        self._story.tell(Happening.CALLER_SAID, text=text)
        self._goodbye.hears(Speaker.CALLER, text)

    def _model_speaks(self) -> None:
        self._generated.clear()
        if self.caller_spoke_until is not None:
            self.response_s.append(self._loop.time() - self.caller_spoke_until)
            self.caller_spoke_until = None

    def _turn_over(self) -> None:
        self.turns += 1
        self._generated.set()
        if not self._leaving.is_set():
            self._goodbye.turn_over(Speaker.CALLER)
            self._goodbye.turn_over(Speaker.MODEL)

    def _mark_leaving(self) -> None:
        if self._goodbye.said_by is None:
            self._leaving.clear()
        else:
            self._leaving.set()
