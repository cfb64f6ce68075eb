"""Broken, odd or misplaced input gets the answer that is due, and the next call works."""

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from scenarios.raw_peer import RawPeer, raw_peer
from scenarios.stories import (
    STAMPS,
    Stage,
    call_with_stamps,
    second_call_is_heard,
)
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gate.rtp import RtpPacket
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness

pytestmark = pytest.mark.direct

CORPORA = Path(__file__).parents[2] / "shared" / "corpora" / "own"
METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "REFER", "NOTIFY")
UDP_MAX = 65_507

Settings = Mapping[str, Mapping[str, Any]]


@pytest.fixture
def stage(gate: SimulatedGate, gemini: FakeGemini, witness: Witness) -> Stage:
    """Everybody who plays."""
    return Stage(gate, gemini, witness)


@pytest.fixture
async def peer(gate: SimulatedGate) -> AsyncIterator[RawPeer]:
    """Somebody who sends what no gate would. Name it before the stage, which takes the baseline."""
    assert gate.gateway is not None
    async with raw_peer(gate.gateway) as opened:
        yield opened


async def nothing_came_of_it(stage: Stage) -> None:
    """No conversation was opened, nothing is left, and a call works."""
    assert not stage.gemini.sessions, "a refused request cost a conversation"
    await second_call_is_heard(stage, "what was refused")


def listed(value: str | None) -> list[str]:
    return [item.strip() for item in (value or "").split(",") if item.strip()]


# Requests that are understood and not carried out


async def test_an_unknown_method_is_answered_405_with_allow(peer: RawPeer, stage: Stage) -> None:
    for method in ("PUBLISH", "SUBSCRIBE", "MESSAGE", "FOO", "invite"):
        answer = await peer.ask(peer.request(method))
        assert answer.status == 405, method
        assert sorted(listed(answer.get("allow"))) == sorted(METHODS)
    peer.check()
    await nothing_came_of_it(stage)


async def test_what_belongs_to_no_call_is_answered_481(peer: RawPeer, stage: Stage) -> None:
    stray = {"To": f"<sip:1000@{peer.gateway}>;tag=nobody"}
    requests = {
        f"{method} with a tag nobody gave": peer.request(method, stray)
        for method in ("BYE", "INFO", "OPTIONS", "INVITE")
    }
    requests["BYE without a tag"] = peer.request("BYE")
    requests["CANCEL of nothing"] = peer.request("CANCEL")
    assert await peer.statuses(requests) == dict.fromkeys(requests, 481)
    assert await peer.answers(peer.request("ACK", stray)) == []
    peer.check()
    await nothing_came_of_it(stage)


async def test_trap_1_a_stranger_who_knows_the_call_id_ends_no_call(
    peer: RawPeer, stage: Stage
) -> None:
    async with call_with_stamps(stage) as call:
        await call.lasts(1.0)
        facts = call.dialog.facts
        mine, theirs = facts.remote_tag, facts.local_tag
        tags = {"no tag": ("", "x"), "ours only": (f";tag={mine}", "x"), "swapped": ("", mine)}
        tags["theirs only"] = ("", theirs)
        requests = {
            name: peer.request(
                "BYE",
                {
                    "Call-ID": facts.call_id,
                    "To": f"<{facts.remote_uri}>{to}",
                    "From": f"<{facts.local_uri}>;tag={from_}",
                },
            )
            for name, (to, from_) in tags.items()
        }
        assert await peer.statuses(requests) == dict.fromkeys(requests, 481)
        await call.lasts(2.0)
    assert call.ended_by == "caller"
    await second_call_is_heard(stage)


async def test_an_extension_we_lack_is_answered_420_and_named(peer: RawPeer, stage: Stage) -> None:
    for wanted in ("100rel", "replaces, foo"):
        invite = peer.request("INVITE", {"Require": wanted}, body=peer.offer())
        answer = await peer.ask(invite)
        assert answer.status == 420
        assert listed(answer.get("unsupported")) == listed(wanted)
    peer.check()
    await nothing_came_of_it(stage)


