"""Both readers give the service's messages as camelCase JSON, one after the other."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from google import genai
from google.genai import types

from simulator.audio.sound import speech
from simulator.gemini.server import FakeGemini
from voicegate.settings import GeminiSettings
from voicegate.voice.readers import Reader, SdkReader, SocketReader
from voicegate.voice.setup import connect_config, http_options

pytestmark = pytest.mark.virtual


@pytest.fixture(params=[SocketReader, SdkReader])
async def reader(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Reader]:
    async with FakeGemini() as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        fake.on_connect(say=speech(0.5), text="Hi.")
        settings = GeminiSettings(base_url=fake.url)
        client = genai.Client(api_key="x", http_options=http_options(settings))
        connect = client.aio.live.connect(model=settings.model, config=connect_config(settings))
        async with connect as live:
            chosen: Reader = request.param(live)
            yield chosen
            await chosen.aclose()
        await client.aio.aclose()
        del client
        await asyncio.sleep(0)


async def test_a_turn_and_what_follows_it_is_read(reader: Reader) -> None:
    seen: list[str] = []
    async with asyncio.timeout(30):
        while "turnComplete" not in seen:
            message = await reader.read()
            assert isinstance(message, dict)
            seen += message.get("serverContent") or message
    assert seen.count("modelTurn") >= 5
    assert seen.index("generationComplete") < seen.index("turnComplete")


async def test_trap_9_the_sdk_reader_enters_the_next_turn() -> None:
    class TwoTurns:
        """As the SDK: receive() ends with each turn."""

        turns = 0

        async def receive(self) -> AsyncIterator[types.LiveServerMessage]:
            self.turns += 1
            yield types.LiveServerMessage(setup_complete=types.LiveServerSetupComplete())

    live = TwoTurns()
    reader = SdkReader(live)  # type: ignore[arg-type]
    for _ in range(3):
        assert await reader.read() == {"setupComplete": {}}
    assert live.turns == 3
    await reader.aclose()
