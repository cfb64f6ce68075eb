"""Hold, resume, moved RTP, UPDATE, refresh and transfer, against the reference peer."""

import asyncio

import pytest

from simulator.audio.sound import stamps
from simulator.clock import run_virtual
from simulator.gate import SimulatedCall, SimulatedGate
from simulator.gate.mid_call import Hold, Offer
from tests.simulator.gate.clocks import Run, both_clocks
from tests.simulator.gate.reference_gateway import CONTACT, Dialog
from tests.simulator.gate.reference_peer import ReferencePeer

HOLDS: list[Hold] = ["sendonly", "inactive", "zero"]


def dialog_of(peer: ReferencePeer, call: SimulatedCall) -> Dialog:
    return peer.dialogs[call.dialog.call_id]


@pytest.mark.parametrize("by", ["INVITE", "UPDATE"])
@pytest.mark.parametrize("how", HOLDS)
def test_a_hold_silences_the_gateway_and_a_resume_brings_it_back(how: Hold, by: Offer) -> None:
    async def main() -> None:
        async with (
            ReferencePeer(say=stamps(every_s=0.5)) as peer,
            SimulatedGate(gateway=peer.address) as gate,
        ):
            async with gate.dial("1000", speak=stamps(every_s=0.5)) as call:
                await call.lasts(2)
                heard, sent = call.rtp.packets, call.media.packets_sent
                assert await call.hold(how, by=by) == 200
                await call.lasts(2)
                assert call.rtp.packets - heard <= 1
                # RFC 3264 8.4: on sendonly the holder may speak (music on hold).
                sends = call.media.packets_sent - sent
                assert sends == (pytest.approx(100, abs=2) if how == "sendonly" else 0)
                assert await call.resume(by=by) == 200
                before = call.media.packets_sent
                await call.lasts(2)
                assert call.media.packets_sent - before == pytest.approx(100, abs=2)
                assert call.rtp.packets == pytest.approx(200, abs=3)
            gate.check()

    run_virtual(main())


@both_clocks
def test_a_held_call_on_both_clocks(run: Run) -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                await call.lasts(0.4)
                assert await call.hold("inactive") == 200
                await call.lasts(0.6)
                assert await call.resume() == 200
                await call.lasts(0.4)
            gate.check()

    run(main())


def test_a_gateway_that_speaks_on_during_a_hold_is_named() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                await call.lasts(1)
                await call.hold("sendonly")
                rtp = dialog_of(peer, call).rtp
                assert rtp is not None
                rtp.paused = False
                await call.lasts(1)
                assert call.rtp.on_hold == pytest.approx(50, abs=2)
            rules = [(violation.rule, violation.rfc) for violation in gate.violations]
            assert rules == [("rtp-on-hold", "RFC 3264 6.1/8.4")]

    run_virtual(main())


def test_a_gateway_that_stays_silent_after_the_resume_is_named() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                await call.hold("inactive")
                await call.lasts(1)
                await call.resume()
                rtp = dialog_of(peer, call).rtp
                assert rtp is not None
                rtp.paused = True
                await call.lasts(1)
            assert [violation.rule for violation in gate.violations] == ["rtp-gap"]

    run_virtual(main())


def test_an_answer_that_does_not_fit_the_hold_is_named() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                peer.spoil = lambda data: data.replace(b"a=recvonly", b"a=sendrecv")
                assert await call.hold("sendonly") == 200
                peer.spoil = lambda data: data
            # The wrong direction brings its own length and version with it.
            assert "sdp-direction" in [violation.rule for violation in gate.violations]

    run_virtual(main())


def test_a_refused_hold_changes_nothing() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                peer.refuse_offer = b"488 Not Acceptable Here"
                assert await call.hold() == 488
                await call.lasts(1)
                assert call.rtp.packets == pytest.approx(50, abs=2)
                assert call.reinvite_statuses == [488]
                peer.refuse_offer = None
                offers: list[str] = []
                accept = peer.answer_body

                def answer_body(headers: dict[str, list[str]], dialog: Dialog) -> str:
                    offers.append(headers["body"][0])
                    return accept(headers, dialog)

                peer.answer_body = answer_body  # type: ignore[method-assign]
                assert await call.reinvite() == 200
                assert "a=sendrecv" in offers[0]
            gate.check()

    run_virtual(main())


