"""Which of our addresses a peer sees, and by which socket a message leaves."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from tests.wine import not_under_wine
from voicegate.sip import sockets as module
from voicegate.sip.address import Address, Flow
from voicegate.sip.sockets import Sockets
from voicegate.sip.stream import StreamRules

Heard = asyncio.Queue[tuple[bytes, Address, Address]]
PATIENCE_S = 5.0
RULES = StreamRules(
    allow=lambda _host: True, is_needed=lambda _peer: False, on_lost=lambda _peer: None
)


@asynccontextmanager
async def opened(
    hosts: Sequence[str], transports: Sequence[str] = ("udp",)
) -> AsyncIterator[tuple[Sockets, Heard, Counter[str]]]:
    heard: Heard = asyncio.Queue()
    counters: Counter[str] = Counter()
    sockets = Sockets(counters, RULES)
    try:
        for host in hosts:
            for transport in transports:
                place = Address(host, 0, transport)
                await sockets.open(place, lambda *what: heard.put_nowait(what))
        yield sockets, heard, counters
    finally:
        await sockets.close()


def a_peer(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    sock.settimeout(PATIENCE_S)
    return sock


@not_under_wine("sends from 127.0.0.1 whatever a socket is bound to")
async def test_an_answer_leaves_by_the_address_that_was_asked() -> None:
    async with opened(["127.0.0.1", "127.0.0.2", "::1"]) as (sockets, heard, _):
        for bound in sockets.bound:
            with a_peer("::1" if ":" in bound.host else "127.0.0.1") as peer:
                peer.sendto(b"ask", bound[:2])
                _, source, local = await heard.get()
                assert local == bound
                sockets.send(b"answer", Flow(local, source))
                assert peer.recvfrom(100)[1][:2] == bound[:2]


async def test_listening_everywhere_we_show_the_address_the_peer_sees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_KNOWN_PEERS", 1)
    async with opened(["0.0.0.0", "::"]) as (sockets, heard, _):
        four, six = sockets.bound
        for host, bound in (("127.0.0.1", four), ("::1", six)):
            with a_peer(host) as peer:
                peer.sendto(b"ask", (host, bound.port))
                _, source, local = await heard.get()
                assert local == Address(host, bound.port)
                assert sockets.local_towards(source) == local
                sockets.send(b"answer", Flow(local, source))
                assert peer.recv(100) == b"answer"


async def test_a_peer_we_begin_with_is_shown_the_address_on_the_way_to_it() -> None:
    async with opened(["127.0.0.2", "127.0.0.1"]) as (sockets, _, _):
        assert sockets.local_towards(Address("127.0.0.1", 5060)) == sockets.bound[1]
        assert sockets.local_towards(Address("192.0.2.1", 5060)) == sockets.bound[0]
        assert sockets.local_towards(Address("::1", 5060)) is None
        assert sockets.local_towards(Address("127.0.0.1", 5060, "tcp")) is None


async def test_what_no_socket_can_send_is_counted() -> None:
    async with opened(["127.0.0.1"]) as (sockets, _, counters):
        (bound,) = sockets.bound
        sockets.send(b"x", Flow(bound._replace(transport="tcp"), bound))
        sockets.send(b"x", Flow(bound._replace(host="127.0.0.9"), bound))
        assert counters == {"dropped_sends": 2}


async def test_tcp_shares_the_port_of_udp_and_each_peer_sees_its_own_transport() -> None:
    async with opened(["0.0.0.0"], ["udp", "tcp"]) as (sockets, heard, _):
        udp, tcp = sockets.bound
        assert udp.port == tcp.port
        assert sockets.local_towards(Address("127.0.0.1", 9, "tcp")) == Address(
            "127.0.0.1", tcp.port, "tcp"
        )
        sockets.send(b"OPTIONS\r\n\r\n", Flow(tcp, Address("127.0.0.1", tcp.port, "tcp")))
        async with asyncio.timeout(PATIENCE_S):
            _, source, local = await heard.get()
        assert (local.host, local.transport, source.transport) == ("127.0.0.1", "tcp", "tcp")


async def test_where_the_number_of_udp_is_taken_tcp_takes_another() -> None:
    async with opened(["127.0.0.1"], ["udp", "tcp"]) as (sockets, heard, _):
        await sockets.open(Address("127.0.0.1", 0, "tcp"), lambda *what: heard.put_nowait(what))
        assert len({bound.port for bound in sockets.bound}) == 2
        with pytest.raises(OSError, match=r"in use|permitted|10048"):
            await sockets.open(sockets.bound[1], lambda *_: None)
