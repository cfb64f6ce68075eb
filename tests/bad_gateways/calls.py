"""One call of the gateways in this folder, from INVITE to its end."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from google.genai import types
from google.genai.errors import APIError
from google.genai.live import AsyncSession
from websockets.exceptions import WebSocketException

from tests.bad_gateways.dialogs import Dialog
from tests.bad_gateways.offers import Refused, read_offer, write_answer
from tests.bad_gateways.sounds import FRAME, is_loud
from tests.bad_gateways.streams import TICK_S, Stream

if TYPE_CHECKING:
    from tests.bad_gateways.base import BaseGateway

MODEL = "gemini-3.8-live"
VOICE_HZ = 24000
SETUP_S = 8.0
NO_SPEECH_S = 15.0
FAREWELL_MAX_S = 10.0
CHUNKS_MAX = 10
SPEECH_FRAMES = 5
"""So many loud frames of the last ten are speech."""
UNREADABLE_MAX = 20
FAREWELL = re.compile(r"\b(goodbye|auf wiederhören|довиждане)\W*$", re.IGNORECASE)


class ModelLost(Exception):
    """The model cannot be reached, or is gone."""


async def first(owner: str, **works: Coroutine[Any, Any, None]) -> None:
    """Wait for the first to end, then for all the others, cancelled; a result beats an error."""
    tasks = [asyncio.create_task(work, name=f"{owner}/{name}") for name, work in works.items()]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    errors = [task.exception() for task in tasks if task in done]
    if None not in errors:
        raise next(error for error in errors if error is not None)


class Call:
    """A dialog, a stream and a conversation, held together by one task."""

    def __init__(self, gateway: "BaseGateway", number: int, dialog: Dialog) -> None:
        self.gateway, self.number, self.dialog = gateway, number, dialog
        self.name = f"call-{number}"
        self.stream: Stream | None = None
        self.invited_at = asyncio.get_running_loop().time()
        self.quiet_since = float("inf")
        """Since when nobody speaks; infinity before the answer."""
        self.enough = asyncio.Event()
        """Farewell or silence: it is for us to hang up."""
        self.generation_over = False
        """The model has sent all of its turn."""
        self.farewell_at: float | None = None
        """When goodbye was heard."""
        self.turns = 0
        """The model's turns that are complete."""
        self._said = self._asked = ""
        self._loud: deque[bool] = deque(maxlen=10)
        self._half = b""
        self._uplink: asyncio.Queue[bytes] = asyncio.Queue(CHUNKS_MAX)
        self._to_model = gateway.new_rate(8000, 16000)
        self._to_caller = gateway.new_rate(VOICE_HZ, 8000)

    async def run(self) -> None:
        """Carry it from INVITE to its end."""
        try:
            self.stream = await self._open_stream()
        except Refused:
            self.dialog.reject(488)
            return
        except LookupError:
            self.dialog.reject(503)
            return
        try:
            self.dialog.ring()
            await first(self.name, over=self._until_over(), voice=self._converse())
        except ModelLost:
            self.dialog.reject(503)
        finally:
            self.end()

    def end(self) -> None:
        """BYE if it is up, and no RTP any more; harmless twice."""
        if self.stream is not None:
            stream, self.stream = self.stream, None
            self.gateway.close_stream(self, stream)
            self.dialog.answer_sdp = lambda _offer: None
            self.dialog.hang_up()

    async def _until_over(self) -> None:
        await self.dialog.over.wait()

    async def _open_stream(self) -> Stream:
        offer = read_offer(self.dialog.invite.body)
        self.gateway.accept(offer, self.dialog.source)
        return await self.gateway.open_stream(self, offer)

    # --- SDP ---------------------------------------------------------------------------------

    def sdp(self, version: int = 1) -> bytes:
        """Our answer to the offer that counts."""
        assert self.stream is not None
        return write_answer(self.stream.offer, *self.stream.address, version)

    def answer_again(self, body: bytes) -> bytes | None:
        """A re-INVITE: the same codec from the same gate, in any direction; None refuses it."""
        if self.stream is None:
            return None
        try:
            offer = read_offer(body)
            self.gateway.accept(offer, self.dialog.source)
        except Refused:
            return None
        before = self.stream.offer
        if (offer.payload_type, offer.kinds) != (before.payload_type, before.kinds):
            return None
        self._version += offer != before
        self.stream.offer = offer
        return self.sdp(self._version)

    _version = 1

    # --- the conversation --------------------------------------------------------------------

    async def _converse(self) -> None:
        async with self._connected() as live:
            self.dialog.answer_sdp = self.answer_again
            self.dialog.answer(self.sdp())
            now = asyncio.get_running_loop().time()
            self.quiet_since = self.gateway.silence_starts_at(self, now)
            assert self.stream is not None
            self.stream.start()
            self.gateway.call_answered(self)
            try:
                await first(
                    self.name,
                    enough=self._until_enough(),
                    speak=self._speak(live),
                    listen=self._listen(live),
                )
            except ModelLost:
                await self.gateway.model_lost(self)
            finally:
                self.end()

    async def _until_enough(self) -> None:
        await self.enough.wait()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncSession]:
        """The set-up, tried twice, within 8 s; raises ModelLost."""
        text = types.AudioTranscriptionConfig()
        config = types.LiveConnectConfig(
            response_modalities=[types.Modality.AUDIO],
            input_audio_transcription=text,
            output_audio_transcription=text,
        )
        deadline = asyncio.get_running_loop().time() + SETUP_S
        for tries_left in (1, 0):
            connecting = self.gateway.live.connect(model=MODEL, config=config)
            try:
                async with asyncio.timeout_at(deadline):
                    live = await connecting.__aenter__()
                break
            except (APIError, WebSocketException, OSError, TimeoutError) as error:
                if not tries_left:
                    raise ModelLost from error
        try:
            await live.send_realtime_input(text="The caller is on the line: greet them.")
            yield live
        finally:
            await connecting.__aexit__(None, None, None)

    async def _speak(self, live: AsyncSession) -> None:
        """Uplink: 40 ms a message, silence included."""
        while True:
            chunk = await self._uplink.get()
            blob = types.Blob(data=chunk, mime_type="audio/pcm;rate=16000")
            try:
                await live.send_realtime_input(audio=blob)
            except (WebSocketException, OSError) as error:
                raise ModelLost from error

    async def _listen(self, live: AsyncSession) -> None:
        """Downlink; receive() ends with every turn and is entered again."""
        unreadable = 0
        while unreadable < UNREADABLE_MAX:
            turn = cast("AsyncGenerator[types.LiveServerMessage, None]", live.receive())
            try:
                async with aclosing(turn):
                    async for message in turn:
                        self._take(message)
            except (APIError, WebSocketException, OSError) as error:
                raise ModelLost from error
            except (TypeError, ValueError):
                unreadable += 1
        raise ModelLost

    def _take(self, message: types.LiveServerMessage) -> None:
        content = message.server_content
        if content is None:
            return
        if content.interrupted:
            self._said = ""
            self._to_caller = self.gateway.new_rate(VOICE_HZ, 8000)
            self.gateway.caller_interrupts(self)
        for part in (content.model_turn.parts if content.model_turn else None) or []:
            if part.inline_data is not None and part.inline_data.data:
                self.gateway.model_spoke(self, self._to_caller(part.inline_data.data))
        if content.input_transcription is not None:
            self._asked += content.input_transcription.text or ""
            self._note_farewell(self._asked)
        if content.output_transcription is not None:
            self._said += content.output_transcription.text or ""
        if content.generation_complete:
            self._note_farewell(self._said)
            self.generation_over = True
        if content.turn_complete:
            self.turns += 1
            self._said = self._asked = ""

    def _note_farewell(self, text: str) -> None:
        if self.farewell_at is None and FAREWELL.search(text):
            self.farewell_at = asyncio.get_running_loop().time()
            self.generation_over = False

    # --- what the 20 ms beat asks -------------------------------------------------------------

    def hear(self, frame: bytes, now: float) -> None:
        """20 ms of the caller: for the model, and for the silence clock."""
        self._loud.append(is_loud(frame))
        if self._loud[-1] and sum(self._loud) >= SPEECH_FRAMES:
            self.quiet_since = max(self.quiet_since, now + TICK_S)
        self.gateway.caller_spoke(self, frame)

    def tell_model(self, frame: bytes) -> None:
        """Two frames make a message; the oldest goes when the model does not take them."""
        self._half += frame
        if len(self._half) >= 2 * FRAME:
            if self._uplink.full():
                self._uplink.get_nowait()
            self._uplink.put_nowait(self._to_model(self._half))
            self._half = b""

    def key_pressed(self, now: float) -> None:
        """A key is as good as a word."""
        self.quiet_since = max(self.quiet_since, now)

    def beat(self, now: float) -> None:
        """After each frame: has enough been said, or too little?"""
        if self.stream is None:
            return
        if not self.stream.playout.empty:
            self.quiet_since = max(self.quiet_since, now + TICK_S)
        bored = now - self.quiet_since >= NO_SPEECH_S - 1e-6
        late = self.farewell_at is not None and now - self.farewell_at >= FAREWELL_MAX_S
        if bored or late or self.gateway.farewell_is_over(self):
            self.enough.set()