def test_the_gateway_holds_and_resumes() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                for method, direction, ours, theirs in (
                    ("INVITE", "inactive", 0, 0),
                    ("INVITE", "sendrecv", 50, 50),
                    ("UPDATE", "sendonly", 0, 50),
                    ("UPDATE", "sendrecv", 50, 50),
                    ("INVITE", "recvonly", 50, 0),
                    ("INVITE", "sendrecv", 50, 50),
                ):
                    peer.reoffer(dialog_of(peer, call), method, direction)
                    await call.lasts(0.1)
                    sent, heard = call.media.packets_sent, call.rtp.packets
                    await call.lasts(1)
                    assert call.media.packets_sent - sent == pytest.approx(ours, abs=1), direction
                    assert call.rtp.packets - heard == pytest.approx(theirs, abs=1), direction
                assert peer.statuses == [200] * 6
                assert len(call.reoffers) == 6
            gate.check()

    run_virtual(main())


def test_the_old_hold_of_the_gateway_stops_us() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                peer.reoffer(dialog_of(peer, call), "INVITE", "sendrecv", host="0.0.0.0")
                await call.lasts(0.1)
                sent = call.media.packets_sent
                await call.lasts(1)
                assert call.media.packets_sent == sent
                peer.reoffer(dialog_of(peer, call), "INVITE", "sendrecv")
                await call.lasts(1)
                assert call.media.packets_sent > sent + 40
            gate.check()

    run_virtual(main())


def test_a_reinvite_is_refused_on_request_and_while_ours_is_open() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                call.refuse_reinvite = 488
                peer.reoffer(dialog_of(peer, call), "INVITE", "sendonly")
                await call.lasts(0.1)
                call.refuse_reinvite = None
                peer.spoil = lambda data: b"" if data.startswith(b"SIP/2.0 200") else data
                holding = asyncio.ensure_future(call.hold())
                await call.lasts(0.1)
                peer.reoffer(dialog_of(peer, call), "INVITE", "sendrecv")
                await call.lasts(0.1)
                peer.spoil = lambda data: data
                peer.answered.clear()
                assert await holding == 200
                assert peer.statuses == [488, 491]
                await call.lasts(33)
            rules = [violation.rule for violation in gate.violations]
            # RTP stopped before its lost 200 could say so; the refusals were acknowledged.
            assert "ack-missing" not in rules
            assert "retransmission-differs" not in rules

    run_virtual(main())


def test_rtp_moves_by_reinvite_and_the_old_port_is_left() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                await call.lasts(1)
                old = call.media.port
                assert await call.move_rtp() == 200
                await call.lasts(1)
                assert call.media.port != old
                assert call.media.came_to[call.media.port] == pytest.approx(50, abs=2)
                assert call.media.came_to[old] == pytest.approx(51, abs=2)
            gate.check()

    run_virtual(main())


def test_rtp_to_the_port_that_was_left_is_named() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                rtp = dialog_of(peer, call).rtp
                assert rtp is not None
                before = rtp.peer
                await call.move_rtp()
                rtp.peer = before
                await call.lasts(1)
            assert [violation.rule for violation in gate.violations] == ["rtp-old-port"]

    run_virtual(main())


def test_a_nat_moves_the_port_without_a_word() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                rtp = dialog_of(peer, call).rtp
                assert rtp is not None
                assert await call.move_rtp(announce=False) == 0
                await call.lasts(1)
                rtp.peer = ("127.0.0.1", call.media.port)  # a gateway that follows
                await call.lasts(1)
                assert call.media.came_to[call.media.port] == pytest.approx(50, abs=2)
            assert "INVITE" not in peer.methods[1:]
            gate.check()

    run_virtual(main())


def test_an_offerless_reinvite_is_answered_in_the_ack() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                assert await call.reinvite(b"") == 200
                await call.lasts(1)
            assert "m=audio" not in peer.ack_bodies[0]
            assert "m=audio" in peer.ack_bodies[1]
            gate.check()

    run_virtual(main())


@pytest.mark.parametrize("spoilt", [False, True])
def test_an_offerless_invite_is_answered_in_the_ack(spoilt: bool) -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            if spoilt:
                peer.spoil = lambda data: data.replace(b"application/sdp", b"text/plain")
            async with gate.dial("1000", offerless=True) as call:
                await call.lasts(1)
                assert call.media.packets_sent == pytest.approx(50, abs=2)
            assert "m=audio" in peer.ack_bodies[0]
            due = ["sdp-missing"] if spoilt else []
            assert [violation.rule for violation in gate.violations] == due

    run_virtual(main())


