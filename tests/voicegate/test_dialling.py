"""Calls that we make: which numbers, by whom, and what becomes of a failed one."""

from collections.abc import AsyncIterator

import pytest

from scenarios.inprocess import serving
from simulator.audio.sound import stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness
from voicegate.dialling import ANSWERED, NotDialled, dialled_uri, outcome
from voicegate.gateway import Gateway

pytestmark = pytest.mark.virtual
STAMPS = stamps(every_s=0.5)


@pytest.mark.parametrize(
    ("number", "uri"),
    [
        ("+359888123456", "sip:+359888123456@h"),
        ("*31#200", "sip:*31%23200@h"),
        ("alice", "sip:alice@h"),
    ],
)
def test_a_number_becomes_the_user_part_of_a_uri(number: str, uri: str) -> None:
    assert dialled_uri(number, "h") == uri


@pytest.mark.parametrize(
    "number", ["", "1@evil", "1;x=y", "1?h=v", "1 2", "1\r\nX: y", "1" * 65, "1,2", "<1>"]
)
def test_what_is_no_number_is_not_dialled(number: str) -> None:
    with pytest.raises(NotDialled):
        dialled_uri(number, "h")


@pytest.fixture
async def gate(errors: Witness) -> AsyncIterator[SimulatedGate]:
    """A gate that is called; it knows no gateway."""
    async with SimulatedGate() as simulated:
        yield simulated
        simulated.check()


@pytest.fixture
async def gateway(
    errors: Witness, gemini: FakeGemini, gate: SimulatedGate
) -> AsyncIterator[Gateway]:
    async with serving({"sip": {"outbound": f"sip:{gate.address}"}}) as running:
        yield running


async def test_a_call_is_dialled_and_both_hear_each_other(
    gateway: Gateway, gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.always(say=STAMPS)
    async with gate.answering("200", speak=STAMPS, ring_s=2.0) as callee:
        number, call = await gateway.dialling.dial("200")
        assert gateway.calls[number] is call
        assert await outcome(call) == ANSWERED
        await callee.answered()
        await callee.lasts(3)
    assert callee.heard.only_from(gemini.session(0), at_least=3)
    assert gemini.session(0).heard.only_from(callee, at_least=3)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        *((486, "busy"), (603, "declined"), (404, "not_found")),
        *((480, "no_answer"), (503, "unreachable")),
    ],
)
async def test_a_refusal_is_a_clear_result_and_leaves_nothing(
    gateway: Gateway, gate: SimulatedGate, witness: Witness, status: int, result: str
) -> None:
    async with gate.answering(status=status):
        assert await outcome((await gateway.dialling.dial("200"))[1]) == result
    await witness.settle()
    witness.check(after="a refused call")
    assert (len(gateway.calls), gateway.ports.lent) == (0, 0)


async def test_what_draining_or_no_trunk_forbids_is_not_dialled(gateway: Gateway) -> None:
    gateway.drain()
    with pytest.raises(NotDialled):
        await gateway.dialling.dial("200")


async def test_without_a_place_to_call_by_nothing_is_dialled(
    errors: Witness, gemini: FakeGemini
) -> None:
    async with serving({}) as running:
        with pytest.raises(NotDialled, match=r"sip\.outbound"):
            await running.dialling.dial("200")


async def test_a_gate_whose_name_has_no_address_is_named_with_its_setting(
    errors: Witness, gemini: FakeGemini
) -> None:
    async with serving({"sip": {"outbound": "sip:no-such-gate.invalid"}}) as gateway:
        with pytest.raises(NotDialled, match=r"sip\.outbound sip:no-such-gate\.invalid has no"):
            await gateway.dialling.dial("200")
