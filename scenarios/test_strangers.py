"""Nothing of one call reaches another: no sound, no BYE, no port that is still warm."""

from simulator.audio.sound import stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini


async def test_what_was_left_unsaid_stays_unsaid(gate: SimulatedGate, gemini: FakeGemini) -> None:
    gemini.on_text(say=stamps(every_s=0.5, count=30))  # sent faster than it can be heard
    for number in range(2):
        async with gate.dial("1000") as call:
            await call.lasts(3)
        assert call.heard.only_from(gemini.session(number), at_least=4)


async def test_callers_at_once_hear_their_own_model(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.always(say=stamps(every_s=1.0))
    mine = stamps(every_s=1.0)
    async with gate.dial("1000", speak=mine) as first, gate.dial("1000", speak=mine) as second:
        await second.lasts(4)
    for number, call in enumerate((first, second)):
        assert call.heard.only_from(gemini.session(number), at_least=3)
        assert gemini.session(number).heard.only_from(call, at_least=3)


async def test_a_stale_bye_ends_no_other_call(gate: SimulatedGate, gemini: FakeGemini) -> None:
    gemini.always(say=stamps(every_s=1.0))
    async with gate.dial("1000") as first:
        await first.lasts(1)
    async with gate.dial("1000") as second:
        assert await first.retransmit_bye() == 200
        assert await first.stale_bye() in (200, 481)
        await second.lasts(4)
        assert gemini.open_sessions == 1, "the BYE of call 1 ended call 2"
    assert second.heard.only_from(gemini.session(1), at_least=3)


async def test_the_next_call_gets_a_rested_port(gate: SimulatedGate, gemini: FakeGemini) -> None:
    """What the first call's caller still sends must find nobody."""
    gemini.on_text()
    ports = []
    for _ in range(2):
        async with gate.dial("1000") as call:
            await call.lasts(0.5)
        assert call.answer is not None
        assert call.answer.audio is not None
        ports.append(call.answer.audio.port)
        await gemini.until(lambda: not gemini.open_sessions, within_s=2)
    assert ports[0] != ports[1], f"RTP port {ports[0]} was lent again before it had rested"
