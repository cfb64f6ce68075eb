"""Talk: what is going on in one conversation: who was heard when, whether somebody takes leave."""

import asyncio

from voicegate.endings import HangupReason, SilenceClock, SpeechDetector
from voicegate.farewell import FAREWELL_LIMIT_S, Farewell, LeaveTaking
from voicegate.floor import Floor
from voicegate.goodbye import GoodbyeWatch, Speaker
from voicegate.logs import get_logger
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
    ToolCall,
    TurnComplete,
    Usage,
    VoiceEvent,
)
from voicegate.watchdogs import Alarm, Watchdogs

log = get_logger(__name__)

TRANSCRIPT_LAG_S = 3.0
"""A transcript comes up to so long after the speech it stands for."""
LATE_SOUND_S = 2.0
"""After an interruption, sound of the old turn may come for so long unless its end is told."""
FRAME_S = 0.02
JUST_NOW_S = 1.5
"""Speech so short a time ago is what the service means when it says that it was interrupted."""
LOOK_S = 0.02
"""So often somebody who waits for the end of sound looks: at each frame."""
COMFORT_AFTER_S = 1.0
"""A caller without a model hears a soft tone from then on: sooner it would be noise only."""


class Talk:
    """Told by both directions of the sound; asked by the endings."""

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
        self._farewell = Farewell()
        self._watchdogs = Watchdogs()
        self._caller_loud_at = self._model_sounded_at = self._late_until = float("-inf")
        self._generating = self._hushed = False
        self._leaving = asyncio.Event()
        self._alarm: asyncio.Future[Alarm] = self._loop.create_future()
        self._reconnected = asyncio.Event()
        self.asked = ""
        """What the model was last told to speak about."""
        self.turns = 0
        self.tokens = {"prompt": 0, "response": 0}
        """What the service has billed."""
        self.interruptions = 0
        self.phantom_interruptions = 0
        """Interruptions of nothing."""
        self.late_ms = 0.0
        """Sound of interrupted turns that came after the interruption, and was not played."""
        self.caller_spoke_until: float | None = None
        self.response_s: list[float] = []

    # What the two directions tell

    def caller_frame(self, pcm16: bytes) -> None:
        """Take 20 ms of the caller's sound."""
        now = self._loop.time()
        speech = self._speech.frame(level_dbfs(pcm16))
        self._floor.caller_frame(speech, self._media.queued_ms)
        if speech:
            self.caller_spoke_until = self._caller_loud_at = now
            self._caller_speaks(now)
            if self._farewell.by is not None and self._farewell.caller_speaks(FRAME_S):
                self._call_off()
        self._raise(self._watchdogs.check(now))

    def heed(self, event: VoiceEvent) -> None:
        """Take one event of the voice; it has its effect before this returns."""
        now = self._loop.time()
        match event:
            case ModelAudio(pcm16, sample_rate_hz):
                self._model_sounds(pcm16, sample_rate_hz, now)
            case Interrupted():
                self._interrupted(now)
            case CallerText(text):
                self._caller_said(text, now)
            case ModelText(text):
                self._model_said(text, now)
            case GenerationComplete():
                self._generation_over(now)
            case TurnComplete(reason):
                self._turn_over(reason, now)
            case Usage(prompt_tokens, response_tokens):
                self.tokens["prompt"] += prompt_tokens
                self.tokens["response"] += response_tokens
            case ToolCall():
                self._watchdogs.tool_called()
            case Reconnecting() | Reconnected():
                self._connection_changes(event, now)

    def hang_up_asked(self) -> None:
        """Take leave as the model asks for by its tool; what it still says is heard first."""
        self._take_leave(LeaveTaking.TOOL, awaits=True)

    def told_to_speak(self, words: str) -> None:
        """Note that the model was told to speak: it must be heard soon."""
        self.asked = words
        self._watchdogs.greeting_asked(self._loop.time())

    def hush(self) -> None:
        """Have nothing more of the model heard."""
        self._hushed = True

    # What the endings ask

    async def said_goodbye(self) -> HangupReason:
        """Wait until goodbye was said and the farewell was heard in full."""
        while True:
            await self._leaving.wait()
            if self._farewell.heard(self._loop.time(), self._media.queued_ms):
                return HangupReason.GOODBYE
            await asyncio.sleep(LOOK_S)

    async def pause(self, limit_s: float) -> None:
        """Wait until nobody speaks, but no longer than this."""
        for _ in range(int(limit_s / LOOK_S)):
            if not self._somebody_speaks():
                return
            await asyncio.sleep(LOOK_S)

    async def heard_out(self) -> None:
        """Wait, within bounds, until what is queued was played: nobody can answer any more."""
        for _ in range(int(FAREWELL_LIMIT_S / LOOK_S)):
            if not self._media.queued_ms:
                return
            await asyncio.sleep(LOOK_S)

    def _somebody_speaks(self) -> bool:
        caller = self._loop.time() - self._caller_loud_at < JUST_NOW_S
        return caller or self._generating or self._media.queued_ms > 0

    async def next_alarm(self) -> Alarm:
        """Wait for a watchdog; an alarm that comes while one is being answered goes with it."""
        alarm = await self._alarm
        self._alarm = self._loop.create_future()
        return alarm

    async def reconnected(self) -> None:
        """Wait for the next new connection of the voice."""
        self._reconnected.clear()
        await self._reconnected.wait()

    @property
    def turns_heard(self) -> int:
        """Turns of the model that were well."""
        return self._watchdogs.turns_heard

    # The model

    def _model_sounds(self, pcm16: bytes, sample_rate_hz: int, now: float) -> None:
        if self._hushed or now < self._late_until:
            self.late_ms += len(pcm16) / 2 / sample_rate_hz * 1000
            return
        self._generating, self._model_sounded_at = True, now
        if self.caller_spoke_until is not None:
            self.response_s.append(now - self.caller_spoke_until)
            self.caller_spoke_until = None
        self._farewell.model_sounds(now)
        self._media.say(pcm16, sample_rate_hz)
        self._floor.model_sound()
        self._raise(self._watchdogs.model_sounds(pcm16, sample_rate_hz))

    def _model_said(self, text: str, now: float) -> None:
        if self._hushed or now < self._late_until:
            return
        self._generating = True
        self._story.tell(Happening.MODEL_SAID, text=text)
        self._weigh(Speaker.MODEL, LeaveTaking.MODEL, text, awaits=True)

    def _connection_changes(self, event: Reconnecting | Reconnected, now: float) -> None:
        if isinstance(event, Reconnected):
            self._media.comfort.stop()
            self._story.tell(Happening.RECONNECTED, resumed=event.resumed, ms=event.ms)
            self._reconnected.set()
            return
        self._media.comfort.begin(now + COMFORT_AFTER_S)
        self._story.tell(Happening.RECONNECTING, why=event.why)
        self._generation_over(now)
        self._watchdogs.stand_down()

    def _interrupted(self, now: float) -> None:
        """Stop at once: what is queued is void, and so is what still comes of this turn."""
        self._watchdogs.interrupted()
        self._goodbye.turn_over(Speaker.MODEL)
        if not self._generating and not self._media.queued_ms:
            self.phantom_interruptions += 1
            return
        self.interruptions += 1
        self._media.flush()
        self._generating, self._late_until = False, now + LATE_SOUND_S
        self._story.tell(Happening.INTERRUPTED)
        self._floor.model_silent()
        if now - self._caller_loud_at < JUST_NOW_S:
            self._call_off()
        else:
            self._farewell.doubt(now)

    def _generation_over(self, now: float) -> None:
        self._generating, self._late_until = False, float("-inf")
        self._farewell.model_done(now)

    def _turn_over(self, reason: str, now: float) -> None:
        self.turns += 1
        self._story.tell(Happening.TURN_COMPLETE, reason=reason)
        self._generation_over(now)
        if self._farewell.by is None:
            self._forget_words()
        self._raise(self._watchdogs.turn_complete(reason))

    # The caller

    def _caller_speaks(self, now: float) -> None:
        self._silence.heard_at(now)
        if not self._media.queued_ms:
            self._watchdogs.caller_speaks(now)

    def _caller_said(self, text: str, now: float) -> None:
        """Take a transcript: proof of speech that the level alone did not show."""
        if text.strip() and now - self._caller_loud_at > TRANSCRIPT_LAG_S:
            self._caller_speaks(now)
        self._story.tell(Happening.CALLER_SAID, text=text)
        if self._farewell.doubted and text.strip():
            self._call_off()
        unanswered = self.caller_spoke_until is not None
        awaits = unanswered or now - self._model_sounded_at > TRANSCRIPT_LAG_S or self._generating
        self._weigh(Speaker.CALLER, LeaveTaking.CALLER, text, awaits=awaits)

    # Leave-taking, and alarms

    def _weigh(self, speaker: Speaker, by: LeaveTaking, text: str, *, awaits: bool) -> None:
        """Begin to leave where these words are a goodbye; stay where they take one back."""
        if self._goodbye.hears(speaker, text):
            self._take_leave(by, awaits=awaits)
        elif self._farewell.by is by:
            self._stay()

    def _take_leave(self, by: LeaveTaking, *, awaits: bool) -> None:
        if self._farewell.by is None:
            log.info("goodbye said", by=by.value)
        self._farewell.begin(self._loop.time(), by, awaits=awaits)
        self._leaving.set()

    def _call_off(self) -> None:
        """Stay, since the caller goes on to talk; what was said before counts no more."""
        self._stay()
        self._forget_words()

    def _stay(self) -> None:
        if self._farewell.by is not None:
            log.info("farewell called off")
        self._farewell.call_off()
        self._leaving.clear()

    def _forget_words(self) -> None:
        for speaker in Speaker:
            self._goodbye.turn_over(speaker)

    def _raise(self, alarm: Alarm | None) -> None:
        if alarm is None or self._hushed:
            return
        log.warning("alarm", what=alarm.value)
        self._story.tell(Happening.ALARM, what=alarm.value)
        if not self._alarm.done():
            self._alarm.set_result(alarm)
