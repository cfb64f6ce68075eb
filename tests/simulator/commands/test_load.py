"""Many calls, counted, against the reference gateway in virtual time."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from simulator.audio.sound import silence, stamps
from simulator.clock import run_virtual
from simulator.commands.load import Load, LoadPlan
from simulator.commands.one_call import CallPlan
from simulator.commands.running import Stop
from simulator.commands.terminal import Screen
from simulator.gate.gate import SimulatedGate
from tests.simulator.gate.reference_gateway import ReferenceGateway

CALL = CallPlan(number="1000", speak=stamps(every_s=0.5), listen_s=1.0)


def put_load(
    plan: LoadPlan,
    act: Callable[[ReferenceGateway, Stop], Any] = lambda _gateway, _stop: None,
    **gateway: Any,
) -> tuple[Load, dict[str, Any]]:
    async def main() -> Load:
        stop = Stop()
        async with ReferenceGateway(**gateway) as far:
            act(far, stop)
            async with SimulatedGate(gateway=far.address) as gate:
                load = Load(gate, plan, None, Screen(as_json=True), stop)
                await load.run()
        return load

    load = run_virtual(main())
    return load, load.summary()


def test_no_more_at_once_than_wanted_and_all_counted() -> None:
    load, found = put_load(LoadPlan(7, concurrency=3, rate=50, call=CALL), echo=True)

    assert load.passed
    assert found["calls"] == {
        "wanted": 7,
        "made": 7,
        "answered": 7,
        "ok": 7,
        "failed": 0,
        "most_at_once": 3,
    }
    assert (found["success_percent"], found["failures"], found["violations"]) == (100.0, {}, {})
    assert found["rtp_interval_ms"]["p50"] == 20.0
    assert found["tester_frames_skipped"] == 0


def test_the_rate_is_kept() -> None:
    _, found = put_load(LoadPlan(5, concurrency=5, rate=2, call=CALL), echo=True)

    # the last one begins after 2 s and takes 1.3 s
    assert found["seconds"] == pytest.approx(3.3, abs=0.1)
    assert found["calls"]["most_at_once"] == 3


def test_failures_are_counted_by_kind_and_kept_with_their_call() -> None:
    load, found = put_load(LoadPlan(3, concurrency=3, rate=50, call=CALL), say=silence)

    assert not load.passed
    assert found["failures"] == {"no speech was heard": 3}
    assert sorted(one["call"] for one in found["failed_calls"]) == [1, 2, 3]
    assert (found["success_percent"], found["calls"]["answered"]) == (0.0, 3)


def test_refusals_keep_their_status() -> None:
    def busy(gateway: ReferenceGateway, _stop: Stop) -> None:
        gateway.refuse = b"486 Busy Here"

    _, found = put_load(LoadPlan(2, concurrency=1, rate=50, call=CALL), act=busy)

    assert found["failures"] == {"call refused: 486 Busy Here (Retry-After: 5)": 2}
    assert found["setup_ms"] == {"p50": None, "p99": None, "max": None}


def test_the_wish_to_end_begins_no_more_and_fails_the_run() -> None:
    def soon(_gateway: ReferenceGateway, stop: Stop) -> None:
        asyncio.get_running_loop().call_later(1.7, stop.ask)

    load, found = put_load(LoadPlan(50, concurrency=2, rate=50, call=CALL), act=soon, echo=True)

    assert not load.passed  # those that were made are well, but they are not all
    assert found["calls"]["made"] == 4
    assert found["calls"]["answered"] == 4


def test_each_call_has_a_voice_of_its_own() -> None:
    """One that echoes into the wrong call would be heard: callers at once never share a voice."""
    identities: list[int] = []

    class Watched(SimulatedGate):
        def dial(self, number: str, **how: Any) -> Any:
            identities.append(how["identity"])
            return super().dial(number, **how)

    async def main() -> None:
        async with ReferenceGateway(echo=True) as far, Watched(gateway=far.address) as gate:
            plan = LoadPlan(6, concurrency=4, rate=50, call=CALL)
            await Load(gate, plan, None, Screen(as_json=True), Stop()).run()

    run_virtual(main())
    assert len(identities) == 6
    assert len(set(identities)) == 6
    assert all(0 < one < 128 for one in identities)
