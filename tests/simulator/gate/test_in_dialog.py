"""What the gateway asks in a call: each sin of a request gives exactly its violation."""

from collections.abc import Awaitable, Callable

import pytest

from simulator.clock import run_virtual
from simulator.gate import SimulatedCall, SimulatedGate
from tests.simulator.gate.reference_gateway import CONTACT, Dialog
from tests.simulator.gate.reference_peer import ReferencePeer

Play = Callable[[ReferencePeer, Dialog, SimulatedCall], Awaitable[None]]


def rules_of(play: Play, **quirks: object) -> list[str]:
    async def main() -> list[str]:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000", **quirks) as call:  # type: ignore[arg-type]
                await play(peer, peer.dialogs[call.dialog.call_id], call)
                await call.lasts(0.1)
            return [violation.rule for violation in gate.violations]

    return run_virtual(main())


def contact(peer: ReferencePeer) -> str:
    return CONTACT.format(*peer.address) + "\r\n"


def test_infos_of_the_gateway_are_kept() -> None:
    async def play(peer: ReferencePeer, dialog: Dialog, call: SimulatedCall) -> None:
        lines = "Content-Type: application/dtmf-relay\r\n"
        peer.ask(dialog, "INFO", lines, "Signal=5\r\n")
        await call.lasts(0.1)
        assert call.infos == [("application/dtmf-relay", b"Signal=5\r\n")]
        assert peer.statuses == [200]

    assert rules_of(play) == []


@pytest.mark.parametrize(
    ("due", "method", "status"),
    [
        ("contact-missing", "UPDATE", 200),
        ("contact-missing", "REFER", 202),
        ("notify-unsubscribed", "NOTIFY", 481),
    ],
)
def test_one_sin_of_a_request(due: str, method: str, status: int) -> None:
    async def play(peer: ReferencePeer, dialog: Dialog, call: SimulatedCall) -> None:
        lines = "Refer-To: <sip:a@h>\r\n" if method == "REFER" else ""
        if due != "contact-missing":
            lines += contact(peer)
        peer.ask(dialog, method, lines)
        await call.lasts(0.1)
        assert peer.statuses == [status]

    assert rules_of(play) == [due]


def test_a_reinvite_without_common_codec_is_488_and_an_odd_port_is_named() -> None:
    async def play(peer: ReferencePeer, dialog: Dialog, call: SimulatedCall) -> None:
        peer.spoil = lambda data: data.replace(b"RTP/AVP 8 101", b"RTP/AVP 3 101")
        peer.reoffer(dialog, "INVITE", "sendrecv")
        await call.lasts(0.1)
        assert peer.statuses == [488]

    assert rules_of(play) == ["sdp-codec"]


def test_a_reinvite_that_is_not_acknowledged_ends_the_call() -> None:
    async def play(peer: ReferencePeer, dialog: Dialog, call: SimulatedCall) -> None:
        peer.acknowledge = lambda *_: None  # type: ignore[method-assign]
        peer.reoffer(dialog, "INVITE", "sendrecv")
        await call.ended(by="caller", within_s=33)
        assert peer.statuses.count(200) == 11

    async def settled(peer: ReferencePeer, dialog: Dialog, call: SimulatedCall) -> None:
        await play(peer, dialog, call)
        call.state = call.state

    with pytest.raises(AssertionError, match="ended by caller"):
        rules_of(settled)


def test_a_reinvite_that_comes_again_is_answered_again() -> None:
    async def play(peer: ReferencePeer, dialog: Dialog, call: SimulatedCall) -> None:
        sent: list[bytes] = []

        def keep(data: bytes) -> bytes:
            sent.append(data)
            return data

        acknowledge = peer.acknowledge
        peer.acknowledge = lambda *_: None  # type: ignore[method-assign]
        peer.spoil = keep
        peer.reoffer(dialog, "INVITE", "sendrecv")
        await call.lasts(0.1)
        peer.acknowledge = acknowledge  # type: ignore[method-assign]
        peer.transport.sendto(sent[0], dialog.peer)
        await call.lasts(0.1)
        assert peer.statuses == [200, 200]
        assert len(call.reoffers) == 1
        changed = sent[0].replace(b"Max-Forwards: 70", b"Max-Forwards: 69")
        peer.transport.sendto(changed, dialog.peer)

    assert rules_of(play) == ["retransmission-differs"]


def test_the_timer_of_a_reinvite_is_answered_by_the_quirk() -> None:
    async def play(peer: ReferencePeer, dialog: Dialog, call: SimulatedCall) -> None:
        heads: list[dict[str, list[str]]] = []
        peer.hears_response = heads.append
        peer.spoil = lambda data: data.replace(
            b"Contact:", b"Session-Expires: 600\r\nSupported: timer\r\nContact:"
        )
        peer.reoffer(dialog, "INVITE", "sendrecv")
        await call.lasts(0.1)
        peer.spoil = lambda data: data
        assert heads[0]["session-expires"] == ["600;refresher=uac"]
        assert heads[0]["require"] == ["timer"]
        assert call.session_timer is not None
        assert call.session_timer.expires_s == 600

    assert rules_of(play, session_expires_s=1800, refresher="uac") == []


def test_an_offerless_reinvite_brings_our_offer() -> None:
    async def play(peer: ReferencePeer, dialog: Dialog, call: SimulatedCall) -> None:
        heads: list[dict[str, list[str]]] = []
        peer.hears_response = heads.append
        peer.ask(dialog, "INVITE", contact(peer))
        await call.lasts(0.1)
        assert "m=audio" in heads[0]["body"][0]

    # The peer's ACK brings no answer.
    assert rules_of(play) == ["sdp-missing"]
