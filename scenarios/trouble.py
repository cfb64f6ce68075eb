"""What the scenarios of trouble have in common: who plays, and how each of them must end."""

from dataclasses import dataclass

from simulator.audio.sound import stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness

STAMPS = stamps(every_s=0.5)
CALL_S = 1.7
AT_LEAST = 2
"""Of the three whole stamps that fit into CALL_S after the jitter buffers' delay."""


@dataclass(frozen=True)
class World:
    """The world around the gateway under test, which may run anywhere."""

    gate: SimulatedGate
    "The gate with its callers."

    gemini: FakeGemini
    "The model."

    witness: Witness
    "The leak gate, with its baseline taken."

    async def next_call_is_heard(self) -> None:
        """A whole call: dialled, heard both ways, hung up."""
        number = len(self.gemini.sessions)
        self.gemini.always(say=STAMPS, session=number)
        async with self.gate.dial("1000", speak=STAMPS) as call:
            await call.lasts(CALL_S)
        model = self.gemini.session(number)
        assert call.heard.only_from(model, at_least=AT_LEAST)
        assert model.heard.only_from(call, at_least=AT_LEAST)

    async def nothing_is_left(self, after: str, wait_s: float = 0.0) -> None:
        """What a call opened is gone; LeakFound says by name what is not."""
        await self.gemini.until(lambda: self.gemini.open_sessions == 0, within_s=5)
        await self.witness.settle(wait_s)
        self.witness.check(after=after)

    async def is_whole_again(self, after: str, wait_s: float = 0.0) -> None:
        """Nothing is left, and the next call is heard both ways."""
        await self.nothing_is_left(after, wait_s)
        await self.next_call_is_heard()
