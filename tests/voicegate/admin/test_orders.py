"""The two routes by which an operator makes and ends calls; what becomes of the calls is told in
scenarios/test_outbound.py."""

import aiohttp
import pytest

from scenarios.inprocess import serving
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness
from voicegate.gateway import Gateway

pytestmark = pytest.mark.virtual


def url_of(gateway: Gateway) -> str:
    assert gateway.admin_address is not None
    return f"http://127.0.0.1:{gateway.admin_address.port}/calls"


async def test_without_the_token_nobody_is_called(errors: Witness, gemini: FakeGemini) -> None:
    async with (
        SimulatedGate() as gate,
        serving(
            {"sip": {"outbound": f"sip:{gate.address}"}, "admin": {"token": "secret"}}
        ) as gateway,
        aiohttp.ClientSession() as http,
    ):
        async with http.post(url_of(gateway), json={"number": "200"}) as answer:
            assert answer.status == 401
        async with http.delete(f"{url_of(gateway)}/1") as answer:
            assert answer.status == 401
        assert gateway.calls_taken == 0


async def test_more_than_max_calls_is_503_with_retry_after(
    errors: Witness, gemini: FakeGemini
) -> None:
    async with (
        SimulatedGate() as gate,
        serving({"sip": {"outbound": f"sip:{gate.address}"}}) as gateway,
        aiohttp.ClientSession() as http,
    ):
        gateway.drain()
        async with http.post(url_of(gateway), json={"number": "200"}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("identity", ["1", "x", "-1", "9" * 40])
async def test_a_call_that_is_not_there_cannot_be_ended(gateway: Gateway, identity: str) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.delete(f"{url_of(gateway)}/{identity}") as answer,
    ):
        assert answer.status == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"number": 5}', b'{"number": "1@h"}'])
async def test_an_order_that_makes_no_sense_is_400(gateway: Gateway, body: bytes) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.post(url_of(gateway), data=body) as answer,
    ):
        assert answer.status == 400
