"""Passwords both ways with every make of gate: we register there, or it registers with us."""

import pytest

from scenarios.test_odd_gates import PROFILES
from scenarios.trouble import AT_LEAST, CALL_S, STAMPS
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.target.target import InProcess
from simulator.witness.witness import Witness

USER, PASSWORD = "100", "secret"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.thorough(but=1)
async def test_a_gate_calls_us_where_we_have_registered_and_we_leave_it_in_good_order(
    gateway_in_process: InProcess, errors: Witness, gemini: FakeGemini, profile: str
) -> None:
    gemini.always(say=STAMPS)
    async with SimulatedGate(profile=profile, rotate_source_port=False) as gate:
        registrar = gate.accept_registrations({USER: PASSWORD})
        sip = {"registrar": f"sip:{gate.address}", "username": USER, "password": PASSWORD}
        async with gateway_in_process.start({"sip": sip}):
            await registrar.registered(USER)
            async with gate.dial(USER, registered=USER, speak=STAMPS) as call:
                await call.lasts(CALL_S)
            assert call.heard.only_from(gemini.session(0), at_least=AT_LEAST)
            assert gemini.session(0).heard.only_from(call, at_least=AT_LEAST)
        await registrar.unregistered(USER, within_s=1)
        gate.check()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.thorough(but=1)
async def test_a_gate_from_anywhere_registers_with_us_and_calls_by_its_password(
    gateway_in_process: InProcess, errors: Witness, gemini: FakeGemini, profile: str
) -> None:
    gemini.always(say=STAMPS)
    sip = {"allow": ["127.0.0.99"], "users": {USER: PASSWORD}}
    async with (
        gateway_in_process.start({"sip": sip}) as gateway,
        SimulatedGate(gateway=gateway.address, profile=profile, rotate_source_port=False) as gate,
        gate.register(USER, PASSWORD),
    ):
        await gate.dial("1000", expect=401)
        assert not gemini.sessions
        async with gate.dial("1000", login=(USER, PASSWORD), speak=STAMPS) as call:
            await call.lasts(CALL_S)
        assert call.heard.only_from(gemini.session(0), at_least=AT_LEAST)
        assert gemini.session(0).heard.only_from(call, at_least=AT_LEAST)
        gate.check()
