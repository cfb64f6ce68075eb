"""Mutation fuzz: 20,000 messages, always the same ones; each is cheap and leaves nothing behind."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from voicegate.sip.events import CallReceived, DialogId

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Rig

MESSAGES = 20_000
CHUNKS = 10
pytestmark = pytest.mark.usefixtures("calm")

CASE_LIMIT_S = 0.05
LATER_S = (0.0, 0.0, 0.0, 0.1, 0.5, 4.0, 33.0)
YOUNGEST = 8

ODDITIES = [
    *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\r\n ", b"\0", b"\xff", b"\xc3\xbc", b"%00", b"%"),
    *(bytes([octet]) for octet in b'"<>;,=:@?\\[]()'),
    *(b"0", b"-1", b"65536", b"2147483648", b"99999999999999999999", b"1e9", b"\xd9\xa1"),
    *(b"SIP/2.0", b"SIP/9.9", b"sip:", b"sips:", b"tel:", b"z9hG4bK", b";tag=", b";branch="),
    *(b"\r\nVia: SIP/2.0/UDP h", b"\r\nTo: <sip:a@b>;tag=x", b"\r\nContent-Length: 9"),
    *(b"\r\nRequire: x", b"\r\nRecord-Route: <sip:192.0.2.1;lr>", b"\r\nContact: *"),
    *(b"\r\nSession-Expires: 1", b"\r\nMin-SE: 90", b"\r\nl: 1", b"\r\nRSeq: 1"),
]


def seeds(rig: Rig, dialog: DialogId) -> list[bytes]:
    """Messages that are right: what opens a call, what belongs to one, and what answers ours."""
    methods = ("INVITE", "OPTIONS", "REGISTER", "BYE", "CANCEL", "ACK", "INFO", "UPDATE", "REFER")
    extra = ["Record-Route: <sip:127.0.0.1:5061;lr>", "Supported: timer", "Session-Expires: 90"]
    found = [rig.request(method, extra=extra, body=rig.sdp) for method in methods]
    found += [rig.within(dialog, method, cseq=9, body=rig.sdp) for method in methods]
    status = rig.request().replace(b"INVITE sip:1000@127.0.0.1:5060 SIP/2.0", b"SIP/2.0 200 OK")
    return [*found, status, b"\r\n\r\n"]


def mutated(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """One to four changes: bits, cuts, repeats, oddities, the tail of another message."""
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(data) + 1), chance.choice((1, 2, 8, 60))
        match chance.randrange(6):
            case 0:
                data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
            case 1:
                data = data[:at] + data[at + length :]
            case 2:
                times = chance.choice((2, 3, 50) if chance.random() < 0.99 else (3000,))
                data = data[:at] + data[at : at + length] * times + data[at + length :]
            case 3:
                data = data[:at] + chance.choice(ODDITIES) + data[at:]
            case 4:
                data = data[:at] + other[chance.randrange(len(other)) :]
            case _:
                lines = data.split(b"\r\n")
                chance.shuffle(lines)
                data = b"\r\n".join(lines) if chance.random() < 0.2 else data
    return data[:65_507]


def play(rig: Rig, chance: random.Random, begun: list[DialogId]) -> None:
    """Do with the calls what a gateway might do."""
    begun += [event.dialog for event in rig.events() if isinstance(event, CallReceived)]
    if chance.random() < 0.3:
        dialog, endpoint = chance.choice(begun[-YOUNGEST:]), rig.endpoint
        commands = (
            lambda: endpoint.answer(dialog, rig.sdp, rig.now),
            lambda: endpoint.reject(dialog, 486, rig.now),
            lambda: endpoint.hang_up(dialog, rig.now),
            lambda: endpoint.abort(dialog, rig.now),
            lambda: endpoint.answer_offer(dialog, rig.sdp, rig.now),
        )
        chance.choice(commands)()


def pass_time(rig: Rig, until: float) -> None:
    while (due := rig.endpoint.get_timer()) is not None and due <= until:
        rig.now = max(rig.now, due)
        rig.endpoint.handle_timer(rig.now)
    rig.now = until


@pytest.mark.parametrize("chunk", range(CHUNKS), ids=lambda number: f"fuzz{number}")
def test_mutated_messages_never_crash_never_cost_and_leave_nothing(rig: Rig, chunk: int) -> None:
    chance = random.Random(f"voicegate {chunk}")
    dialog = rig.confirmed("base")
    begun, slowest_s = [dialog], 0.0
    right = seeds(rig, dialog)
    for _ in range(MESSAGES // CHUNKS):
        data = mutated(chance, chance.choice(right), chance.choice(right))
        began = time.process_time()
        rig.endpoint.receive_datagram(data, rig.peer, rig.now, rig.local)
        slowest_s = max(slowest_s, time.process_time() - began)
        play(rig, chance, begun)
        sent = rig.endpoint.datagrams_to_send()
        assert all(flow.peer.host == rig.peer.host for _, flow in sent), data
        pass_time(rig, rig.now + chance.choice(LATER_S))
    assert slowest_s < CASE_LIMIT_S
    counters = rig.endpoint.counters
    # it is no test unless it gets past the first line of the parser, and not always
    assert counters["malformed"] > MESSAGES // CHUNKS // 10
    assert counters["refused_requests"] + counters["stray_requests"] > MESSAGES // CHUNKS // 10
    for dialog in begun:
        rig.endpoint.abort(dialog, rig.now)
    pass_time(rig, rig.now + 100.0)
    assert (rig.endpoint.dialogs, rig.endpoint.transactions, rig.endpoint.unsettled) == (0, 0, 0)
    assert rig.endpoint.get_timer() is None
