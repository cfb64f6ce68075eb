"""Row 7: the soak: audio on calls 10, 20, 50 as on call 1; everything back to the start."""

import asyncio

import pytest

from simulator.audio.sound import stamps
from simulator.clock import VirtualLoop
from simulator.gate.caller import CallRefused, SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gemini.conversation import FakeSession
from simulator.gemini.memory import forget
from simulator.gemini.server import FakeGemini
from simulator.target.evidence import Scene
from simulator.witness.memory import MemoryTrend
from simulator.witness.witness import Witness

CALLS = 50
AT_ONCE = 10
VIRTUAL_BATCHES = 2
TRACED_CALLS = 15
CALL_S = 1.7
SHORT_S = 1.0
PAUSE_S = 10.0
"""A dialog that is over is known for 64 s more: so few of them are then known at once."""
AT_LEAST = 2
"""Of the three whole stamps that fit into CALL_S after the jitter buffers' delay."""
STAMPS = stamps(every_s=0.5)
RSS_LIMIT = 512 * 1024


def by_identity(sessions: list[FakeSession]) -> dict[int, FakeSession]:
    """Give each caller's conversation: the one that heard it; identities are unique in a soak."""
    return {stamp.identity: session for session in sessions for stamp in session.heard.stamps()}


@pytest.mark.virtual_limit(600)
async def test_fifty_calls_sound_like_the_first(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    if not isinstance(asyncio.get_running_loop(), VirtualLoop):
        pytest.skip("in real time the soak is ten calls at once: see below")
    gemini.always(say=STAMPS)
    levels: list[float] = []
    for number in range(CALLS):
        async with gate.dial("1000", speak=STAMPS) as call:
            await call.lasts(CALL_S)
        model = gemini.session(number)
        assert call.heard.only_from(model, at_least=AT_LEAST), number
        assert model.heard.only_from(call, at_least=AT_LEAST), number
        levels.append(call.heard.level_dbfs())
        await witness.settle()
        witness.check(after=f"call {number + 1}")
    for number in (10, 20, 50):
        assert abs(levels[number - 1] - levels[0]) < 1.0
    await witness.settle(wait_s=35)
    witness.check(after="the soak")


@pytest.mark.virtual_limit(600)
async def test_memory_stays_flat_from_call_to_call(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness, scene: Scene
) -> None:
    """Tracing every allocation takes its time, so the calls are short and say nothing new."""
    if not isinstance(asyncio.get_running_loop(), VirtualLoop):
        pytest.skip("the gateway's memory is that of another process here")
    gemini.always(say=STAMPS)
    with MemoryTrend() as memory:
        for number in range(TRACED_CALLS):
            async with gate.dial("1000", speak=STAMPS) as call:
                await call.lasts(SHORT_S)
            # the judge's memory is not the gateway's, nor is that of the report
            await forget(gemini, gemini.session(number))
            scene.tape.forget()
            scene.made.clear()
            await witness.settle(wait_s=PAUSE_S)
            memory.sample()
    # the judge lives in this process too: its RSS says little about the gateway
    assert memory.growth(rss_limit=RSS_LIMIT)


@pytest.mark.acceptance("7 50-call soak: audio on every call, everything back to the start")
async def test_ten_at_once_hear_each_their_own_model(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    gemini.always(say=STAMPS)

    async def one() -> SimulatedCall:
        async with gate.dial("1000", speak=STAMPS) as call:
            await call.lasts(CALL_S)
        return call

    virtual = isinstance(asyncio.get_running_loop(), VirtualLoop)  # there are fifty calls above
    for batch in range(VIRTUAL_BATCHES if virtual else CALLS // AT_ONCE):
        calls = await asyncio.gather(*(one() for _ in range(AT_ONCE)))
        # first let all that is under way arrive: listening takes the loop's time
        await witness.settle()
        models = by_identity(gemini.sessions[batch * AT_ONCE :])
        for call in calls:
            told = f"no model heard caller {call.identity}; heard were {sorted(models)}"
            assert call.identity in models, told
            model = models[call.identity]
            assert call.heard.only_from(model, at_least=AT_LEAST)
            assert model.heard.only_from(call, at_least=AT_LEAST)
        witness.check(after=f"calls {batch * AT_ONCE + 1} to {(batch + 1) * AT_ONCE}")


@pytest.mark.virtual_limit(600)
async def test_rough_calls_among_clean_ones_leave_nothing(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness
) -> None:
    """Leaks live on edge paths: each is followed by a clean call that is heard both ways."""

    async def refused() -> None:
        gemini.refuse(503, times=2)
        with pytest.raises(CallRefused):
            await gate.dial("1000")

    async def cancelled() -> None:
        call = await gate.dial("1000", until="sent")
        await call.cancel()

    async def model_lost() -> None:
        call = await gate.dial("1000")
        await call.lasts(1)
        gemini.sessions[-1].abort()
        await asyncio.sleep(2.0)  # a gateway may find the model again, or let the caller go
        if not call.is_over:
            await call.hang_up()

    async def vanished() -> None:
        call = await gate.dial("1000")
        await call.lasts(1)
        call.vanish(close_port=True)

    async def never_acknowledged() -> None:
        await gate.dial("1000", never_ack=True)

    for rough in (refused, cancelled, model_lost, vanished, never_acknowledged):
        await rough()
        number = len(gemini.sessions)
        gemini.always(say=STAMPS, session=number)
        async with gate.dial("1000", speak=STAMPS) as call:
            await call.lasts(CALL_S)
        model = gemini.session(number)
        assert call.heard.only_from(model, at_least=AT_LEAST), rough.__name__
        assert model.heard.only_from(call, at_least=AT_LEAST), rough.__name__
    await witness.settle(wait_s=70)
    witness.check(after="rough calls among clean ones")
