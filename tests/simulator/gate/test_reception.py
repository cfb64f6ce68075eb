"""What the gate makes of datagrams that belong to no call."""

import asyncio

import pytest

from simulator.clock import run_virtual
from simulator.gate import SimulatedGate
from tests.simulator.gate.messages import BYE, OK
from tests.simulator.gate.reference_gateway import ReferenceGateway


def heard(text: str) -> tuple[list[str], list[int]]:
    """The rules broken and the statuses answered when the gateway sends this out of the blue."""

    async def main() -> tuple[list[str], list[int]]:
        async with ReferenceGateway() as gateway, SimulatedGate(gateway=gateway.address) as gate:
            gateway.transport.sendto(text.encode(), gate.address)
            await asyncio.sleep(0.1)
            return [violation.rule for violation in gate.violations], gateway.bye_statuses

    return run_virtual(main())


def outside(method: str) -> str:
    changed = BYE.replace("BYE", method).replace(";tag=gate\r\nCall-ID: abc", "\r\nCall-ID: new")
    return changed.replace("Route: <sip:127.0.0.1:5071;lr>\r\n", "").replace("new@127.0.0.1", "new")


@pytest.mark.parametrize(
    ("method", "status", "rules"),
    [
        ("OPTIONS", 200, []),
        ("INVITE", 480, []),
        ("REGISTER", 405, []),
        ("CANCEL", 481, ["unknown-dialog"]),
        ("BYE", 481, ["unknown-dialog"]),
    ],
)
def test_requests_of_no_dialog_have_their_answers(
    method: str, status: int, rules: list[str]
) -> None:
    assert heard(outside(method)) == (rules, [status])


def test_a_bye_of_an_unknown_call_is_481() -> None:
    assert heard(BYE) == (["unknown-dialog"], [481])


def test_an_ack_of_nothing_is_not_answered() -> None:
    assert heard(outside("ACK")) == ([], [])


def test_an_answer_to_nothing_is_a_stray() -> None:
    assert heard(OK) == (["stray-response"], [])


def test_a_keepalive_is_no_sin() -> None:
    assert heard("\r\n\r\n") == ([], [])