async def test_what_we_do_not_speak_is_named(peer: RawPeer, stage: Stage) -> None:
    sdp = peer.offer()
    requests = {
        "415 text": peer.request("INVITE", {"Content-Type": "text/plain"}, body=b"hello"),
        "415 gzip": peer.request("INVITE", {"Content-Encoding": "gzip"}, body=sdp),
        "416 tel": peer.request("INVITE", uri="tel:+49301234", body=sdp),
        "416 http": peer.request("OPTIONS", uri="http://127.0.0.1/"),
        "406 accept": peer.request("INVITE", {"Accept": "text/plain"}, body=sdp),
        "505 version": peer.request("INVITE", version="SIP/3.0", body=sdp),
    }
    due = {name: int(name[:3]) for name in requests}
    assert await peer.statuses(requests) == due
    peer.check()
    await nothing_came_of_it(stage)


# Requests that are broken


def broken_requests(peer: RawPeer) -> dict[str, bytes]:
    sdp = peer.offer()
    changes: dict[str, dict[str, str | None]] = {
        "no From": {"From": None},
        "no To": {"To": None},
        "no Call-ID": {"Call-ID": None},
        "no CSeq": {"CSeq": None},
        "CSeq of another method": {"CSeq": "1 BYE"},
        "CSeq without number": {"CSeq": "INVITE"},
        "CSeq too large": {"CSeq": "99999999999 INVITE"},
        "From without an end": {"From": '"x <sip:raw@127.0.0.1>;tag=1'},
        "Content-Length too long": {"Content-Length": "9999"},
        "Content-Length no number": {"Content-Length": "many"},
        "Content-Length below zero": {"Content-Length": "-5"},
    }
    found = {name: peer.request("INVITE", each, body=sdp) for name, each in changes.items()}
    whole = peer.request("INVITE", body=sdp)
    found |= {
        "a line that is no header": whole.replace(b"Max-F", b"what is this\r\nMax-F"),
        "two From": peer.request("INVITE", body=sdp).replace(b"To:", b"From: <sip:a@b>\r\nTo:"),
        "no host to call": peer.request("INVITE", uri="sip:", body=sdp),
        "a space in the URI": peer.request("INVITE", uri="sip:10 00@127.0.0.1", body=sdp),
        "a body that is no SDP": peer.request("INVITE", body=b"\x00\xff no description"),
    }
    return found


async def test_a_broken_request_is_answered_400(peer: RawPeer, stage: Stage) -> None:
    requests = broken_requests(peer)
    assert await peer.statuses(requests) == dict.fromkeys(requests, 400)
    # What was missing or broken in the request cannot be right in the answer.
    peer.check("mandatory-header", "grammar", "cseq-number", "single-header")
    await nothing_came_of_it(stage)


