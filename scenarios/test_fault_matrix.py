"""Whatever goes wrong at whatever moment: the call ends, nothing is left, the next one is heard."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from scenarios.inprocess import VOICEGATE
from scenarios.trouble import STAMPS, World
from simulator.audio.sound import Sound, sequence, silence, silence_for, speech
from simulator.clock import VirtualLoop
from simulator.gate.caller import CallRefused, SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gemini.conversation import FakeSession
from simulator.gemini.script import Action
from simulator.gemini.script import say as to_say
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness

RING_S = 1.0
SHUT_DOWN_WITHIN_S = 3.5
"""2 s for the model's slow close, and as much for a BYE without an answer."""
RESENDS_S = 70.0
"""A caller that is gone is told so for 32 s, perhaps after 32 s without its ACK."""


@pytest.fixture
def world(gate: SimulatedGate, gemini: FakeGemini, witness: Witness) -> World:
    """Everybody who plays in a story."""
    return World(gate, gemini, witness)


# The moments


class Moments:
    """Leads a call to a moment; gives it with its conversation."""

    def __init__(self, world: World) -> None:
        self._gate, self._gemini = world.gate, world.gemini
        self._number = len(world.gemini.sessions)

    async def ringing(self) -> SimulatedCall:
        """The model is being connected."""
        self._gemini.stall_setup(RING_S, session=self._number, times=1)
        self._gemini.on_text(session=self._number)
        call = await self._gate.dial("1000", until="ringing")
        await self._gemini.until(lambda: len(self._gemini.sessions) > self._number)
        return call

    async def just_answered(self) -> SimulatedCall:
        """The ACK has just left."""
        return await self._call(STAMPS)

    async def model_speaking(self) -> SimulatedCall:
        """In the midst of what the model says."""
        call = await self._call(silence, to_say(speech(6.0)))
        await call.lasts(1.5)
        return call

    async def caller_speaking(self) -> SimulatedCall:
        """In the midst of what the caller says."""
        call = await self._call(speech(6.0))
        await call.lasts(1.5)
        return call

    async def farewell(self) -> SimulatedCall:
        """The model has said goodbye, and its farewell is still to be heard."""
        farewell = to_say(speech(4.0), text="Okay, goodbye.")
        self._gemini.on_speech(farewell, session=self._number)
        call = await self._call(sequence(silence_for(0.3), speech(0.5)))
        session = self._gemini.session(self._number)
        await session.until(lambda: session.sent["generationComplete"] == 1)
        return call

    async def _call(self, speak: Sound, *answer: Action) -> SimulatedCall:
        self._gemini.on_text(*answer, session=self._number)
        return await self._gate.dial("1000", speak=speak)


MOMENTS = {
    each.__name__: each
    for each in (
        Moments.ringing,
        Moments.just_answered,
        Moments.model_speaking,
        Moments.caller_speaking,
        Moments.farewell,
    )
}


# The faults


async def caller_hangs_up(call: SimulatedCall, _: FakeSession) -> None:
    """BYE, or CANCEL while it rings."""
    await call.hang_up()


async def caller_vanishes(call: SimulatedCall, _: FakeSession) -> None:
    """Neither SIP nor RTP any more, and its port is closed."""
    call.vanish(close_port=True)


async def port_closes(call: SimulatedCall, _: FakeSession) -> None:
    """RTP to the caller is answered with ICMP; the caller hangs up a little later."""
    call.close_rtp_port()
    await asyncio.sleep(2 * RING_S)


async def model_is_cut(_: SimulatedCall, session: FakeSession) -> None:
    """The TCP connection breaks."""
    session.abort()


async def model_closes(_: SimulatedCall, session: FakeSession) -> None:
    """The service gives up."""
    session.close(1011, "Internal error encountered.")


async def model_falls_silent(_: SimulatedCall, session: FakeSession) -> None:
    """Neither packets nor a FIN; the caller loses patience."""
    session.wire.half_open()
    await asyncio.sleep(5.0)


Fault = Callable[[SimulatedCall, FakeSession], Awaitable[None]]
FAULTS: tuple[Fault, ...] = (
    caller_hangs_up,
    caller_vanishes,
    port_closes,
    model_is_cut,
    model_closes,
    model_falls_silent,
)


@pytest.mark.virtual_limit(900)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.thorough(but=3)
async def test_trap_14_a_fault_at_any_moment_costs_no_more_than_its_call(
    world: World, fault: Fault
) -> None:
    """Each fault with a gateway of its own, which then suffers it at one moment after another."""
    for name, moment in MOMENTS.items():
        number = len(world.gemini.sessions)
        call = await moment(Moments(world))
        session = world.gemini.session(number)
        await fault(call, session)
        if fault in (model_is_cut, model_closes) and name != "ringing":
            await asyncio.sleep(2.0)  # a gateway may find the model again, or let the caller go
        if not call.is_over:
            await call.hang_up()
        if fault is model_falls_silent:
            session.wire.half_open(False)
        await gone(world)
        wait_s = RESENDS_S if fault is caller_vanishes else 0.0
        await world.is_whole_again(f"{fault.__name__}, {name}", wait_s)


async def gone(world: World) -> None:
    """A gateway may notice by silence alone (15 s), or by a missing ACK (32 s)."""
    await world.gemini.until(lambda: world.gemini.open_sessions == 0, within_s=40)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.thorough(but=2)
async def test_a_shut_down_at_any_moment_leaves_nothing(
    errors: Witness, gemini: FakeGemini, moment: str
) -> None:
    """The gateway is told to end; it takes its time for a BYE and no more."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        pytest.skip("not testable: a gateway elsewhere is not ours to end")
    errors.baseline()
    async with AsyncExitStack() as served:
        target = await served.enter_async_context(VOICEGATE.start({}))
        async with SimulatedGate(gateway=target.address) as gate:
            call = await MOMENTS[moment](Moments(World(gate, gemini, errors)))
            ended = asyncio.create_task(end_of(call))
            await asyncio.sleep(0)
            started_at = loop.time()
            await served.aclose()
            assert loop.time() - started_at <= SHUT_DOWN_WITHIN_S
            assert await ended == ("503" if moment == "ringing" else "BYE")
            gate.check()
    await gemini.until(lambda: gemini.open_sessions == 0, within_s=5)
    await errors.settle()
    errors.check(after=f"a shut-down, {moment}")


async def end_of(call: SimulatedCall) -> str:
    """How a gateway that shuts down takes its leave."""
    try:
        await call.answered(within_s=10)
    except CallRefused as refused:
        return str(refused.status)
    await call.ended(by="gateway", within_s=10)
    return "BYE"
