"""The figures as Prometheus reads them."""

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from simulator.audio.sound import sequence, silence_for, speech
from simulator.gate.gate import SimulatedGate
from simulator.gemini.script import say
from simulator.gemini.server import FakeGemini
from voicegate.admin.metrics import exposition
from voicegate.admin.resources import sample
from voicegate.gateway import Gateway

pytestmark = pytest.mark.virtual

Figures = dict[tuple[str, ...], float]


async def scrape(gateway: Gateway) -> Figures:
    """Give {(name, label value, ...): figure}."""
    text = exposition(gateway, await sample(gateway, 0)).decode()
    return {
        (one.name.removeprefix("voicegate_"), *one.labels.values()): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


async def test_a_call_leaves_its_figures(
    gateway: Gateway, gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_speech(say(speech(1.0)))
    speaking = sequence(silence_for(0.5), speech(1.0))
    before = await scrape(gateway)
    async with gate.dial("1000", speak=speaking) as call:
        await call.lasts(4)
        during = await scrape(gateway)
    await asyncio.sleep(2)
    after = await scrape(gateway)
    assert (before["ready",], before["calls_active",]) == (1, 0)
    assert (during["calls_active",], during["gemini_sessions_active",]) == (1, 1)
    assert during["rtp_packets_total", "out"] == pytest.approx(200, abs=10)
    assert during["tasks",] > before["tasks",]
    assert during["memory_bytes",] > 10e6
    assert after["calls_active",] == after["gemini_sessions_active",] == 0
    assert after["threads",] == before["threads",] == during["threads",]
    assert after["calls_total", "completed"] == after["calls_ended_total", "caller_bye"] == 1
    assert after["rtp_packets_total", "out"] >= during["rtp_packets_total", "out"]
    for name in (
        "setup_seconds",
        "release_seconds",
        "response_seconds",
        "call_duration_seconds",
        "rtp_gap_seconds",
    ):
        assert after[f"{name}_count",] == 1, name
    assert 0.1 < after["response_seconds_sum",] < 2
    for direction in ("in", "out"):
        assert after["numbered_call_audio_dbfs", "1", direction] > -40
        assert after["call_audio_dbfs_bucket", direction, "+Inf"] == 1
    assert after["asyncio_errors_total",] == after["calls_stuck_total",] == 0


async def test_a_refused_call_is_counted_as_busy(gateway: Gateway, gate: SimulatedGate) -> None:
    call = await gate.dial("1000")
    gateway.drain()
    refused = await gate.dial("1000", expect=503)
    assert refused.final_status == 503
    assert (await scrape(gateway))["calls_total", "busy"] == 1
    await call.hang_up()


async def test_no_label_names_a_call(gateway: Gateway, gate: SimulatedGate) -> None:
    async with gate.dial("1000", caller="0888123456") as call:
        await call.lasts(1)
    await asyncio.sleep(2)
    [over] = gateway.board.recent()
    words = {word for key in await scrape(gateway) for word in key}
    assert not [word for word in sorted(words) if "3456" in word or over["call_id"] in word]
