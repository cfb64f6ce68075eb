"""Gateway: one UserAgent, one voice, one group of calls; admission, drain and the end of it all."""

import asyncio
import ipaddress
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)

from structlog.contextvars import bind_contextvars

from voicegate.admin.board import Board
from voicegate.admin.server import open_admin
from voicegate.aio import first_of
from voicegate.blocking import open_blocking_executor
from voicegate.call import RETRY_AFTER_S, Call
from voicegate.config import Config
from voicegate.dialling import Dialling
from voicegate.endings import HangupReason
from voicegate.goodbye import GOODBYE_BY, GoodbyeWatch, load_phrases
from voicegate.logs import get_logger
from voicegate.media.clock import Ticker
from voicegate.media.opening import open_media
from voicegate.media.ports import PortPool
from voicegate.media.rules import MediaRules
from voicegate.media.session import MediaSession
from voicegate.plan import CallPlan, facts_of
from voicegate.record.records import Records, open_records
from voicegate.reloading import Plans
from voicegate.report import CallReport, build_report, masked
from voicegate.sip.leg import CallLeg
from voicegate.sip.message import Address
from voicegate.sip.user_agent import UserAgent
from voicegate.story import Happening
from voicegate.trunk import CannotListen as CannotListen
from voicegate.trunk import open_trunk
from voicegate.voice.echo import Echo
from voicegate.voice.session import Voice, VoiceSession, VoiceSetup

log = get_logger(__name__)

SETTLE_LIMIT_S = 2.0
"""At the end our BYEs are resent until answered, but no longer than this."""


