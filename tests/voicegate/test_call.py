"""Every way out of a call: the reason, what the gate sees, and that nothing is left."""

import asyncio
from typing import Any

import pytest

from simulator.audio.sound import speech, stamps
from simulator.gate.caller import CallRefused
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings
from simulator.witness.witness import Witness
from voicegate import talk
from voicegate.endings import HangupReason
from voicegate.gateway import Gateway
from voicegate.report import CallReport

pytestmark = pytest.mark.virtual


class Reports:
    """The reports of a gateway, in order of the calls' ends."""

    def __init__(self, gateway: Gateway) -> None:
        self.all: list[CallReport] = []
        self._first = asyncio.Event()
        gateway._on_report = self._take

    def _take(self, report: CallReport) -> None:
        self.all.append(report)
        self._first.set()

    async def first(self) -> CallReport:
        await self._first.wait()
        return self.all[0]

    @property
    def last(self) -> CallReport:
        return self.all[-1]


@pytest.fixture
def reports(gateway: Gateway) -> Reports:
    return Reports(gateway)


async def at_baseline(witness: Witness, gateway: Gateway, wait_s: float = 0.0) -> None:
    await witness.settle(wait_s)
    witness.check(after="the call")
    assert not gateway.calls
    assert gateway.ports.lent == 0
    assert gateway.voice.open_conversations == 0


async def next_call_works(gate: SimulatedGate, gemini: FakeGemini) -> None:
    number = len(gemini.sessions)
    gemini.always(say=stamps(every_s=0.5), session=number)
    async with gate.dial("1000", speak=stamps(every_s=0.5)) as call:
        await call.lasts(2)
    assert call.heard.only_from(gemini.session(number), at_least=3)
    assert gemini.session(number).heard.only_from(call, at_least=2)


async def test_the_caller_hangs_up(
    gate: SimulatedGate, gateway: Gateway, reports: Reports, witness: Witness
) -> None:
    async with gate.dial("1000") as call:
        await call.lasts(2)
    await at_baseline(witness, gateway)
    assert reports.last.reason is HangupReason.CALLER_BYE
    assert reports.last.setup_ms is not None


async def test_trap_14_the_caller_gives_up_while_it_rings(
    gate: SimulatedGate,
    gateway: Gateway,
    gemini: FakeGemini,
    reports: Reports,
    witness: Witness,
) -> None:
    gemini.stall_setup(5, times=1)
    call = await gate.dial("1000", until="ringing")
    assert await call.cancel() == 487
    await at_baseline(witness, gateway)
    assert reports.last.reason is HangupReason.CALLER_CANCEL
    assert reports.last.setup_ms is None
    await next_call_works(gate, gemini)


async def test_the_gateway_hangs_up_and_says_bye(
    gate: SimulatedGate, gateway: Gateway, reports: Reports, witness: Witness
) -> None:
    call = await gate.dial("1000")
    await call.ended(by="gateway", within_s=30)
    await at_baseline(witness, gateway)
    assert reports.last.reason is HangupReason.NO_SPEECH


async def test_trap_14_the_model_refuses(
    gate: SimulatedGate,
    gateway: Gateway,
    gemini: FakeGemini,
    reports: Reports,
    witness: Witness,
) -> None:
    gemini.refuse(403, times=1)
    with pytest.raises(CallRefused) as refused:
        await gate.dial("1000")
    assert (refused.value.status, refused.value.retry_after_s) == (503, 5)
    await at_baseline(witness, gateway)
    assert reports.last.reason is HangupReason.VOICE_REFUSED
    await next_call_works(gate, gemini)


async def test_trap_14_the_model_is_lost_in_mid_call(
    gate: SimulatedGate,
    gateway: Gateway,
    gemini: FakeGemini,
    reports: Reports,
    witness: Witness,
) -> None:
    call = await gate.dial("1000")
    await call.lasts(2)
    gemini.refuse(401)  # and it does not come back
    gemini.session(0).abort()
    await call.ended(by="gateway", within_s=5)
    gemini.entrance.obstacles.clear()
    await at_baseline(witness, gateway)
    assert reports.last.reason is HangupReason.VOICE_LOST
    await next_call_works(gate, gemini)


async def test_the_set_up_takes_too_long(
    gate: SimulatedGate,
    gateway: Gateway,
    gemini: FakeGemini,
    reports: Reports,
    witness: Witness,
) -> None:
    gemini.stall_setup(times=1)
    with pytest.raises(CallRefused) as refused:
        await gate.dial("1000")
    assert refused.value.status == 503
    await at_baseline(witness, gateway)
    assert reports.last.reason is HangupReason.VOICE_REFUSED
    await next_call_works(gate, gemini)


