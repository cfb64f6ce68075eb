"""Connections: framed, answered, bounded in number, bytes and time, reused and made."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme

from simulator.clock import run_virtual
from tests.voicegate.sip.peers import PATIENCE_S, connected
from voicegate.sip import stream as module
from voicegate.sip.address import Address, Flow
from voicegate.sip.framing import IDLE_S, MESSAGE_TIME_S
from voicegate.sip.stream import StreamListener, StreamRules, Tls, open_stream

HEAD = b"OPTIONS sip:x SIP/2.0\r\nVia: x\r\nContent-Length: "
WHOLE = HEAD + b"2\r\n\r\nhi"
HOST = "127.0.0.1"


class Ears:
    """What a listener heard and lost."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[bytes, Address, Address]] = asyncio.Queue()
        self.lost: asyncio.Queue[Address] = asyncio.Queue()
        self.counters: Counter[str] = Counter()
        self.needed: list[Address] = []
        self.allowed = [HOST]

    async def message(self) -> tuple[bytes, Address, Address]:
        async with asyncio.timeout(PATIENCE_S):
            return await self.heard.get()

    async def loss(self) -> Address:
        async with asyncio.timeout(2 * PATIENCE_S):
            return await self.lost.get()


@asynccontextmanager
async def listening(
    transport: str = "tcp", **rules: Any
) -> AsyncIterator[tuple[StreamListener, Ears]]:
    ears = Ears()
    listener = await open_stream(
        Address(HOST, 0, transport),
        lambda *what: ears.heard.put_nowait(what),
        ears.counters,
        StreamRules(
            allow=lambda host: host in ears.allowed,
            is_needed=lambda peer: peer in ears.needed,
            on_lost=ears.lost.put_nowait,
            **rules,
        ),
    )
    try:
        yield listener, ears
    finally:
        await listener.close()
        assert listener.connections == 0


async def test_two_messages_in_one_segment_and_one_in_three() -> None:
    async with listening() as (listener, ears), connected(HOST, listener.bound.port) as peer:
        peer.send(WHOLE + WHOLE)
        for _ in range(2):
            data, source, local = await ears.message()
            assert (data, source) == (WHOLE, Address(HOST, peer.port, "tcp"))
            assert local == listener.bound
        for part in (WHOLE[:9], WHOLE[9:-1], WHOLE[-1:]):
            peer.send(part)
            await peer.writer.drain()
            await asyncio.sleep(0)
        assert (await ears.message())[0] == WHOLE


async def test_an_answer_goes_back_by_the_connection_of_the_question() -> None:
    async with listening() as (listener, ears), connected(HOST, listener.bound.port) as peer:
        peer.send(WHOLE)
        _, source, local = await ears.message()
        listener.send(WHOLE, Flow(local, source, Address(HOST, 9, "tcp")))
        assert await peer.heard() == WHOLE
        assert ears.counters == {}


async def test_a_keep_alive_is_answered() -> None:
    async with listening() as (listener, ears), connected(HOST, listener.bound.port) as peer:
        peer.send(b"\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            assert await peer.reader.readexactly(2) == b"\r\n"
        assert ears.counters["keepalives"] == 1


async def test_a_stream_that_is_none_is_closed() -> None:
    async with listening() as (listener, ears), connected(HOST, listener.bound.port) as peer:
        peer.send(HEAD + b"x\r\n\r\n" + WHOLE)
        assert (await ears.message())[0].endswith(b"\r\n\r\n")
        assert await peer.ended()
        assert ears.counters["broken_streams"] == 1
        assert await ears.loss() == Address(HOST, peer.port, "tcp")


async def test_strangers_are_let_in_only_as_far_as_the_rules_say() -> None:
    async with listening(max_strangers=1) as (listener, ears):
        ears.allowed.clear()
        async with connected(HOST, listener.bound.port) as one:
            one.send(WHOLE)
            await ears.message()
            async with connected(HOST, listener.bound.port) as two:
                assert await two.ended()
            ears.allowed.append(HOST)
            async with connected(HOST, listener.bound.port) as three:
                three.send(WHOLE)
                await ears.message()
        assert ears.counters["refused_connections"] == 1


async def test_the_number_of_connections_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 1)
    async with listening() as (listener, ears), connected(HOST, listener.bound.port) as one:
        one.send(WHOLE)
        await ears.message()
        async with connected(HOST, listener.bound.port) as two:
            assert await two.ended()


