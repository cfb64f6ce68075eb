"""One run of a row of actions: it takes the floor for content and completes its turns."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from simulator.audio.sound import Sound
from simulator.gemini import frames
from simulator.gemini.script import Action, output_frame
from simulator.gemini.turns import Pacing, Turn, chunks_of

if TYPE_CHECKING:
    from simulator.gemini.conversation import FakeSession


class Performance:
    """The stage on which actions act."""

    def __init__(self, session: "FakeSession", think_s: float) -> None:
        self.session = session
        self._think_s = think_s
        self._turn: Turn | None = None

    async def run(self, actions: Iterable[Action]) -> None:
        """Do one after the other; complete the turn that is left open."""
        try:
            for action in actions:
                await action.perform(self)
            await self.complete()
        finally:
            if self._turn is not None:
                self.session.floor.leave(self._turn)

    async def speak(self, sound: Sound, text: str, pacing: Pacing | None) -> None:
        """Send speech chunk by chunk until it ends or is cut."""
        turn = await self._content()
        pace = pacing or self.session.pacing
        loop, words = asyncio.get_running_loop(), text.split(" ") if text else []
        start_s, sent_s = loop.time(), 0.0
        begin_s = max(turn.playout_end_s, start_s)
        for chunk in chunks_of(sound, self.session.identity, frames.AUDIO_RATE_HZ, pace.chunk_ms):
            if not await turn.wait_until(start_s + (sent_s - pace.lead_s) / pace.burst):
                return
            self.session.send_audio(chunk, begin_s + sent_s)
            if words:
                self.session.send_transcript(words.pop(0) + (" " if words else ""))
            sent_s += len(chunk) / frames.AUDIO_RATE_HZ
            turn.spoken_s += len(chunk) / frames.AUDIO_RATE_HZ
            turn.playout_end_s = begin_s + sent_s
        if words and not turn.cut:
            self.session.send_transcript(" ".join(words))

    async def transcript(self, text: str) -> None:
        """Send an output transcription, unless cut."""
        turn = await self._content()
        if not turn.cut:
            self.session.emit(output_frame(text))

    async def tool_call(self, name: str, call_id: str, arguments: frames.Frame) -> None:
        """Ask for a function, unless cut."""
        turn = await self._content()
        if not turn.cut:
            self.session.tool_call(name, call_id, **arguments)

    async def empty_turn(self, reason: str) -> None:
        """Complete a turn in which nothing was said."""
        await self._content()
        await self.complete(reason)

    async def pause(self, seconds: float) -> None:
        """Complete the turn, then wait; the next content begins a new turn at once."""
        await self.complete()
        self._think_s = 0.0
        await asyncio.sleep(seconds)

    async def complete(self, reason: str = "") -> None:
        """End the open turn: generationComplete, playout, turnComplete, or nothing once cut."""
        turn, self._turn = self._turn, None
        if turn is None:
            return
        try:
            if turn.started and not turn.cut:
                await self._end(turn, reason)
        finally:
            self.session.floor.leave(turn)

    async def _end(self, turn: Turn, reason: str) -> None:
        session = self.session
        session.emit(frames.content(generationComplete=True))
        # "When model assumes realtime playback there will be delay between generation_complete
        # and turn_complete" (google.genai.types.LiveServerContent)
        if session.pacing.await_playout and not await turn.wait_until(turn.playout_end_s):
            return
        session.turn_completed(turn, reason)

    async def _content(self) -> Turn:
        """Give the turn to speak in; a cut one stays cut until the next pause."""
        if self._turn is None:
            turn = self._turn = Turn()
            due_s = asyncio.get_running_loop().time() + self._think_s
            if await self.session.floor.take(turn) and await turn.wait_until(due_s):
                turn.started = True
                self.session.turn_started()
        return self._turn
