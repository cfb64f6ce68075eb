"""Exchange: what goes on between caller and voice from the answer on, and all that may end it."""

import asyncio

from voicegate.aio import first_of
from voicegate.bridge import downlink, max_duration, no_speech, uplink
from voicegate.endings import HangupReason, SilenceClock
from voicegate.goodbye import GoodbyeWatch
from voicegate.keypad import Keypad
from voicegate.media.codec import SAMPLE_RATE_HZ as LINE_RATE_HZ
from voicegate.media.life import Starved
from voicegate.media.session import MediaSession
from voicegate.plan import CallPlan
from voicegate.rescue import rescue
from voicegate.settings import CallSettings
from voicegate.story import Story
from voicegate.talk import Talk
from voicegate.tools.running import ToolRuns
from voicegate.tools.tool import OnCall
from voicegate.voice.session import VoiceSession

BY_MISSING_RTP = {
    Starved.NEVER_CAME: HangupReason.RTP_NEVER_CAME,
    Starved.STOPPED: HangupReason.RTP_STOPPED,
}


class Exchange:
    """The clocks and watches of one answered call; made at the moment of its answer."""

    def __init__(
        self,
        media: MediaSession,
        voice: VoiceSession,
        plan: CallPlan,
        settings: CallSettings,
        watch: GoodbyeWatch,
        story: Story,
    ) -> None:
        self.answered_at = asyncio.get_running_loop().time()
        self.silence = SilenceClock(
            self.answered_at, settings.no_speech_timeout_s, settings.check_in_s
        )
        self.talk = Talk(media, self.silence, watch, story)
        self._media = media
        self._voice = voice
        self._plan = plan
        self._limits = settings
        self._story = story
        self._keypad = Keypad(story)
        media.on_digit(self._keypad.press)

    def tools(self, on: OnCall) -> ToolRuns:
        """Give the tools of this call, none of them running yet."""
        return ToolRuns(
            self._plan.toolset, self._voice, on, silence=self.silence, story=self._story
        )

    async def greet(self) -> None:
        """Begin as planned: by a recording, by the model, or by waiting for the caller."""
        self._media.say(self._plan.greeting_pcm16, LINE_RATE_HZ)
        if not self._plan.greeting_pcm16:
            await self._have_greeted()

    async def _announce(self) -> HangupReason:
        """Have the model speak behind the recording: it is told when that was heard in full."""
        await self._media.drained()
        await self._have_greeted()
        never: asyncio.Future[HangupReason] = asyncio.get_running_loop().create_future()
        return await never

    async def _have_greeted(self) -> None:
        if self._plan.greeting:
            await self._voice.greet(self._plan.greeting)
            if self._voice.speaks_first:
                self.talk.told_to_speak(self._plan.greeting)

    async def until_over(self, tools: ToolRuns) -> HangupReason:
        """Let both talk until one of the ends comes; raises VoiceError where the voice is lost."""
        media, voice, talk, limits = self._media, self._voice, self.talk, self._limits
        announcing = [self._announce()] if self._plan.greeting_pcm16 else []
        return await first_of(
            uplink(media, voice, talk, limits.half_duplex_tail_s),
            downlink(voice, talk, tools),
            self._keypad.tell(voice),
            talk.said_goodbye(),
            no_speech(media, voice, self.silence),
            self._starved(),
            max_duration(voice, talk, limits.max_duration_s, limits.max_duration_warning_s),
            rescue(voice, media, talk, self._plan.apology_pcm16),
            *announcing,
        )

    async def _starved(self) -> HangupReason:
        """Wait until the caller's RTP is missing for too long."""
        return BY_MISSING_RTP[await self._media.starved()]
