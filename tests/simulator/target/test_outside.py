"""The witness of another process: it waits, it sees what is left, it never blocks the loop."""

import asyncio
import threading

import pytest

from simulator.target.outside import OutsideWitness
from simulator.witness.census import Snapshot
from simulator.witness.witness import LeakFound


def holding(*tasks: str) -> Snapshot:
    return Snapshot.from_resources({"tasks": list(tasks)})


async def test_what_goes_in_time_is_no_leak() -> None:
    looks = [holding("a")] * 4 + [holding("a", "call-1")] * 3 + [holding("a")] * 50

    with OutsideWitness(lambda: looks.pop(0)) as witness:
        await witness.settle()
        witness.baseline()
        await witness.settle()
        witness.check(after="call 1")


async def test_what_stays_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.target.outside.WITHIN_S", 0.3)
    now = holding("a")
    with OutsideWitness(lambda: now) as witness:
        await witness.settle()
        witness.baseline()
        now = holding("a", "call-1/uplink")
        await witness.settle()
        with pytest.raises(LeakFound, match="call-1/uplink"):
            witness.check(after="call 1")


async def test_the_loop_goes_on_while_it_looks() -> None:
    threads = set()

    def look() -> Snapshot:
        threads.add(threading.current_thread().name)
        return holding("a")

    with OutsideWitness(look) as witness:
        await witness.settle()
    assert threading.main_thread().name not in threads
    await asyncio.get_running_loop().shutdown_default_executor()
