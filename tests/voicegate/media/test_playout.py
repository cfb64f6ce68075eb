from voicegate.media.codec import FRAME_BYTES
from voicegate.media.playout import Playout

MS_20 = b"\x01\x02" * 160


def test_trap_13_pieces_of_any_length_come_out_in_frames() -> None:
    playout = Playout()
    voice = bytes(range(256)) * 5
    for at in range(0, 1280, 7):
        playout.put(voice[at : at + 7])
    frames = []
    while (frame := playout.take()) is not None:
        frames.append(frame)
    assert b"".join(frames) == voice
    assert {len(frame) for frame in frames} == {FRAME_BYTES}


def test_an_empty_playout_gives_nothing() -> None:
    playout = Playout()
    assert playout.take() is None
    assert playout.empty
    assert playout.queued_ms == 0


def test_trap_13_a_tail_is_played_at_once_and_filled_with_silence() -> None:
    playout = Playout()
    playout.put(MS_20 + b"\x05\x06")
    assert playout.queued_ms == 20.125
    assert playout.take() == MS_20
    assert not playout.empty
    assert playout.take() == b"\x05\x06" + bytes(318)
    assert playout.take() is None


def test_flush_drops_all_and_says_how_much() -> None:
    playout = Playout()
    playout.put(MS_20 * 3)
    playout.take()
    assert playout.flush() == 40
    assert playout.empty
    assert playout.take() is None
    assert playout.flush() == 0


def test_what_the_limit_refuses_is_counted() -> None:
    playout = Playout(limit_s=0.1)
    playout.put(MS_20 * 4)
    playout.put(MS_20 * 3)
    assert playout.queued_ms == 100
    assert playout.overflow_ms == 40
    playout.take()
    playout.put(MS_20)
    assert playout.overflow_ms == 40
