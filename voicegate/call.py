"""Call.run(): the whole life of a call, from INVITE to its end.

What lives as long as the call is opened here, by block, and nowhere else. The reason why the call
ended is the result of a race.
"""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

from voicegate.aio import first_of
from voicegate.bridge import downlink, max_duration, no_speech, uplink
from voicegate.endings import HangupReason, SilenceClock, refused_with
from voicegate.goodbye import GoodbyeWatch
from voicegate.keypad import Keypad
from voicegate.logs import get_logger
from voicegate.media.codec import SAMPLE_RATE_HZ as LINE_RATE_HZ
from voicegate.media.life import Starved
from voicegate.media.ports import NoPortFree
from voicegate.media.sdp import OfferRefused
from voicegate.media.session import MediaSession
from voicegate.plan import CallPlan
from voicegate.rescue import rescue
from voicegate.settings import CallSettings
from voicegate.sip.leg import CallLeg
from voicegate.sip.outgoing import CallRefused
from voicegate.sip.user_agent import DialogEnd
from voicegate.story import Happening, Story
from voicegate.talk import Talk
from voicegate.tools.running import ToolRuns, running
from voicegate.tools.tool import OnCall
from voicegate.transfer import transfer
from voicegate.voice.session import VoiceError, VoiceSession, VoiceSetup

log = get_logger(__name__)

BY_PEER = {
    DialogEnd.BYE: HangupReason.CALLER_BYE,
    DialogEnd.CANCEL: HangupReason.CALLER_CANCEL,
    DialogEnd.NO_ACK: HangupReason.NO_ACK,
    DialogEnd.LOST: HangupReason.SESSION_LOST,
    DialogEnd.NO_MEDIA: HangupReason.MEDIA_REFUSED,
}
BY_MISSING_RTP = {
    Starved.NEVER_CAME: HangupReason.RTP_NEVER_CAME,
    Starved.STOPPED: HangupReason.RTP_STOPPED,
}
RETRY_AFTER_S = 5


class CallServices(Protocol):
    """What a call asks of its gateway."""

    def open_media(self, dialog: CallLeg) -> AbstractAsyncContextManager[MediaSession]:
        """Lend an RTP port and open its socket; raises OfferRefused or NoPortFree."""

    async def plan(self, dialog: CallLeg) -> CallPlan:
        """Settle how the call is carried; takes as long as the user's hook may take."""

    def open_voice(self, setup: VoiceSetup) -> AbstractAsyncContextManager[VoiceSession]:
        """Open a conversation; raises VoiceError where nobody can speak in time."""

    def goodbye_watch(self) -> GoodbyeWatch:
        """Give a fresh watch for this call."""

    def referred(self, call: "Call", target: str) -> int:
        """Say what the peer's REFER to that URI is answered with, and follow it if so."""


@dataclass
class Progress:
    """What a call has reached; read by its report when it is over."""

    answered_at: float | None = None
    over_at: float | None = None
    media: MediaSession | None = None
    talk: Talk | None = None
    model: str = ""
    """The model that its plan asks for; empty for the configured one."""


