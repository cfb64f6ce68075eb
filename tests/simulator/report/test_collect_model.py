"""A call between a gate and a model, joined by hand: what each said meets what the other heard."""

import asyncio
from dataclasses import dataclass

import pytest

from simulator.audio.sound import Sound, pcm_sound, sequence, silence_for, stamps
from simulator.gate import SimulatedGate
from simulator.gemini import FakeGemini
from simulator.report.call import CallEvidence
from simulator.report.collect import collect_call
from tests.simulator.gate.reference_gateway import ReferenceGateway
from tests.simulator.gemini.bench import Bench, play, setup, speak

CALLER, MODEL = 1, 128
LASTS_S = 6.0


@dataclass(frozen=True)
class Joint:
    """What the gateway between the two hands on."""

    to_caller: Sound
    """What the caller gets to hear."""

    to_model: int
    """Whose stamps the model gets to hear."""


def evidence(joint: Joint, fake: FakeGemini) -> CallEvidence:
    found: list[CallEvidence] = []

    async def scenario(bench: Bench) -> None:
        async with (
            ReferenceGateway(say=joint.to_caller) as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
            bench.live() as session,
        ):
            call = await gate.dial("1000", speak=stamps(every_s=1.0))
            passed_on = stamps(every_s=1.0, count=int(LASTS_S)).pcm(joint.to_model, 16_000)
            async with asyncio.TaskGroup() as group:
                group.create_task(speak(session, passed_on))
                group.create_task(call.lasts(LASTS_S))
            await call.hang_up()
            found.append(collect_call(call, fake.session(0)))

    play(scenario, fake, debug=False)
    return found[0]


def talking() -> FakeGemini:
    fake = FakeGemini()
    fake.always(say=stamps(every_s=1.0))
    return fake


def from_model() -> Sound:
    return pcm_sound(stamps(every_s=1.0, count=8).pcm(MODEL, 8000), 8000)


def test_both_sides_hear_each_other() -> None:
    call = evidence(Joint(from_model(), CALLER), talking())

    assert (call.identity, call.model_identity) == (CALLER, MODEL)
    assert call.heard_by_caller.ok, call.heard_by_caller.text
    assert call.heard_by_model.ok, call.heard_by_model.text
    for lane in call.lanes:
        latencies = [stamp.latency_ms for stamp in lane.stamps if stamp.latency_ms is not None]
        assert len(latencies) >= 5
        assert all(abs(latency) < 300 for latency in latencies)
        assert not any(stamp.foreign or stamp.lost for stamp in lane.stamps)
    uplink = call.streams[2]
    assert uplink.packets == pytest.approx(LASTS_S * 25, abs=5)
    assert uplink.per_second == pytest.approx(25, abs=0.5)


def test_a_voice_that_speaks_all_along_gives_no_answers() -> None:
    assert evidence(Joint(from_model(), CALLER), talking()).responses == ()


def test_another_calls_audio_is_foreign_on_either_side() -> None:
    other = pcm_sound(stamps(every_s=1.0, count=8).pcm(MODEL + 1, 8000), 8000)

    call = evidence(Joint(other, CALLER + 1), talking())

    assert call.heard_by_caller.ok is False
    assert "foreign stamps (identity 129)" in call.heard_by_caller.text
    assert call.heard_by_model.ok is False
    assert "foreign stamps (identity 2)" in call.heard_by_model.text


def test_what_the_gateway_keeps_to_itself_is_lost() -> None:
    quiet = sequence(silence_for(LASTS_S + 1))

    call = evidence(Joint(quiet, CALLER), talking())

    assert call.heard_by_caller.ok is False
    assert sum(stamp.lost for stamp in call.gateway.stamps) >= 4
    assert call.heard_by_model.ok


def test_rules_broken_with_the_model_are_findings_of_the_call() -> None:
    async def scenario(bench: Bench) -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
            bench.raw() as ws,
        ):
            call = await gate.dial("1000")
            await ws.send(setup())
            await ws.send(setup())
            await call.lasts(1)
            await call.hang_up()
            found.append(collect_call(call, fake.session(0)))

    found: list[CallEvidence] = []
    fake = FakeGemini()
    play(scenario, fake, debug=False)

    [finding] = found[0].findings
    assert (finding.judge, finding.rule) == ("model", "F4")
    assert finding.at_s is not None
    assert 0 <= finding.at_s < 1
