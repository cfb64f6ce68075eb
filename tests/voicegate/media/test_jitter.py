"""The jitter buffer on a made-up clock: whole minutes of a bad network in milliseconds."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from voicegate.media.codec import PCMA, PCMU, SILENCE_FRAME
from voicegate.media.jitter import JitterBuffer
from voicegate.media.rtp import RtpPacket

FRAME_S = 0.02


def speech(seconds: float) -> bytes:
    """Three syllables of a vowel in two seconds, with true silence between them, encoded."""
    at = np.arange(int(seconds * 8000)) / 8000
    vowel = 6000 * np.sin(2 * np.pi * 150 * at) + 4000 * np.sin(2 * np.pi * 450 * at)
    return PCMU.encode((vowel * (np.sin(2 * np.pi * 1.5 * at) > -0.3)).astype("<i2").tobytes())


@dataclass
class Run:
    """One stream through one buffer."""

    buffer: JitterBuffer
    heard: list[bytes] = field(default_factory=list)
    depths_ms: list[float] = field(default_factory=list)

    @property
    def pcm16(self) -> bytes:
        return b"".join(self.heard)


Plan = list[tuple[float, RtpPacket]]


def stream(
    voice: bytes,
    ptime_ms: int = 20,
    delay: Callable[[int], float] = lambda _: 0.0,
    drift: float = 0.0,
    sequence: int = 65500,
    timestamp: int = 0xFFFFF000,
    ssrc: int = 7,
) -> Plan:
    """When each packet of a voice arrives: at its time, and the delay after that."""
    length = ptime_ms * 8
    return [
        (
            0.007 + index * ptime_ms / 1000 * (1 + drift) + delay(index),
            RtpPacket(
                0,
                index == 0,
                (sequence + index) & 0xFFFF,
                (timestamp + at) & 0xFFFFFFFF,
                ssrc,
                voice[at : at + length],
            ),
        )
        for index, at in enumerate(range(0, len(voice) - length + 1, length))
    ]


def play(plan: Plan, seconds: float) -> Run:
    run = Run(JitterBuffer(PCMU))
    events: list[tuple[float, int, RtpPacket | None]] = [
        (at, 1, packet) for at, packet in sorted(plan, key=lambda due: due[0])
    ]
    events += [(index * FRAME_S, 0, None) for index in range(round(seconds / FRAME_S))]
    for at, _, packet in sorted(events, key=lambda event: event[:2]):
        if packet is not None:
            run.buffer.put(packet, at)
        else:
            run.heard.append(run.buffer.take(at))
            run.depths_ms.append(run.buffer.depth_ms)
    assert {len(frame) for frame in run.heard} == {320}
    return run


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 60])
def test_a_clean_stream_comes_out_as_it_went_in(ptime_ms: int) -> None:
    voice = speech(6)
    run = play(stream(voice, ptime_ms), 6.0)
    assert PCMU.decode(voice)[: 5 * 16000] in run.pcm16
    counters = run.buffer.counters
    assert counters.received == 6000 // ptime_ms
    assert (counters.late, counters.lost, counters.concealed, counters.streams) == (0, 0, 0, 1)


@pytest.mark.parametrize("at_ms", range(1, 20, 3))
def test_the_first_sample_is_heard_after_10_to_30_ms(at_ms: int) -> None:
    plan = stream(b"\x80" * 1600, delay=lambda _: at_ms / 1000 - 0.007)
    run = play(plan, 0.2)
    first = next(n for n, frame in enumerate(run.heard) if frame != SILENCE_FRAME)
    assert 0.01 <= first * FRAME_S - at_ms / 1000 <= 0.03


def test_reordered_and_doubled_packets_change_nothing() -> None:
    voice = speech(4)
    plan = stream(voice, delay=lambda index: 0.025 if index % 7 == 3 else 0.0)
    plan += [(at + 0.012, packet) for at, packet in plan[::5]]
    run = play(plan, 4.2)
    assert PCMU.decode(voice)[3200 : 3 * 16000] in run.pcm16
    counters = run.buffer.counters
    assert counters.duplicates == 40
    assert counters.reordered > 20
    assert counters.late <= 1, "the first one shows that packets are overtaken here"
    assert counters.lost == 0


def test_a_lost_packet_is_made_up_and_the_next_ones_stay_in_time() -> None:
    at = np.arange(16000) / 8000
    tone = PCMU.encode((8000 * np.sin(2 * np.pi * 200 * at)).astype("<i2").tobytes())
    plan = stream(tone)
    del plan[50]
    run = play(plan, 2.0)
    assert (run.buffer.counters.lost, run.buffer.counters.concealed) == (1, 1)
    wave = np.frombuffer(run.pcm16, dtype="<i2")
    active = wave[480 + 160 : -640]
    frames = np.abs(active[: len(active) // 160 * 160].reshape(-1, 160)).max(axis=1)
    assert frames.min() > 6000
    assert np.abs(np.diff(active.astype(int))).max() < 1600


def test_a_long_loss_fades_to_silence_and_the_voice_comes_back() -> None:
    plan = stream(b"\x90" * 16000)
    run = play(plan[:50] + plan[75:], 2.0)
    silent = [n for n, frame in enumerate(run.heard) if frame == SILENCE_FRAME and n > 10]
    assert 18 <= len([n for n in silent if n < 90]) <= 23
    assert run.buffer.counters.concealed == 3
    assert run.heard[90] == PCMU.decode(b"\x90" * 160)


@pytest.mark.parametrize("ptime_ms", [20, 30, 40])
def test_30_ms_of_jitter_and_2_percent_loss_drop_next_to_nothing(ptime_ms: int) -> None:
    source = random.Random(3)
    shapes: tuple[Callable[[int], float], ...] = (
        lambda _: source.uniform(0, 0.03),
        lambda _: abs(source.gauss(0, 0.03)),
    )
    for delay in shapes:
        plan = stream(speech(60), ptime_ms, delay)
        plan = [due for due in plan if source.random() >= 0.02]
        run = play(plan, 60)
        counters = run.buffer.counters
        assert counters.late / counters.received < 0.005
        assert max(run.depths_ms) <= 200
        # All that is made up is made up for a lost or late packet, or a change of the delay.
        per_packet = ptime_ms / 20 + 1
        assert counters.concealed <= (counters.lost + counters.late) * per_packet + 15


@pytest.mark.parametrize("drift", [200e-6, -200e-6])
def test_ten_minutes_of_drift_keep_the_delay(drift: float) -> None:
    run = play(stream(speech(600), drift=drift), 600)
    counters = run.buffer.counters
    assert (counters.late, counters.lost, counters.streams) == (0, 0, 1)
    assert max(run.depths_ms) <= 60
    assert counters.concealed <= 10
    assert counters.overflow_ms == 0


def test_a_burst_after_a_stall_loses_no_speech_and_the_delay_comes_back() -> None:
    def stalled(index: int) -> float:
        sent = index * 0.02
        return 10.3 - sent + (index - 520) * 1e-6 if 10 <= sent < 10.3 else 0.0

    run = play(stream(speech(30), delay=stalled), 30)
    counters = run.buffer.counters
    assert (counters.late, counters.lost, counters.overflow_ms) == (0, 0, 0)
    assert 250 <= max(run.depths_ms) <= 400
    assert max(run.depths_ms[900:]) <= 60


def test_the_depth_is_bounded_whatever_comes_at_once() -> None:
    plan = [(0.01, packet) for _, packet in stream(speech(3))]
    run = play(plan, 8)
    assert max(run.depths_ms) <= 400
    assert run.buffer.counters.overflow_ms == pytest.approx(2640, abs=40)


def test_trap_12_a_gap_of_a_sender_that_saves_silence_is_silence() -> None:
    voice = b"\x90" * 8000
    talk = stream(voice)
    after = stream(voice, sequence=(65500 + len(talk)) & 0xFFFF, timestamp=0xF000 + 16000)
    talk = stream(voice, timestamp=0xF000)
    run = play(talk + [(at + 2.0, packet) for at, packet in after], 4)
    assert run.heard[60:100] == [SILENCE_FRAME] * 40
    assert run.heard[130] == PCMU.decode(b"\x90" * 160)
    assert (run.buffer.counters.lost, run.buffer.counters.streams) == (0, 1)


def test_a_short_gap_without_loss_is_silence_at_once() -> None:
    """The packet after the gap is here in time, and follows the last one: nothing to make up."""
    buffer = JitterBuffer(PCMU)
    loud = b"\x90" * 160
    for sequence, timestamp in ((1, 0), (2, 160), (3, 480)):
        buffer.put(RtpPacket(0, False, sequence, timestamp, 7, loud), 0.0)
    frames = [buffer.take(index * FRAME_S) for index in range(4)]
    assert [frame == SILENCE_FRAME for frame in frames] == [False, False, True, False]
    assert buffer.counters.concealed == 0


def test_packets_without_audio_are_no_loss() -> None:
    plan = stream(b"\x90" * 8000)
    plan = [
        (at, packet._replace(payload=b"") if 20 <= index < 25 else packet)
        for index, (at, packet) in enumerate(plan)
    ]
    run = play(plan, 1.2)
    assert run.buffer.counters.lost == 0
    assert run.buffer.counters.late == 0


def test_another_source_starts_anew() -> None:
    first = stream(b"\x90" * 8000)
    # Even one that goes on counting where the first left off.
    second = stream(b"\xa5" * 8000, ssrc=9, sequence=65550, timestamp=0xFFFFF000 + 8000)
    run = play(first + [(at + 1.0, packet) for at, packet in second], 2.2)
    assert run.buffer.counters.streams == 2
    assert run.heard[-30] == PCMU.decode(b"\xa5" * 160)
    assert run.buffer.counters.lost == 0


@pytest.mark.parametrize("jump", [800000, -800000, 0x7FFFFFFF])
def test_a_jump_of_the_timestamp_is_followed(jump: int) -> None:
    plan = stream(speech(4))
    plan = [
        (at, p._replace(timestamp=(p.timestamp + jump) & 0xFFFFFFFF) if index >= 100 else p)
        for index, (at, p) in enumerate(plan)
    ]
    run = play(plan, 4.2)
    assert run.buffer.counters.streams == 2
    assert (run.buffer.counters.lost, run.buffer.counters.late) == (0, 0)
    assert PCMU.decode(speech(4))[2 * 16000 + 1000 : 3 * 16000] in run.pcm16


def test_a_frozen_timestamp_during_silence_is_followed() -> None:
    """Some gates stop their clock while they are silent."""
    voice = b"\x90" * 8000
    after = stream(voice, sequence=65500 + 50, timestamp=0xFFFFF000 + 8000)
    run = play(stream(voice) + [(at + 1.3, packet) for at, packet in after], 2.5)
    assert run.buffer.counters.late == 0
    assert run.heard[-10] == run.heard[-30] == PCMU.decode(b"\x90" * 160)


def test_a_late_packet_is_dropped_and_counted() -> None:
    plan = stream(speech(2))
    plan[40] = (plan[40][0] + 0.2, plan[40][1])
    run = play(plan, 2.0)
    assert (run.buffer.counters.late, run.buffer.counters.lost) == (1, 0)
    assert run.buffer.counters.concealed == 1


def test_a_stray_timestamp_out_of_order_is_dropped() -> None:
    buffer = JitterBuffer(PCMU)
    buffer.put(RtpPacket(0, False, 10, 1600, 7, b"\x90" * 160), 0.0)
    buffer.put(RtpPacket(0, False, 9, 900000, 7, b"\x91" * 160), 0.0)
    assert buffer.counters.late == 1
    assert buffer.depth_ms <= 60


def test_nothing_yet_is_silence() -> None:
    buffer = JitterBuffer(PCMA)
    assert [buffer.take(index * FRAME_S) for index in range(5)] == [SILENCE_FRAME] * 5
    assert buffer.counters.concealed == 0


def test_lost_is_right_when_the_first_packets_come_in_the_wrong_order() -> None:
    plan = stream(speech(1))
    plan[0] = (plan[0][0] + 0.03, plan[0][1])
    del plan[20]
    run = play(plan, 1.2)
    assert (run.buffer.counters.expected, run.buffer.counters.lost) == (50, 1)
