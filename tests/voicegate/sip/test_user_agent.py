"""The shell over real loopback sockets; where seconds pass, in virtual time."""

from __future__ import annotations

import asyncio
import gc
import random
import socket
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from simulator.clock import run_virtual
from voicegate.sip import user_agent as module
from voicegate.sip.leg import Silent
from voicegate.sip.message import Address, Request, Response, parse
from voicegate.sip.opening import open_user_agent
from voicegate.sip.outgoing import Destination
from voicegate.sip.user_agent import DialogEnd, IncomingCall, UserAgent

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Message, Rig

PATIENCE_S = 5.0


class Media:
    """Describes the media of a call in few words."""

    def renegotiate(self, body: bytes) -> bytes | None:
        return body + b" answered"

    def offer(self) -> bytes | None:
        return b"our offer"

    def agree(self, body: bytes) -> bool:
        return bool(body)


class Peer:
    """A UDP socket that speaks literal SIP."""

    def __init__(self, agent: UserAgent, rig: Rig) -> None:
        self._rig = rig
        self._loop = asyncio.get_running_loop()
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self._sock.setblocking(False)
        self.address = Address(*self._sock.getsockname())
        self.agent_address = ("127.0.0.1", agent.local.port)

    def send(self, data: bytes) -> None:
        port = b"127.0.0.1:%d" % self.address.port
        self._sock.sendto(data.replace(b"127.0.0.1:5061", port), self.agent_address)

    async def heard(self) -> Message:
        async with asyncio.timeout(PATIENCE_S):
            return parse(await self._loop.sock_recv(self._sock, 65_536))

    async def statuses(self, count: int) -> list[int]:
        messages = [await self.heard() for _ in range(count)]
        return [message.status for message in messages if isinstance(message, Response)]

    async def call(self, agent: UserAgent, name: str = "call-1") -> tuple[IncomingCall, Response]:
        """A call answered and acknowledged."""
        self.send(self._rig.request(call=name, body=self._rig.sdp))
        call = await agent.next_call()
        call.answer(b"answer")
        await self.heard()
        answer = await self.heard()
        assert isinstance(answer, Response)
        self.send(self._rig.request("ACK", call=name, to_tag=answer.to.tag))
        return call, answer

    def close(self) -> None:
        self._sock.close()


@asynccontextmanager
async def opened(
    rig: Rig, host: str = "127.0.0.1", ready: Callable[[], bool] = lambda: True
) -> AsyncIterator[tuple[UserAgent, Peer]]:
    async with open_user_agent(
        [Address(host, 0)],
        product="p",
        allow=lambda _host: True,
        ready=ready,
        random=random.Random(1),
    ) as agent:
        peer = Peer(agent, rig)
        try:
            yield agent, peer
        finally:
            peer.close()


async def test_a_call_from_invite_to_bye(rig: Rig) -> None:
    async with opened(rig) as (agent, peer):
        peer.send(rig.request(body=rig.sdp))
        call = await agent.next_call()
        assert (call.caller, call.called, call.body) == ("100", "1000", rig.sdp)
        assert call.source == peer.address
        assert call.local == agent.bound[0]
        call.media = Media()
        call.ring()
        call.answer(b"answer")
        assert await peer.statuses(2) == [100, 180]
        answer = await peer.heard()
        assert answer.body == b"answer"
        peer.send(rig.request("ACK", to_tag=answer.to.tag))
        peer.send(rig.request("BYE", cseq=2, to_tag=answer.to.tag))
        assert await call.ended_by_peer() is DialogEnd.BYE
        assert await peer.statuses(1) == [200]
        assert not call.hang_up()
        assert isinstance(call.media, Silent)
        assert await agent.settled(0.0)
        assert agent.counters["datagrams_in"] == 3


async def test_every_message_is_shown_with_its_way(rig: Rig) -> None:
    shown: list[tuple[bytes, Address, Address]] = []
    async with opened(rig) as (agent, peer):
        agent.on_message = lambda *message: shown.append(message)
        peer.send(rig.request("OPTIONS", call="probe"))
        assert await peer.statuses(1) == [200]
        (asked, *way), (answer, *way_back) = shown
    assert (asked.split()[0], answer.split()[1]) == (b"OPTIONS", b"200")
    assert way == [peer.address, agent.bound[0]]
    assert way_back == [agent.bound[0], peer.address]


