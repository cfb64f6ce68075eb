"""The bound of the journal is counted; a pulse wakes who waits."""

import asyncio

import pytest

from simulator.clock import run_virtual
from simulator.gemini.journal import Entry, Journal, Pulse


def test_what_the_bound_drops_is_counted() -> None:
    journal = Journal(entries_max=3)
    for number in range(5):
        journal.add(Entry(float(number), number % 2, "in", "audio", 1))
    assert [entry.at_s for entry in journal.entries] == [2.0, 3.0, 4.0]
    assert journal.dropped == 2
    assert [entry.at_s for entry in journal.of(1)] == [3.0]


def test_a_pulse_wakes_who_waits_and_the_wait_is_bounded() -> None:
    async def main() -> None:
        pulse, state = Pulse(), [0]

        def step() -> None:
            state[0] += 1
            pulse.beat()

        loop = asyncio.get_running_loop()
        for at_s in (1.0, 2.0, 3.0):
            loop.call_later(at_s, step)
        start_s = loop.time()
        await pulse.until(lambda: state[0] == 2, within_s=10.0)
        assert loop.time() - start_s == pytest.approx(2.0)
        with pytest.raises(TimeoutError):
            await pulse.until(lambda: state[0] == 9, within_s=5.0)

    run_virtual(main())
