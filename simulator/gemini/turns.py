"""The model's turns: one at a time, each can be cut at any moment, and how fast they are sent."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.audio.pcm import Pcm
from simulator.audio.sound import Sound


@dataclass(frozen=True)
class Pacing:
    """How the service sends a turn (F10)."""

    burst: float = 2.0
    """Times real time; below 1 the audio comes too slowly."""
    chunk_ms: int = 100
    """Audio in one message; 40 to 240 are seen."""
    think_s: float = 0.2
    """From the end of the caller's input to the first audio."""
    lead_s: float = 0.0
    """So much audio is sent at once before the pace counts."""
    await_playout: bool = True
    """turnComplete waits until a listener in real time has heard it all."""

    def __post_init__(self) -> None:
        if self.burst <= 0 or self.chunk_ms <= 0:
            raise ValueError(f"a pace must be positive: {self}")


REAL_TIME = Pacing(burst=1.0, lead_s=0.2, think_s=0.0)
"""For a voice without end: real time, 200 ms ahead."""


def chunks_of(sound: Sound, identity: int, rate_hz: int, chunk_ms: int) -> Iterator[Pcm]:
    """Cut a sound into messages; the last one is as short as it is (no filling)."""
    size = max(1, rate_hz * chunk_ms // 1000)
    held = np.zeros(0, np.int16)
    for piece in sound.pieces(identity, rate_hz):
        held = np.concatenate((held, piece))
        while len(held) >= size:
            yield held[:size]
            held = held[size:]
    if len(held):
        yield held


class Turn:
    """One turn of the model, from the decision to answer to turnComplete."""

    def __init__(self) -> None:
        self.cut = False
        """Interrupted: nothing more of it may be sent."""
        self.started = False
        """Something of it was sent."""
        self.spoken_s = 0.0
        self.playout_end_s = 0.0
        self._changed = asyncio.Event()

    def change(self) -> None:
        """Wake who waits in this turn."""
        self._changed.set()

    async def wait_until(self, at_s: float) -> bool:
        """Wait for a loop time; False as soon as the turn is cut."""
        loop = asyncio.get_running_loop()
        while not self.cut and loop.time() < at_s:
            try:
                async with asyncio.timeout_at(at_s):
                    await self.changed()
            except TimeoutError:
                break
        return not self.cut

    async def changed(self) -> None:
        """Wait for the next `change`."""
        await self._changed.wait()
        self._changed.clear()


class Floor:
    """Who may speak: turns in the order in which they asked."""

    def __init__(self) -> None:
        self._turns: list[Turn] = []

    async def take(self, turn: Turn) -> bool:
        """Wait until all earlier turns are over; False if the turn was cut meanwhile."""
        self._turns.append(turn)
        while not turn.cut and self._turns[0] is not turn:
            await turn.changed()
        return not turn.cut

    def leave(self, turn: Turn) -> None:
        """Let the next one speak; harmless twice."""
        if turn in self._turns:
            self._turns.remove(turn)
        for other in self._turns[:1]:
            other.change()

    @property
    def generating(self) -> bool:
        """True while a turn is on the air."""
        return any(turn.started and not turn.cut for turn in self._turns)

    def cut_all(self) -> None:
        """Silence the current turn and those that wait."""
        for turn in self._turns:
            turn.cut = True
            turn.change()
