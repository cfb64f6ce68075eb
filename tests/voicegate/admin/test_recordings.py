"""The records over HTTP."""

import asyncio
import io
import threading
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator.audio.sound import sequence, silence_for, speech
from simulator.gate.gate import SimulatedGate
from simulator.gemini.script import hear, say
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings
from voicegate.gateway import Gateway

pytestmark = pytest.mark.virtual


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return {"record": {"dir": str(tmp_path / "records"), "audio": True, "transcript": True}}


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    assert gateway.admin_address
    base = f"http://127.0.0.1:{gateway.admin_address.port}"
    async with aiohttp.ClientSession(base, trust_env=False) as client:
        yield client


@pytest.fixture
async def record(
    http: aiohttp.ClientSession, gate: SimulatedGate, gemini: FakeGemini
) -> dict[str, Any]:
    """The record of one call, as `GET /calls` tells of it."""
    gemini.on_speech(hear("Good day"), say(speech(1.0), "Hello there"))
    async with gate.dial("1000", speak=sequence(silence_for(0.5), speech(1.0))) as call:
        await call.lasts(4)
    await asyncio.sleep(3)
    async with http.get("/calls") as answer:
        [over] = (await answer.json())["recent"]
    assert over["record"]["files"][:2] == ["call.wav", "transcript.txt"]
    found: dict[str, Any] = over["record"]
    return found


async def test_a_record_stands_beside_its_call_and_in_the_list(
    http: aiohttp.ClientSession, record: dict[str, Any]
) -> None:
    async with http.get("/records?count=3") as answer:
        [listed] = await answer.json()
    assert (listed["id"], listed["reason"]) == (record["id"], "caller_bye")
    async with http.get("/records?count=all") as answer:
        assert answer.status == 400


async def test_a_recording_comes_whole_or_in_part_and_takes_no_thread(
    http: aiohttp.ClientSession, record: dict[str, Any]
) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    path = f"/records/{record['id']}/call.wav"
    async with http.get(path) as answer:
        assert answer.headers["Content-Type"] == "audio/wav"
        sound = await answer.read()
    with wave.open(io.BytesIO(sound)) as heard:
        assert heard.getnframes() / heard.getframerate() == pytest.approx(4.0, abs=0.1)
    async with http.get(path, headers={"Range": "bytes=0-3"}) as answer:
        assert (answer.status, await answer.read()) == (206, b"RIFF")
    async with http.get(f"/records/{record['id']}/transcript.txt") as answer:
        assert "caller: Good day" in await answer.text()
    assert {thread.ident for thread in threading.enumerate()} == before


async def test_a_waveform_shows_who_was_heard(
    http: aiohttp.ClientSession, record: dict[str, Any]
) -> None:
    async with http.get(f"/records/{record['id']}/waveform") as answer:
        found = await answer.json()
    assert found["seconds"] == pytest.approx(4.0, abs=0.1)
    spoken = [index for index, peak in enumerate(found["caller"]) if peak > 0.05]
    answered = [index for index, peak in enumerate(found["model"]) if peak > 0.05]
    assert spoken
    assert answered
    assert spoken[-1] < answered[0]


@pytest.mark.parametrize(
    "path",
    [
        "20261125T142305-7-3f2a9c01d4e5/call.wav",
        "20261125T142305-7-3f2a9c01d4e5/waveform",
        "ID/voicegate.toml",
        "ID/..%2f..%2fsecret",
        "..%2f..%2fetc/call.wav",
        "%2e%2e/call.wav",
    ],
)
async def test_what_is_no_record_is_not_found(
    path: str, http: aiohttp.ClientSession, record: dict[str, Any]
) -> None:
    async with http.get("/records/" + path.replace("ID", record["id"])) as answer:
        assert answer.status == 404


async def test_the_calls_of_before_a_restart_are_listed_too(
    http: aiohttp.ClientSession, record: dict[str, Any], tmp_path: Path
) -> None:
    before = tmp_path / "records" / "2020-01-02" / "20200102T030405-1-0123456789ab"
    before.mkdir(parents=True)
    (before / "call.wav").touch()
    async with http.get("/calls") as answer:
        own, earlier = (await answer.json())["recent"]
    assert (own["earlier"], own["record"]) == (False, record)
    assert (earlier["earlier"], earlier["reason"]) == (True, "cut_off")
    assert earlier["record"] == {"id": before.name, "files": ["call.wav"]}