class Call:
    """One call: its dialog, its media, its voice."""

    def __init__(self, dialog: CallLeg, services: CallServices, settings: CallSettings) -> None:
        self.dialog = dialog
        self.transferring = False
        """Whether the peer was asked to connect the caller elsewhere: its BYE then means so."""
        self.progress = Progress()
        self.story = Story(asyncio.get_running_loop().time)
        self._services = services
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._order: asyncio.Future[HangupReason] = self._loop.create_future()

    async def run(self) -> HangupReason:
        """Carry the call from INVITE to its end; say why it ended."""
        try:
            async with self._services.open_media(self.dialog) as media:
                self.progress.media = media
                self.dialog.ring()
                self.story.tell(Happening.RINGING)
                return await first_of(self.ended_by_peer(), self.ordered(), self.converse(media))
        except CallRefused as refusal:
            log.info("call refused", status=refusal.status, why=str(refusal))
            return refused_with(refusal.status)
        except OfferRefused as refusal:
            log.info("offer refused", status=refusal.status, why=str(refusal))
            self.dialog.reject(refusal.status)
            return HangupReason.MEDIA_REFUSED
        except NoPortFree:
            self.dialog.reject(503, retry_after_s=RETRY_AFTER_S)
            return HangupReason.NO_PORT
        except VoiceError as error:
            log.error("the voice failed", why=str(error))
            self.dialog.reject(503, retry_after_s=RETRY_AFTER_S)  # does nothing once answered
            return HangupReason.VOICE_LOST if self.answered else HangupReason.VOICE_REFUSED

    async def converse(self, media: MediaSession) -> HangupReason:
        """Connect, answer (or dial), and let both talk until one of the ends comes.

        The voice is there first: nobody is answered, and nobody's phone rings, before someone can
        speak.
        """
        plan = await self._services.plan(self.dialog)
        self.progress.model = plan.setup.model
        if plan.refuse is not None:
            self.dialog.reject(plan.refuse)
            return HangupReason.REFUSED
        async with AsyncExitStack() as owned:
            owned.callback(log.info, "model closed")
            voice = await owned.enter_async_context(self._services.open_voice(plan.setup))
            # last in, first out: BYE (or CANCEL), then media, then tools and the model's slow close
            owned.callback(self._release_media, media)
            owned.callback(self._hang_up)
            watch = self._services.goodbye_watch()
            media.start(early=True)
            self.dialog.media = media
            await self.dialog.connect(media.local_sdp)
            talk, silence = self._answered(media, watch)
            on = OnCall(
                plan.facts,
                self.dialog,
                media,
                talk,
                plan.toolset.workshop,
                lambda target: transfer(self, target),
            )
            tools = ToolRuns(plan.toolset, voice, on, silence=silence, story=self.story)
            await owned.enter_async_context(running(tools))
            media.say(plan.greeting_pcm16, LINE_RATE_HZ)
            if plan.greeting:
                await voice.greet(plan.greeting)
                if voice.speaks_first:
                    talk.told_to_speak(plan.greeting)
            limits = self._settings
            return await first_of(
                uplink(media, voice, talk, limits.half_duplex_tail_s),
                downlink(voice, talk, tools),
                self._keypad(media).tell(voice),
                talk.said_goodbye(),
                no_speech(media, voice, silence),
                self._starved(media),
                max_duration(voice, talk, limits.max_duration_s, limits.max_duration_warning_s),
                rescue(voice, media, talk, plan.apology_pcm16),
            )

    async def ended_by_peer(self) -> HangupReason:
        """Wait for BYE, CANCEL, or the end of the patience for an ACK."""
        end = await self.dialog.ended_by_peer()
        if end is DialogEnd.BYE and self.transferring:
            return HangupReason.TRANSFERRED
        if end is DialogEnd.BYE and self.dialog.is_ours:
            return HangupReason.CALLEE_BYE
        return BY_PEER[end]

    async def _starved(self, media: MediaSession) -> HangupReason:
        """Wait until the caller's RTP is missing for too long."""
        return BY_MISSING_RTP[await media.starved()]

    async def ordered(self) -> HangupReason:
        """Wait for `end`."""
        reason = await self._order
        self.dialog.reject(503, retry_after_s=RETRY_AFTER_S)  # does nothing once answered
        return reason

    def end(self, reason: HangupReason) -> None:
        """Have the call end; harmless where it is ending already."""
        if not self._order.done():
            self._order.set_result(reason)

    @property
    def answered(self) -> bool:
        """Whether a 200 was sent."""
        return self.progress.answered_at is not None

    @property
    def is_over(self) -> bool:
        """Whether nobody talks any more; what was opened may still be closing."""
        return self.dialog.end is not None or self.progress.over_at is not None

    def _answered(self, media: MediaSession, watch: GoodbyeWatch) -> tuple[Talk, SilenceClock]:
        """The 200 is out (or in): from here on both are heard and the clocks run."""
        now = self._loop.time()
        silence = SilenceClock(now, self._settings.no_speech_timeout_s, self._settings.check_in_s)
        talk = Talk(media, silence, watch, self.story)
        media.start()
        media.on_parked = self._held
        self.dialog.referred = lambda target: self._services.referred(self, target)
        self.progress.answered_at, self.progress.talk = now, talk
        self.story.tell(Happening.ANSWERED)
        return talk, silence

    def _keypad(self, media: MediaSession) -> Keypad:
        keypad = Keypad(self.story)
        media.on_digit(keypad.press)
        self.dialog.inform = media.take_info
        return keypad

    def _held(self, held: bool) -> None:
        self.story.tell(Happening.HELD if held else Happening.RESUMED)

    def _hang_up(self) -> None:
        self.progress.over_at = self._loop.time()
        if self.dialog.hang_up():
            log.info("bye sent")

    def _release_media(self, media: MediaSession) -> None:
        media.stop()
        log.info("media released")