async def test_hanging_up_sends_bye_and_settles_when_it_is_answered(rig: Rig) -> None:
    async with opened(rig) as (agent, peer):
        call, _ = await peer.call(agent)
        peer.send(rig.request("OPTIONS", call="probe"))
        assert await peer.statuses(1) == [200]
        assert call.hang_up()
        assert not call.hang_up()
        bye = await peer.heard()
        assert isinstance(bye, Request)
        assert bye.method == "BYE"
        assert not await agent.settled(0.0)
        waiting = asyncio.ensure_future(agent.settled(PATIENCE_S))
        await asyncio.sleep(0)
        peer.send(rig.reply(bye, 200))
        assert await waiting


async def test_cancel_and_reject(rig: Rig) -> None:
    async with opened(rig) as (agent, peer):
        peer.send(rig.request())
        call = await agent.next_call()
        peer.send(rig.request("CANCEL", branch="z9hG4bK-call-1-1-INVITE"))
        assert await call.ended_by_peer() is DialogEnd.CANCEL
        assert await peer.statuses(3) == [100, 200, 487]
        call.reject(486)
        call.abort()
        peer.send(rig.request(call="two"))
        (await agent.next_call()).reject(503, retry_after_s=7)
        assert await peer.statuses(1) == [100]
        assert (await peer.heard()).header("Retry-After") == "7"


async def test_a_reinvite_is_answered_by_the_call(rig: Rig) -> None:
    async with opened(rig) as (agent, peer):
        call, answer = await peer.call(agent)

        def reinvite(cseq: int) -> bytes:
            return rig.request(cseq=cseq, to_tag=answer.to.tag, body=b"offer")

        peer.send(reinvite(2))
        assert await peer.statuses(1) == [488]
        call.media = Media()
        peer.send(reinvite(3))
        assert (await peer.heard()).body == b"offer answered"


async def test_our_own_bug_in_an_answer_is_loud_and_the_call_goes_on(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Media):
        def renegotiate(self, body: bytes) -> bytes | None:
            raise ZeroDivisionError("ours")

    async with opened(rig) as (agent, peer):
        call, answer = await peer.call(agent)
        call.media = Broken()
        peer.send(rig.request(cseq=2, to_tag=answer.to.tag, body=b"x"))
        assert await peer.statuses(1) == [488]
        peer.send(rig.request("BYE", cseq=3, to_tag=answer.to.tag))
        assert await call.ended_by_peer() is DialogEnd.BYE
    assert "ZeroDivisionError" in caplog.text


async def test_the_end_of_a_call_lets_go_of_what_it_held(rig: Rig) -> None:
    async with opened(rig) as (agent, peer):
        refs: list[weakref.ref[object]] = []
        for number, ours in enumerate((True, False)):
            call, answer = await peer.call(agent, f"c{number}")
            media = Media()
            call.media = media
            refs += [weakref.ref(media), weakref.ref(call)]
            peer.send(rig.request("OPTIONS", call="probe"))
            await peer.heard()
            if ours:
                call.hang_up()
            else:
                peer.send(rig.request("BYE", call="c1", cseq=2, to_tag=answer.to.tag))
                await call.ended_by_peer()
            await peer.heard()
            del call, media
        gc.collect()
        assert [ref() for ref in refs] == [None] * 4
        assert agent.dialogs == 2


async def test_a_peer_that_asks_for_our_offer_gets_it_and_must_answer(rig: Rig) -> None:
    async with opened(rig) as (agent, peer):
        peer.send(rig.request())
        call = await agent.next_call()
        call.media = Media()
        call.answer(b"our offer")
        assert await peer.statuses(1) == [100]
        answer = await peer.heard()
        peer.send(rig.request("ACK", to_tag=answer.to.tag))
        assert await call.ended_by_peer() is DialogEnd.NO_MEDIA
        assert (await peer.heard()).cseq.method == "BYE"


