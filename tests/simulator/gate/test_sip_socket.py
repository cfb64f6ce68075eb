import asyncio
import socket

import pytest

from simulator.clock import run_virtual
from simulator.gate.sip_socket import UdpSocket, open_udp
from simulator.gate.wire import Address
from simulator.pcap import Tape


def test_datagrams_are_handed_on_and_recorded_both_ways() -> None:
    async def main() -> None:
        got: list[tuple[bytes, Address]] = []
        tape = Tape()
        came = asyncio.Event()

        def received(_socket: UdpSocket, data: bytes, source: Address) -> None:
            got.append((data, source))
            came.set()

        one = await open_udp("127.0.0.1", 0, received, tape, even=True)
        two = await open_udp("127.0.0.1", 0, received, None)
        assert one.address.port % 2 == 0
        one.send(b"to two", two.address)
        await came.wait()
        assert got == [(b"to two", one.address)]
        came.clear()
        two.send(b"to one", one.address)
        await came.wait()
        assert [packet.payload for packet in tape.packets] == [b"to two", b"to one"]
        assert [packet.source for packet in tape.packets] == [one.address, two.address]
        for each in (one, two):
            each.close()
            await each.closed()
        assert not one.is_open
        one.send(b"late", two.address)
        assert len(tape.packets) == 2

    run_virtual(main())


def test_a_taken_port_is_named() -> None:
    async def main() -> None:
        first = await open_udp("127.0.0.1", 0, lambda *_: None, None)
        with pytest.raises(OSError, match=rf"cannot bind UDP 127.0.0.1:{first.address.port}"):
            await open_udp("127.0.0.1", first.address.port, lambda *_: None, None)
        first.close()
        await first.closed()

    run_virtual(main())


async def test_rtcp_has_the_port_above_rtp_and_is_kept_until_asked_for() -> None:
    ours = await open_udp("127.0.0.1", 0, lambda *_: None, None, even=True)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"a report", ("127.0.0.1", ours.address.port + 1))
        assert ours.reports() == [b"a report"]
        assert ours.reports() == []
    finally:
        ours.close()
        await ours.closed()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as next_one:
        next_one.bind(("127.0.0.1", ours.address.port + 1))
