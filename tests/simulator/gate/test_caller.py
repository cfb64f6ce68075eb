"""The verbs of a caller, against the reference gateway."""

import asyncio
import itertools

import pytest

from simulator.audio.sound import silence_for, stamps, tone_sound
from simulator.clock import run_virtual
from simulator.gate import CallRefused, CallState, NoAnswer, SimulatedGate
from simulator.gate.rtp import parse_rtp
from tests.simulator.gate.clocks import Run, both_clocks
from tests.simulator.gate.reference_gateway import ReferenceGateway


@both_clocks
def test_two_calls_are_heard_both_ways_and_hung_up_by_the_caller(run: Run) -> None:
    async def main() -> None:
        async with (
            ReferenceGateway(echo=True) as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            for _ in range(2):
                async with gate.dial("1000", speak=stamps(every_s=0.5)) as call:
                    await call.lasts(2.2)
                    assert call.is_up
                assert call.ended_by == "caller"
                assert call.heard.only_from(call, at_least=3)
                assert call.spoken.only_from(call, at_least=4)
                assert call.setup_s is not None
                assert call.setup_s < 0.5
                assert call.release_s is not None
                assert call.release_s < 0.5
            gate.check()
            assert gate.advice.violations == []
            assert gateway.methods == ["INVITE", "ACK", "BYE"] * 2

    run(main())


@both_clocks
def test_the_gateway_hangs_up(run: Run) -> None:
    async def main() -> None:
        async with (
            ReferenceGateway(say=tone_sound(440, 0.4)) as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            call = await gate.dial("1000")
            await call.lasts(0.9)
            gateway.hang_up(gateway.dialogs[call.dialog.call_id])
            await call.ended(by="gateway", within_s=1)
            assert call.silence_before_bye_s == pytest.approx(0.5, abs=0.06)
            assert gateway.bye_statuses in ([], [200])
            await call.hang_up()
            gate.check()

    run(main())


def test_a_call_that_ends_too_soon_or_not_at_all_fails_its_test() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            call = await gate.dial("1000")
            with pytest.raises(AssertionError, match=r"not ended within 3.*RTP: 0\.0"):
                await call.ended(within_s=3)
            asyncio.get_running_loop().call_later(
                2, gateway.hang_up, gateway.dialogs[call.dialog.call_id]
            )
            with pytest.raises(AssertionError, match=r"ended by gateway> after 2\.00 of 5 s"):
                await call.lasts(5)
            with pytest.raises(AssertionError, match="it should be by caller"):
                await call.ended(by="caller")

    run_virtual(main())


def test_a_refusal_is_told_or_expected() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            gateway.refuse = b"503 Service Unavailable"
            with pytest.raises(CallRefused, match=r"503 Service Unavailable \(Retry-After: 5\)"):
                await gate.dial("1000")
            call = await gate.dial("1000", expect=503)
            assert (call.final_status, call.retry_after_s) == (503, 5)
            assert (call.state, call.ended_by) == (CallState.ENDED, "gateway")
            with pytest.raises(CallRefused):
                await gate.dial("1000", expect=486)
            gateway.refuse = None
            with pytest.raises(AssertionError, match="answered 200, expected 503"):
                await gate.dial("1000", expect=503)
            assert gate.open_calls == 0
            gate.check()
        assert gateway.methods.count("ACK") == 4

    run_virtual(main())


def test_no_answer_says_who_was_asked_and_what_was_heard() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            gateway.deaf = True
            host, port = gateway.address
            text = (
                rf"no answer to INVITE from {host}:{port} within 32 s: "
                r"is the gateway running there\? \(SIP: nothing ever; RTP: none\)"
            )
            with pytest.raises(NoAnswer, match=text):
                await gate.dial("1000")
            assert gateway.methods == ["INVITE"] * 7
            with pytest.raises(NoAnswer, match="no answer to OPTIONS"):
                await gate.options()
            assert gate.open_calls == 0

    run_virtual(main())


def test_a_call_that_rings_for_ever_is_given_up() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway(ring_s=1000) as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            with pytest.raises(NoAnswer, match="it said 180 Ringing"):
                await gate.dial("1000", within_s=10)
            await asyncio.sleep(0.1)
            assert gateway.methods == ["INVITE", "CANCEL", "ACK"]
            gate.check()

    run_virtual(main())


def test_an_answer_to_a_call_given_up_is_acknowledged_and_ended() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway(ring_s=4) as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            gateway.spoil = lambda data: b"" if data.startswith(b"SIP/2.0 1") else data
            with pytest.raises(NoAnswer):
                await gate.dial("1000", within_s=3.9)
            await asyncio.sleep(0.2)
            assert gateway.methods == ["INVITE"] * 4 + ["ACK", "BYE"]
            assert gate.open_calls == 0

    run_virtual(main())


def test_a_caller_cancels_while_it_rings() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway(ring_s=5) as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            async with gate.dial("1000", until="ringing") as call:
                assert call.state is CallState.RINGING
                assert await call.cancel() == 487
            assert (call.state, call.ended_by) == (CallState.ENDED, "caller")
            await asyncio.sleep(0.1)
            assert gateway.methods == ["INVITE", "CANCEL", "ACK"]
            gate.check()

    run_virtual(main())


def test_a_cancel_that_crosses_the_answer_ends_in_a_bye() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway(ring_s=1) as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            call = await gate.dial("1000", until="ringing")
            dialog = gateway.dialogs[call.dialog.call_id]
            gateway.pick_up(dialog)
            while not dialog.answer:  # noqa: ASYNC110 - the very moment at which the 200 is sent
                await asyncio.sleep(0)
            assert not call.is_up
            assert await call.cancel() == 200
            assert gateway.methods[-1] == "BYE"
            assert call.state is CallState.ENDED
            if dialog.timer is not None:
                dialog.timer.cancel()
            gate.check()

    run_virtual(main())


def test_a_caller_vanishes_and_answers_nothing() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            async with gate.dial("1000") as call:
                await call.lasts(1)
                sent = call.media.packets_sent
                call.vanish()
                gateway.hang_up(gateway.dialogs[call.dialog.call_id])
                await asyncio.sleep(5)
            assert call.media.packets_sent == sent
            assert gateway.bye_statuses == []
            assert gateway.methods == ["INVITE", "ACK"]
            assert call.state is CallState.VANISHED

    run_virtual(main())


def test_a_caller_never_acknowledges() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            call = await gate.dial("1000", never_ack=True)
            await call.ended(by="gateway", within_s=40)
            first = call.answers_at[0]
            assert call.ended_at == pytest.approx(first + 32, abs=0.01)
            due = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
            assert [at - first for at in call.answers_at] == pytest.approx(due)
            assert "ACK" not in gateway.methods
            gate.check()

    run_virtual(main())


def test_retransmissions_and_stale_requests_have_their_answers() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            async with gate.dial("1000", retransmit_invite=3) as first:
                await first.lasts(1)
            assert gateway.methods.count("INVITE") == 4
            assert len(gateway.dialogs) == 1
            async with gate.dial("1000") as second:
                await second.lasts(1)
                assert await first.retransmit_bye() == 200
                assert await first.stale_bye() == 481
                await second.lasts(1)
            gate.check()

    run_virtual(main())


def test_requests_inside_the_call() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            async with gate.dial("1000", reinvite_after_ack=True) as call:
                await call.lasts(1)
                assert call.reinvite_statuses == [200]
                assert await call.reinvite() == 200
                assert await call.options() == 200
                assert await call.info(b"Signal=1\r\n", "application/dtmf-relay") == 405
                assert gateway.methods[:4] == ["INVITE", "ACK", "INVITE", "ACK"]
            gate.check()

    run_virtual(main())


def test_keys_are_pressed_as_events() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            async with gate.dial("1000") as call:
                await call.press("1#")
                rtp = gateway.dialogs[call.dialog.call_id].rtp
                assert rtp is not None
                packets = [parse_rtp(data) for data in rtp.received]
            events = [packet for packet in packets if packet.payload_type == 101]
            assert [event.payload[0] for event in events] == [1] * 11 + [11] * 11
            assert [event.marker for event in events].count(True) == 2
            assert len({event.timestamp for event in events}) == 2
            numbers = [packet.sequence for packet in packets]
            assert all((b - a) % 65536 == 1 for a, b in itertools.pairwise(numbers))
            with pytest.raises(ValueError, match="can be pressed"):
                await call.press("x")

    run_virtual(main())


def test_speaking_ends_or_is_stopped_and_packets_go_on() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            loop = asyncio.get_running_loop()
            async with gate.dial("1000", speak=silence_for(1.0)) as call:
                start = loop.time()
                await call.finished_speaking()
                assert loop.time() - start == pytest.approx(1.0, abs=0.02)
                call.say(stamps(every_s=1.0))
                await call.lasts(1.2)
                call.stop_speaking()
                await call.lasts(1.8)
            assert len(call.spoken.stamps()) == 1
            # An absolute schedule from the ACK on, whatever is said: 4 s are 200 packets.
            assert call.media.packets_sent == pytest.approx(200, abs=2)

    run_virtual(main())


def test_mute_dtx_and_strict_rtp_hold_packets_back() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            async with gate.dial("1000", mute=True) as mute:
                await mute.lasts(1)
                assert mute.media.packets_sent == 0
                mute.mute(muted=False)
                await mute.lasts(1)
                assert mute.media.packets_sent == pytest.approx(50, abs=1)
            async with gate.dial("1000", dtx=True, speak=stamps(every_s=1.0, count=1)) as dtx:
                await dtx.lasts(3)
            assert dtx.media.packets_sent == 50
            gateway.spoil_rtp = lambda _number, _packet: []
            async with gate.dial("1000", strict_rtp=True) as strict:
                await strict.lasts(1)
            assert strict.media.packets_sent == 0
            async with gate.dial("1000", strict_rtp=False) as lax:
                await lax.lasts(1)
            assert lax.media.packets_sent == pytest.approx(50, abs=1)

    run_virtual(main())


def test_an_error_in_the_test_hangs_up_and_is_not_hidden() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            with pytest.raises(ZeroDivisionError):
                async with gate.dial("1000"):
                    raise ZeroDivisionError
            assert gateway.methods[-1] == "BYE"
            gate.check()

    run_virtual(main())
