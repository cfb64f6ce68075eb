"""One conversation with Gemini: one connection after the other, never two at once.

What happens when one is lost is in docs/conversation.md.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import NoReturn

from voicegate.logs import get_logger
from voicegate.voice.connection import Connection
from voicegate.voice.faults import FAULTS, Action, Chosen, Moment, Verdict, describe, judge
from voicegate.voice.memory import Memory
from voicegate.voice.models import ModelRules
from voicegate.voice.retries import Attempt, Retries
from voicegate.voice.session import (
    CallerText,
    GenerationComplete,
    GoAway,
    Heed,
    ModelAudio,
    ModelText,
    Reconnected,
    Reconnecting,
    ToolCall,
    ToolCancelled,
    VoiceError,
    VoiceEvent,
)
from voicegate.voice.turn import GO_ON, Departure, Turn

log = get_logger(__name__)

SETUP_DEADLINE_S = 8.0
"""From the first connect to setupComplete, one retry included: the caller hears ringing so long."""
RETRY_AFTER_S = 0.5
WAITING_CHUNKS = 50
"""What the caller says while there is no connection: the newest 2 s are sent to the next one."""
LOST_CALL = {"error": "The connection was lost before the result came. Call again if needed."}

Connect = Callable[[str, str], AbstractAsyncContextManager[Connection]]
"""Takes the handle to go on with and the summary to begin with, either may be empty."""


class GeminiConversation:
    """One conversation; its connections live in `_carry`, a task of its own."""

    speaks_first = True

    def __init__(
        self, connect: Connect, rules: ModelRules, retries: Retries, chosen: Chosen
    ) -> None:
        self._connect = connect
        self._rules = rules
        self._retries = retries
        self._chosen = chosen
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._listener: asyncio.Future[Heed] = self._loop.create_future()
        self._connection: Connection | None = None
        self._limit = asyncio.timeout(None)
        self._departure = Departure(0.0, None)
        self._leaving: Verdict | None = None
        self._lost_at = 0.0
        self._turn = Turn()
        self._memory = Memory()
        self._asked: dict[str, str] = {}
        self._lost_calls: dict[str, str] = {}
        self._waiting: deque[bytes] = deque(maxlen=WAITING_CHUNKS)
        self.uplink_dropped = 0  # messages with the caller's sound that no connection took
        self._task: asyncio.Task[VoiceError]

    @asynccontextmanager
    async def carried(self) -> AsyncIterator[None]:
        """Own the connections' task: it is over, bounded in time, when the block is left."""
        owner = asyncio.current_task()
        name = f"{owner.get_name()}/gemini" if owner else "gemini"
        self._task = asyncio.create_task(self._carry(), name=name)
        try:
            yield
        finally:
            await self._hang_up()

    async def _hang_up(self) -> None:
        """Close; a connection that does not take part is cut in time."""
        self._task.cancel()
        await asyncio.wait((self._task,))
        if not self._task.cancelled() and (error := self._task.exception()):
            log.error("the connection's task failed", exc_info=error)

    async def ready(self) -> None:
        """Wait until the model can speak; raises VoiceError where it cannot."""
        await asyncio.wait((self._ready, self._task), return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            raise self._task.result()

    async def send_audio(self, pcm16: bytes) -> None:
        """Send the caller's next sound; while there is no connection the newest of it waits."""
        now = self._loop.time()
        self._turn.caller(pcm16, now)
        connection = self._connection
        if connection is None:
            self.uplink_dropped += len(self._waiting) == WAITING_CHUNKS
            self._waiting.append(pcm16)
            return
        if self._departure.is_due(now):
            self._plan()
        try:
            await connection.send_audio(pcm16)
        except FAULTS:
            self.uplink_dropped += 1  # why it is lost the reader learns

    async def greet(self, instruction: str) -> None:
        """Have the model begin."""
        await self.send_text(instruction)

    async def send_text(self, text: str) -> None:
        """Tell the model something in words; where the connection is lost, the next one is told."""
        self._turn.asked(text, self._loop.time())
        if self._connection is not None:
            try:
                await self._connection.send_text(text)
            except FAULTS as error:
                log.warning("words for the model wait", why=describe(error))

    async def send_tool_result(self, call_id: str, name: str, result: Mapping[str, object]) -> None:
        """Answer a tool call, once and only where it was asked."""
        connection = self._connection
        if connection is None or self._asked.pop(call_id, None) is None:
            return  # the service closes with 1008 over an id that it does not wait for
        try:
            await connection.send_tool_result(call_id, name, result)
        except FAULTS:
            self._lost_calls[call_id] = name

    async def listen(self, heed: Heed) -> NoReturn:
        """Hand every event to `heed` until the conversation is over: raises VoiceError then."""
        self._listener.set_result(heed)
        await asyncio.wait((self._task,))
        raise self._task.result()

    def renew(self, why: str) -> None:
        """Begin anew on another connection, and have the model speak."""
        if self._connection is not None and self._listener.done():
            self._leave_at(self._loop.time())
            self._leaving = Verdict(why, Action.RENEW)

    # The connections, one after the other

    async def _carry(self) -> VoiceError:
        """Hold one connection after the other; give why there is no further one."""
        obtain: Callable[[AsyncExitStack], Awaitable[Connection]] = self._first
        try:
            while True:
                async with AsyncExitStack() as owned:
                    ended = await self._serve(await obtain(owned))
                obtain = partial(self._next, ended)
        except VoiceError as error:
            return error

    async def _first(self, owned: AsyncExitStack) -> Connection:
        """Connect, with one more try where that may help, before the set-up deadline."""
        try:
            async with asyncio.timeout(SETUP_DEADLINE_S):
                try:
                    return await owned.enter_async_context(self._connect("", ""))
                except FAULTS as error:
                    verdict = judge(error, Moment.STARTING, self._chosen)
                    if verdict.action is Action.GIVE_UP:
                        raise
                    log.warning("no connection yet, trying once more", why=verdict.why)
                await asyncio.sleep(RETRY_AFTER_S)
                return await owned.enter_async_context(self._connect("", ""))
        except FAULTS as error:
            raise VoiceError(describe(error)) from error

    async def _next(self, ended: Verdict, owned: AsyncExitStack) -> Connection:
        """Connect in mid-conversation, again and again within the budget; else VoiceError."""
        self._lost(ended)
        while (attempt := self._retries.next(ended, self._loop.time())) is not None:
            if attempt.fresh:
                self._memory.begin_anew()
                self._lost_calls.clear()
            try:
                return await self._try(attempt, owned)
            except FAULTS as error:
                moment = Moment.RESUMING if self._memory.handle else Moment.STARTING
                ended = judge(error, moment, self._chosen)
                log.warning("no connection yet", why=ended.why, action=ended.action.value)
        raise VoiceError(ended.why)

    async def _try(self, attempt: Attempt, owned: AsyncExitStack) -> Connection:
        await asyncio.sleep(attempt.wait_s)
        async with asyncio.timeout(min(SETUP_DEADLINE_S, attempt.limit_s)):
            handle = self._memory.handle.get_secret_value()
            connecting = self._connect(handle, self._memory.summary)
            return await owned.enter_async_context(connecting)

    def _lost(self, ended: Verdict) -> None:
        """Settle what the lost connection leaves open."""
        now = self._loop.time()
        log.warning("connection lost", why=ended.why, action=ended.action.value)
        self._lost_at = now
        self._retries.lost(now)
        heed = self._listener.result()
        if self._turn.generating:
            heed(GenerationComplete())  # no more of this turn will come
        self._turn.lost(now)
        if ended.action is Action.RENEW:
            self._turn.owes(GO_ON, now)
        self._leaving = None
        if self._asked:
            heed(ToolCancelled(tuple(self._asked)))
            self._lost_calls |= self._asked
            self._asked.clear()
        heed(Reconnecting(ended.why))

    # One of them

    async def _serve(self, connection: Connection) -> Verdict:
        """Talk over a connection until it is lost or to be left; say which and why."""
        now = self._loop.time()
        self._retries.connected(now)
        self._departure = Departure(now, self._rules.unannounced_life_s)
        try:
            async with asyncio.timeout_at(self._departure.latest) as self._limit:
                return await self._converse(connection)
        except TimeoutError:
            if not self._limit.expired():
                raise  # ours, from who heeds
            return self._leaving or Verdict("left before the service ends it", Action.RESUME)
        finally:
            self._connection = None

    async def _converse(self, connection: Connection) -> Verdict:
        try:
            if not self._ready.done():
                self._connection = connection
                self._ready.set_result(None)
            else:
                await self._catch_up(connection)
            await asyncio.wait((self._listener,))
            heed = self._listener.result()
        except FAULTS as error:
            return judge(error, Moment.RUNNING, self._chosen)
        while True:
            try:
                events = await connection.read(self._memory.keep)
            except FAULTS as error:
                return judge(error, Moment.RUNNING, self._chosen)
            for event in events:
                self._note(event)
                heed(event)

    async def _catch_up(self, connection: Connection) -> None:
        """Bring a new connection to where the conversation is, in this order."""
        resumed = bool(self._memory.handle)
        for call_id, name in self._lost_calls.items():
            # unanswered ones swallow what the caller says next
            await connection.send_tool_result(call_id, name, LOST_CALL)
        self._lost_calls.clear()
        if owed := self._turn.owed(self._loop.time()):
            await connection.send_text(owed)
        while self._waiting:
            await connection.send_audio(self._waiting.popleft())
        self._connection = connection
        ms = round((self._loop.time() - self._lost_at) * 1000, 1)
        log.info("reconnected", resumed=resumed, ms=ms, uplink_dropped=self.uplink_dropped)
        self._listener.result()(Reconnected(resumed, ms))

    def _note(self, event: VoiceEvent) -> None:
        """Keep account of what a lost connection would leave open."""
        now = self._loop.time()
        self._turn.heed(event, now)
        match event:
            case ModelAudio():
                pass  # by far the most of them
            case CallerText() | ModelText():
                self._memory.heed(event)
            case ToolCall(call_id, name):
                self._asked[call_id] = name
            case ToolCancelled(ids):
                for call_id in ids:
                    self._asked.pop(call_id, None)
            case GoAway(time_left_s):
                log.info("the service will close the connection", time_left_s=time_left_s)
                self._departure.go_away(now, time_left_s)
        if self._departure.is_due(now):
            self._plan()

    def _plan(self) -> None:
        """Set the time to leave by whose turn it is."""
        self._leave_at(self._departure.at(self._turn.free_at()))

    def _leave_at(self, at: float | None) -> None:
        if not self._limit.expired() and self._leaving is None:
            self._limit.reschedule(at)
