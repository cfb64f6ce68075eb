"""Packets at their place in the stream: late, doubled, lost, wrapped."""

import asyncio

from simulator.clock import run_virtual
from simulator.gate.earpiece import DEPTH_S, Earpiece
from simulator.gate.rtp import FRAME_S, SAMPLES, RtpPacket

Played = list[tuple[int, float, float]]


def listen(*arrivals: tuple[float, int], start: int = 0, ssrc: int = 1) -> tuple[Played, Earpiece]:
    """Let packets arrive: (seconds, number); gives number, time and what was lost before each."""
    played: Played = []

    async def main() -> Earpiece:
        loop = asyncio.get_running_loop()
        zero_s = loop.time()

        def play(packet: RtpPacket, at_s: float, lost_s: float) -> None:
            played.append((packet.sequence, round(at_s - zero_s, 3), round(lost_s, 3)))

        ear = Earpiece(play)
        for at_s, number in arrivals:
            await asyncio.sleep(zero_s + at_s - loop.time())
            stamp = (start + number * SAMPLES) % 2**32
            ear.receive(RtpPacket(8, number, stamp, ssrc, bytes(SAMPLES)))
        await asyncio.sleep(2 * DEPTH_S)
        ear.close()
        return ear

    return played, run_virtual(main())


def due(number: int) -> float:
    return round(DEPTH_S + number * FRAME_S, 3)


def test_what_comes_in_any_order_is_played_in_order_and_on_time() -> None:
    played, _ = listen((0.0, 0), (0.01, 2), (0.05, 1), (0.06, 3))
    assert played == [(n, due(n), 0.0) for n in range(4)]


def test_what_is_lost_leaves_its_hole_and_what_is_late_is_not_played() -> None:
    played, ear = listen((0.0, 0), (0.06, 3), (0.17, 1), (0.18, 4), (0.18, 4))
    assert played == [(0, due(0), 0.0), (3, due(3), 0.04), (4, due(4), 0.0)]
    assert (ear.late, ear.doubled) == (1, 1)


def test_timestamps_wrap() -> None:
    played, _ = listen((0.0, 0), (0.02, 1), (0.04, 2), start=2**32 - SAMPLES)
    assert played == [(n, due(n), 0.0) for n in range(3)]


def test_a_jump_of_the_timestamp_begins_anew() -> None:
    played, _ = listen((0.0, 0), (0.02, 500))
    assert played == [(500, round(0.02 + DEPTH_S, 3), 0.0)]
