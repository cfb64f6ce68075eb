"""RTCP of a call that is up: when, where to, whose is heard, and that nothing is left of it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from tests.voicegate.media.lab import HOST, Caller, Lab, calling, offer, port_of
from voicegate.media.codec import PCMU
from voicegate.media.rtcp import BYE, RR, SDES, SR, RtcpPacket, parse_rtcp
from voicegate.media.session import MediaSession

pytestmark = pytest.mark.virtual


class Reports(asyncio.DatagramProtocol):
    """Where the caller takes RTCP: every compound with its time and source."""

    def __init__(self) -> None:
        self.got: list[tuple[float, list[RtcpPacket], tuple[str, int]]] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.got.append((asyncio.get_running_loop().time(), parse_rtcp(data), addr[:2]))

    @property
    def kinds(self) -> list[int]:
        return [packet.kind for _, packets, _ in self.got for packet in packets]


@asynccontextmanager
async def at(port: int) -> AsyncIterator[tuple[asyncio.DatagramTransport, Reports]]:
    transport, reports = await asyncio.get_running_loop().create_datagram_endpoint(
        Reports, local_addr=(HOST, port)
    )
    try:
        yield transport, reports
    finally:
        transport.close()
        await asyncio.sleep(0)


async def spoken(caller: Caller, media: MediaSession, seconds: float) -> None:
    for _ in range(round(seconds * 50)):
        caller.voice(media, PCMU.silence)
        await media.hear()


async def test_reports_go_to_the_port_above_and_a_goodbye_ends_them() -> None:
    lab = Lab()
    async with calling() as caller, at(caller.port + 1) as (_, reports):
        async with lab.open(offer(caller.port)) as media:
            media.start()
            began_at = asyncio.get_running_loop().time()
            await spoken(caller, media, 61)
            port = port_of(media)
        await asyncio.sleep(0.1)
    times = [time - began_at for time, _, _ in reports.got[:-1]]
    waits = [after - before for before, after in pairwise(times)]
    assert 1.25 <= times[0] <= 3.75
    assert all(2.49 <= wait <= 7.51 for wait in waits)
    assert 8 <= len(waits) <= 20
    assert max(waits) - min(waits) > 1
    assert {source for _, _, source in reports.got} == {(HOST, port + 1)}
    assert set(reports.kinds[::2]) <= {SR, BYE}
    assert reports.kinds.count(BYE) == 1
    assert [packet.kind for packet in reports.got[-1][1]][-1] == BYE
    last = reports.got[-2][1][0]
    assert last.items == 1
    assert last.body[24:32] == caller.ssrc.to_bytes(4) + bytes(4)


async def test_loss_jitter_and_round_trip_of_both_ways_are_counted() -> None:
    lab, loop = Lab(), asyncio.get_running_loop()
    async with (
        calling() as caller,
        at(caller.port + 1) as (transport, reports),
        lab.open(offer(caller.port)) as media,
    ):
        media.start()
        await spoken(caller, media, 4)
        [(came_at, [report, _], source), *_] = reports.got
        ours, stamp = report.body[:4], report.body[6:10]
        held = int((loop.time() + 0.5 - came_at) * 65536)
        await asyncio.sleep(0.6)
        block = ours + (7).to_bytes(4) + bytes(4) + (160).to_bytes(4) + stamp + held.to_bytes(4)
        transport.sendto(b"\x81\xc9\x00\x07" + caller.ssrc.to_bytes(4) + block, source)
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        counters = media.counters()
    assert (counters.rtcp_in, counters.far_lost, counters.far_jitter_ms) == (1, 7, 20.0)
    assert counters.round_trip_ms == pytest.approx(100, abs=11)


async def test_a_receiver_report_where_nothing_is_sent() -> None:
    lab = Lab()
    async with calling() as caller, at(caller.port + 1) as (_, reports):
        body = offer(caller.port, more="a=sendonly\r\n")
        async with lab.open(body) as media:
            media.start()
            await spoken(caller, media, 10)
    assert set(reports.kinds) == {RR, SDES, BYE}


async def test_the_port_that_the_offer_names_is_taken_at_the_host_of_rtp_alone() -> None:
    lab = Lab()
    async with calling() as caller, calling() as other, at(other.port + 1) as (_, reports):
        named = f"a=rtcp:{other.port + 1} IN IP4 198.51.100.7\r\n"
        async with lab.open(offer(caller.port, more=named)) as media:
            media.start()
            await spoken(caller, media, 5)
    assert len(reports.got) >= 2


@pytest.mark.parametrize("port", [53, 32001])
async def test_no_report_goes_to_a_system_port_or_to_ourselves(port: int) -> None:
    lab = Lab()
    async with (
        calling() as caller,
        lab.open(offer(caller.port, more=f"a=rtcp:{port}\r\n")) as media,
    ):
        assert port_of(media) == 32000
        media.start()
        await asyncio.sleep(10)
        assert media.counters().rtcp_out == 0


async def test_another_host_is_not_believed() -> None:
    lab = Lab()
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        media.control.datagram_received(b"\x80\xc9\x00\x01\x00\x00\x00\x09", ("127.0.0.9", 4001))
        assert (media.counters().rtcp_in, media.counters().rtcp_dropped) == (0, 1)


async def test_nothing_leaves_before_the_start_or_for_a_call_that_never_began() -> None:
    lab = Lab()
    async with calling() as caller, at(caller.port + 1) as (_, reports):
        async with lab.open(offer(caller.port)):
            await asyncio.sleep(20)
        await asyncio.sleep(0.1)
    assert reports.got == []


async def test_both_ports_are_closed_and_rest_together() -> None:
    lab, loop = Lab(), asyncio.get_running_loop()
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        port = port_of(media)
        for taken in (port, port + 1):
            with (
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
                pytest.raises(OSError, match=r"in use|WinError 10048"),
            ):
                probe.bind((HOST, taken))
        media.stop()
        assert lab.pool.resting(loop.time()) >= 1  # a port that another program has rests too
        for free in (port, port + 1):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind((HOST, free))


async def test_a_caller_without_rtcp_costs_nothing_but_a_count() -> None:
    lab = Lab()
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        for _ in range(5):
            media.control.error_received(OSError())
        await spoken(caller, media, 10)
        counters = media.counters()
        assert (counters.rtcp_errors, counters.udp_errors) == (5, 0)
        assert counters.packets_out >= 499
