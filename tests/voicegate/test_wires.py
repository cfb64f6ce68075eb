"""Sound both ways whatever SIP goes by: UDP, TCP and TLS, over IPv4 and IPv6, in and out."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme

from scenarios.inprocess import serving
from simulator.audio.sound import stamps
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness
from tests.voicegate.stream_relay import called_by_stream, calling_by_stream
from voicegate.gateway import Gateway

pytestmark = pytest.mark.virtual

STAMPS = stamps(every_s=0.5)
CALL_S, AT_LEAST = 2.5, 3


@dataclass
class Wire:
    """A transport and an address family."""

    transport: str
    host: str
    settings: dict[str, Any] = field(default_factory=dict)
    server: ssl.SSLContext | None = None
    client: ssl.SSLContext | None = None

    def place(self, port: int) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"sip:{host}:{port};transport={self.transport}"

    def port_of(self, gateway: Gateway) -> int:
        """Where the gateway listens by this transport."""
        return next(one.port for one in gateway.agent.bound if one.transport == self.transport)

    @asynccontextmanager
    async def gateway(self, **sip: Any) -> AsyncIterator[Gateway]:
        own = {"host": self.host, "transports": [self.transport], "tls_port": 0, "port": 0}
        allow = {"allow": ["127.0.0.0/8", "::1/128"]}
        async with serving({"sip": own | allow | self.settings | sip}) as running:
            yield running


@pytest.fixture(params=[f"{wire}-{host}" for wire in ("udp", "tcp", "tls") for host in "46"])
def wire(request: pytest.FixtureRequest, tmp_path: Path) -> Wire:
    transport, _, family = request.param.partition("-")
    made = Wire(transport, "::1" if family == "6" else "127.0.0.1")
    if transport == "tls":
        authority = trustme.CA()
        proof = authority.issue_cert(made.host)
        proof.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "own.pem"))
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        made.settings = {
            "tls_certificate": str(tmp_path / "own.pem"),
            "tls_ca": str(tmp_path / "ca.pem"),
        }
        made.client = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        made.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        proof.configure_cert(made.server)
    return made


@asynccontextmanager
async def inward(wire: Wire, gate: SimulatedGate, port: int) -> AsyncIterator[None]:
    """The gate's way to the gateway."""
    gate.gateway = type(gate.address)(wire.host, port)
    if wire.transport == "udp":
        yield
        return
    async with calling_by_stream(gate.address, (wire.host, port), wire.client) as relay:
        yield
        assert relay.carried > 3


@asynccontextmanager
async def outward(wire: Wire, gate: SimulatedGate, port: int) -> AsyncIterator[None]:
    """The gateway's way to the gate."""
    if wire.transport == "udp":
        yield
        return
    async with called_by_stream(gate.address, port, wire.server) as relay:
        yield
        assert relay.carried > 2


async def test_a_caller_and_the_model_hear_each_other(
    wire: Wire, errors: Witness, gemini: FakeGemini
) -> None:
    gemini.always(say=STAMPS)
    async with wire.gateway() as gateway, SimulatedGate(host=wire.host) as gate:
        async with inward(wire, gate, wire.port_of(gateway)):
            async with gate.dial("1000", speak=STAMPS) as call:
                await call.lasts(CALL_S)
            assert call.heard.only_from(gemini.session(0), at_least=AT_LEAST)
            assert gemini.session(0).heard.only_from(call, at_least=AT_LEAST)
            await asyncio.sleep(1)
        gate.check()


async def test_a_callee_and_the_model_hear_each_other(
    wire: Wire, errors: Witness, gemini: FakeGemini
) -> None:
    gemini.always(say=STAMPS)
    async with SimulatedGate(host=wire.host) as gate:
        outbound = wire.place(gate.address.port)
        async with (
            wire.gateway(outbound=outbound) as gateway,
            outward(wire, gate, wire.port_of(gateway)),
        ):
            async with gate.answering("200", speak=STAMPS) as callee:
                await gateway.dialling.dial("200")
                await callee.answered()
                await callee.lasts(CALL_S)
            assert callee.heard.only_from(gemini.session(0), at_least=AT_LEAST)
            assert gemini.session(0).heard.only_from(callee, at_least=AT_LEAST)
            await asyncio.sleep(1)
        gate.check()


async def test_of_several_addresses_each_peer_is_shown_the_one_of_its_family(
    errors: Witness, gemini: FakeGemini
) -> None:
    """Two gates at once, of which neither could send to what the other is shown."""
    gemini.always(say=STAMPS)
    wire = Wire("udp", "127.0.0.1")
    async with AsyncExitStack() as owned:
        gateway = await owned.enter_async_context(wire.gateway(listen=["::1"]))
        calls: list[SimulatedCall] = []
        for bound in gateway.agent.bound:
            gate = SimulatedGate(host=bound.host, gateway=(bound.host, bound.port))
            await owned.enter_async_context(gate)
            owned.callback(gate.check)
            calls.append(await owned.enter_async_context(gate.dial("1000", speak=STAMPS)))
        agreed = [call.answer.agreed for call in calls if call.answer]
        assert [one.remote[0] for one in agreed if one] == ["127.0.0.1", "::1"]
        await asyncio.sleep(CALL_S)
    for call, model in zip(calls, gemini.sessions, strict=True):
        assert call.heard.only_from(model, at_least=AT_LEAST)
        assert model.heard.only_from(call, at_least=AT_LEAST)


@pytest.mark.parametrize("wire", ["tcp-4", "tls-4"], indirect=True)
async def test_we_register_by_a_connection_and_leave(
    wire: Wire, errors: Witness, gemini: FakeGemini
) -> None:
    async with SimulatedGate(host=wire.host) as gate:
        registrar = gate.accept_registrations({"100": "secret"})
        account = {"username": "100", "password": "secret"}
        place = wire.place(gate.address.port)
        port = free_port(wire.host)
        async with outward(wire, gate, port):
            own = {"tls_port": port, "port": port, "registrar": place}
            async with wire.gateway(**own, **account):
                await registrar.registered("100")
            await registrar.unregistered("100", within_s=2)
        gate.check()


@pytest.mark.parametrize("wire", ["tcp-4", "tls-4"], indirect=True)
async def test_a_gate_registers_and_calls_by_its_password_over_a_connection(
    wire: Wire, errors: Witness, gemini: FakeGemini
) -> None:
    strangers = {"allow": ["127.0.0.99"], "users": {"gate7": "secret"}}
    gemini.always(say=STAMPS)
    async with wire.gateway(**strangers) as gateway, SimulatedGate(host=wire.host) as gate:
        async with (
            inward(wire, gate, wire.port_of(gateway)),
            gate.register("gate7", "secret"),
            gate.dial("1000", speak=STAMPS, login=("gate7", "secret")) as call,
        ):
            await call.lasts(CALL_S)
        assert call.heard.only_from(gemini.session(0), at_least=AT_LEAST)
        gate.check()


def free_port(host: str) -> int:
    """A TCP port that nobody has for now."""
    with socket.create_server((host, 0)) as one:
        return int(one.getsockname()[1])