async def test_a_peer_that_does_not_read_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEND_BACKLOG_BYTES", 1000)
    async with listening() as (listener, ears), connected(HOST, listener.bound.port) as peer:
        peer.send(WHOLE)
        _, source, local = await ears.message()
        for _ in range(2):
            listener.send(b"x" * 20_000_000, Flow(local, source))
        assert await ears.loss() == source
        assert ears.counters["dropped_sends"] == 1


def test_slow_senders_are_cut_and_idle_connections_closed_unless_a_call_needs_them() -> None:
    async def story() -> tuple[list[float], Counter[str]]:
        loop = asyncio.get_running_loop()
        async with listening() as (listener, ears):
            times = []
            for first, needed in ((b"", False), (WHOLE[:-1], False), (WHOLE, False), (WHOLE, True)):
                async with connected(HOST, listener.bound.port) as peer:
                    if needed:
                        ears.needed.append(Address(HOST, peer.port, "tcp"))
                    peer.send(first)
                    began = loop.time()
                    if needed:
                        await asyncio.sleep(2.5 * IDLE_S)
                        ears.needed.clear()
                    async with asyncio.timeout(None):
                        await peer.reader.read()
                    times.append(round(loop.time() - began, 1))
            return times, ears.counters

    times, counters = run_virtual(story(), limit_s=3000)
    assert times == [MESSAGE_TIME_S, MESSAGE_TIME_S, IDLE_S, 3 * IDLE_S]
    assert (counters["slow_connections"], counters["idle_connections"]) == (2, 2)


async def test_without_a_connection_one_is_made_and_used_both_ways() -> None:
    async with listening() as (one, _), listening() as (other, ears):
        flow = Flow(one.bound, Address(HOST, 9, "tcp"), other.bound)
        one.send(WHOLE, flow)
        one.send(WHOLE, flow)
        data, source, _ = await ears.message()
        assert (data, (await ears.message())[0]) == (WHOLE, WHOLE)
        one.send(WHOLE, flow)
        assert (await ears.message())[1] == source
        assert one.connections == 1


async def test_a_connection_that_cannot_be_had_is_told_of() -> None:
    async with listening() as (one, ears):
        async with listening() as (other, _):
            nowhere = other.bound
        one.send(WHOLE, Flow(one.bound, nowhere))
        assert await ears.loss() == nowhere
        assert ears.counters == {"failed_connections": 1, "dropped_sends": 1}


async def test_closing_does_not_wait_for_a_connection_that_hangs() -> None:
    async with listening() as (one, _):
        one.send(WHOLE, Flow(one.bound, Address("192.0.2.1", 9, "tcp")))
        await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "sip-connect"]


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


async def test_the_same_over_tls_both_ways() -> None:
    server, client = contexts()
    tls = Tls(server, client)
    async with listening("tls", tls=tls) as (one, _), listening("tls", tls=tls) as (other, ears):
        one.send(WHOLE, Flow(one.bound, other.bound))
        data, source, local = await ears.message()
        assert (data, source.transport, local) == (WHOLE, "tls", other.bound)
        async with connected(HOST, other.bound.port, client) as peer:
            peer.send(WHOLE)
            _, source, local = await ears.message()
            other.send(WHOLE, Flow(local, source))
            assert await peer.heard() == WHOLE


async def test_a_certificate_we_do_not_trust_or_of_another_name_is_refused() -> None:
    server, client = contexts()
    stranger = ssl.create_default_context()
    async with listening("tls", tls=Tls(server)) as (other, _):
        for tls in (Tls(server, stranger), Tls(server, client, {other.bound: "gate.example"})):
            async with listening("tls", tls=tls) as (one, ears):
                one.send(WHOLE, Flow(one.bound, other.bound))
                assert await ears.loss() == other.bound
                assert ears.counters["failed_connections"] == 1


async def test_a_port_that_is_taken_raises_and_leaves_no_socket() -> None:
    async with listening() as (one, _):
        with pytest.raises(OSError, match=r"in use|permitted|10048"):
            await open_stream(one.bound, lambda *_: None, Counter(), one.rules)
