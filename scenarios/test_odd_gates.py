"""Odd gates: every make of box, every way to write SIP, every offer: heard both ways, judge silent.

A gate that answers 200 while it still rings does so when it is called, which is no part of this.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from scenarios.trouble import AT_LEAST, STAMPS
from simulator.audio.g711 import LAW
from simulator.audio.probes import DISTANCE_LIMIT_DB, log_spectral_distance, probe_signal
from simulator.audio.sound import pcm_sound, speech
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gate.rtp import RtpPacket
from simulator.gemini.server import FakeGemini
from simulator.target.target import Target

PROFILES = ("chan_sip", "pjsip", "freeswitch", "kamailio", "goip")
WRITINGS: dict[str, dict[str, Any]] = {
    "as it does": {},
    "short names": {"compact": True},
    "folded lines": {"folded": True},
    "bare LF": {"bare_lf": True},
    "all of it": {"compact": True, "folded": True, "bare_lf": True},
    "Latin-1": {"latin_1": True, "display_name": "Jürgen Müßig"},
    "UTF-8": {"display_name": "Иван Петров"},
    "new SIP port": {"rotate_source_port": True},
    "odd user": {"caller": "*31#+359888123456", "display_name": r"A \"B\" \\ C"},
}
OFFERS: dict[str, dict[str, Any]] = {
    "PCMU alone": {"codecs": ("PCMU",)},
    "PCMA alone": {"codecs": ("PCMA",)},
    "PCMU first": {"codecs": ("PCMU", "PCMA")},
    "PCMA first": {"codecs": ("PCMA", "PCMU")},
    "events 96": {"telephone_event": 96},
    "events 97": {"telephone_event": 97},
    "events 101": {"telephone_event": 101},
    "no events": {"telephone_event": None},
    "strict RTP": {"strict_rtp": True},
    "nothing said, nothing sent": {"dtx": True},
    "INVITE five times": {"retransmit_invite": 4},
    "re-INVITE behind the ACK": {"reinvite_after_ack": True},
}
CALL_S = 2.1
"""Some of these take half a second longer to come up than others."""
PACKETS_MS = (10, 20, 30, 40, 60)
RATE_HZ = 8000


@asynccontextmanager
async def calls_at_once(
    gate: SimulatedGate, habits: dict[str, dict[str, Any]]
) -> AsyncIterator[dict[str, SimulatedCall]]:
    """One call for each habit, all of them up at the same time."""
    async with AsyncExitStack() as owned:
        yield {
            name: await owned.enter_async_context(gate.dial("1000", speak=STAMPS, **habit))
            for name, habit in habits.items()
        }


def prove_heard(calls: dict[str, SimulatedCall], gemini: FakeGemini) -> None:
    """Each call and its own conversation (they came in the same order) heard each other."""
    assert len(gemini.sessions) == len(calls)
    for (name, call), model in zip(calls.items(), gemini.sessions, strict=True):
        for evidence in (
            call.heard.only_from(model, at_least=AT_LEAST),
            model.heard.only_from(call, at_least=AT_LEAST),
        ):
            assert evidence, f"{name}: {evidence!r}"


@pytest.mark.direct
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.thorough(but=1)
async def test_every_make_in_every_writing(
    gateway: Target, gemini: FakeGemini, profile: str
) -> None:
    gemini.always(say=STAMPS)
    async with (
        SimulatedGate(gateway=gateway.address, profile=profile, qualify_s=1.0) as gate,
        calls_at_once(gate, WRITINGS) as calls,
    ):
        await asyncio.sleep(CALL_S)
        for call in calls.values():
            await call.lasts(0)
    prove_heard(calls, gemini)
    assert gate.qualified
    assert set(gate.qualified) == {200}
    gate.check()


async def test_every_offer_and_habit(gate: SimulatedGate, gemini: FakeGemini) -> None:
    gemini.always(say=STAMPS)
    async with calls_at_once(gate, OFFERS) as calls:
        with_keys = [call for name, call in calls.items() if name.startswith("events")]
        await asyncio.gather(*(call.press("7") for call in with_keys))
        await asyncio.sleep(CALL_S)
        assert await gate.options() == 200
        for name, call in calls.items():
            assert (name, await call.options()) == (name, 200)
            assert set(call.rtp.payload_types) == {codec_due(OFFERS[name])}, name
    prove_heard(calls, gemini)
    assert calls["re-INVITE behind the ACK"].reinvite_statuses == [200]
    for name, model in zip(OFFERS, gemini.sessions, strict=True):
        assert any("7" in text for text in model.inputs.texts) == name.startswith("events"), name


def codec_due(habit: dict[str, Any]) -> int:
    """The payload type of the codec that the offer named first: what a gate hopes for."""
    return {"PCMU": 0, "PCMA": 8}[habit.get("codecs", ("PCMA",))[0]]


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
async def test_each_law_is_spoken_as_such(
    gate: SimulatedGate, gemini: FakeGemini, codec: str
) -> None:
    """A stamp can be read through the wrong law; a voice through it is 22 dB from itself."""
    said = probe_signal(3.0, RATE_HZ)
    sound = pcm_sound(said, RATE_HZ)
    gemini.always(say=sound)
    async with gate.dial("1000", codecs=(codec,), speak=sound) as call:
        await call.lasts(4)
    for ear in (call.heard, gemini.session(0).heard):
        distance = log_spectral_distance(said, ear.pcm(RATE_HZ))
        assert distance < DISTANCE_LIMIT_DB, f"{distance:.1f} dB from what was said"


async def test_a_key_is_as_good_as_a_word(gate: SimulatedGate, gemini: FakeGemini) -> None:
    """Only keys are pressed: a gateway that heard none of them would end the call at 15 s."""
    gemini.on_text(say=speech(0.5))
    async with gate.dial("1000", telephone_event=97) as call:
        await call.lasts(8)
        await call.press("1")
        await call.lasts(9)
    assert not gemini.session(0).heard.speech()


@pytest.mark.parametrize("ptime_ms", PACKETS_MS)
@pytest.mark.thorough(but=2)
async def test_packets_of_any_length_are_heard(
    gate: SimulatedGate, gemini: FakeGemini, ptime_ms: int
) -> None:
    """The gate asks for packets of that length and sends such; ours may stay at 20 ms."""
    gemini.always(say=STAMPS)
    async with gate.dial("1000", mute=True, ptime_ms=ptime_ms) as call, talking(call, ptime_ms):
        await call.lasts(CALL_S)
    prove_heard({f"{ptime_ms} ms": call}, gemini)


@asynccontextmanager
async def talking(call: SimulatedCall, ptime_ms: int) -> AsyncIterator[None]:
    """The caller speaks stamps in packets of that length, by the absolute schedule."""
    loop, size = asyncio.get_running_loop(), RATE_HZ * ptime_ms // 1000
    sound = STAMPS.frames(call.identity, RATE_HZ, ptime_ms / 1000)
    started_at = loop.time()
    due: list[asyncio.TimerHandle] = []

    def send(number: int) -> None:
        packet = RtpPacket(8, number, number * size, 77, LAW["PCMA"].encode(next(sound)))
        call.media.send_raw(packet.serialise())
        next_at = started_at + (number + 1) * ptime_ms / 1000
        due[:] = [loop.call_at(next_at, send, number + 1)]

    send(0)
    try:
        yield
    finally:
        due[0].cancel()
