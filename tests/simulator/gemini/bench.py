"""A fake service and its peers in one loop, in virtual or real time; nothing may be left."""

import asyncio
import gc
import json
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from google import genai
from google.genai import types
from google.genai.live import AsyncSession
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from simulator.clock import VirtualLoop
from simulator.gemini import FakeGemini

PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
MODEL = "gemini-3.8-live"


@dataclass
class Bench:
    """The fake and ways to reach it."""

    gemini: FakeGemini
    sdk: genai.Client

    def live(self, model: str = MODEL, **config: Any) -> Any:
        """Connect with the unmodified google-genai client."""
        return self.sdk.aio.live.connect(
            model=model, config=types.LiveConnectConfig(response_modalities=["AUDIO"], **config)
        )

    @asynccontextmanager
    async def raw(
        self, path: str = PATH + "?key=k", headers: dict[str, str] | None = None
    ) -> AsyncIterator[ClientConnection]:
        """Connect with bare websockets."""
        async with self.dial(path, headers) as ws:
            yield ws

    def dial(self, path: str, headers: dict[str, str] | None = None) -> connect:
        """Give a connection that may be awaited and left half-open."""
        trust = ssl.create_default_context(cafile=self.gemini.ca_file)
        url = self.gemini.url.replace("https", "wss") + path
        return connect(url, ssl=trust, proxy=None, additional_headers=headers, close_timeout=1)


Scenario = Callable[[Bench], Awaitable[None]]


async def stage(scenario: Scenario, fake: FakeGemini, errors: list[dict[str, Any]]) -> None:
    """Play one scenario; afterwards no task and no reported error may be left."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: errors.append(context))
    async with fake as gemini:
        options = types.HttpOptions(base_url=gemini.url, api_version="v1beta")
        bench = Bench(gemini, genai.Client(api_key="fake-key", http_options=options))
        try:
            await scenario(bench)
        finally:
            await bench.sdk.aio.aclose()
    # AsyncClient.__del__ makes a task: it needs one tick after the last reference is gone.
    del bench
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    names = [task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}]
    assert not names, f"tasks left: {names}"
    assert not gemini.open_sessions


def play(
    scenario: Scenario,
    fake: FakeGemini | None = None,
    clock: str = "virtual",
    debug: bool = True,
) -> FakeGemini:
    """Run a scenario against a fake; gives the fake for what is to be asserted afterwards."""
    fake = fake or FakeGemini()
    errors: list[dict[str, Any]] = []
    factory = VirtualLoop if clock == "virtual" else asyncio.SelectorEventLoop
    with pytest.MonkeyPatch.context() as patch, heard_errors() as loud:
        # Some machines preset it: assign, never setdefault.
        patch.setenv("SSL_CERT_FILE", fake.ca_file)
        with asyncio.Runner(loop_factory=factory, debug=debug) as runner:
            runner.run(stage(scenario, fake, errors))
        gc.collect()
    assert not errors, errors
    assert not loud
    return fake


@contextmanager
def heard_errors() -> Iterator[list[str]]:
    """Collect what is logged at ERROR anywhere: "Task was destroyed" is a record, no warning."""
    loud: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            loud.append(record.getMessage())

    ear = Ear(logging.ERROR)
    logging.getLogger().addHandler(ear)
    try:
        yield loud
    finally:
        logging.getLogger().removeHandler(ear)


async def read(ws: ClientConnection) -> dict[str, Any]:
    """Read one server frame."""
    frame: dict[str, Any] = json.loads(await ws.recv())
    return frame


def frame(**body: Any) -> str:
    """Give a client frame."""
    return json.dumps(body)


def setup(model: str = MODEL, **fields: Any) -> str:
    """Give a setup frame."""
    return json.dumps({"setup": {"model": f"models/{model}", **fields}})


async def closing(ws: ClientConnection) -> tuple[int | None, str | None]:
    """Read until the fake closes; give code and reason."""
    with suppress(ConnectionClosed):
        while True:
            await ws.recv()
    return ws.close_code, ws.close_reason


async def speak(session: AsyncSession, pcm: Any, rate_hz: int = 16_000) -> None:
    """Send PCM in 40 ms messages at real time."""
    size = rate_hz // 25
    for at in range(0, len(pcm), size):
        chunk = pcm[at : at + size].astype("<i2").tobytes()
        blob = types.Blob(data=chunk, mime_type=f"audio/pcm;rate={rate_hz}")
        await session.send_realtime_input(audio=blob)
        await asyncio.sleep(0.04)


async def listen(session: AsyncSession, messages: list[types.LiveServerMessage]) -> None:
    """Collect what comes, turn after turn, until receive() raises."""
    while True:
        async for message in session.receive():
            messages += [message]


def sent_at(fake: FakeGemini, kind: str) -> list[float]:
    """Give when frames of a kind left in the first conversation, in seconds after its opening."""
    ready_s = fake.session(0).ready_at_s
    assert ready_s is not None
    out = [entry for entry in fake.journal.of(0) if entry.direction == "out"]
    return [entry.at_s - ready_s for entry in out if entry.kind == kind]


def one_turn(fake: FakeGemini) -> FakeGemini:
    """Connect and listen until the first turn is complete."""

    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup())
            session = await fake.connected()
            await session.until(lambda: session.sent["turnComplete"] == 1)

    play(scenario, fake).check()
    return fake
