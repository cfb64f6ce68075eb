"""Calls that the gateway makes: by order, to every make of gate, with every end they can have."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest

from scenarios.test_odd_gates import PROFILES
from scenarios.trouble import STAMPS
from simulator.audio.sound import stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.target.target import InProcess, Target
from simulator.witness.witness import Witness

TALK_S = 3.0
AT_LEAST = 3
USER, PASSWORD = "gw", "secret"


class Outside:
    """The gate that is called, and the order to call it."""

    def __init__(self, gate: SimulatedGate, gateway: Target) -> None:
        self.gate = gate
        self._url = f"{gateway.admin_url}/calls"

    async def order(self, number: str = "200", **more: Any) -> dict[str, Any]:
        """`POST /calls`: have the gateway call; gives what came of it."""
        async with (
            aiohttp.ClientSession() as http,
            http.post(self._url, json={"number": number, **more}) as answer,
        ):
            return {"http": answer.status, **await answer.json()}

    async def end(self, number: int) -> int:
        """`DELETE /calls/{number}`; gives the HTTP status."""
        async with aiohttp.ClientSession() as http, http.delete(f"{self._url}/{number}") as answer:
            return answer.status


@asynccontextmanager
async def outside(
    within: InProcess, profile: str = "chan_sip", proxied: bool = False, **sip: Any
) -> AsyncIterator[Outside]:
    """A gate of that make and a gateway that calls by it."""
    async with AsyncExitStack() as owned:
        gate = await owned.enter_async_context(SimulatedGate(profile=profile, proxied=proxied))
        place = gate.proxy if proxied else gate.address
        settings = {"sip": {"outbound": f"sip:{place}", **sip}}
        gateway = await owned.enter_async_context(within.start(settings))
        yield Outside(gate, gateway)
        gate.check()


@pytest.fixture
def within(
    gateway_in_process: InProcess,
    errors: Witness,
    gemini: FakeGemini,
) -> InProcess:
    """How a gateway is started here."""
    return gateway_in_process


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.thorough(but=1)
async def test_every_make_of_gate_is_called_and_both_hear_each_other(
    within: InProcess, gemini: FakeGemini, profile: str
) -> None:
    gemini.always(say=STAMPS)
    async with outside(within, profile) as world:
        async with world.gate.answering("200", speak=STAMPS, ring_s=1.0) as callee:
            ordered = await world.order()
            assert (ordered["http"], ordered["result"]) == (200, "answered")
            await callee.answered()
            await callee.lasts(TALK_S)
        assert callee.heard.only_from(gemini.session(0), at_least=AT_LEAST)
        assert gemini.session(0).heard.only_from(callee, at_least=AT_LEAST)
        await asyncio.sleep(2)
        assert await world.end(ordered["id"]) == 404


async def test_a_gate_behind_a_proxy_is_called_through_it(
    within: InProcess, gemini: FakeGemini
) -> None:
    gemini.always(say=STAMPS)
    async with outside(within, proxied=True) as world:
        async with world.gate.answering("200", speak=STAMPS, record_route=True) as callee:
            await world.order()
            await callee.answered()
            await callee.lasts(TALK_S)
        assert callee.heard.only_from(gemini.session(0), at_least=AT_LEAST)


@pytest.mark.parametrize("status", [401, 407])
async def test_the_password_that_a_gate_asks_for_is_given(within: InProcess, status: int) -> None:
    async with outside(within, username=USER, password=PASSWORD) as world:
        asks = world.gate.authenticator({USER: PASSWORD}, status=status)
        async with world.gate.answering("200", asks=asks) as callee:
            assert (await world.order())["result"] == "answered"
            await callee.answered()


async def test_early_media_is_answered_with_silence_and_the_greeting_waits_for_the_answer(
    within: InProcess, gemini: FakeGemini
) -> None:
    gemini.on_text(say=stamps(every_s=0.5, count=4))
    async with outside(within) as world:
        async with world.gate.answering("200", early_media=True, ring_s=3.0) as callee:
            await world.order()
            await callee.answered()
            await callee.lasts(3)
        assert callee.answered_at is not None
        heard = callee.heard.stamps()
        assert [stamp.sequence for stamp in heard] == [0, 1, 2, 3]
        assert heard[0].at_s - callee.answered_at < 1.0
        # our packets were there before: a gate that waits for them is not waited for
        assert callee.rtp.packets > 50 * 5


@pytest.mark.parametrize(
    ("status", "result"),
    [
        *((486, "busy"), (603, "declined"), (404, "not_found")),
        *((403, "not_allowed"), (None, "no_answer")),
    ],
)
@pytest.mark.thorough(but=1)
async def test_cause_d_outbound_a_failed_call_swallows_nothing_of_the_next(
    within: InProcess, gemini: FakeGemini, status: int | None, result: str
) -> None:
    """Cause D of the silent second call: its RTP session lived on and took the next one's sound."""
    gemini.always(say=STAMPS)
    async with outside(within, ring_limit_s=5.0) as world:
        async with world.gate.answering("200", status=status):
            failed = await world.order()
        assert (failed["http"], failed["result"]) == (200, result)
        async with world.gate.answering("201", speak=STAMPS) as callee:
            assert (await world.order("201"))["result"] == "answered"
            await callee.answered()
            await callee.lasts(TALK_S)
        model = gemini.session(1)
        assert callee.heard.only_from(model, at_least=AT_LEAST)
        assert model.heard.only_from(callee, at_least=AT_LEAST)
        assert gemini.open_sessions <= 1


async def test_an_operator_gives_up_a_call_that_rings_and_hangs_up_one_that_is_answered(
    within: InProcess,
) -> None:
    async with outside(within) as world:
        async with world.gate.answering("200", status=None) as ringing:
            waiting = asyncio.ensure_future(world.order())
            await ringing.invited()
            assert await world.end(1) == 204
            assert (await waiting)["result"] == "operator"
            await ringing.ended()
            assert ringing.cancelled
        async with world.gate.answering("200") as callee:
            ordered = await world.order()
            await callee.answered()
            assert await world.end(ordered["id"]) == 204
            await callee.ended(by="gateway")


async def test_an_answer_that_crosses_our_cancel_is_acknowledged_and_ended(
    within: InProcess,
) -> None:
    async with (
        outside(within, ring_limit_s=2.0) as world,
        world.gate.answering("200", ring_s=2.0) as callee,
    ):
        await world.order()
        await callee.ended(within_s=10)


async def test_a_2xx_that_comes_again_is_acknowledged_again(within: InProcess) -> None:
    async with (
        outside(within) as world,
        world.gate.answering("200", repeat_answer=3) as callee,
    ):
        await world.order()
        await callee.answered()
        await callee.lasts(3)
        assert callee.acks == 4


@pytest.mark.parametrize(
    ("body", "why"), [({"number": "1@evil"}, "number"), ({}, "number"), ([], "object")]
)
async def test_an_order_that_makes_no_sense_is_400(
    within: InProcess, body: object, why: str
) -> None:
    async with (
        outside(within) as world,
        aiohttp.ClientSession() as http,
        http.post(world._url, json=body) as answer,
    ):
        assert answer.status == 400
        assert why in (await answer.json())["why"]
