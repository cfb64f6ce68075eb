"""A UDP socket of the shell."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from voicegate.sip.address import Address, Flow
from voicegate.sip.udp import UdpListener, bound_socket, face_towards, open_udp, open_udp_socket


def test_a_socket_is_bound_does_not_block_and_has_room() -> None:
    with open_udp_socket("127.0.0.1", 0) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
        assert not sock.getblocking()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
            default = plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= default


def test_every_ipv6_address_leaves_room_for_every_ipv4_address() -> None:
    with open_udp_socket("::", 0) as six:
        port = six.getsockname()[1]
        with open_udp_socket("0.0.0.0", port) as four:
            assert four.getsockname()[1] == port


def test_names_are_not_looked_up() -> None:
    with pytest.raises(ValueError, match="localhost"):
        open_udp_socket("localhost", 0)


def test_a_port_that_is_taken_raises_and_leaves_no_socket() -> None:
    with (
        open_udp_socket("127.0.0.1", 0) as sock,
        pytest.raises(OSError, match=r"in use|permitted|10048"),
    ):
        open_udp_socket("127.0.0.1", sock.getsockname()[1])


def test_a_tcp_socket_holds_no_short_message_back() -> None:
    with bound_socket("127.0.0.1", 0, socket.SOCK_STREAM) as sock:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_our_face_depends_on_the_peer() -> None:
    assert face_towards(Address("127.0.0.1", 5060), "otherwise") == "127.0.0.1"
    assert face_towards(Address("255.255.255.255", 0), "otherwise") == "otherwise"


@asynccontextmanager
async def listening(
    counters: Counter[str],
) -> AsyncIterator[tuple[UdpListener, asyncio.Queue[tuple[bytes, Address, Address]]]]:
    heard: asyncio.Queue[tuple[bytes, Address, Address]] = asyncio.Queue()
    listener = await open_udp("127.0.0.1", 0, lambda *what: heard.put_nowait(what), counters)
    try:
        yield listener, heard
    finally:
        await listener.close()


async def test_datagrams_come_in_and_go_out() -> None:
    async with listening(Counter()) as (one, heard), listening(Counter()) as (other, answers):
        other.send(b"hello", Flow(other.bound, one.bound))
        data, source, local = await heard.get()
        assert (data, source, local) == (b"hello", other.bound, one.bound)
        one.send(b"x" * 60_000, Flow(one.bound, source))
        assert len((await answers.get())[0]) == 60_000


async def test_errors_of_the_network_are_counted_and_survived() -> None:
    counters: Counter[str] = Counter()
    async with listening(counters) as (one, heard):
        one.error_received(ConnectionResetError(10054))
        one.send(b"to myself", Flow(one.bound, one.bound))
        assert (await heard.get())[0] == b"to myself"
        assert counters == {"udp_errors": 1}


async def test_after_the_close_nothing_is_sent_and_that_is_counted() -> None:
    counters: Counter[str] = Counter()
    async with listening(counters) as (one, _):
        pass
    one.send(b"late", Flow(one.bound, one.bound))
    assert counters == {"dropped_sends": 1}
    with open_udp_socket("127.0.0.1", one.bound.port):
        pass
