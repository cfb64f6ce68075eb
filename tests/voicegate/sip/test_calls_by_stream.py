"""Whole calls over TCP, with a peer of its own; and where a connection is lost in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.voicegate.sip.peers import StreamPeer, connected
from voicegate.sip.address import Address
from voicegate.sip.message import Request, Response, parse
from voicegate.sip.opening import open_user_agent
from voicegate.sip.user_agent import DialogEnd, IncomingCall, UserAgent

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Rig

HOST = "127.0.0.1"


@asynccontextmanager
async def agent_with_tcp() -> AsyncIterator[UserAgent]:
    async with open_user_agent(
        [Address(HOST, 0), Address(HOST, 0, "tcp")],
        product="p",
        allow=lambda _host: True,
        ready=lambda: True,
    ) as agent:
        yield agent


def by_tcp(data: bytes, port: int) -> bytes:
    """The rig's message as a peer sends it by TCP that listens at that port."""
    data = data.replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")
    data = data.replace(
        b"Contact: <sip:100@127.0.0.1:5061>", b"Contact: <sip:100@127.0.0.1:5061;transport=tcp>"
    )
    return data.replace(b"127.0.0.1:5061", b"127.0.0.1:%d" % port)


async def answered(
    rig: Rig, agent: UserAgent, peer: StreamPeer, port: int
) -> tuple[IncomingCall, Response]:
    peer.send(by_tcp(rig.request(body=rig.sdp), port))
    call = await agent.next_call()
    call.answer(b"answer")
    trying, answer = parse(await peer.heard()), parse(await peer.heard())
    assert isinstance(trying, Response)
    assert isinstance(answer, Response)
    assert (trying.status, answer.status) == (100, 200)
    peer.send(by_tcp(rig.request("ACK", to_tag=answer.to.tag), port))
    return call, answer


async def test_a_call_over_tcp_stays_on_its_connection_both_ways(rig: Rig) -> None:
    async with agent_with_tcp() as agent, connected(HOST, agent.bound[1].port) as peer:
        call, answer = await answered(rig, agent, peer, 9)
        contact = f"<sip:127.0.0.1:{agent.bound[1].port};transport=tcp>"
        assert answer.header("Contact") == contact
        assert answer.via.transport == "TCP"
        peer.send(by_tcp(rig.request("OPTIONS", cseq=2, to_tag=answer.to.tag), 9))
        await peer.heard()
        assert call.hang_up()
        bye = parse(await peer.heard())
        assert isinstance(bye, Request)
        assert (bye.method, bye.via.transport) == ("BYE", "TCP")
        peer.send(rig.reply(bye, 200))
        assert await agent.settled(5.0)


async def test_the_peers_bye_ends_it(rig: Rig) -> None:
    async with agent_with_tcp() as agent, connected(HOST, agent.bound[1].port) as peer:
        call, answer = await answered(rig, agent, peer, 9)
        peer.send(by_tcp(rig.request("BYE", cseq=2, to_tag=answer.to.tag), 9))
        assert await call.ended_by_peer() is DialogEnd.BYE
        assert parse(await peer.heard()).cseq.method == "BYE"


async def test_where_the_connection_is_gone_our_bye_goes_to_where_the_peer_listens(
    rig: Rig,
) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await StreamPeer(reader, writer).heard()
        bye = parse(data)
        writer.write(rig.reply(bye, 200))
        heard.put_nowait(data)
        writer.close()

    server = await asyncio.start_server(listen, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    async with server, agent_with_tcp() as agent:
        async with connected(HOST, agent.bound[1].port) as peer:
            call, answer = await answered(rig, agent, peer, port)
            peer.send(by_tcp(rig.request("OPTIONS", cseq=2, to_tag=answer.to.tag), port))
            await peer.heard()
        assert call.hang_up()
        async with asyncio.timeout(5.0):
            assert (await heard.get()).startswith(b"BYE ")
        assert await agent.settled(5.0)


async def test_where_the_peer_is_gone_for_good_our_bye_is_given_up_at_once(rig: Rig) -> None:
    async with agent_with_tcp() as agent:
        async with connected(HOST, agent.bound[1].port) as peer:
            call, answer = await answered(rig, agent, peer, 9)
            peer.send(by_tcp(rig.request("OPTIONS", cseq=2, to_tag=answer.to.tag), 9))
            await peer.heard()
        assert call.hang_up()
        assert await agent.settled(5.0)
        assert agent.counters["failed_connections"] == 1
