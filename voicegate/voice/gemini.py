"""Gemini Live through google-genai: one `Gemini` a process, one `GeminiConversation` a call.

The rules behind every line are in docs/gemini.md.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
)
from typing import NoReturn

from google import genai
from google.genai import types
from google.genai.errors import APIError
from google.genai.live import AsyncSession
from websockets.exceptions import ConnectionClosed, WebSocketException

from voicegate.logs import get_logger
from voicegate.settings import GeminiSettings
from voicegate.voice.faults import NETWORK_ERRORS, describe, is_permanent
from voicegate.voice.readers import Reader, SdkReader, SocketReader
from voicegate.voice.session import (
    AS_CONFIGURED,
    UPLINK_RATE_HZ,
    Heed,
    ToolCall,
    ToolCancelled,
    VoiceError,
    VoiceEvent,
    VoiceSession,
    VoiceSetup,
)
from voicegate.voice.setup import connect_config, http_options
from voicegate.voice.wire import audio_message, events_of

log = get_logger(__name__)

SETUP_DEADLINE_S = 8.0
"""From the first connect to setupComplete, one retry included: the caller hears ringing so long."""
RETRY_AFTER_S = 0.5
CLOSE_LIMIT_S = 2.0
"""A hang-up takes no longer; then the transport is aborted."""
MAX_UNREADABLE_PER_MINUTE = 20
DIRECT_SDK_VERSIONS = ("3.3.", "3.4.")
"""SDK versions whose socket has been tried; with any other, audio takes the SDK's own way."""

UPLINK_MIME = f"audio/pcm;rate={UPLINK_RATE_HZ}"

Connect = Callable[[], AbstractAsyncContextManager[AsyncSession]]


