"""Real calls through the gate become evidence: to a gateway that is right, and one that is not."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from simulator.audio.sound import sequence, silence_for, speech, stamps
from simulator.clock import run_virtual
from simulator.gate import SimulatedGate
from simulator.gate.judge import Violation
from simulator.pcap import Tape
from simulator.report.call import CallEvidence
from simulator.report.collect import Collector, collect_call
from simulator.report.lane import FaultKind
from tests.simulator.gate.reference_gateway import ReferenceGateway

Work = Callable[[ReferenceGateway, SimulatedGate, Tape], Awaitable[None]]


def world(work: Work, **settings: Any) -> Coroutine[Any, Any, None]:
    """A gate, and a gateway that answers with stamps of identity 200."""

    async def main() -> None:
        tape = Tape()
        async with (
            ReferenceGateway(**{"say": stamps(every_s=1.0), **settings}) as gateway,
            SimulatedGate(gateway=gateway.address, tape=tape) as gate,
        ):
            await work(gateway, gate, tape)

    return main()


async def one_call(gate: SimulatedGate, collector: Collector, lasts_s: float = 3.0) -> CallEvidence:
    async with gate.dial("1000", speak=stamps(every_s=1.0), caller="555") as call:
        await call.lasts(lasts_s)
    return collector.add(call, reason="caller_bye")


def test_a_call_is_told_in_full() -> None:
    async def work(gateway: ReferenceGateway, gate: SimulatedGate, tape: Tape) -> None:
        collector = Collector(tape)
        await one_call(gate, collector)
        await asyncio.sleep(0.5)

        [call] = collector.calls

        assert (call.number, call.calling, call.called) == (1, "555", "1000")
        assert (call.ended_by, call.reason, call.final_status) == ("caller", "caller_bye", 200)
        assert call.setup_ms is not None
        assert call.duration_s == pytest.approx(3.0, abs=0.01)
        assert call.gateway.duration_s == call.duration_s
        assert [(row.summary, row.from_gateway) for row in call.ladder] == [
            ("INVITE", False),
            ("100 Trying (INVITE)", True),
            ("180 Ringing (INVITE)", True),
            ("200 OK (INVITE)", True),
            ("ACK", False),
            ("BYE", False),
            ("200 OK (BYE)", True),
        ]
        assert {stamp.identity for stamp in call.gateway.stamps} == {200}
        assert len(call.gateway.stamps) == 3
        received, sent, uplink = call.streams
        assert received.packets == pytest.approx(150, abs=2)
        assert (received.lost, received.payload_types) == (0, (8,))
        assert received.interval_p50_ms == pytest.approx(20, abs=0.1)
        assert sent.packets == pytest.approx(150, abs=2)
        assert uplink.packets is None
        assert call.findings == ()
        assert call.heard_by_caller.ok
        assert call.heard_by_model.ok is None
        assert collector.notes == ()

    run_virtual(world(work))


def test_lost_packets_are_holes_at_their_place() -> None:
    async def work(gateway: ReferenceGateway, gate: SimulatedGate, tape: Tape) -> None:
        gateway.spoil_rtp = lambda n, packet: [] if 50 <= n < 65 else [packet]
        collector = Collector(tape)

        call = await one_call(gate, collector)

        [hole] = call.gateway.faults
        assert hole.kind is FaultKind.HOLE
        assert (hole.start_s, hole.end_s) == pytest.approx((1.0, 1.3), abs=0.03)
        assert call.streams[0].lost == 15
        assert [finding.rule for finding in call.findings] == ["rtp-sequence", "rtp-gap"]

    run_virtual(world(work))


def test_a_refused_call_is_evidence_too() -> None:
    async def work(gateway: ReferenceGateway, gate: SimulatedGate, tape: Tape) -> None:
        gateway.refuse = b"486 Busy Here"
        collector = Collector(tape)
        async with gate.dial("1000", expect=486) as call:
            pass
        collector.add(call)

        [evidence] = collector.calls

        assert (evidence.final_status, evidence.reason) == (486, "refused with 486")
        assert evidence.setup_ms is None
        assert evidence.duration_s is None
        assert evidence.gateway.level_dbfs is None
        assert evidence.responses == ()
        assert "486 Busy Here (INVITE)" in [row.summary for row in evidence.ladder]

    run_virtual(world(work))


def test_what_comes_after_the_call_was_taken_is_in_its_evidence() -> None:
    async def work(gateway: ReferenceGateway, gate: SimulatedGate, tape: Tape) -> None:
        collector = Collector(tape)
        async with gate.dial("1000") as call:
            await call.lasts(1)
        taken = collector.add(call)
        await call.retransmit_bye()
        call.findings.add(*_late_violation())

        [evidence] = collector.calls

        assert taken.findings == ()
        assert [finding.rule for finding in evidence.findings] == ["rtp-after-end"]
        assert [row.summary for row in evidence.ladder][-2:] == ["BYE", "200 OK (BYE)"]
        assert evidence.ladder[-2].repeated

    run_virtual(world(work))


def test_an_answer_is_timed() -> None:
    async def work(gateway: ReferenceGateway, gate: SimulatedGate, tape: Tape) -> None:
        async with gate.dial("1000", speak=sequence(silence_for(0.5), speech(1.0))) as call:
            await call.lasts(4)

        evidence = collect_call(call)

        [response] = evidence.responses
        assert response.asked_until_s == pytest.approx(1.5, abs=0.1)
        assert response.answered_from_s == pytest.approx(2.5, abs=0.1)

    run_virtual(world(work, say=sequence(silence_for(2.5), speech(1.0))))


def test_sound_is_kept_for_the_first_the_failed_and_the_newest_calls() -> None:
    async def work(gateway: ReferenceGateway, gate: SimulatedGate, tape: Tape) -> None:
        collector = Collector(tape, audio_limit_s=3.5)
        for number in range(1, 6):
            lose = number == 2
            gateway.spoil_rtp = lambda n, packet, lose=lose: (  # type: ignore[misc]
                [] if lose and n == 5 else [packet]
            )
            await one_call(gate, collector, lasts_s=1.0)

        calls = collector.calls

        assert [bool(call.findings) for call in calls] == [False, True, False, False, False]
        kept = [call.number for call in calls if call.gateway.pcm is not None]
        assert kept == [1, 2, 5]
        assert all(call.gateway.envelope.any() for call in calls)
        assert collector.audio_dropped == 2
        assert "sound of 2 calls was not kept" in collector.notes[0]

    run_virtual(world(work))


def _late_violation() -> list[Violation]:
    return [Violation("rtp-after-end", "RFC 3261 15", "RTP 40 ms after the end of the call")]
