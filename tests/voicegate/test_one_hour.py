"""A telephone call of an hour over ten connections to the model, in virtual time.

An hour of sound is 180,000 packets either way. The caller puts the call on hold (the model is then
sent silence, as ever), and takes it back for the half minutes in which something happens.
"""

import asyncio
import itertools

import pytest

from simulator.audio.heard import Heard
from simulator.audio.sound import stamps
from simulator.audio.stamps import decode
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings
from simulator.witness.witness import Witness
from voicegate import bridge
from voicegate.gateway import Gateway

pytestmark = [pytest.mark.virtual, pytest.mark.virtual_limit(3800)]

HOUR_S = 3600.0
STEPS = ("warned", "cut", "warned", "warned", "refused", "cut", "warned", "warned", "warned")
"""Six warnings, two cuts and a refused handle."""
STRETCH_S = HOUR_S / (len(STEPS) + 1)
QUIET_S = 7.0
"""Nobody has said anything for so long when a connection is lost or to be left."""
UPLINK_HZ = 16000
TURN = stamps(every_s=0.5, count=4)
SILENCE_MAX_S = 1.5
CHUNK_FRAMES = 10
"""A fifth of the messages to the model: they are most of what an hour on hold costs."""


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(bridge, "CHUNK_FRAMES", CHUNK_FRAMES)
    return {"call": {"max_duration_s": 2 * HOUR_S}}


async def test_go_away_six_times_two_cuts_and_a_refused_handle_in_an_hour_on_the_telephone(
    gate: SimulatedGate, gateway: Gateway, gemini: FakeGemini, witness: Witness
) -> None:
    each_connection_says_a_turn(gemini)
    silences_s = []
    async with gate.dial("1000") as call:
        assert await greeted(call) == [(gemini.session(0).identity, n) for n in range(4)]
        for step in STEPS:
            await on_hold(call, STRETCH_S - 2 * QUIET_S)
            silences_s.append(await switch(call, gemini, step))
        await on_hold(call, STRETCH_S)
    assert call.ended_by == "caller"
    assert call.ended_at is not None
    assert call.answered_at is not None
    assert call.ended_at - call.answered_at >= HOUR_S
    assert max(silences_s) <= SILENCE_MAX_S, silences_s
    carrying = [session for session in gemini.sessions if session.ready_at_s is not None]
    assert len(carrying) == len(STEPS) + 1
    anew = [session.resumed_from is None for session in carrying]
    assert anew.count(True) == 2, "the first one, and the one after the refused handle"
    asked = [session.received["text"] for session in carrying]
    assert asked == [1] + [0] * len(STEPS), "the model was told of a switch that nobody heard"
    for one, next_one in itertools.pairwise(gemini.sessions):
        assert one.closed_at_s is not None
        assert one.closed_at_s <= next_one.opened_at_s
    await gemini.until(lambda: gemini.open_sessions == 0)
    await witness.settle()
    witness.check(after="an hour")
    assert (gateway.ports.lent, gateway.voice.open_conversations) == (0, 0)
    gemini.check()


def each_connection_says_a_turn(gemini: FakeGemini) -> None:
    """The first one when it is asked to greet, each other one by itself."""
    gemini.on_text(say=TURN, session=0)
    gemini.on_text()
    gemini.on_speech()
    gemini.on_connect(session=0)
    gemini.on_connect(say=TURN)


async def greeted(call: SimulatedCall) -> list[tuple[int, int]]:
    """Hear the first connection's turn."""
    await call.lasts(QUIET_S)
    return heard(call)


async def on_hold(call: SimulatedCall, seconds: float) -> None:
    assert await call.hold("inactive") == 200
    await call.lasts(seconds)
    assert await call.resume() == 200
    call.media.heard = Heard()  # an hour in one piece is too long to decode


async def switch(call: SimulatedCall, gemini: FakeGemini, step: str) -> float:
    """Speak and be heard, be quiet, have the connection replaced; give how long nothing was heard.

    Of the next connection all is heard, and once, and of the last one nothing any more.
    """
    loop = asyncio.get_running_loop()
    call.say(stamps(every_s=0.5, count=2))
    await call.lasts(QUIET_S)
    session, at_s = gemini.sessions[-1], loop.time()
    said = decode(session.heard.pcm(UPLINK_HZ, at_s - QUIET_S), UPLINK_HZ)
    assert [(stamp.identity, stamp.sequence) for stamp in said] == [(1, 0), (1, 1)], step
    if step == "warned":
        session.go_away(50)
    else:
        if step == "refused":
            gemini.refuse_setup(1007, "Request contains an invalid argument.", times=1)
        session.abort()
    await call.lasts(QUIET_S)
    assert heard(call) == [(gemini.sessions[-1].identity, number) for number in range(4)], step
    return call.heard.stamps()[0].at_s - at_s


def heard(call: SimulatedCall) -> list[tuple[int, int]]:
    return [(stamp.identity, stamp.sequence) for stamp in call.heard.stamps()]
