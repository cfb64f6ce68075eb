"""Calls of the gateway to the gate: answered by plan, and judged."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from simulator.audio.sound import silence_for, stamps
from simulator.clock import run_virtual
from simulator.gate import CallState, NoAnswer, SimulatedGate
from simulator.gate.rtp import parse_rtp
from tests.simulator.gate.clocks import Run, both_clocks
from tests.simulator.gate.reference_caller import ReferenceCaller

Play = Callable[[ReferenceCaller, SimulatedGate], Awaitable[None]]


def rules_of(play: Play, profile: str = "chan_sip") -> list[tuple[str, str]]:
    """Play against a reference caller; give the rules it broke and their sections."""

    async def main() -> list[tuple[str, str]]:
        async with SimulatedGate(profile=profile) as gate, ReferenceCaller(gate.address) as caller:
            await play(caller, gate)
            return [(violation.rule, violation.rfc) for violation in gate.violations]

    return run_virtual(main())


@both_clocks
def test_a_call_is_answered_and_both_hear_each_other(run: Run) -> None:
    async def main() -> None:
        async with SimulatedGate() as gate, ReferenceCaller(gate.address) as caller:
            caller.say = stamps(every_s=0.5)
            async with gate.answering(ring_s=0.3, speak=stamps(every_s=0.5)) as call:
                assert call.state is CallState.AWAITED
                placed = await caller.call("5551")
                await call.answered()
                await call.lasts(2.2)
                assert (call.number, call.caller) == ("5551", "gw")
                assert call.heard.only_from(type("S", (), {"identity": 200})(), at_least=3)
                assert placed.statuses == [100, 180, 200]
            assert call.ended_by == "called"
            assert placed.over
            assert call.acks == 1
            gate.check()
            assert gate.advice.violations == []

    run(main())


@pytest.mark.parametrize("profile", ["chan_sip", "pjsip", "freeswitch", "kamailio", "goip"])
def test_every_profile_is_called_and_the_caller_hangs_up(profile: str) -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        call = await gate.answering()
        placed = await caller.call()
        await call.answered()
        await call.lasts(1)
        caller.bye(placed)
        await call.ended(by="gateway", within_s=1)
        await asyncio.sleep(0.1)
        assert placed.bye_statuses == [200]
        # The number of the caller's telephone-event is followed (RFC 3264 6.1).
        assert call.media.receiver.stats.payload_types.keys() == {8}

    assert rules_of(play, profile) == []


def test_early_media_is_heard_before_the_answer() -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        call = await gate.answering(early_media=True, ring_s=2, speak=stamps(), strict_rtp=False)
        placed = await caller.call()
        await call.invited()
        await asyncio.sleep(1.5)
        assert placed.rtp is not None
        assert len(placed.rtp.received) == pytest.approx(75, abs=2)
        assert placed.statuses == [100, 180, 183]
        await call.answered()
        await call.lasts(1)

    assert rules_of(play) == []


def test_goip_answers_while_it_still_rings() -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        call = await gate.answering(speak=stamps(), rings_after_answer_s=2.0, strict_rtp=False)
        placed = await caller.call()
        await call.answered()
        assert placed.final == 200
        await call.lasts(4)
        found = call.spoken.stamps()
        assert found
        assert found[0].at_s >= 2.0

    assert rules_of(play, "goip") == []


@pytest.mark.parametrize("status", [404, 480, 486, 603])
def test_a_refusal_reaches_the_caller_and_is_acknowledged(status: int) -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        call = await gate.answering(status=status, ring_s=0.5, headers=("Retry-After: 9",))
        placed = await caller.call()
        await call.ended(by="called", within_s=2)
        await asyncio.sleep(1)
        assert placed.statuses == [100, 180, status]
        assert call.is_settled

    assert rules_of(play) == []


def test_a_call_that_nobody_awaits_is_refused() -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        gate.refuse_calls(404)
        other = await gate.answering("777")
        placed = await caller.call("5")
        await asyncio.sleep(0.1)
        assert placed.final == 404
        assert other.state is CallState.AWAITED
        with pytest.raises(NoAnswer, match="no INVITE within 1 s"):
            await other.invited(within_s=1)

    assert rules_of(play) == []


def test_the_caller_gives_up_while_it_rings_for_ever() -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        call = await gate.answering(status=None)
        placed = await caller.call()
        await asyncio.sleep(10)
        caller.cancel(placed)
        await call.ended(by="gateway", within_s=1)
        await asyncio.sleep(0.1)
        assert call.cancelled
        assert (placed.final, call.final_status) == (487, 487)

    assert rules_of(play) == []


@pytest.mark.parametrize(("algorithm", "status"), [("MD5", 401), ("SHA-256", 407)])
def test_a_caller_is_asked_for_its_password(algorithm: str, status: int) -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        asks = gate.authenticator({"gw": "secret"}, algorithms=(algorithm,), status=status)
        for password, final in (("secret", 200), ("wrong", 403)):
            caller.password = password
            call = await gate.answering(asks=asks)
            placed = await caller.call()
            await asyncio.sleep(0.1)
            assert placed.final == final
            if final == 200:
                await call.answered()
                await call.lasts(0.5)
                await call.hang_up()

    assert rules_of(play) == []


def test_an_offerless_call_is_offered_something() -> None:
    async def main() -> None:
        async with SimulatedGate() as gate, ReferenceCaller(gate.address) as caller:
            caller.offer = False
            async with gate.answering(telephone_event=96) as call:
                await caller.call()
                await call.answered()
                await call.lasts(1)
                assert call.rtp.packets == pytest.approx(50, abs=2)
            gate.check()

    run_virtual(main())


def test_the_lost_ack_is_given_again() -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        async with gate.answering(repeat_answer=2) as call:
            await caller.call()
            await call.answered()
            await call.lasts(2)
            assert call.acks == 3

    assert rules_of(play) == []


def test_a_busy_line_is_picked_up_by_hand() -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        for verb, final in (("accept", 200), ("refuse", 486)):
            call = await gate.answering(status=None)
            placed = await caller.call()
            await call.invited()
            getattr(call, verb)()
            await asyncio.sleep(0.1)
            assert placed.final == final

    assert rules_of(play) == []


@pytest.mark.parametrize(
    ("due", "method", "old", "new"),
    [
        ("contact-missing", "INVITE", "Contact:", "X-Contact:"),
        ("contact-unusable", "INVITE", "Contact: <sip:gw@127.0.0.1", "Contact: <sip:gw@0.0.0.0"),
        ("from-tag-missing", "INVITE", ";tag=ref", ""),
        ("mandatory-header", "INVITE", "Max-Forwards: 70\r\n", ""),
        ("branch-cookie", "INVITE", "z9hG4bK", "b"),
        ("via-sent-by", "INVITE", "UDP 127.0.0.1", "UDP 0.0.0.0"),
        ("sdp-rtpmap", "INVITE", "a=rtpmap:96", "a=xrtpmap:9"),
        ("sdp-missing", "INVITE", "application/sdp", "text/plain"),
        ("session-expires", "INVITE", "Supported: timer\r\n", "Supported: timer\r\nx: 60\r\n"),
        ("ack-branch", "ACK", "branch=z9hG4bKref0ACK10", "branch=z9hG4bKref0INVITE10"),
        ("ack-cseq", "ACK", "CSeq: 1 ACK", "CSeq: 2 ACK"),
        ("request-uri", "ACK", "ACK sip:5550@", "ACK sip:wrong@"),
        ("line-ending", "ACK", "\r\nMax", "\nMax"),
        ("cseq-growth", "BYE", "CSeq: 2 BYE", "CSeq: 1 BYE"),
        ("to-uri", "BYE", "To: <sip:5550@", "To: <sip:5551@"),
    ],
)
def test_one_sin_of_a_caller_is_exactly_one_violation(
    due: str, method: str, old: str, new: str
) -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        def spoil(data: bytes) -> bytes:
            text = data.decode("latin-1")
            if not text.startswith(method):
                return data
            assert old in text
            return text.replace(old, new).encode("latin-1")

        caller.spoil = spoil
        call = await gate.answering()
        placed = await caller.call()
        await asyncio.sleep(0.01)
        call.media.receiver.ended(0.0)  # what a broken call does to RTP is not the question here
        if method == "BYE":
            await call.answered()
            caller.bye(placed)
        await asyncio.sleep(0.01)

    assert [rule for rule, _ in rules_of(play)][:1] == [due]
    assert len(rules_of(play)) == 1


def test_what_follows_an_ack_that_never_comes() -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        caller.spoil = lambda data: b"" if data.startswith(b"ACK") else data
        call = await gate.answering()
        placed = await caller.call()
        start = asyncio.get_running_loop().time()
        await call.ended(by="called", within_s=33)
        assert asyncio.get_running_loop().time() - start == pytest.approx(32, abs=0.1)
        assert placed.statuses.count(200) == 11

    assert rules_of(play) == [("ack-missing", "RFC 3261 13.2.2.4")]


def test_what_follows_a_refusal_that_is_not_acknowledged() -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        caller.spoil = lambda data: b"" if data.startswith(b"ACK") else data
        call = await gate.answering(status=486)
        await caller.call()
        await asyncio.sleep(33)
        assert call.is_settled

    assert rules_of(play) == [("ack-missing", "RFC 3261 17.1.1.3")]


@pytest.mark.parametrize(
    ("due", "old", "new"),
    [
        ("cancel-branch", "branch=z9hG4bK", "branch=z9hG4bKx"),
        ("cancel-uri", "CANCEL sip:5550@", "CANCEL sip:5551@"),
        ("cancel-cseq", "CSeq: 1 ", "CSeq: 2 "),
        ("cancel-require", "Max-Forwards", "Require: timer\r\nMax-Forwards"),
        ("cancel-via", "Max-Forwards", "Via: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bK\r\nMax-Forwards"),
    ],
)
def test_one_sin_of_a_cancel(due: str, old: str, new: str) -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        call = await gate.answering(status=None)
        placed = await caller.call()
        await call.invited()
        caller.spoil = lambda data: (
            data.replace(old.encode(), new.encode()) if data.startswith(b"CANCEL") else data
        )
        caller.cancel(placed)
        await asyncio.sleep(0.1)
        call.vanish()

    assert [rule for rule, _ in rules_of(play)] == [due]


def test_a_cancel_comes_neither_too_soon_nor_too_late() -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        call = await gate.answering(trying=False, ringing=False, status=None)
        placed = await caller.call()
        await call.invited()
        caller.cancel(placed)
        await asyncio.sleep(0.1)
        late = await gate.answering()
        placed = await caller.call()
        await late.answered()
        await late.lasts(1)
        caller.cancel(placed)
        await late.lasts(0.1)

    assert rules_of(play) == [("cancel-early", "RFC 3261 9.1"), ("cancel-late", "RFC 3261 9.1")]


def test_a_call_that_asks_again_keeps_its_names() -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        caller.password, caller.wrong_retry = "secret", 5
        asks = gate.authenticator({"gw": "secret"})
        call = await gate.answering(asks=asks)
        await caller.call()
        await call.answered()
        caller.lines = ""

    assert rules_of(play) == [("auth-retry", "RFC 3261 22.2/8.1.3.5")]


def test_the_ack_repeats_the_credentials() -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        caller.password = "secret"
        caller.spoil = lambda data: (
            data.replace(b"Authorization", b"X-A") if data.startswith(b"ACK") else data
        )
        call = await gate.answering(asks=gate.authenticator({"gw": "secret"}))
        await caller.call()
        await call.answered()

    assert rules_of(play) == [("ack-credentials", "RFC 3261 13.2.2.4")]


def test_the_caller_that_never_sends_rtp_is_named_but_early_media_is_its_own_affair() -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        caller.spoil_rtp = lambda _number, _packet: []
        async with gate.answering(strict_rtp=False, speak=silence_for(1.0)) as call:
            placed = await caller.call()
            await call.answered()
            await call.lasts(1)
            assert placed.rtp is not None
            assert len(placed.rtp.received) == pytest.approx(50, abs=2)
            assert parse_rtp(placed.rtp.received[0]).payload_type == 8

    assert rules_of(play) == [("rtp-gap", "RFC 3551 4.2")]


def test_the_called_party_hangs_up_only_after_the_ack() -> None:
    """RFC 3261 15: the callee's UA MUST NOT send a BYE until it has received an ACK."""

    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        loop = asyncio.get_running_loop()
        caller.spoil = lambda data: (
            b"" if data.startswith(b"ACK") and loop.time() < start + 3 else data
        )
        call = await gate.answering()
        start = loop.time()
        placed = await caller.call()
        await call.invited()
        await call.hang_up()
        assert call.ended_at is not None
        assert call.ended_at - start == pytest.approx(3.5, abs=0.1)
        assert placed.over

    assert rules_of(play) == []


def test_both_hang_up_at_the_same_moment() -> None:
    async def play(caller: ReferenceCaller, gate: SimulatedGate) -> None:
        call = await gate.answering()
        placed = await caller.call()
        await call.answered()
        call.cross_bye()
        caller.bye(placed)
        await call.ended(by="gateway", within_s=1)
        await call.hang_up()
        assert (placed.bye_statuses, call.bye_status) == ([200], 200)

    assert rules_of(play) == []
