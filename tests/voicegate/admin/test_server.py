"""The HTTP side as an operator's script meets it."""

import asyncio
import threading
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


async def test_drain_lets_the_present_call_end_by_itself(
    http: aiohttp.ClientSession, gateway: Gateway, gate: SimulatedGate
) -> None:
    call = await gate.dial("1000")
    for _ in range(2):  # the second time must not hang up, as a second Ctrl+C does
        async with http.post("/drain") as answer:
            assert (answer.status, await answer.json()) == (202, {"draining": True, "calls": 1})
    await call.lasts(2)
    assert call.ended_by is None
    refused = await gate.dial("1000", expect=503)
    assert refused.final_status == 503
    await call.hang_up()


async def test_calls_running_and_over(http: aiohttp.ClientSession, gate: SimulatedGate) -> None:
    async with gate.dial("1000", caller="0888123456") as call:
        await call.lasts(3)
        _, body = await get(http, "/calls")
    [running] = body["running"]
    assert (running["caller"], running["called"]) == ("******3456", "1000")
    assert (running["state"], running["seconds"], body["recent"]) == ("talking", 3, [])
    await asyncio.sleep(12)
    _, body = await get(http, "/calls")
    [over] = body["recent"]
    assert body["running"] == []
    assert (over["number"], over["reason"], over["ended_s_ago"]) == (1, "caller_bye", 12)
    assert "0888123456" not in str(body)


async def test_metrics_are_text_for_prometheus(http: aiohttp.ClientSession) -> None:
    async with http.get("/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "voicegate_ready 1.0" in await answer.text()


async def test_the_page_comes_from_memory_and_takes_no_thread(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    monkeypatch.setattr("builtins.open", None)
    async with http.get("/") as answer:
        assert "<h1" in await answer.text()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert {thread.ident for thread in threading.enumerate()} == before


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
        async with http.post("/drain") as refused:
            assert refused.status == 401
        for path in ("/ready", "/metrics", "/calls", "/live"):
            async with http.get(path) as refused:
                assert refused.status == 401
        assert (await get(http, "/health"))[0] == 200
        status, _ = await get(http, "/resources", Authorization="Bearer open sesame")
        assert status == 200
