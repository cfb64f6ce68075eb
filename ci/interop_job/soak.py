"""A soak that is captured, and what an outside judge (`sip-doctor read`) says of the capture."""

import asyncio
from collections import Counter

from ci.interop_job.scene import Scene
from simulator.audio.sound import stamps
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.pcap import Tape
from simulator.report.doctor import ABSENT, Diagnosis, read_capture

CALLS, AT_ONCE = 20, 5
CALL_S = 3.0
PACKETS_AT_LEAST = 15
"""Of the 150 that are due in CALL_S: a tester that is late sends fewer, and one way has none."""
LATE = ("poor audio", "started", "stopped")
"""A busy machine's doing: lateness is measured elsewhere, with nothing else running."""


async def judged(scene: Scene) -> None:
    """Make the calls, save what passed, and let it be read."""
    tape, name = Tape(), f"soak of {CALLS} calls"
    async with scene.nothing_left(name):
        target = ("127.0.0.1", scene.gateway.sip_port)
        async with SimulatedGate(gateway=target, tape=tape) as gate:
            for _ in range(CALLS // AT_ONCE):
                await asyncio.gather(*(_call(gate) for _ in range(AT_ONCE)))
    capture = scene.folder / "soak.pcap"
    await asyncio.to_thread(tape.save, capture)
    diagnosis = await asyncio.to_thread(read_capture, capture)
    if diagnosis.problem == ABSENT:
        scene.checks.skip("sip-doctor", ABSENT)
    else:
        _check(scene, diagnosis)


async def _call(gate: SimulatedGate) -> SimulatedCall:
    async with gate.dial("1000", speak=stamps(every_s=1.0)) as call:
        await call.lasts(CALL_S)
    return call


def _check(scene: Scene, diagnosis: Diagnosis) -> None:
    """It must have read all calls, both ways of each, and found nothing wrong."""
    check, name = scene.checks.check, f"sip-doctor {diagnosis.version}"
    statuses = Counter((diagnosis.statuses or {}).values())
    told = diagnosis.problem or str(dict(statuses))
    check(f"{name} reads the soak", statuses.total() == CALLS and len(statuses) == 1, told)
    found = faults(diagnosis)
    check(f"{name}: no missing ACK, no one-way audio", not found, "; ".join(found[:5]) or "none")
    ways = Counter(one.direction for one in diagnosis.streams if one.packets >= PACKETS_AT_LEAST)
    both = len(ways) == 2 and set(ways.values()) == {CALLS}
    check(f"{name}: sound both ways in each call", both, str(dict(ways)))
    lost = sum(one.lost or 0 for one in diagnosis.streams if one.direction == "to caller")
    check(f"{name}: no gap of the gateway's making", lost == 0, f"{lost} packets missing")


def faults(diagnosis: Diagnosis) -> list[str]:
    """Give what it finds wrong, but for lateness."""
    return [
        f"{finding.severity}: {finding.title}"
        for finding in diagnosis.worst
        if not any(word in finding.title.lower() for word in LATE)
    ]
