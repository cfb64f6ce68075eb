"""The gateway around the calls: admission, the end, and what it says of itself."""

import asyncio

import pytest

from simulator.audio.sound import stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings
from voicegate.config import load
from voicegate.gateway import CannotListen, Gateway

pytestmark = pytest.mark.virtual


async def served(gateway: Gateway) -> asyncio.Task[None]:
    task = asyncio.create_task(gateway.serve(), name="gateway")
    await gateway.ready.wait()
    return task


def echo_gateway(**more: dict[str, object]) -> Gateway:
    overrides: dict[str, dict[str, object]] = {
        "voice": {"backend": "echo"},
        "sip": {"port": 0},
        "admin": {"port": 0},
        **more,
    }
    return Gateway(load(environ={}, dotenv=None, overrides=overrides))


async def test_serve_ends_when_told() -> None:
    gateway = echo_gateway()
    task = await served(gateway)
    gateway.stop()
    await task
    assert not gateway.ready.is_set()


async def test_serve_leaves_nothing_when_cancelled() -> None:
    gateway = echo_gateway()
    task = await served(gateway)
    async with SimulatedGate(gateway=gateway.agent.local) as gate:
        call = await gate.dial("1000")
        ringing = await gate.dial("1000")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await call.ended(by="gateway", within_s=3)
        await ringing.ended(by="gateway", within_s=3)
    assert not gateway.calls
    assert gateway.ports.lent == 0


async def test_a_port_that_is_taken_is_named() -> None:
    first = echo_gateway()
    task = await served(first)
    taken = load(
        environ={},
        dotenv=None,
        overrides={
            "voice": {"backend": "echo"},
            "sip": {"port": first.agent.local.port},
            "admin": {"port": 0},
        },
    )
    with pytest.raises(CannotListen, match=r"sip\.host, sip\.port = 127\.0\.0\.1"):
        await Gateway(taken).serve()
    first.stop()
    await task


@pytest.mark.parametrize(
    ("host", "may"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("192.0.2.1", False), ("gate.example", False)],
)
async def test_only_who_is_listed_may_call(host: str, may: bool) -> None:
    assert echo_gateway()._may_call(host) is may


class TestWithRoomForOne:
    """A gate with one channel: the next call comes the moment the last one ended."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"sip": {"max_calls": 1}}

    async def test_a_call_that_is_only_closing_keeps_nobody_out(
        self, gate: SimulatedGate, gemini: FakeGemini
    ) -> None:
        for number in range(3):
            async with gate.dial("1000") as call:
                await call.lasts(0.5)
                gemini.session(number).stall(1.5)  # the model is slow to close
        assert len(gemini.sessions) == 3


async def test_the_echo_says_back_what_it_hears() -> None:
    gateway = echo_gateway()
    task = await served(gateway)
    async with SimulatedGate(gateway=gateway.agent.local) as gate:
        async with gate.dial("1000", speak=stamps(every_s=1.0)) as call:
            await call.lasts(5)
        assert call.heard.only_from(call, at_least=4)
    gateway.stop()
    await task


async def test_a_drain_lets_calls_go_on_for_its_limit_and_no_longer() -> None:
    gateway = echo_gateway(call={"drain_limit_s": 5, "no_speech_timeout_s": 60})
    task = await served(gateway)
    loop = asyncio.get_running_loop()
    async with SimulatedGate(gateway=gateway.agent.local) as gate:
        call = await gate.dial("1000")
        gateway.drain()
        drained_at = loop.time()
        await call.ended(by="gateway", within_s=10)
        assert loop.time() - drained_at == pytest.approx(5.0, abs=0.1)
        await task
    assert not gateway.calls
