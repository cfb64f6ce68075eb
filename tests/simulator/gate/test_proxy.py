"""The proxy stand-in: a loose router between gate and gateway, in both directions."""

import asyncio

import pytest

from simulator.audio.sound import stamps
from simulator.clock import run_virtual
from simulator.gate import SimulatedGate
from simulator.gate.proxy import raw_lines, replaced, sent_by, without_first
from simulator.gate.wire import Address
from simulator.pcap import Tape
from tests.simulator.gate.clocks import Run, both_clocks
from tests.simulator.gate.reference_caller import ReferenceCaller
from tests.simulator.gate.reference_gateway import ReferenceGateway
from tests.simulator.gate.reference_peer import ReferencePeer


@both_clocks
def test_a_call_through_the_proxy_is_heard_and_hung_up(run: Run) -> None:
    async def main() -> None:
        tape = Tape()
        async with (
            ReferenceGateway(echo=True) as gateway,
            SimulatedGate(gateway=gateway.address, proxied=True, tape=tape) as gate,
        ):
            async with gate.dial("1000", speak=stamps(every_s=0.5)) as call:
                await call.lasts(2.2)
            assert call.heard.only_from(call, at_least=3)
            gate.check()
            route = f"Route: <sip:{gate.proxy};lr>\r\n".encode()
            for method in (b"ACK", b"BYE"):
                first, second = (p for p in tape.packets if p.payload.startswith(method))
                assert route in first.payload
                assert route not in second.payload
                assert (first.destination, second.destination) == (gate.proxy, gateway.address)

    run(main())


def test_refusals_cancels_and_reinvites_pass_the_proxy() -> None:
    async def main() -> None:
        async with (
            ReferencePeer(ring_s=5) as peer,
            SimulatedGate(gateway=peer.address, proxied=True) as gate,
        ):
            async with gate.dial("1000", until="ringing") as call:
                assert await call.cancel() == 487
            await asyncio.sleep(0.1)
            assert peer.methods == ["INVITE", "CANCEL", "ACK"]
            peer.ring_s = 0.0
            async with gate.dial("1000") as call:
                assert await call.hold() == 200
                assert await call.resume() == 200
            peer.refuse = b"486 Busy Here"
            await gate.dial("1000", expect=486)
            gate.check()

    run_virtual(main())


def test_the_gateway_hangs_up_through_its_route() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address, proxied=True) as gate,
        ):
            for spoilt, rules in ((False, []), (True, ["route-set"])):
                call = await gate.dial("1000")
                dialog = gateway.dialogs[call.dialog.call_id]
                bye = gateway.bye(dialog)
                if spoilt:
                    start = bye.index(b"Route:")
                    bye = bye[:start] + bye[bye.index(b"\r\n", start) + 2 :]
                gateway.transport.sendto(bye, gate.proxy)
                gateway.release(dialog)
                await call.ended(by="gateway", within_s=1)
                assert [violation.rule for violation in gate.violations] == rules

    run_virtual(main())


def test_a_gateway_that_copies_no_record_route_is_named() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address, proxied=True) as gate,
        ):
            gateway.spoil = lambda data: data.replace(b"Record-Route", b"X-Record-Route")
            async with gate.dial("1000"):
                pass
            assert "record-route-copied" in [violation.rule for violation in gate.violations]

    run_virtual(main())


def test_a_gateway_that_loses_the_via_of_the_proxy_is_named() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address, proxied=True) as gate,
        ):
            gateway.spoil = lambda data: data.replace(b"Via: SIP/2.0/UDP", b"X: SIP/2.0/UDP", 1)
            await gate.dial("1000", until="sent")
            await asyncio.sleep(0.1)
            assert {violation.rule for violation in gate.violations} == {"via-echoed"}

    run_virtual(main())


def test_the_gate_is_called_through_its_proxy() -> None:
    async def main() -> None:
        async with SimulatedGate(proxied=True) as gate, ReferenceCaller(gate.proxy) as caller:
            call = await gate.answering()
            placed = await caller.call("5551")
            await call.answered()
            await call.lasts(1)
            assert call.number == "5551"
            assert placed.routes == [f"<sip:{gate.proxy};lr>"]
            caller.bye(placed)
            await call.ended(by="gateway", within_s=1)
            await asyncio.sleep(0.1)
            assert placed.bye_statuses == [200]
            other = await gate.answering(status=486)
            await caller.call("5552")
            await other.ended(by="called", within_s=1)
            await asyncio.sleep(33)
            gate.check()

    run_virtual(main())


def test_what_has_no_way_on_is_dropped() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address, proxied=True) as gate,
        ):
            ask = b"OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9\r\n\r\n"
            near = b"sip:127.0.0.1:%d" % gateway.address[1]
            spent = ask.replace(b"\r\n\r\n", b"\r\nMax-Forwards: 0\r\n\r\n")
            for data in (b"\0\1", ask, spent.replace(b"sip:example.com", near)):
                gateway.transport.sendto(data, gate.proxy)
            await asyncio.sleep(0.1)
            assert gate._board.router is not None
            assert (gate._board.router.forwarded, gate._board.router.dropped) == (0, 3)
            assert await gate.options() == 200
            assert gate._board.router.forwarded == 2

    run_virtual(main())


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_only_what_must_change_is_changed(end: bytes) -> None:
    data = end.join([b"BYE sip:a SIP/2.0", b"v: x", b" ;y, z", b"Max-Forwards: 7", b"", b"body"])
    lines, rest = raw_lines(data)
    assert b"".join(lines) + rest == data
    assert len(lines) == 3
    assert without_first(lines, "via")[1] == b"v: z\r\n"
    assert replaced(lines, "max-forwards", "6")[2] == b"Max-Forwards: 6\r\n"
    assert sent_by("SIP/2.0/UDP 127.0.0.1:7;branch=x") == Address("127.0.0.1", 7)