@pytest.mark.parametrize("moment", ["open_media", "goodbye_watch"])
async def test_a_bug_of_ours_before_the_answer(
    gate: SimulatedGate,
    gateway: Gateway,
    gemini: FakeGemini,
    reports: Reports,
    witness: Witness,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a bug of ours")

    with monkeypatch.context() as patched:
        patched.setattr(gateway, moment, broken)
        with pytest.raises(CallRefused) as refused:
            await gate.dial("1000")
    assert refused.value.status == 500
    await at_baseline(witness, gateway)
    assert reports.last.reason is HangupReason.FAULT
    await next_call_works(gate, gemini)


async def test_a_bug_of_ours_in_mid_call(
    gate: SimulatedGate,
    gateway: Gateway,
    gemini: FakeGemini,
    reports: Reports,
    witness: Witness,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    call = await gate.dial("1000")
    await call.lasts(1)

    def broken(_: bytes) -> float:
        raise RuntimeError("a bug of ours")

    with monkeypatch.context() as patched:
        patched.setattr(talk, "level_dbfs", broken)
        await call.ended(by="gateway", within_s=5)
    await at_baseline(witness, gateway)
    assert "fault in a call" in caplog.text
    assert reports.last.reason is HangupReason.FAULT
    await next_call_works(gate, gemini)


async def test_shut_down_in_mid_call(
    gate: SimulatedGate, gateway: Gateway, reports: Reports
) -> None:
    call = await gate.dial("1000")
    await call.lasts(1)
    gateway.stop()
    await call.ended(by="gateway", within_s=3)
    assert (await reports.first()).reason is HangupReason.SHUTDOWN


async def test_shut_down_while_it_rings(
    gate: SimulatedGate, gateway: Gateway, gemini: FakeGemini, reports: Reports
) -> None:
    gemini.stall_setup(5)
    call = await gate.dial("1000", until="ringing")
    gateway.stop()
    with pytest.raises(CallRefused) as refused:
        await call.answered(within_s=3)
    assert refused.value.status == 503
    assert (await reports.first()).reason is HangupReason.SHUTDOWN


async def test_no_port_is_free(
    gate: SimulatedGate, gateway: Gateway, reports: Reports, witness: Witness
) -> None:
    now = asyncio.get_running_loop().time()
    ports = [gateway.ports.lend(now) for _ in range(gateway.ports.size)]
    with pytest.raises(CallRefused) as refused:
        await gate.dial("1000")
    assert (refused.value.status, refused.value.retry_after_s) == (503, 5)
    assert reports.last.reason is HangupReason.NO_PORT
    for port in ports:
        gateway.ports.return_unused(port)
    await at_baseline(witness, gateway)


class TestWithMuchPatience:
    """Silence ends no call before the missing ACK does."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"call": {"no_speech_timeout_s": 60.0}, "media": {"rtp_never_s": 60.0}}

    async def test_trap_3_no_ack_ever_comes(
        self, gate: SimulatedGate, gateway: Gateway, reports: Reports, witness: Witness
    ) -> None:
        call = await gate.dial("1000", never_ack=True, speak=speech(40.0))
        await call.ended(by="gateway", within_s=40)
        assert call.ended_at is not None
        assert call.answered_at is not None
        assert call.ended_at - call.answered_at == pytest.approx(32.0, abs=0.1)
        await at_baseline(witness, gateway, wait_s=35)
        assert reports.last.reason is HangupReason.NO_ACK


class TestWithAShortLimit:
    """A call that may last 3 s."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"call": {"max_duration_s": 3.0}}

    async def test_the_longest_duration_ends_it(
        self, gate: SimulatedGate, gateway: Gateway, reports: Reports, witness: Witness
    ) -> None:
        call = await gate.dial("1000", speak=speech(20.0))
        await call.ended(by="gateway", within_s=5)
        assert call.ended_at is not None
        assert call.answered_at is not None
        assert call.ended_at - call.answered_at == pytest.approx(3.0, abs=0.05)
        await at_baseline(witness, gateway)
        assert reports.last.reason is HangupReason.MAX_DURATION


class TestWithRoomForTwo:
    """A gateway that carries two calls at once."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"sip": {"max_calls": 2}}

    async def test_the_third_is_told_to_come_again(
        self, gate: SimulatedGate, gemini: FakeGemini
    ) -> None:
        async with gate.dial("1000") as first, gate.dial("1000") as second:
            await first.lasts(0.5)
            with pytest.raises(CallRefused) as refused:
                await gate.dial("1000")
            assert (refused.value.status, refused.value.retry_after_s) == (503, 5)
            await second.lasts(0.5)
        assert len(gemini.sessions) == 2
        await next_call_works(gate, gemini)


async def test_a_drain_lets_the_present_call_end_by_itself(
    gate: SimulatedGate, gateway: Gateway, gemini: FakeGemini
) -> None:
    call = await gate.dial("1000")
    gateway.drain()
    with pytest.raises(CallRefused) as refused:
        await gate.dial("1000")
    assert refused.value.status == 503
    assert await gate.options() == 503
    await call.lasts(3)
    await call.hang_up()
    await gemini.until(lambda: gemini.open_sessions == 0, within_s=3)


async def test_a_second_drain_hangs_up(gate: SimulatedGate, gateway: Gateway) -> None:
    call = await gate.dial("1000")
    gateway.drain()
    await call.lasts(1)
    gateway.drain()
    await call.ended(by="gateway", within_s=3)


async def test_a_line_that_dies_while_the_model_speaks_ends_the_call(
    gate: SimulatedGate,
    gateway: Gateway,
    gemini: FakeGemini,
    reports: Reports,
    witness: Witness,
) -> None:
    gemini.always(say=stamps(every_s=0.5))
    call = await gate.dial("1000", speak=speech(2.0))
    await call.lasts(3)
    call.mute()
    await call.ended(by="gateway", within_s=16)
    await at_baseline(witness, gateway)
    assert reports.last.reason is HangupReason.RTP_STOPPED
