"""What a call makes of a gateway that sins: each sin gives exactly its violation."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from simulator.clock import run_virtual
from simulator.gate import CallState, NoAnswer, SimulatedCall, SimulatedGate
from tests.simulator.gate.reference_gateway import CONTACT, Dialog, ReferenceGateway

Play = Callable[[ReferenceGateway, SimulatedGate], Awaitable[None]]


def rules_of(play: Play, *, ring_s: float = 0.0) -> list[str]:
    """Play against a reference gateway; give the rules it broke, in order."""

    async def main() -> list[str]:
        async with (
            ReferenceGateway(ring_s=ring_s) as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            await play(gateway, gate)
            return [violation.rule for violation in gate.violations]

    return run_virtual(main())


def dialog_of(gateway: ReferenceGateway, call: SimulatedCall) -> Dialog:
    return gateway.dialogs[call.dialog.call_id]


def swap(data: bytes) -> bytes:
    return data.replace(b"\r\nFrom:", b"\r\nX:").replace(b"\r\nTo:", b"\r\nFrom:").replace(
        b"\r\nX:", b"\r\nTo:"
    )  # fmt: skip


def test_a_bye_with_swapped_tags_is_481_and_ends_nothing() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        async with gate.dial("1000") as call:
            await call.lasts(1)
            gateway.transport.sendto(swap(gateway.bye(dialog_of(gateway, call))), gate.address)
            await call.lasts(1)
            assert gateway.bye_statuses == [481]

    assert rules_of(play) == ["tags-by-role"]


def test_a_bye_of_an_older_call_is_481_and_ends_nothing() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        async with gate.dial("1000") as first:
            await first.lasts(1)
        async with gate.dial("1000") as second:
            await second.lasts(1)
            gateway.transport.sendto(gateway.bye(dialog_of(gateway, first)), gate.address)
            await second.lasts(1)
            assert gateway.bye_statuses == [481]

    assert rules_of(play) == ["bye-after-end"]


def test_byes_that_cross_are_no_sin() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        call = await gate.dial("1000")
        await call.lasts(1)
        gateway.hang_up(dialog_of(gateway, call))
        await call.hang_up()
        await asyncio.sleep(0.1)
        assert gateway.bye_statuses == [200]

    assert rules_of(play) == []


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("line-ending", b"\r\n", b"\n"),
        ("cseq-method", b"2 BYE", b"2 INVITE"),
        ("request-uri", b"BYE sip:100@", b"BYE sip:wrong@"),
        ("content-length", b"Content-Length: 0", b"Content-Length: 9"),
        ("branch-cookie", b"z9hG4bK", b""),
    ],
)
def test_a_bye_with_one_fault_ends_the_call_and_is_named(rule: str, old: bytes, new: bytes) -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        call = await gate.dial("1000")
        await call.lasts(1)
        gateway.spoil = lambda data: data.replace(old, new)
        gateway.hang_up(dialog_of(gateway, call))
        await call.ended(by="gateway", within_s=1)

    assert rules_of(play) == [rule]


def test_a_bye_whose_number_does_not_grow_is_500() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        async with gate.dial("1000") as call:
            await call.lasts(1)
            dialog = dialog_of(gateway, call)
            options = gateway.bye(dialog).replace(b"BYE", b"OPTIONS").replace(b"bKref", b"bKo")
            gateway.transport.sendto(options.replace(b": 2 O", b": 999 O"), gate.address)
            bye = gateway.bye(dialog).replace(b"CSeq: 3", b"CSeq: 999")
            gateway.transport.sendto(bye, gate.address)
            await call.lasts(1)
            assert gateway.bye_statuses == [200, 500]

    assert rules_of(play) == ["cseq-growth"]


def test_a_retransmitted_bye_has_the_same_answer_again() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        call = await gate.dial("1000")
        await call.lasts(1)
        bye = gateway.bye(dialog_of(gateway, call))
        gateway.transport.sendto(bye, gate.address)
        gateway.release(dialog_of(gateway, call))
        await call.ended(by="gateway", within_s=1)
        await asyncio.sleep(5)
        gateway.transport.sendto(bye, gate.address)
        await asyncio.sleep(1)
        assert gateway.bye_statuses == [200, 200]
        changed = bye.replace(b"Max-Forwards: 70", b"Max-Forwards: 69")
        gateway.transport.sendto(changed, gate.address)
        await asyncio.sleep(1)

    assert rules_of(play) == ["retransmission-differs"]


def test_a_bye_before_the_ack() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        call = await gate.dial("1000", never_ack=True)
        gateway.hang_up(dialog_of(gateway, call))
        await call.ended(by="gateway", within_s=1)

    assert rules_of(play) == ["bye-before-ack"]


def test_an_answer_that_is_not_sent_again() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        call = await gate.dial("1000", never_ack=True)
        rtp = dialog_of(gateway, call).rtp
        assert rtp is not None
        rtp.spoil = lambda n, packet: [packet] if n < 100 else []  # given up: no sin of its own
        gateway.resend = lambda *_: None  # type: ignore[method-assign]
        dialog = dialog_of(gateway, call)
        assert dialog.timer is not None
        dialog.timer.cancel()
        asyncio.get_running_loop().call_later(32, gateway.hang_up, dialog)
        await call.ended(by="gateway", within_s=40)

    assert rules_of(play) == ["2xx-not-resent"]


def test_an_answer_that_is_sent_on_after_its_ack() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        async with gate.dial("1000") as call:
            dialog = dialog_of(gateway, call)
            for due in (1, 2):
                await call.lasts(1)
                gateway.transport.sendto(dialog.answer, gate.address)
                await call.lasts(0.1)
                # A single one may have crossed the ACK.
                assert len(gate.violations) == due - 1

    assert rules_of(play) == ["2xx-after-ack"]


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("from-echoed", b";tag=as", b";tag=xx"),
        ("via-echoed", b";branch=z9hG4bK", b";x=1;branch=z9hG4bK"),
        ("content-length", b"Content-Length: ", b"Content-Length: 1"),
        ("contact-missing", b"Contact:", b"X-Contact:"),
        ("sdp-codec", b"RTP/AVP 8 101", b"RTP/AVP 3 102"),
        ("sdp-address", b"c=IN IP4 127.0.0.1", b"c=IN IP4 224.0.0.1"),
    ],
)
def test_an_answer_with_one_fault_is_named(rule: str, old: bytes, new: bytes) -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        def spoil(data: bytes) -> bytes:
            return data.replace(old, new) if b"application/sdp" in data else data

        gateway.spoil = spoil
        call = await gate.dial("1000")
        call.vanish()

    assert rules_of(play) == [rule]


def test_a_tag_that_changes_between_ringing_and_answer() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        gateway.spoil = lambda data: (
            data.replace(b"tag=gw0", b"tag=new") if b"180" in data else data
        )
        async with gate.dial("1000") as call:
            await call.lasts(1)

    assert rules_of(play) == ["to-tag-stable"]


def test_a_late_first_response() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        gateway.spoil = lambda data: b"" if data.startswith(b"SIP/2.0 1") else data
        async with gate.dial("1000") as call:
            await call.lasts(1)

    assert rules_of(play, ring_s=0.19) == []
    assert rules_of(play, ring_s=0.3) == ["trying-late"]


def test_a_cancelled_invite_is_487() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        gateway.spoil = lambda data: data.replace(b"487 Request Terminated", b"486 Busy Here")
        call = await gate.dial("1000", until="ringing")
        assert await call.cancel() == 486

    assert rules_of(play, ring_s=9) == ["cancel-answer"]


def test_a_bye_answered_without_headers_is_no_answer() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        call = await gate.dial("1000")
        await call.lasts(1)
        gateway.spoil = lambda _data: b"SIP/2.0 200 OK\r\n\r\n"
        with pytest.raises(NoAnswer, match="no answer to BYE"):
            await call.hang_up()
        assert gateway.methods.count("BYE") == 11

    assert rules_of(play) == ["mandatory-header"] * 5 * 11


@pytest.mark.parametrize("stop_after", [1, 3, 10])
def test_rtp_after_the_end(stop_after: int) -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        call = await gate.dial("1000")
        await call.lasts(0.99)
        rtp = dialog_of(gateway, call).rtp
        assert rtp is not None
        start = rtp.count
        stop = rtp.stop
        rtp.stop = lambda: None  # type: ignore[method-assign]
        rtp.spoil = lambda n, packet: [packet] if n < start + stop_after else []
        await call.hang_up()
        await asyncio.sleep(0.3)
        stop()
        assert call.rtp.faults["rtp-after-end"] == stop_after - 1

    assert rules_of(play) == ([] if stop_after == 1 else ["rtp-after-end"])


def test_requests_in_a_call_have_honest_answers() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        async with gate.dial("1000") as call:
            dialog = dialog_of(gateway, call)
            for method, status in (
                (b"OPTIONS", 200),
                (b"INVITE", 200),
                (b"INFO", 200),
                (b"PUBLISH", 405),
            ):
                request = gateway.bye(dialog).replace(b"BYE", method)
                if method == b"INVITE":
                    contact = CONTACT.format(*gateway.address).encode()
                    request = request.replace(b"Call-ID", contact + b"\r\nCall-ID")
                gateway.transport.sendto(request, gate.address)
                await call.lasts(0.1)
                assert gateway.bye_statuses[-1] == status
            assert call.is_up

    assert rules_of(play) == []


def test_a_gateway_that_answers_nonsense_does_not_break_the_gate() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        async with gate.dial("1000") as call:
            for data in (b"\r\n\r\n", b"\0\0", b"\xff" * 40, b"SIP/2.0\r\n\r\n", b"BYE"):
                gateway.transport.sendto(data, gate.address)
            await call.lasts(0.5)
            assert call.state is CallState.UP

    broken = rules_of(play)
    assert broken.count("unreadable") == 2
    assert "start-line" in broken


def test_a_final_answer_that_crossed_our_cancel_is_no_sin() -> None:
    """RFC 3261 9.2: as long as the CANCEL is not answered, it may not have come yet."""

    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        def refuse(data: bytes) -> bytes:
            return b"" if b" CANCEL\r\n" in data else data.replace(b"487 Req", b"488 Req")

        gateway.spoil = refuse
        call = await gate.dial("1000", until="ringing")
        call.abandon()
        await call.ended(by="caller")
        assert call.final_status == 488

    assert rules_of(play, ring_s=9) == []


def test_a_bye_in_a_call_that_the_caller_left_without_a_word_is_no_sin() -> None:
    async def play(gateway: ReferenceGateway, gate: SimulatedGate) -> None:
        call = await gate.dial("1000", until="sent", never_ack=True)
        call.abandon()
        await asyncio.sleep(1.0)
        gateway.hang_up(gateway.dialogs[call.dialog.call_id])
        await asyncio.sleep(1.0)
        assert gateway.bye_statuses == [200]

    assert "bye-after-end" not in rules_of(play)
