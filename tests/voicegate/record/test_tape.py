"""The timeline of a recording: every frame at the time it was on the wire."""

import struct

from voicegate.record.tape import HELD_BACK_S, Tape

FRAME = 160


def frame(value: int) -> bytes:
    return struct.pack("<h", value) * FRAME


def firsts(side: bytes) -> list[int]:
    """The first sample of each 20 ms."""
    return [struct.unpack_from("<h", side, at)[0] for at in range(0, len(side), FRAME * 2)]


def filled(count: int, delay_frames: int, start: int = 0, tape: Tape | None = None) -> Tape:
    """Each side says its number; the caller's frame of a tick came so many frames before."""
    tape = tape or Tape()
    for tick in range(start, start + count):
        heard = frame(max(0, 100 + tick - delay_frames))
        tape.add(heard, frame(100 + tick), 50.0 + tick * 0.02, delay_frames * 0.02)
    return tape


def test_the_callers_frames_are_laid_back_by_their_delay() -> None:
    stretch = filled(10, 3).take(all_of_it=True)
    assert stretch is not None
    assert firsts(stretch.right) == list(range(100, 110))
    assert firsts(stretch.left) == [*range(100, 107), 0, 0, 0]


def test_stretches_follow_one_another_without_a_seam() -> None:
    tape = Tape()
    stretches = []
    for second in range(4):
        filled(50, 3, second * 50, tape)
        if (one := tape.take()) is not None:
            stretches.append(one)
    last = tape.take(all_of_it=True)
    assert last is not None
    stretches.append(last)
    assert tape.take(all_of_it=True) is None
    assert [one.at for one in stretches] == [0, 3200, 11200, 19200, 27200]
    assert firsts(b"".join(one.right for one in stretches)) == list(range(100, 300))
    assert firsts(b"".join(one.left for one in stretches))[:197] == list(range(100, 297))


def test_no_frame_of_the_caller_comes_too_late_to_be_laid() -> None:
    """The jitter buffer holds 400 ms and one frame at most."""
    assert HELD_BACK_S >= 0.42 + 0.02


def test_jitter_of_the_delay_chops_nothing() -> None:
    tape = Tape()
    for tick in range(20):
        tape.add(frame(100 + tick), frame(0), tick * 0.02, 0.06 + 0.004 * (tick % 2))
    stretch = tape.take(all_of_it=True)
    assert stretch is not None
    assert 0 not in firsts(stretch.left)[:17]


def test_a_delay_that_grew_or_shrank_moves_what_follows_only() -> None:
    tape = filled(10, 2)
    filled(10, 3, 10, tape)
    stretch = tape.take(all_of_it=True)
    assert stretch is not None
    assert firsts(stretch.left)[:17] == list(range(100, 117))


def test_frames_that_were_skipped_are_silence_on_both_sides() -> None:
    tape = filled(5, 0)
    filled(5, 0, 8, tape)
    stretch = tape.take(all_of_it=True)
    assert stretch is not None
    expected = [*range(100, 105), 0, 0, 0, *range(108, 113)]
    assert (firsts(stretch.left), firsts(stretch.right)) == (expected, expected)
