"""RTP goes to the gate that calls and to nobody else: a gateway is no weapon."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from simulator.gate.caller import CallRefused
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini

VICTIM = "127.0.0.9"


class Victim(asyncio.DatagramProtocol):
    """Somebody who never asked for anything."""

    def __init__(self) -> None:
        self.packets = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Its port is known from here on."""
        self.port: int = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Count what hits it."""
        self.packets += 1


@pytest.fixture
def settings() -> Mapping[str, Mapping[str, Any]]:
    """Calls are taken from this host alone: a host on the list may also be named for RTP."""
    return {"sip": {"allow": ["127.0.0.1"]}}


@asynccontextmanager
async def bystander() -> AsyncIterator[Victim]:
    """A second host, as far as loopback has one; OSError where it has none."""
    loop = asyncio.get_running_loop()
    transport, standing = await loop.create_datagram_endpoint(Victim, local_addr=(VICTIM, 0))
    try:
        yield standing
    finally:
        transport.close()
        await asyncio.sleep(0)


@pytest.fixture
async def victim() -> AsyncIterator[Victim]:
    """Skips where this machine has no second address."""
    try:
        async with bystander() as standing:
            yield standing
    except OSError:
        pytest.skip(f"this machine has no {VICTIM}")


def name_in_sdp(gate: SimulatedGate, victim: Victim) -> None:
    """Let the gate's offers ask for RTP to the victim."""
    sdp = (
        gate.profile.templates["sdp"].replace("{host}", VICTIM).replace("{port}", f"{victim.port}")
    )
    gate.profile = replace(gate.profile, templates={**gate.profile.templates, "sdp": sdp})


async def test_an_offer_that_names_another_host_is_refused(
    gate: SimulatedGate, gemini: FakeGemini, victim: Victim
) -> None:
    gemini.on_text()
    name_in_sdp(gate, victim)
    call = await gate.dial("1000", until="sent")
    with suppress(CallRefused):
        await call.answered(within_s=10)
        await call.lasts(0.5)
    assert not victim.packets, f"{victim.packets} RTP packets hit {VICTIM}, which is no party here"
    assert call.final_status == 488


async def test_a_call_cannot_be_turned_on_another_host(
    gate: SimulatedGate, gemini: FakeGemini, victim: Victim
) -> None:
    gemini.on_text()
    async with gate.dial("1000") as call:
        await call.lasts(0.5)
        name_in_sdp(gate, victim)
        sdp = gate.profile.sdp({"session_id": 1, "version": 2, "direction": "sendrecv"})
        assert await call.reinvite(sdp) == 488
        await call.lasts(0.5)  # the call goes on as it was
    assert not victim.packets, f"{victim.packets} RTP packets hit {VICTIM}, which is no party here"