class Gateway:
    """Answers calls and lets each talk to the voice; `serve` is its whole life."""

    def __init__(
        self,
        config: Config,
        *,
        on_report: Callable[[CallReport], None] = lambda _: None,
        read_again: Callable[[], Config] | None = None,
    ) -> None:
        """Hold no resource yet; a reload takes what `read_again` gives, in the executor."""
        self.config = config
        self.ready = asyncio.Event()
        self.calls: dict[int, Call] = {}
        self.calls_taken = 0
        self.ports = PortPool(config.media.rtp_ports)
        self.agent: UserAgent
        self.voice: Voice
        self.records: Records
        self.admin_address: Address | None = None
        self._on_report = on_report
        self._loop = asyncio.get_running_loop()
        self.random = random.SystemRandom()
        self._ticker = Ticker(self._loop)
        self.board = Board(self._loop.time, config.call.max_duration_s)
        self._media_rules = MediaRules(**config.media.model_dump(exclude={"rtp_ports", "codecs"}))
        self._phrases = load_phrases()
        self.plans = Plans(config, read_again, self._adopt)
        self._networks = [ipaddress.ip_network(one, strict=False) for one in config.sip.allow]
        self.dialling = Dialling(self)
        self._group: asyncio.TaskGroup
        self._draining = asyncio.Event()
        self._stopping = asyncio.Event()
        self._at_once = asyncio.Event()
        self._no_calls = asyncio.Event()
        self._no_calls.set()

    async def serve(self) -> None:
        """Take calls until `drain` or `stop`, or until cancelled; leave nothing behind."""
        sip = self.config.sip
        async with AsyncExitStack() as owned:
            await owned.enter_async_context(open_blocking_executor())
            await owned.enter_async_context(self.plans.opened())
            self.records = await owned.enter_async_context(self._open_records())
            self.voice = await owned.enter_async_context(self._open_voice())
            with _naming(f"sip.host, sip.port = {sip.host}:{sip.port}"):
                self.agent = await owned.enter_async_context(self._open_agent())
            self.agent.on_message = self.records.sip
            owned.push_async_callback(self._settle)
            admin = self.config.admin
            with _naming(f"admin.host, admin.port = {admin.host}:{admin.port}"):
                self.admin_address = await owned.enter_async_context(open_admin(self))
            await self._carry_calls()

    def drain(self) -> None:
        """Take no more calls and end when the last one is over; the second time, end now."""
        if self._draining.is_set():
            self.stop()
        self._draining.set()

    def stop(self) -> None:
        """Take no more calls, hang up the present ones, and end; the second time, at once."""
        if self._stopping.is_set():
            self._at_once.set()
        self._draining.set()
        self._stopping.set()
        for call in self.calls.values():
            call.end(HangupReason.SHUTDOWN)

    @property
    def draining(self) -> bool:
        """Whether new calls are refused for good."""
        return self._draining.is_set()

    async def _carry_calls(self) -> None:
        """Admit calls, each a task of this group, until drained."""
        async with asyncio.TaskGroup() as self._group:
            self.ready.set()
            where, admin = self.agent.local, self.admin_address
            admin_port = admin.port if admin else None
            log.info("gateway ready", host=where.host, port=where.port, admin_port=admin_port)
            try:
                await first_of(self._admit(), self._drained(), self.plans.reloads())
            finally:
                # also when cancelled: the group then cancels the calls, and each hangs up
                self._draining.set()
                self.ready.clear()
        log.info("gateway stopped", calls=self.calls_taken)

    async def _admit(self) -> None:
        while True:
            self.begin(await self.agent.next_call())

    def begin(self, leg: CallLeg) -> tuple[int, Call]:
        """Carry that call from now on, as a task of the group; give its number."""
        self.calls_taken += 1
        number = self.calls_taken
        self.calls[number] = Call(leg, self, self.config.call)
        self._no_calls.clear()
        self._group.create_task(self._carry(number), name=f"call-{number}")
        return number, self.calls[number]

    def _adopt(self, config: Config) -> None:
        """Carry the calls to come by a configuration that was reloaded."""
        self.config = config
        self.voice.adopt(config.gemini)
        self.board.allow(config.call.max_duration_s)

    async def _drained(self) -> None:
        """Wait until a drain is over; calls that outlast its limit are hung up."""
        await self._draining.wait()
        try:
            async with asyncio.timeout(self.config.call.drain_limit_s):
                await self._no_calls.wait()
        except TimeoutError:
            log.warning("drain limit reached, hanging up", calls=len(self.calls))
            self.stop()
            await self._no_calls.wait()

    async def _carry(self, number: int) -> None:
        """Run one call, watched; the report tells what became of it."""
        call = self.calls[number]
        bind_contextvars(call=number)
        self.records.follow(number, call)
        leg = call.dialog
        called = masked(leg.called) if leg.is_ours else leg.called
        log.info("call began", caller=masked(leg.caller), called=called, ours=leg.is_ours)
        with self.board.watching(number, call):
            self._report(number, call, await self._outcome(number, call))

    async def _outcome(self, number: int, call: Call) -> HangupReason:
        """Run a call; whatever goes wrong in it ends here, and the caller is never left."""
        try:
            return await call.run()
        except Exception as error:  # the call boundary: ours is loud, and the next call works
            log.error("fault in a call", exc_info=error)
            call.dialog.abort()
            return HangupReason.FAULT
        finally:
            call.dialog.reject(503, retry_after_s=RETRY_AFTER_S)  # cancelled before the answer
            del self.calls[number]
            if not self.calls:
                self._no_calls.set()

    def _report(self, number: int, call: Call, reason: HangupReason) -> None:
        call.story.tell(Happening.ENDED, reason=reason.value)
        report = build_report(number, call, reason, self._loop.time())
        left = {"calls": len(self.calls), "gemini_sessions": self.voice.open_conversations}
        log.info(
            "call ended",
            reason=reason.value,
            ms=round(report.duration_ms),
            release_ms=round(report.release_ms),
            left=left,
        )
        self.board.ended(report)
        self.records.close(report)
        self._on_report(report)

    def _open_records(self) -> AbstractAsyncContextManager[Records]:
        by_gemini = self.config.voice.backend == "gemini"
        return open_records(
            self.config.record, model=self.config.gemini.model if by_gemini else None
        )

    def _open_agent(self) -> AbstractAsyncContextManager[UserAgent]:
        return open_trunk(
            self.config.sip,
            allow=self._may_call,
            ready=lambda: self.takes_calls,
            retry_after_s=RETRY_AFTER_S,
        )

    def open_media(self, dialog: CallLeg) -> AbstractAsyncContextManager[MediaSession]:
        """Lend an RTP port and open its socket; raises OfferRefused or NoPortFree."""
        return open_media(
            dialog.body,
            pool=self.ports,
            ticker=self._ticker,
            local_host=dialog.local.host,
            bind_host=self.agent.bind_host(dialog.local),
            codecs=self.config.media.codecs,
            signalling_host=dialog.source.host,
            allowed=self._may_call,
            random=self.random,
            own_addresses=((dialog.local.host, self.agent.local.port),),
            rules=self._media_rules,
        )

    async def plan(self, dialog: CallLeg) -> CallPlan:
        """Settle how a call is carried; takes as long as the user's hook may take."""
        who = (dialog.call_id, dialog.caller, dialog.called, dialog.source.host)
        facts = facts_of(*who, dialog.headers, ours=dialog.is_ours)
        return await self.plans.plan(facts)

    def open_voice(self, setup: VoiceSetup) -> AbstractAsyncContextManager[VoiceSession]:
        """Open a conversation; raises VoiceError where nobody can speak in time."""
        return self.voice.converse(setup)

    def referred(self, call: Call, target: str) -> int:
        """Say what the peer's REFER to that URI is answered with, and follow it if so."""
        return self.dialling.referred(call, target)

    def goodbye_watch(self) -> GoodbyeWatch:
        """Give a fresh watch for a call."""
        return GoodbyeWatch(self._phrases, GOODBYE_BY[self.config.call.goodbye])

    @asynccontextmanager
    async def _open_voice(self) -> AsyncIterator[Voice]:
        if self.config.voice.backend == "echo":
            yield Echo()
            return
        from voicegate.voice.gemini import open_gemini  # 62 MB that an echo does not need

        async with open_gemini(self.config.gemini) as gemini:
            yield gemini

    @property
    def takes_calls(self) -> bool:
        """Whether a new call is admitted now."""
        # a call that is only being released (the model's slow close) keeps nobody out
        present = sum(not call.is_over for call in self.calls.values())
        present += self.agent.waiting_calls
        return not self.draining and present < self.config.sip.max_calls

    def hear_from(self, host: str) -> None:
        """Hear that address too: it is where we call."""
        self._networks.append(ipaddress.ip_network(host))

    def _may_call(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    async def _settle(self) -> None:
        """Let the user agent resend its BYEs until they are answered, bounded."""
        self.agent.unregister()
        await first_of(self.agent.settled(SETTLE_LIMIT_S), self._at_once.wait())


@contextmanager
def _naming(settings: str) -> Iterator[None]:
    """Name the settings where the system refuses the address or port."""
    try:
        yield
    except OSError as error:
        raise CannotListen(
            f"{settings}: {error.strerror or error}. Is another program on that port?"
        ) from error