class GeminiConversation:
    """One conversation; its connection lives in `_carry`, a task of its own."""

    speaks_first = True

    def __init__(self, connect: Connect, *, direct: bool) -> None:
        self._connect = connect
        self._direct = direct
        loop = asyncio.get_running_loop()
        self._live: asyncio.Future[AsyncSession] = loop.create_future()
        self._heed: asyncio.Future[Heed] = loop.create_future()
        self._unreadable_at: list[float] = []
        self._asked: dict[str, str] = {}
        self._task: asyncio.Task[VoiceError]

    @asynccontextmanager
    async def carried(self) -> AsyncIterator[None]:
        """Own the connection's task: it is over, bounded in time, when the block is left."""
        owner = asyncio.current_task()
        name = f"{owner.get_name()}/gemini" if owner else "gemini"
        self._task = asyncio.create_task(self._carry(), name=name)
        try:
            yield
        finally:
            await self._hang_up()

    async def ready(self) -> None:
        """Wait until the model can speak; raises VoiceError where it cannot."""
        await asyncio.wait((self._live, self._task), return_when=asyncio.FIRST_COMPLETED)
        self._current()

    async def send_audio(self, pcm16: bytes) -> None:
        """Send the caller's next sound; raises VoiceError where the conversation is over."""
        live = self._current()
        try:
            if self._direct:
                await live._ws.send(audio_message(pcm16))
            else:
                blob = types.Blob(data=pcm16, mime_type=UPLINK_MIME)
                await live.send_realtime_input(audio=blob)
        except (ConnectionClosed, OSError) as error:
            raise VoiceError(describe(error)) from error

    async def greet(self, instruction: str) -> None:
        """Have the model begin; raises VoiceError where the conversation is over."""
        await self.send_text(instruction)

    async def send_text(self, text: str) -> None:
        """Tell the model something in words; raises VoiceError where the conversation is over."""
        try:
            await self._current().send_realtime_input(text=text)
        except (ConnectionClosed, OSError) as error:
            raise VoiceError(describe(error)) from error

    async def send_tool_result(self, call_id: str, name: str, result: Mapping[str, object]) -> None:
        """Answer a tool call, once; raises VoiceError where the conversation is over."""
        live = self._current()
        if self._asked.pop(call_id, None) is None:
            return  # the service closes with 1008 over an id that it does not wait for
        answer = types.FunctionResponse(id=call_id, name=name, response=dict(result))
        try:
            await live.send_tool_response(function_responses=answer)
        except (ConnectionClosed, OSError) as error:
            raise VoiceError(describe(error)) from error

    async def listen(self, heed: Heed) -> NoReturn:
        """Hand every event to `heed` until the conversation is over: raises VoiceError then."""
        self._heed.set_result(heed)
        await asyncio.wait((self._task,))
        raise self._task.result()

    def renew(self, why: str) -> None:
        """Cut the connection; without another one that is the end of the conversation."""
        log.warning("connection given up", why=why)
        self._abort()

    def _current(self) -> AsyncSession:
        if self._task.done():
            raise self._task.result()
        return self._live.result()

    async def _carry(self) -> VoiceError:
        """Hold the connection from set-up to its end; give why it ended."""
        try:
            async with AsyncExitStack() as owned:
                live = await self._connected(owned)
                reader: Reader = SocketReader(live) if self._direct else SdkReader(live)
                await owned.enter_async_context(aclosing(reader))
                self._live.set_result(live)
                await self._receive(reader, await self._heed)
        except (APIError, WebSocketException, *NETWORK_ERRORS) as error:
            return VoiceError(describe(error))
        except VoiceError as error:
            return error

    async def _connected(self, owned: AsyncExitStack) -> AsyncSession:
        """Connect, with one more try where that may help, before the set-up deadline."""
        async with asyncio.timeout(SETUP_DEADLINE_S):
            try:
                return await owned.enter_async_context(self._connect())
            except (APIError, WebSocketException, *NETWORK_ERRORS) as error:
                if is_permanent(error):
                    raise
                log.warning("no connection yet, trying once more", why=describe(error))
            await asyncio.sleep(RETRY_AFTER_S)
            return await owned.enter_async_context(self._connect())

    async def _receive(self, reader: Reader, heed: Heed) -> NoReturn:
        """Read message after message; one that cannot be read is skipped, not the end."""
        while True:
            try:
                events = tuple(events_of(await reader.read()))
            except (ValueError, TypeError) as error:
                self._skip(error)
                continue
            for event in events:
                self._note_tool(event)
                heed(event)

    def _note_tool(self, event: VoiceEvent) -> None:
        """Keep account of the tool calls that this connection waits for."""
        match event:
            case ToolCall(call_id, name):
                self._asked[call_id] = name
            case ToolCancelled(ids):
                for call_id in ids:
                    self._asked.pop(call_id, None)

    def _skip(self, error: Exception) -> None:
        """Count and log a message that cannot be read; too many of them end the conversation."""
        now = asyncio.get_running_loop().time()
        self._unreadable_at = [at for at in self._unreadable_at if at > now - 60] + [now]
        log.warning("unreadable message of the service skipped", error=type(error).__name__)
        if len(self._unreadable_at) > MAX_UNREADABLE_PER_MINUTE:
            raise VoiceError("Gemini sends what cannot be read") from error

    async def _hang_up(self) -> None:
        """Close by the handshake within CLOSE_LIMIT_S, else by cutting the connection."""
        self._task.cancel()
        try:
            await asyncio.wait((self._task,), timeout=CLOSE_LIMIT_S)
        finally:
            if not self._task.done():
                self._abort()
                await asyncio.wait((self._task,))
        if not self._task.cancelled() and (error := self._task.exception()):
            log.error("the connection's task failed", exc_info=error)

    def _abort(self) -> None:
        if self._live.done() and not self._live.cancelled():
            self._live.result()._ws.transport.abort()


class Gemini:
    """The service: the process's one client and the conversations open on it."""

    def __init__(self, client: genai.Client, settings: GeminiSettings) -> None:
        self._live = client.aio.live
        self._settings = settings
        self._open: list[GeminiConversation] = []
        self.direct = genai.__version__.startswith(DIRECT_SDK_VERSIONS)

    @property
    def open_conversations(self) -> int:
        """How many are open now, those that are connecting or closing included."""
        return len(self._open)

    @asynccontextmanager
    async def converse(self, setup: VoiceSetup = AS_CONFIGURED) -> AsyncIterator[VoiceSession]:
        """Open a conversation; raises VoiceError where the model cannot speak in time."""
        config = connect_config(self._settings, setup)
        model = setup.model or self._settings.model
        conversation = GeminiConversation(
            lambda: self._live.connect(model=model, config=config),
            direct=self.direct,
        )
        self._open.append(conversation)
        try:
            async with conversation.carried():
                await conversation.ready()
                yield conversation
        finally:
            self._open.remove(conversation)


@asynccontextmanager
async def open_gemini(settings: GeminiSettings) -> AsyncIterator[Gemini]:
    """Hold the process's one client for as long as the block runs.

    The client is dropped inside the loop: one that outlives its loop bears a task in the next.
    """
    client = genai.Client(
        api_key=settings.api_key.get_secret_value(), http_options=http_options(settings)
    )
    try:
        yield Gemini(client, settings)
    finally:
        await client.aio.aclose()
