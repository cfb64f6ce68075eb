"""One call and its verdict, against the reference gateway in virtual time."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from simulator.audio.sound import Sound, pcm_sound, sequence, silence, silence_for, speech, stamps
from simulator.clock import run_virtual
from simulator.commands.one_call import CallPlan, CallResult, carry, judge
from simulator.commands.running import Stop
from simulator.gate.gate import SimulatedGate
from tests.simulator.gate.reference_gateway import ReferenceGateway

PLAN = CallPlan(number="1000", speak=stamps(every_s=0.5), listen_s=2.2)


def make_call(
    plan: CallPlan = PLAN,
    act: Callable[[ReferenceGateway, Stop], Any] = lambda _gateway, _stop: None,
    **gateway: Any,
) -> CallResult:
    """The verdict on a call to a reference gateway of that kind; `act` comes before the call."""

    async def main() -> CallResult:
        stop = Stop()
        async with ReferenceGateway(**gateway) as far:
            act(far, stop)
            async with SimulatedGate(gateway=far.address) as gate:
                carried = await carry(gate, plan, stop)
            return judge(carried, plan)

    return run_virtual(main())


def voice_of(*identities: int) -> Sound:
    """Stamps of others, one after another."""
    return sequence(
        *(pcm_sound(stamps(0.6, count=1).pcm(identity, 8000), 8000) for identity in identities)
    )


def test_an_echo_is_well_and_timed() -> None:
    result = make_call(echo=True)

    assert (result.ok, result.failures, result.violations) == (True, (), ())
    assert result.answered
    assert (result.status, result.ended_by) == (200, "caller")
    assert result.stamps_heard == {"1": 4}
    assert result.echo_ms == pytest.approx(30, abs=30)
    assert result.response_ms is None  # the caller never came to an end
    assert result.lasted_s == pytest.approx(2.2, abs=0.01)
    assert (result.rtp["lost"], result.rtp["interval_p50_ms"]) == (0, 20.0)


def test_a_finite_sound_is_followed_by_the_listening() -> None:
    plan = CallPlan("1000", speak=speech(1.0), listen_s=1.5, speak_after_s=0.5)

    result = make_call(plan, say=sequence(silence_for(2.0), speech(0.8)))

    assert result.ok
    assert result.lasted_s == pytest.approx(3.0, abs=0.01)
    assert result.response_ms == pytest.approx(500, abs=60)
    assert result.echo_ms is None


def test_silence_is_a_failure_only_where_audio_is_expected() -> None:
    result = make_call(say=silence)
    assert (result.ok, result.heard_speech) == (False, False)
    assert result.failures[0].startswith("no speech was heard: ")

    assert make_call(CallPlan("1000", silence, 1.0, expect_audio=False), say=silence).ok


def test_a_model_is_no_stranger_but_another_caller_is() -> None:
    assert make_call(say=voice_of(200, 200, 200)).ok

    stranger = make_call(say=voice_of(200, 7, 200))
    assert stranger.failures == ("another caller was heard: identity 7",)

    two = make_call(say=voice_of(200, 201, 200))
    assert two.failures == ("more than one model was heard: identity 200, 201",)


def test_a_refusal_is_told_with_its_status() -> None:
    def busy(gateway: ReferenceGateway, _stop: Stop) -> None:
        gateway.refuse = b"503 Service Unavailable"

    result = make_call(act=busy)

    assert (result.answered, result.status, result.retry_after_s) == (False, 503, 5)
    assert result.failures == ("call refused: 503 Service Unavailable (Retry-After: 5)",)
    assert (result.setup_ms, result.heard_dbfs, result.rtp["longest_gap_ms"]) == (None, None, None)


def test_nobody_there() -> None:
    def deaf(gateway: ReferenceGateway, _stop: Stop) -> None:
        gateway.deaf = True

    result = make_call(act=deaf)

    assert (result.ok, result.answered, result.status) == (False, False, None)
    assert len(result.failures) == 1
    assert "no answer to INVITE" in result.failures[0]


def test_a_broken_rule_is_a_failure() -> None:
    def no_contact(gateway: ReferenceGateway, _stop: Stop) -> None:
        gateway.spoil = lambda data: data.replace(b"Content-Length:", b"Content-Length :0\r\nX:")

    result = make_call(act=no_contact, echo=True)

    assert result.violations
    assert any(text.startswith("rules broken: ") for text in result.failures)


def test_the_gateway_may_hang_up_first() -> None:
    def soon(gateway: ReferenceGateway, _stop: Stop) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(1.5, lambda: gateway.hang_up(next(iter(gateway.dialogs.values()))))

    result = make_call(act=soon, echo=True)

    assert (result.ok, result.ended_by) == (True, "gateway")
    assert result.lasted_s == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize(("after_s", "answered"), [(1.0, True), (0.1, False)])
def test_the_wish_to_end_hangs_up_at_once(after_s: float, answered: bool) -> None:
    def soon(_gateway: ReferenceGateway, stop: Stop) -> None:
        asyncio.get_running_loop().call_later(after_s, stop.ask)

    result = make_call(act=soon, echo=True, ring_s=0.3)

    assert result.answered is answered
    if answered:
        assert result.lasted_s == pytest.approx(0.7, abs=0.05)
        assert result.ended_by == "caller"
    else:
        assert result.failures == ("given up before it was answered",)


def test_rtp_after_the_end_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def goes_on(gateway: ReferenceGateway, _stop: Stop) -> None:
        later, release = asyncio.get_running_loop().call_later, gateway.release
        monkeypatch.setattr(gateway, "release", lambda dialog: later(0.2, release, dialog))

    result = make_call(act=goes_on, echo=True)

    assert any("after the end of the call" in text for text in result.violations)
