"""The registrars are asked as the gateway would ask them, and left again."""

import socket

import pytest

from simulator.gate.gate import SimulatedGate
from voicegate.config import Config, load
from voicegate.host.findings import Verdict
from voicegate.host.registering import registrars_know_us

pytestmark = pytest.mark.virtual


def configured(port: int, password: str = "secret") -> Config:
    account = {"registrar": f"sip:127.0.0.1:{port}", "username": "100", "password": password}
    return load(environ={}, dotenv=None, overrides={"sip": account})


async def test_without_a_registrar_nobody_is_asked() -> None:
    assert await registrars_know_us(load(environ={}, dotenv=None)) == []


async def test_one_that_knows_us_is_left_as_it_was() -> None:
    async with SimulatedGate() as gate:
        registrar = gate.accept_registrations({"100": "secret"})
        [found] = await registrars_know_us(configured(gate.address.port))
        assert (found.verdict, "100" in found.text) == (Verdict.OK, True)
        assert registrar.granted_at
        assert registrar.binding("100") is None
        gate.check()


async def test_a_wrong_password_is_told_with_its_mend() -> None:
    async with SimulatedGate() as gate:
        gate.accept_registrations({"100": "secret"})
        [found] = await registrars_know_us(configured(gate.address.port, "wrong"))
    assert found.verdict is Verdict.FAIL
    assert "sip.password" in found.mend


async def test_one_that_is_not_there_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        [found] = await registrars_know_us(configured(mute.getsockname()[1]))
    assert found.verdict is Verdict.FAIL
    assert "no answer to REGISTER" in found.text
