"""Hold and resume, in every notation and by every make of gate: nothing is lost, nobody is cut off.

The model's sentence goes on where it was; the music that plays is not for its ear; the clock of
silence stands still (trap 8).
"""

import asyncio

import pytest

from scenarios.test_odd_gates import PROFILES
from simulator.audio.sound import sequence, silence_for, speech, stamps
from simulator.gate.gate import SimulatedGate
from simulator.gate.mid_call import Hold, Offer
from simulator.gemini.server import FakeGemini
from simulator.target.target import Target

ANSWER = stamps(every_s=0.5, count=12)
ON_HOLD_S = 16.0
"""Longer than the gateway waits for somebody to speak."""


@pytest.mark.direct
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.thorough(but=1)
async def test_what_the_model_says_waits_for_the_end_of_a_hold(
    gateway: Target, gemini: FakeGemini, profile: str
) -> None:
    gemini.always(say=ANSWER)
    async with SimulatedGate(gateway=gateway.address, profile=profile) as gate:
        async with gate.dial("1000") as call:
            await call.lasts(2)
            assert await call.hold() == 200
            await call.lasts(2)
            before = [stamp.sequence for stamp in call.heard.stamps()]
            assert await call.resume() == 200
            await call.lasts(7)
        heard = [stamp.sequence for stamp in call.heard.stamps()]
        assert heard[: len(before)] == before
        assert 2 <= len(before) <= 5
        # the stamp that the hold cut in two may be unreadable
        assert heard[-1] == 11
        assert len(heard) >= 11
        gate.check()


@pytest.mark.parametrize("by", ["INVITE", "UPDATE"])
@pytest.mark.parametrize("how", ["sendonly", "inactive", "zero"])
@pytest.mark.thorough(but=2)
async def test_each_notation_of_hold_is_silence_until_its_end(
    gate: SimulatedGate, gemini: FakeGemini, how: Hold, by: Offer
) -> None:
    """The judge hears a packet of ours on hold; here both must hear each other again behind it."""
    speaks = stamps(every_s=0.5)
    gemini.on_text()
    async with gate.dial("1000", speak=speaks) as call:
        await call.lasts(1.2)
        model = gemini.session(0)
        assert await call.hold(how, by=by) == 200
        await call.lasts(2)
        first = len(model.heard.stamps())
        assert await call.resume(by=by) == 200
        await call.lasts(2)
        behind = model.heard.stamps()[first:]
    # neither music nor speech of the hold has reached the model
    assert first <= 3
    assert len(behind) >= 2


async def test_trap_8_the_silence_clock_stands_still_on_hold(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text(say=stamps(every_s=0.5, count=2))
    async with gate.dial("1000") as call:
        await call.lasts(10)
        await call.hold()
        await call.lasts(ON_HOLD_S)
        await call.resume()
        resumed_at = asyncio.get_running_loop().time()
        await call.ended(by="gateway")
    assert call.ended_at is not None
    assert 14.0 < call.ended_at - resumed_at < 16.5


async def test_the_codec_may_change_in_mid_call(gate: SimulatedGate, gemini: FakeGemini) -> None:
    gemini.always(say=stamps(every_s=0.5))
    async with gate.dial("1000", codecs=("PCMA",), speak=stamps(every_s=0.5)) as call:
        await call.lasts(2)
        sdp = call.dialog.sdp(
            call.media.port, version=2, profile=gate.profile.with_quirks(codecs=("PCMU",))
        )
        assert await call.reinvite(sdp) == 200
        await call.lasts(2.5)
        assert set(call.rtp.payload_types) == {8, 0}
    assert call.heard.only_from(gemini.session(0), at_least=7)


async def test_an_invite_without_an_offer_is_answered_with_ours(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    speaks = stamps(every_s=0.5)
    gemini.always(say=speaks)
    async with gate.dial("1000", offerless=True, speak=speaks) as call:
        await call.lasts(3)
        assert await call.reinvite(b"") == 200
        await call.lasts(2)
    assert call.heard.only_from(gemini.session(0), at_least=7)
    assert gemini.session(0).heard.only_from(call, at_least=7)


@pytest.mark.virtual_limit(400)
@pytest.mark.parametrize("refresher", ["uac", "uas"])
@pytest.mark.thorough(but=1)
async def test_a_session_timer_keeps_a_call_up_or_ends_it(
    gate: SimulatedGate, gemini: FakeGemini, refresher: str
) -> None:
    """RFC 4028: as refresher we refresh at half the time; else a gate that is gone is noticed."""
    gemini.on_text(say=speech(0.5))
    gemini.on_speech(say=speech(0.5))
    talk = sequence(*[sequence(silence_for(11.0), speech(0.5))] * 9)
    async with gate.dial(
        "1000", speak=talk, dtx=True, session_expires_s=90, refresher=refresher
    ) as call:
        if refresher == "uas":
            await call.lasts(50)
            assert len(call.refreshed_at) == 1
        else:
            await call.lasts(5)
            assert await call.refresh() == 200
            await call.lasts(50)
            await call.ended(by="gateway", within_s=40)
