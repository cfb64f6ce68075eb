"""An ICMP "port unreachable" (WinError 10054 on Windows) is no reason to stop listening."""

import asyncio

import pytest

from simulator.audio.sound import stamps
from simulator.gate.gate import SimulatedGate
from simulator.gate.sip_socket import UdpSocket
from simulator.gemini.server import FakeGemini
from simulator.network import windows_udp


def of_the_gateway(protocol: asyncio.BaseProtocol) -> bool:
    """Whether this socket is not one of the gate's own."""
    return not isinstance(protocol, UdpSocket)


async def test_a_call_hears_on_after_an_error(gate: SimulatedGate, gemini: FakeGemini) -> None:
    gemini.always(say=stamps(every_s=1.0))
    with windows_udp(deaf=False, affects=of_the_gateway) as fault:
        async with gate.dial("1000", speak=stamps(every_s=1.0)) as call:
            await call.lasts(1.5)
            if not fault.trigger():
                pytest.skip("the gateway's sockets are not in this process")
            await call.lasts(4.5)
    assert gemini.session(0).heard.only_from(call, at_least=5)
    assert call.heard.only_from(gemini.session(0), at_least=5)
