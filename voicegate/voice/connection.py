"""One connection to the service, from its set-up to its close: what goes over it either way."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

from google.genai import types
from google.genai.live import AsyncSession

from voicegate.logs import get_logger
from voicegate.voice.faults import Unreadable
from voicegate.voice.models import ModelRules
from voicegate.voice.readers import Reader, SdkReader, SocketReader
from voicegate.voice.session import UPLINK_RATE_HZ, VoiceEvent
from voicegate.voice.wire import audio_message, events_of, handle_of

log = get_logger(__name__)

CLOSE_LIMIT_S = 2.0
"""To close takes no longer; then the transport is aborted."""
MAX_UNREADABLE_PER_MINUTE = 20
UPLINK_MIME = f"audio/pcm;rate={UPLINK_RATE_HZ}"


class Connection:
    """What can be sent and read. Everything raises one of `faults.FAULTS` where it is lost."""

    def __init__(
        self,
        live: AsyncSession,
        reader: Reader,
        rules: ModelRules,
        *,
        direct: bool,
        unhurried: Collection[str] = (),
    ) -> None:
        """`unhurried`: the tools that the model does not wait for."""
        self._live = live
        self._reader = reader
        self._rules = rules
        self._direct = direct
        self._unhurried = unhurried
        self._unreadable_at: list[float] = []

    async def send_audio(self, pcm16: bytes) -> None:
        """Send the caller's next sound."""
        if self._direct:
            await self._live._ws.send(audio_message(pcm16))
        else:
            blob = types.Blob(data=pcm16, mime_type=UPLINK_MIME)
            await self._live.send_realtime_input(audio=blob)

    async def send_text(self, text: str) -> None:
        """Tell the model something in words."""
        if self._rules.text_as_content:
            turn = types.Content(role="user", parts=[types.Part(text=text)])
            await self._live.send_client_content(turns=turn, turn_complete=True)
        else:
            await self._live.send_realtime_input(text=text)

    async def send_tool_result(self, call_id: str, name: str, result: Mapping[str, object]) -> None:
        """Answer a tool call."""
        unhurried = name in self._unhurried and self._rules.tool_scheduling
        scheduling = types.FunctionResponseScheduling.WHEN_IDLE if unhurried else None
        answer = types.FunctionResponse(
            id=call_id, name=name, response=dict(result), scheduling=scheduling
        )
        await self._live.send_tool_response(function_responses=answer)

    async def read(self, keep: Callable[[str], None]) -> tuple[VoiceEvent, ...]:
        """Give the events of the next message; `keep` gets a new handle, which is a secret.

        A message that cannot be read is skipped, not the end; too many of them are Unreadable.
        """
        while True:
            try:
                message = await self._reader.read()
                if handle := handle_of(message):
                    keep(handle)
                return tuple(events_of(message))
            except (ValueError, TypeError) as error:
                self._skip(error)

    def _skip(self, error: Exception) -> None:
        now = asyncio.get_running_loop().time()
        self._unreadable_at = [at for at in self._unreadable_at if at > now - 60] + [now]
        log.warning("unreadable message of the service skipped", error=type(error).__name__)
        if len(self._unreadable_at) > MAX_UNREADABLE_PER_MINUTE:
            raise Unreadable("Gemini sends what cannot be read") from error


@asynccontextmanager
async def open_connection(
    connecting: AbstractAsyncContextManager[AsyncSession],
    rules: ModelRules,
    *,
    direct: bool,
    unhurried: Collection[str] = (),
) -> AsyncIterator[Connection]:
    """Hold a connection while the block runs; closed within CLOSE_LIMIT_S after it, or cut."""
    cut: asyncio.TimerHandle | None = None
    try:
        async with connecting as live:
            try:
                async with aclosing(SocketReader(live) if direct else SdkReader(live)) as reader:
                    yield Connection(live, reader, rules, direct=direct, unhurried=unhurried)
            finally:
                abort = live._ws.transport.abort
                cut = asyncio.get_running_loop().call_later(CLOSE_LIMIT_S, abort)
    finally:
        if cut is not None:
            cut.cancel()
