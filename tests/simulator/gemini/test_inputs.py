"""Bad and odd input over bare websockets: the code, the text, and the record of it."""

import asyncio
import base64
import json
from typing import Any

import numpy as np
import pytest

from simulator.audio.sound import speech
from simulator.gemini import FakeGemini
from simulator.gemini.script import tool_call
from tests.simulator.gemini.bench import Bench, closing, frame, play, read, setup

V31 = "gemini-3.1-flash-live-preview"
V25 = "gemini-2.5-flash-native-audio-preview-12-2025"
SETUP_FIRST = "setup must be the first message and only the first"


def audio(pcm: Any, rate_hz: int = 16_000) -> str:
    data = base64.urlsafe_b64encode(pcm.astype("<i2").tobytes()).decode()
    return frame(realtime_input={"audio": {"data": data, "mime_type": f"audio/pcm;rate={rate_hz}"}})


def chunk_of(octets: int, mime: str = "audio/pcm") -> str:
    blob = {"data": base64.b64encode(bytes(octets)).decode(), "mimeType": mime}
    return frame(realtimeInput={"audio": blob})


@pytest.mark.parametrize(
    ("sent", "code", "text"),
    [
        ([frame(realtimeInput={"text": "hi"})], 1007, SETUP_FIRST),
        ([setup(), setup()], 1007, SETUP_FIRST),
        (["no json"], 1007, "Invalid JSON"),
        ([setup("gemini-1.0")], 1008, "models/gemini-1.0 is not found for API version v1beta"),
        ([setup(proactivity={})], 1007, "Unknown name \"proactivity\" at 'setup'"),
        ([setup(), frame(nonsense=1)], 1007, 'Unknown name "nonsense"'),
        (
            [setup(), frame(realtime_input={"media_chunks": []})],
            1007,
            "realtime_input.media_chunks is deprecated. Use audio, video, or text instead.",
        ),
        ([setup(), frame(realtimeInput={"activityStart": {}})], 1007, "Explicit activity"),
        ([setup(), chunk_of(3)], 1007, "odd number"),
        ([setup(), chunk_of(4, "audio/pcmu;rate=8000")], 1007, "audio/pcmu"),
        (
            [setup(), frame(toolResponse={"functionResponses": [{"id": "x"}]})],
            1008,
            "Requested entity was not found.",
        ),
        ([setup(), frame(toolResponse={})], 1007, "invalid argument"),
        ([setup(sessionResumption={"handle": "old"})], 1007, "invalid argument"),
    ],
)
def test_a_broken_rule_closes_with_the_text_of_the_service(
    sent: list[str], code: int, text: str
) -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            for message in sent:
                await ws.send(message)
            told = await closing(ws)
        assert told[0] == code
        assert text in (told[1] or "")
        assert len((told[1] or "").encode()) <= 123

    fake = play(scenario)
    assert len(fake.violations) == 1
    assert text in fake.violations[0].text
    with pytest.raises(AssertionError):
        fake.check()


def test_a_peer_that_never_sends_its_setup_is_closed_after_ten_seconds() -> None:
    async def scenario(bench: Bench) -> None:
        start_s = asyncio.get_running_loop().time()
        async with bench.raw() as ws:
            assert await closing(ws) == (1007, SETUP_FIRST)
        assert asyncio.get_running_loop().time() - start_s == pytest.approx(10.0)

    assert [one.rule for one in play(scenario).violations] == ["F4"]


def test_an_old_model_takes_media_chunks() -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup(V25))
            blob = {"data": base64.b64encode(bytes(640)).decode(), "mimeType": "audio/pcm"}
            await ws.send(frame(realtimeInput={"mediaChunks": [blob]}))
            await bench.gemini.until(lambda: bench.gemini.sessions[0].uplink_stats.audio_ms == 20)

    play(scenario).check()


