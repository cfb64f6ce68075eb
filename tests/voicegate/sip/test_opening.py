"""A user agent opened and closed by block."""

from __future__ import annotations

import random
import socket
from contextlib import AbstractAsyncContextManager

import pytest

from tests.voicegate.sip.peers import connected
from voicegate.sip.address import Address
from voicegate.sip.digest import Guard
from voicegate.sip.opening import open_user_agent
from voicegate.sip.user_agent import UserAgent

HOST = "127.0.0.1"
PLACES = (Address(HOST, 0), Address(HOST, 0, "tcp"))


def opened(*places: Address, guard: Guard | None = None) -> AbstractAsyncContextManager[UserAgent]:
    return open_user_agent(
        places, product="p", allow=lambda _host: False, ready=lambda: True, guard=guard
    )


async def test_a_port_that_is_taken_raises_and_leaves_no_socket() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind((HOST, 0))
            port = free.getsockname()[1]
        with pytest.raises(OSError, match=r"in use|permitted|10048"):
            async with opened(Address(HOST, port), Address(HOST, taken.getsockname()[1], "tcp")):
                raise AssertionError("opened all the same")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind((HOST, port))


async def test_strangers_may_connect_only_where_a_password_can_let_them_in() -> None:
    async with opened(*PLACES) as agent, connected(HOST, agent.bound[1].port) as peer:
        assert await peer.ended()
    guard = Guard({"gate": "secret"}, random.Random(1), realm="r")
    async with (
        opened(*PLACES, guard=guard) as agent,
        connected(HOST, agent.bound[1].port) as peer,
    ):
        head = "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKx\r\n"
        rest = "From: <sip:a@b>;tag=x\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"
        peer.send((head + rest).encode())
        assert (await peer.heard()).startswith(b"SIP/2.0 401 ")
