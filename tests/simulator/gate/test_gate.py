import asyncio
import socket
from typing import Any

import pytest

from simulator.audio.sound import stamps
from simulator.clock import run_virtual
from simulator.gate import SimulatedGate
from simulator.network import Impairment
from simulator.pcap import Tape
from simulator.witness import Witness
from tests.simulator.gate.clocks import Run, both_clocks
from tests.simulator.gate.reference_gateway import ReferenceGateway


@pytest.mark.parametrize("profile", ["chan_sip", "pjsip", "freeswitch", "kamailio", "goip"])
def test_every_profile_makes_a_call_that_is_heard(profile: str) -> None:
    async def main() -> None:
        async with (
            ReferenceGateway(echo=True) as gateway,
            SimulatedGate(gateway=gateway.address, profile=profile) as gate,
        ):
            async with gate.dial("1000", speak=stamps(every_s=0.5)) as call:
                await call.lasts(2.2)
            assert call.heard.only_from(call, at_least=3)
            gate.check()

    run_virtual(main())


@pytest.mark.parametrize("quirk", ["compact", "folded", "bare_lf", "latin_1", "offerless"])
def test_odd_forms_are_understood_and_their_echo_is_no_sin(quirk: str) -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            if quirk == "offerless":
                gateway.refuse = b"488 Not Acceptable Here"
            expect = 488 if quirk == "offerless" else None
            name = "J\u00fcrgen"
            quirks: dict[str, Any] = {quirk: True}
            async with gate.dial("1000", display_name=name, expect=expect, **quirks) as call:
                await asyncio.sleep(0.5)
            assert call.is_over
            gate.check()

    run_virtual(main())


@both_clocks
def test_ten_calls_at_once_hear_each_only_its_own(run: Run) -> None:
    async def main() -> None:
        async with (
            ReferenceGateway(echo=True) as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            async with asyncio.TaskGroup() as group:
                dials = [gate.dial("1000", speak=stamps(every_s=0.6)) for _ in range(10)]
                tasks = [group.create_task(dial.__aenter__()) for dial in dials]
            calls = [task.result() for task in tasks]
            assert gate.open_calls == 10
            await calls[0].lasts(2.1)
            for call in calls:
                await call.hang_up()
                assert call.heard.only_from(call, at_least=2)
            assert sorted(call.identity for call in calls) == list(range(1, 11))
            gate.check()

    run(main())


@both_clocks
def test_nothing_is_left_after_the_gate_whatever_its_calls_did(run: Run) -> None:
    async def use(gateway: ReferenceGateway) -> None:
        async with SimulatedGate(gateway=gateway.address, qualify_s=0.1) as gate:
            await gate.dial("1")
            await gate.dial("2", until="ringing")
            await gate.dial("3", until="sent")
            (await gate.dial("4")).vanish()
            (await gate.dial("5", rotate_source_port=True)).close_rtp_port()
            async with gate.dial("6"):
                pass

    async def main() -> None:
        with Witness() as witness:
            await use_once()
            await witness.settle()
            witness.baseline()
            await use_once()
            await witness.settle()
            witness.check(after="the gate")

    async def use_once() -> None:
        async with ReferenceGateway() as gateway:
            await use(gateway)
            assert gateway.methods.count("BYE") == 5

    run(main())


def test_after_the_gate_its_ports_are_free_at_once() -> None:
    async def main() -> None:
        async with ReferenceGateway() as gateway:
            async with SimulatedGate(gateway=gateway.address) as gate:
                call = await gate.dial("1")
                ports = (gate.address.port, call.media.port)
            for port in ports:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
                    again.bind(("127.0.0.1", port))

    run_virtual(main())


def test_a_gate_without_its_gateway_ends_in_bounded_time() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with ReferenceGateway() as gateway:
            async with SimulatedGate(gateway=gateway.address) as gate:
                await gate.dial("1")
                gateway.deaf = True
                start = loop.time()
            assert loop.time() - start <= 32.01

    run_virtual(main())


def test_goip_calls_from_another_port_each_time() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address, profile="goip") as gate,
        ):
            ports = []
            for _ in range(3):
                async with gate.dial("1000") as call:
                    ports.append(call.socket.address.port)
                    await call.lasts(0.5)
            assert len({*ports, gate.address.port}) == 4
            await asyncio.sleep(1)
            assert not call.socket.is_open
            gate.check()

    run_virtual(main())


def test_qualify_asks_in_its_period_and_tells_of_silence() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address, qualify_s=10) as gate,
        ):
            await asyncio.sleep(25)
            assert gate.qualified == [200, 200]
            gateway.deaf = True
            await asyncio.sleep(10)
            assert gate.qualified == [200, 200, None]
            with pytest.raises(AssertionError, match=r"qualify-unanswered \(RFC 3261 11\.2\)"):
                gate.check()

    run_virtual(main())


def test_loss_meets_what_the_callers_send() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address, impairment=Impairment(loss=0.5)) as gate,
        ):
            async with gate.dial("1000") as call:
                await call.lasts(4)
                rtp = gateway.dialogs[call.dialog.call_id].rtp
            assert rtp is not None
            assert len(rtp.received) == pytest.approx(100, abs=30)
            assert call.media.packets_sent == pytest.approx(200, abs=1)
            gate.check()

    run_virtual(main())


def test_the_tape_has_every_packet_of_both_sides() -> None:
    async def main() -> None:
        tape = Tape()
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address, tape=tape) as gate,
        ):
            async with gate.dial("1000") as call:
                await call.lasts(0.99)
            sip = [p for p in tape.packets if b"SIP/2.0" in p.payload]
            starts = [p.payload.split(b"\r\n")[0].split(b" sip")[0] for p in sip]
            assert starts == [
                b"INVITE",
                b"SIP/2.0 100 Trying",
                b"SIP/2.0 180 Ringing",
                b"SIP/2.0 200 OK",
                b"ACK",
                b"BYE",
                b"SIP/2.0 200 OK",
            ]
            assert sip[0].source == gate.address
            assert sip[0].destination == gateway.address
            rtp = [p for p in tape.packets if p.payload[0] == 0x80]
            assert len(rtp) == call.media.packets_sent + call.rtp.packets

    run_virtual(main())


def test_the_same_seed_sends_the_same_packets() -> None:
    async def sent(seed: int) -> tuple[list[bytes], str]:
        tape = Tape()
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address, tape=tape, seed=seed) as gate,
        ):
            async with gate.dial("1000", speak=stamps(every_s=0.5)) as call:
                await call.lasts(0.5)
            own = ("127.0.0.1", call.media.port)
            rtp = [packet.payload for packet in tape.packets if packet.source == own]
        return rtp, call.dialog.local_tag

    first, second, other = (run_virtual(sent(seed)) for seed in (3, 3, 4))
    assert len(first[0]) >= 25
    assert first == second
    assert first != other


def test_mistakes_of_the_test_are_named() -> None:
    async def main() -> None:
        async with SimulatedGate() as gate:
            with pytest.raises(ValueError, match="knows no gateway"):
                await gate.dial("1000")
        with pytest.raises(ValueError, match="no gate profile"):
            SimulatedGate(profile="nortel")
        with pytest.raises(TypeError, match="politely"):
            SimulatedGate(politely=True)

    run_virtual(main())