def test_client_content_comes_only_before_the_first_turn_of_an_older_model() -> None:
    turns = {"turns": [{"role": "user", "parts": [{"text": "hi"}]}], "turnComplete": True}

    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup(V31))
            await ws.send(frame(clientContent=turns))
            await bench.gemini.connected()
            session = bench.gemini.session(0)
            await session.until(lambda: session.sent["turnComplete"] == 1)
            assert session.inputs.texts == ["hi"]
            await ws.send(frame(clientContent=turns))
            assert await closing(ws) == (1007, "Request contains an invalid argument.")

    assert [one.rule for one in play(scenario).violations] == ["F7"]


def test_the_peer_may_say_itself_when_the_caller_speaks() -> None:
    manual = {"automaticActivityDetection": {"disabled": True}}

    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup(realtimeInputConfig=manual))
            await ws.send(audio(speech(1.0).pcm(0, 16_000)))
            await ws.send(frame(realtimeInput={"activityStart": {}}))
            await ws.send(frame(realtimeInput={"activityEnd": {}}))
            session = await bench.gemini.connected()
            await session.until(lambda: session.sent["turnComplete"] == 1)

    fake = play(scenario)
    fake.check()
    assert fake.session(0).utterances == 1


@pytest.mark.parametrize(("model", "ended"), [(V31, 1), ("gemini-3.8-live", 0)])
def test_the_end_of_the_stream_ends_speech_with_some_models(model: str, ended: int) -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup(model))
            await ws.send(audio(speech(1.0).pcm(0, 16_000)))
            await ws.send(frame(realtimeInput={"audioStreamEnd": True}))
            await asyncio.sleep(5.0)

    assert play(scenario).session(0).utterances == ended


@pytest.mark.parametrize(("behavior", "cancelled"), [("BLOCKING", 1), ("NON_BLOCKING", 0)])
def test_new_speech_cancels_a_blocking_call(behavior: str, cancelled: int) -> None:
    fake = FakeGemini()
    fake.on_connect(tool_call("look_up"))
    tools = [{"functionDeclarations": [{"name": "look_up", "behavior": behavior}]}]

    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup(tools=tools))
            session = await fake.connected()
            await session.until(lambda: session.sent["toolCall"] == 1)
            await ws.send(audio(speech(1.0).pcm(0, 16_000)))
            await session.until(lambda: session.sent["voiceActivity"] == 1)
            await asyncio.sleep(0.1)

    session = play(scenario, fake).session(0)
    assert session.sent["toolCallCancellation"] == cancelled
    assert len(session.inputs.pending_calls) == 1 - cancelled


def test_text_frames_on_demand() -> None:
    fake = FakeGemini()
    fake.binary = False

    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup())
            assert await ws.recv() == '{"setupComplete":{}}'

    play(scenario, fake)


def test_input_is_transcribed_by_the_older_model_only_when_asked() -> None:
    async def hear(bench: Bench, **fields: Any) -> list[str]:
        words = np.concatenate((speech(1.0).pcm(0, 16_000), np.zeros(16_000, np.int16)))
        async with bench.raw() as ws:
            await ws.send(setup(V25, **fields))
            await ws.send(audio(words))
            kinds = []
            while "turnComplete" not in kinds:
                content = (await read(ws)).get("serverContent", {})
                kinds += list(content)
            return kinds

    async def scenario(bench: Bench) -> None:
        assert "inputTranscription" not in await hear(bench)
        assert "inputTranscription" in await hear(bench, inputAudioTranscription={})

    play(scenario)


def test_the_journal_holds_every_frame(tmp_path: Any) -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup())
            await read(ws)
            await ws.send(audio(np.zeros(640, np.int16)))
            await bench.gemini.until(lambda: bench.gemini.session(0).received["audio"] == 1)

    fake = play(scenario)
    fake.journal.save(tmp_path / "gemini.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "gemini.jsonl").read_text().splitlines()]
    kinds = [(line["direction"], line["kind"]) for line in lines]
    assert kinds == [
        ("event", "connected"),
        ("in", "setup"),
        ("out", "setupComplete"),
        ("in", "audio"),
        ("event", "closed"),
    ]
    assert lines[3]["detail"] == ""