async def test_rubbish_is_met_with_silence_or_400(peer: RawPeer, stage: Stage) -> None:
    chance = random.Random(2)
    whole = peer.request("OPTIONS")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.sendto(b"", peer.gateway)  # asyncio itself would not send it
    datagrams = [
        *(bytes([octet]) for octet in (0, 10, 13, 32, 65, 255)),
        b"\r\n\r\n",
        b"\x00" * UDP_MAX,
        b"A" * UDP_MAX,
        b"OPTIONS " * (UDP_MAX // 8),
        *(chance.randbytes(chance.randrange(1, 1500)) for _ in range(100)),
        *(whole[:end] for end in range(1, whole.index(b"CSeq"), 25)),
    ]
    assert set(await peer.answers(*datagrams)) <= {400}
    assert (await peer.ask(peer.request("OPTIONS"))).status == 200
    await nothing_came_of_it(stage)


# Offers


OFFERS: dict[str, tuple[str, str]] = {
    "third party": ("c=IN IP4 127.0.0.1", "c=IN IP4 203.0.113.5"),
    "multicast": ("c=IN IP4 127.0.0.1", "c=IN IP4 224.2.1.1/127"),
    "host name": ("c=IN IP4 127.0.0.1", "c=IN IP4 phone.invalid"),
    "no address": ("c=IN IP4 127.0.0.1", "c=IN IP4 999.1.1.1"),
    "no c= line": ("c=IN IP4 127.0.0.1\n", ""),
    "port 0": ("m=audio 40000", "m=audio 0"),
    "port 70000": ("m=audio 40000", "m=audio 70000"),
    "no port": ("m=audio 40000", "m=audio x"),
    "video only": ("m=audio 40000 RTP/AVP 8 0 101", "m=video 40000 RTP/AVP 96"),
    "encrypted": ("RTP/AVP", "RTP/SAVP"),
    "no common codec": ("RTP/AVP 8 0 101", "RTP/AVP 3 18"),
    "no media": ("m=audio 40000 RTP/AVP 8 0 101\n", ""),
}


async def test_an_offer_we_cannot_take_is_answered_488(peer: RawPeer, stage: Stage) -> None:
    requests = {
        name: peer.request("INVITE", body=peer.offer(**{old: new}))
        for name, (old, new) in OFFERS.items()
    }
    own_port = f"m=audio {peer.gateway.port}"
    requests["our SIP port"] = peer.request(
        "INVITE", body=peer.offer(**{"m=audio 40000": own_port})
    )
    assert await peer.statuses(requests) == dict.fromkeys(requests, 488)
    peer.check()
    await nothing_came_of_it(stage)


# Who asks


class TestOfOneAddress:
    """A gateway that listens to one address only."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"sip": {"allow": ["127.0.0.1/32"]}}

    async def test_another_is_answered_403(self, stage: Stage) -> None:
        assert stage.gate.gateway is not None
        try:
            async with SimulatedGate("127.0.0.2", gateway=stage.gate.gateway) as other:
                assert await other.options() == 403
                call = await other.dial("1000", expect=403)
                other.check()
        except OSError:
            pytest.skip("this machine has no 127.0.0.2")
        assert call.final_status == 403
        await nothing_came_of_it(stage)


async def test_options_are_answered_with_all_that_a_gate_asks_for(
    peer: RawPeer, stage: Stage
) -> None:
    answer = await peer.ask(peer.request("OPTIONS", {"Accept": "application/sdp"}))
    assert answer.status == 200
    assert sorted(listed(answer.get("allow"))) == sorted(METHODS)
    assert listed(answer.get("accept")) == ["application/sdp"]
    for name in ("Accept-Encoding", "Accept-Language", "Supported", "Contact", "Server"):
        assert answer.all(name), name
    peer.check()
    assert await stage.gate.options() == 200
    await nothing_came_of_it(stage)


# What gates send that is odd and right


@pytest.mark.parametrize(
    ("number", "quirks"),
    [
        ("1000", {"folded": True}),
        ("1000", {"bare_lf": True}),
        ("1000", {"compact": True}),
        ("1000", {"compact": True, "folded": True, "bare_lf": True}),
        ("1000", {"latin_1": True, "display_name": "Jürgen Groß"}),
        ("*31#100", {"display_name": 'O \\"the\\" Neill, <a@b>'}),
        ("1000;phone-context=+49", {"caller": "*21#"}),
    ],
)
@pytest.mark.thorough(but=2)
async def test_sloppy_gates_are_heard(
    gate: SimulatedGate, gemini: FakeGemini, number: str, quirks: dict[str, Any]
) -> None:
    gemini.always(say=STAMPS)
    async with gate.dial(number, speak=STAMPS, **quirks) as call:
        await call.lasts(2.0)
    assert call.heard.only_from(gemini.session(0), at_least=2)
    assert gemini.session(0).heard.only_from(call, at_least=2)


# INVITE again


async def test_trap_3_an_invite_of_a_hundred_copies_is_one_call(stage: Stage) -> None:
    async with call_with_stamps(stage, retransmit_invite=99) as call:
        await call.lasts(3.0)
    assert len(stage.gemini.sessions) == 1
    assert stage.gate.violations == []  # one To tag, one final answer in all of them
    await second_call_is_heard(stage)


async def test_an_invite_that_came_by_another_way_too_is_answered_482(
    peer: RawPeer, stage: Stage
) -> None:
    """RFC 3261 8.2.2.2: same Call-ID, From tag and CSeq, another branch."""
    stage.gemini.stall_setup(2.0, times=1)
    invite = peer.request("INVITE", body=peer.offer())
    peer.send(invite)
    assert (await peer.ask(invite.replace(b"z9hG4bK", b"z9hG4bKfork"))).status == 482
    cancel = invite.partition(b"Contact:")[0].replace(b"INVITE sip", b"CANCEL sip")
    cancel = cancel.replace(b"1 INVITE", b"1 CANCEL") + b"Content-Length: 0\r\n\r\n"
    assert sorted(status for status in await peer.answers(cancel) if status >= 200) == [200, 487]
    peer.send(invite.replace(b"INVITE", b"ACK"))
    await second_call_is_heard(stage, "a cancelled call")


async def test_a_reinvite_with_the_same_sdp_right_after_the_ack(stage: Stage) -> None:
    async with call_with_stamps(stage, reinvite_after_ack=True) as call:
        await call.lasts(3.0)
        assert call.reinvite_statuses == [200]
        assert await call.reinvite() == 200
        await call.lasts(0.5)
    await second_call_is_heard(stage)


async def test_a_reinvite_that_cannot_be_taken_is_answered_488_and_the_call_goes_on(
    stage: Stage,
) -> None:
    async with call_with_stamps(stage) as call:
        await call.lasts(1.0)
        same = call.dialog.sdp(call.media.port, version=2)
        wishes = {
            "no codec of ours": same.replace(b"RTP/AVP 8 0 101", b"RTP/AVP 18 101"),
            "another host": same.replace(b"c=IN IP4 127.0.0.1", b"c=IN IP4 203.0.113.5"),
            "no audio": same.replace(b"m=audio", b"m=video"),
            "no SDP": b"nonsense",
        }
        assert all(wish != same for wish in wishes.values())
        statuses = {name: await call.reinvite(wish) for name, wish in wishes.items()}
        assert statuses == dict.fromkeys(wishes, 488)
        await call.lasts(2.0)
    assert call.ended_by == "caller"
    await second_call_is_heard(stage)


# RTP that is none


OWN_RTP: dict[str, bytes] = {
    "empty": b"",
    "one octet": b"\x80",
    "a cut header": b"\x80" * 11,
    "version 0": bytes(172),
    "version 3": RtpPacket(8, 1, 160, 1, b"\xd5" * 160).serialise().replace(b"\x80", b"\xc0", 1),
    "extension without length": b"\x90" + RtpPacket(8, 1, 160, 1, b"").serialise()[1:],
    "more padding than packet": b"\xa0" + RtpPacket(8, 1, 160, 1, b"\xff" * 9).serialise()[1:],
    "more sources than packet": b"\x8f" + RtpPacket(8, 1, 160, 1, b"\xd5" * 9).serialise()[1:],
    "another payload type": RtpPacket(127, 1, 160, 1, b"\xd5" * 160).serialise(),
    "a payload of one octet": RtpPacket(8, 1, 160, 1, b"\xd5").serialise(),
    "a payload of 60,000 octets": RtpPacket(8, 1, 160, 1, b"\xd5" * 60_000).serialise(),
    "another stream": RtpPacket(8, 9, 160, 0, b"\xd5" * 160).serialise(),
    "DTLS": b"\x16\xfe\xff" + bytes(60),
    "STUN": b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12),
    "RTCP": b"\x80\xc8\xff\xff" + bytes(24),
    "a cut event": RtpPacket(101, 1, 160, 1, b"\x05").serialise(),
}


async def malformed_rtp_changes_nothing(stage: Stage, vectors: Mapping[str, bytes]) -> None:
    """Each comes from the caller's own port, in the midst of the caller's own packets."""
    async with call_with_stamps(stage) as call:
        await call.lasts(0.5)
        for vector in vectors.values():
            for _ in range(3):
                call.media.send_raw(vector)
                await call.lasts(0.02)
        await call.lasts(2.0)
    assert call.ended_by == "caller"
    await second_call_is_heard(stage)


async def test_malformed_rtp_changes_nothing(stage: Stage) -> None:
    await malformed_rtp_changes_nothing(stage, OWN_RTP)


@pytest.mark.skipif(not CORPORA.is_dir(), reason=f"the shared test data is not at {CORPORA}")
async def test_rtp_of_the_corpus_changes_nothing(stage: Stage) -> None:
    rows = json.loads((CORPORA / "rtp_edge.json").read_text(encoding="utf-8"))
    vectors = {row["name"]: bytes.fromhex(row["hex"]) for row in rows}
    await malformed_rtp_changes_nothing(stage, vectors)


# Things that cross


class Crossing:
    """Acts in the moment in which a message arrives at the gate, before the gate has read it."""

    def __init__(self, start: bytes, method: bytes) -> None:
        self.act: Callable[[], None] | None = None
        self._start, self._method = start, method

    def record(
        self, _at_s: float, _source: tuple[str, int], _to: tuple[str, int], payload: bytes
    ) -> None:
        """See every datagram of the gate."""
        if self.act is not None and payload.startswith(self._start) and self._method in payload:
            act, self.act = self.act, None
            act()


async def crossed(stage: Stage, crossing: Crossing, until: str) -> SimulatedCall:
    """A call whose caller gives up in the moment that the crossing waits for."""
    async with SimulatedGate(gateway=stage.gate.gateway, tape=crossing) as gate:
        call: SimulatedCall = await gate.dial("1000", until=until)  # type: ignore[arg-type]
        crossing.act = call.abandon
        await call.ended(by="caller", within_s=20)
        assert crossing.act is None, "nothing crossed"
        await asyncio.sleep(1.0)
        gate.check()
    return call


async def test_trap_4_bye_crosses_bye(stage: Stage) -> None:
    stage.gemini.on_text(session=0)
    await crossed(stage, Crossing(b"BYE ", b"BYE"), until="answer")
    await second_call_is_heard(stage)


async def test_trap_4_cancel_crosses_the_answer(stage: Stage) -> None:
    call = await crossed(stage, Crossing(b"SIP/2.0 200", b" INVITE\r\n"), until="sent")
    assert call.final_status == 200
    await second_call_is_heard(stage)


async def test_cancel_after_the_answer_is_too_late(stage: Stage) -> None:
    async with call_with_stamps(stage) as call:
        await call.lasts(1.0)
        call._send_cancel()
        await call.lasts(2.0)
        assert call._cancel is not None
        assert call._cancel.status == 200
    assert call.ended_by == "caller"
    await second_call_is_heard(stage)


class AnswersSeen:
    """Counts the 200 to INVITE that reach the gate, whatever it makes of them."""

    def __init__(self) -> None:
        self.count = 0

    def record(
        self, _at_s: float, _source: tuple[str, int], _to: tuple[str, int], payload: bytes
    ) -> None:
        """See every datagram of the gate."""
        self.count += payload.startswith(b"SIP/2.0 200") and b" INVITE\r\n" in payload


async def test_trap_4_a_bye_before_the_ack_ends_the_call(stage: Stage) -> None:
    seen = AnswersSeen()
    async with SimulatedGate(gateway=stage.gate.gateway, tape=seen) as gate:
        call = await gate.dial("1000", never_ack=True)
        await call.hang_up()
        sent = seen.count
        await asyncio.sleep(5.0)
        gate.check()
    assert seen.count == sent, "the 200 goes on after the BYE"
    await second_call_is_heard(stage)
