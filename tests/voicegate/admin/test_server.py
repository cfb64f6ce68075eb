"""The HTTP side as an operator's script meets it."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from simulator.gate.gate import SimulatedGate
from simulator.target.target import Settings
from voicegate.gateway import Gateway

pytestmark = pytest.mark.virtual


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    assert gateway.admin_address
    base = f"http://127.0.0.1:{gateway.admin_address.port}"
    async with aiohttp.ClientSession(base, trust_env=False) as client:
        yield client


async def get(http: aiohttp.ClientSession, path: str, **headers: str) -> tuple[int, Any]:
    async with http.get(path, headers=headers) as response:
        return response.status, await response.json()


async def test_health_is_ok_while_it_runs(http: aiohttp.ClientSession) -> None:
    status, body = await get(http, "/health")
    assert (status, body["status"]) == (200, "ok")


async def test_ready_turns_503_with_a_drain(
    http: aiohttp.ClientSession, gateway: Gateway, gate: SimulatedGate
) -> None:
    assert (await get(http, "/ready"))[0] == 200
    call = await gate.dial("1000")
    gateway.drain()
    status, body = await get(http, "/ready")
    assert (status, body["draining"], body["calls"]) == (503, True, 1)
    await call.hang_up()


async def test_resources_count_a_call_and_forget_it(
    http: aiohttp.ClientSession, gate: SimulatedGate
) -> None:
    _, before = await get(http, "/resources")
    assert set(before) == {
        "calls",
        "gemini_sessions",
        "threads",
        "tasks",
        "sockets",
        "files",
        "rtp_ports",
    }
    async with gate.dial("1000") as call:
        await call.lasts(1)
        _, during = await get(http, "/resources")
    assert (during["calls"], during["gemini_sessions"]) == (1, 1)
    assert during["rtp_ports"]["lent"] == 1
    assert any(name.startswith("call-1/") for name in during["tasks"])
    assert during["sockets"] > before["sockets"]


class TestWithAToken:
    """An admin side that asks who is there."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"admin": {"token": "open sesame"}}

    async def test_strangers_get_401_and_health_stays_open(
        self, http: aiohttp.ClientSession
    ) -> None:
        async with http.get("/resources") as refused:
            assert refused.status == 401
        assert (await get(http, "/health"))[0] == 200
        status, _ = await get(http, "/resources", Authorization="Bearer open sesame")
        assert status == 200
