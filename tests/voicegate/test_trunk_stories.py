"""Registration both ways and calls by password, against the simulated gate, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from simulator.audio.sound import stamps
from simulator.gate.gate import SimulatedGate
from simulator.gate.registration import RegistrationRefused
from voicegate.config import load
from voicegate.dialling import ANSWERED, NotDialled, outcome
from voicegate.gateway import Gateway

pytestmark = pytest.mark.virtual

STAMPS = stamps(every_s=0.5)
STRANGERS_ONLY = {"allow": ["127.0.0.99"], "users": {"gate7": "secret"}}


@asynccontextmanager
async def serving(**sip: object) -> AsyncIterator[Gateway]:
    overrides = {"voice": {"backend": "echo"}, "sip": {"port": 0} | sip, "admin": {"port": 0}}
    gateway = Gateway(load(environ={}, dotenv=None, overrides=overrides))
    task = asyncio.create_task(gateway.serve(), name="gateway")
    ready = asyncio.create_task(gateway.ready.wait())
    await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
    try:
        yield gateway
    finally:
        ready.cancel()
        gateway.stop()
        await task


async def test_the_gateway_registers_refreshes_survives_a_restart_and_leaves() -> None:
    async with SimulatedGate() as gate:
        registrar = gate.accept_registrations({"100": "secret"}, max_expires_s=60)
        uri = f"sip:127.0.0.1:{gate.address.port}"
        async with serving(registrar=uri, username="100", password="secret") as gateway:
            binding = await registrar.registered("100")
            assert str(gateway.agent.local.port) in binding.contact
            await asyncio.sleep(35)
            assert len(registrar.granted_at) == 2
            assert not registrar.lapsed
            registrar.forget("100")
            await registrar.registered("100", within_s=31)
            registrar.answer_next(503)
            await asyncio.sleep(45)
            assert registrar.binding("100") is not None
        await registrar.unregistered("100", within_s=1)
        gate.check()


async def test_a_wrong_password_at_the_registrar_keeps_no_call_out() -> None:
    async with SimulatedGate() as gate:
        registrar = gate.accept_registrations({"100": "secret"})
        uri = f"sip:127.0.0.1:{gate.address.port}"
        async with serving(registrar=uri, username="100", password="wrong") as gateway:
            await asyncio.sleep(60)
            assert registrar.binding("100") is None
            assert len(registrar.statuses) <= 16
            assert [one.state.value for one in gateway.agent.registrations] == ["lost"]
            async with (
                SimulatedGate(gateway=gateway.agent.local) as caller,
                caller.dial("1000") as call,
            ):
                await call.lasts(1)


async def test_a_stranger_calls_by_password_and_by_nothing_else() -> None:
    async with serving(**STRANGERS_ONLY) as gateway:
        async with SimulatedGate(gateway=gateway.agent.local) as gate:
            async with gate.dial("1000", login=("gate7", "secret")) as call:
                await call.lasts(1)
            for login in (("gate7", "guess"), ("nobody", "secret")):
                await gate.dial("1000", login=login, expect=403)
            await gate.dial("1000", expect=401)
            gate.check()
        assert gateway.calls_taken == 1


async def test_a_gate_registers_to_us_and_is_known_until_it_leaves() -> None:
    async with (
        serving(**STRANGERS_ONLY) as gateway,
        SimulatedGate(gateway=gateway.agent.local) as gate,
    ):
        async with gate.register("gate7", "secret", expires_s=60) as registration:
            await asyncio.sleep(100)
            assert registration.is_up
            binding = gateway.agent.binding("gate7")
            assert binding is not None
            assert binding.flow.peer[:2] == gate.address
        assert gateway.agent.binding("gate7") is None
        with pytest.raises(RegistrationRefused, match="403"):
            await gate.register("gate7", "guess")
        gate.check()


async def test_a_gate_that_has_registered_is_called_by_its_name_and_by_nothing_else() -> None:
    async with (
        serving(**STRANGERS_ONLY, caller_id="8000") as gateway,
        SimulatedGate(gateway=gateway.agent.local) as gate,
    ):
        with pytest.raises(NotDialled, match=r"sip\.outbound is not set"):
            await gateway.dialling.dial("gate7")
        async with (
            gate.register("gate7", "secret", expires_s=60),
            gate.answering(speak=STAMPS) as callee,
        ):
            _, call = await gateway.dialling.dial("gate7")
            assert await outcome(call) == ANSWERED
            await callee.answered()
            await callee.lasts(2.5)
            # the voice is an echo: both ways are heard in one
            assert callee.heard.only_from(callee, at_least=3)
            await callee.hang_up()
            with pytest.raises(NotDialled):
                await gateway.dialling.dial("gate8")
        gate.check()