async def test_a_call_of_ours_is_dialled_answered_and_hung_up(rig: Rig) -> None:
    async with opened(rig) as (agent, peer):
        to = Destination(f"sip:200@{peer.address}", "sip:gw@127.0.0.1", peer.address)
        call = agent.outgoing(to)
        assert call is not None
        told: list[int] = []
        call.on_progress, call.media = told.append, Media()
        dialling = asyncio.ensure_future(call.connect(b"offer"))
        invite = await peer.heard()
        assert (invite.body, call.call_id, call.called) == (b"offer", invite.call_id, "200")
        peer.send(rig.reply(invite, 180, tag="peer"))
        peer.send(rig.reply(invite, 200, tag="peer", body=b"answer"))
        await dialling
        assert (await peer.heard()).cseq.method == "ACK"
        assert (told, call.status, call.is_ours) == ([180, 200], 200, True)
        call.reject(503)
        assert call.hang_up()
        assert (await peer.heard()).cseq.method == "BYE"


async def test_a_burst_beyond_the_queue_is_refused_503(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING_CALLS", 1)
    async with opened(rig) as (agent, peer):
        peer.send(rig.request(call="a"))
        peer.send(rig.request(call="b"))
        assert await peer.statuses(3) == [100, 100, 503]
        assert (agent.waiting_calls, agent.counters["waiting_calls_full"]) == (1, 1)


async def test_not_ready(rig: Rig) -> None:
    async with opened(rig, ready=lambda: False) as (_, peer):
        peer.send(rig.request())
        answer = await peer.heard()
        assert answer.header("Retry-After") == "5"


async def test_a_large_invite_is_not_cut(rig: Rig) -> None:
    async with opened(rig) as (agent, peer):
        peer.send(rig.request(body=b"x" * 60_000))
        async with asyncio.timeout(PATIENCE_S):
            assert len((await agent.next_call()).body) == 60_000


async def test_nothing_is_left_when_the_block_is_left(rig: Rig) -> None:
    before = len(asyncio.all_tasks())
    async with opened(rig) as (agent, peer):
        call, _ = await peer.call(agent)
        call.hang_up()
        port = agent.local.port
    call.hang_up()
    call.abort()
    assert len(asyncio.all_tasks()) == before
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("127.0.0.1", port))


def test_without_an_ack_the_answer_is_resent_and_the_call_ends_at_32_s(rig: Rig) -> None:
    async def story() -> tuple[float, list[str], int]:
        async with opened(rig) as (agent, peer):
            loop = asyncio.get_running_loop()
            peer.send(rig.request(body=rig.sdp))
            call = await agent.next_call()
            began = loop.time()
            call.answer(b"answer")
            heard: list[str] = []

            async def listen() -> None:
                while True:
                    message = parse(await loop.sock_recv(peer._sock, 65_536))
                    heard.append(message.cseq.method)
                    if isinstance(message, Request):
                        peer.send(rig.reply(message, 200))

            listening = asyncio.ensure_future(listen())
            assert await call.ended_by_peer() is DialogEnd.NO_ACK
            lasted = loop.time() - began
            await asyncio.sleep(40)
            listening.cancel()
            await asyncio.wait([listening])  # its socket is closed next: Windows selects none such
            return lasted, heard, agent.dialogs + agent.transactions

    lasted, heard, left = run_virtual(story())
    assert lasted == pytest.approx(32.0, abs=0.01)
    assert heard == ["INVITE"] * 12 + ["BYE"]
    assert left == 0


def test_settled_gives_up_in_time(rig: Rig) -> None:
    async def story() -> tuple[bool, float]:
        async with opened(rig) as (agent, peer):
            call, _ = await peer.call(agent)
            call.hang_up()
            began = asyncio.get_running_loop().time()
            return await agent.settled(2.0), asyncio.get_running_loop().time() - began

    done, took = run_virtual(story())
    assert not done
    assert took == pytest.approx(2.0, abs=0.01)


async def test_an_info_reaches_the_call_until_it_is_over(rig: Rig) -> None:
    told: list[tuple[str, bytes]] = []
    async with opened(rig) as (agent, peer):
        call, answer = await peer.call(agent)
        call.inform = lambda kind, body: told.append((kind, body))
        peer.send(rig.request("INFO", cseq=2, to_tag=answer.to.tag, body=b"5"))
        assert await peer.statuses(1) == [200]
        assert [body for _, body in told] == [b"5"]
        peer.send(rig.request("BYE", cseq=3, to_tag=answer.to.tag))
        assert await peer.statuses(1) == [200]
        call.inform("x", b"heard by nobody")
        assert [body for _, body in told] == [b"5"]