@pytest.mark.parametrize("by", ["INVITE", "UPDATE"])
def test_a_session_is_refreshed_by_the_timer_that_was_agreed(by: Offer) -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            peer.session_expires = "1800;refresher=uac"
            async with gate.dial("1000", session_expires_s=1800, refresher="uac") as call:
                assert call.session_timer is not None
                assert (call.session_timer.expires_s, call.session_timer.refresher) == (1800, "uac")
                assert await call.refresh(by=by) == 200
                contact = CONTACT.format(*peer.address) + "\r\n"
                peer.ask(dialog_of(peer, call), "UPDATE", contact)
                await call.lasts(0.1)
                assert len(call.refreshed_at) == 1
            gate.check()

    run_virtual(main())


def test_a_session_timer_without_its_refresher_is_named() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            peer.session_expires = "1800"
            async with gate.dial("1000", session_expires_s=1800):
                pass
            assert [violation.rule for violation in gate.violations] == ["session-refresher"]

    run_virtual(main())


def test_a_transfer_is_accepted_told_of_and_over() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                transfer = await call.refer("sip:2000@127.0.0.1:5090")
                assert (transfer.status, transfer.accepted) == (202, True)
                assert await call.transferred(transfer) == 200
                assert transfer.progress == [100, 200]
                assert peer.refers == ["<sip:2000@127.0.0.1:5090>"]
                peer.notifies = []
                declined = await call.refer("sip:3000@127.0.0.1:5090")
                assert (declined.status, declined.accepted) == (603, False)
            gate.check()

    run_virtual(main())


def test_a_transfer_of_the_gateway_is_answered_and_notified() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                lines = "Contact: <sip:gw@127.0.0.1:5>\r\nRefer-To: <sip:9@127.0.0.1:7>\r\n"
                peer.ask(dialog_of(peer, call), "REFER", lines)
                assert await call.referred() == "<sip:9@127.0.0.1:7>"
                peer.methods.clear()
                await call.lasts(2)
                assert peer.statuses == [202]
                assert peer.methods == ["NOTIFY", "NOTIFY"]
                call.transfer_plan = type(call.transfer_plan)(status=603)
                peer.ask(dialog_of(peer, call), "REFER", lines.replace("Refer-To", "X"))
                await call.lasts(1)
                assert peer.statuses == [202, 603]
            assert [violation.rule for violation in gate.violations] == ["refer-to"]

    run_virtual(main())


def test_each_new_offer_has_the_next_version() -> None:
    """RFC 3264 8: the version grows by one where anything changed."""

    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            offers: list[str] = []
            accept = peer.answer_body

            def answer_body(headers: dict[str, list[str]], dialog: Dialog) -> str:
                offers.append(headers["body"][0])
                return accept(headers, dialog)

            peer.answer_body = answer_body  # type: ignore[method-assign]
            async with gate.dial("1000") as call:
                await call.hold()
                await call.reinvite()
                await call.resume()
            versions = [int(offer.split()[3]) for offer in offers]
            assert [version - versions[0] for version in versions] == [0, 1, 1, 2]

    run_virtual(main())


def test_a_reinvite_and_its_answer_move_the_target() -> None:
    """RFC 3261 12.2.1.2, 12.2.2."""

    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                host, port = peer.address
                old, new = b"<sip:gw@", b"<sip:moved@"
                peer.spoil = lambda data: data.replace(b"Contact: " + old, b"Contact: " + new)
                await call.reinvite()
                assert call.dialog.remote_target == f"sip:moved@{host}:{port}"
                peer.spoil = lambda data: data
                peer.reoffer(dialog_of(peer, call), "INVITE", "sendrecv")
                await call.lasts(0.1)
                assert call.dialog.remote_target == f"sip:gw@{host}:{port}"
            gate.check()

    run_virtual(main())


def test_a_stream_that_is_not_wanted_is_answered_with_port_0() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            heads: list[dict[str, list[str]]] = []
            peer.hears_response = heads.append
            async with gate.dial("1000") as call:
                video = b"a=sendrecv\r\nm=video 9000 RTP/AVP 31\r\n"
                peer.spoil = lambda data: (
                    data.replace(b"a=sendrecv\r\n", video).replace(
                        b"Content-Length: 1", b"X: 1\r\nL: "
                    )
                    if data.startswith(b"INVITE")
                    else data
                )
                peer.reoffer(dialog_of(peer, call), "INVITE", "sendrecv")
                await call.lasts(0.1)
                assert "m=video 0 RTP/AVP 31" in heads[0]["body"][0]

    run_virtual(main())
