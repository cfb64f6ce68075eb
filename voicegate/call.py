"""Call.run(): the whole life of a call, from INVITE to its end.

What lives as long as the call is opened here, by block, and nowhere else. The reason why the call
ended is the result of a race.
"""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from voicegate.aio import first_of
from voicegate.endings import HangupReason, refused_with
from voicegate.exchange import Exchange
from voicegate.goodbye import GoodbyeWatch
from voicegate.logs import get_logger
from voicegate.media.ports import NoPortFree
from voicegate.media.sdp import OfferRefused
from voicegate.media.session import MediaSession
from voicegate.plan import CallPlan
from voicegate.settings import CallSettings
from voicegate.sip.leg import CallLeg
from voicegate.sip.outgoing import CallRefused
from voicegate.sip.user_agent import DialogEnd
from voicegate.story import Happening, Story
from voicegate.talk import Talk
from voicegate.tools.running import running
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
            owned.callback(self._part, media)
            watch = self._services.goodbye_watch()
            media.start(early=True)
            self.dialog.media = media
            await self.dialog.connect(media.local_sdp)
            exchange = Exchange(media, voice, plan, self._settings, watch, self.story)
            self._answered(exchange, media)
            tools = exchange.tools(self._as_tools_see_it(plan, media, exchange))
            await owned.enter_async_context(running(tools))
            # last in, first out: BYE, then media, then the tools' and the model's slow close
            owned.callback(self._part, media)
            await exchange.greet()
            return await exchange.until_over(tools)

    async def ended_by_peer(self) -> HangupReason:
        """Wait for BYE, CANCEL, or the end of the patience for an ACK."""
        end = await self.dialog.ended_by_peer()
        if end is DialogEnd.BYE and self.transferring:
            return HangupReason.TRANSFERRED
        if end is DialogEnd.BYE and self.dialog.is_ours:
            return HangupReason.CALLEE_BYE
        return BY_PEER[end]

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

    def _answered(self, exchange: Exchange, media: MediaSession) -> None:
        """The 200 is out (or in): from here on both are heard and the clocks run."""
        media.start()
        media.on_parked = self._held
        self.dialog.inform = media.take_info
        self.dialog.referred = lambda target: self._services.referred(self, target)
        self.progress.answered_at, self.progress.talk = exchange.answered_at, exchange.talk
        self.story.tell(Happening.ANSWERED)

    def _as_tools_see_it(self, plan: CallPlan, media: MediaSession, exchange: Exchange) -> OnCall:
        moved = partial(transfer, self)
        talk, workshop = exchange.talk, plan.toolset.workshop
        return OnCall(plan.facts, self.dialog, media, talk, workshop, moved)

    def _held(self, held: bool) -> None:
        self.story.tell(Happening.HELD if held else Happening.RESUMED)

    def _part(self, media: MediaSession) -> None:
        """Hang up, then end the media; harmless where that is done."""
        if self.progress.over_at is not None:
            return
        self.progress.over_at = self._loop.time()
        if self.dialog.hang_up():
            log.info("bye sent")
        media.stop()
        log.info("media released")
