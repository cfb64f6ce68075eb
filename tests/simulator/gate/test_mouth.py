import numpy as np
import pytest

from simulator.audio.sound import silence, tone_sound
from simulator.gate.mouth import DIGIT_PAUSE_FRAMES, TONE_FRAMES, EventFrame, Mouth
from simulator.gate.rtp import SAMPLES


def mouth() -> tuple[Mouth, list[int]]:
    changes: list[int] = []
    return Mouth(5, lambda: changes.append(1)), changes


def test_a_sound_comes_frame_by_frame_and_ends() -> None:
    own, changes = mouth()
    own.say(tone_sound(440, 0.05))
    frames = [own.frame() for _ in range(4)]
    assert [frame is None for frame in frames] == [False, False, False, True]
    assert changes == [1]
    assert not own.speaking
    own.say(silence)
    assert not own.speaking


def test_events_interrupt_what_is_said_and_it_goes_on() -> None:
    own, changes = mouth()
    own.say(tone_sound(440, 9))
    own.press("1#")
    frames = [own.frame() for _ in range(2 * (11 + DIGIT_PAUSE_FRAMES) + 1)]
    events = [frame for frame in frames if isinstance(frame, EventFrame)]
    assert [event.payload[0] for event in events] == [1] * 11 + [11] * 11
    assert [event.first for event in events].count(True) == 2
    assert not any(isinstance(frame, EventFrame) for frame in frames[11 : 11 + DIGIT_PAUSE_FRAMES])
    assert sum(isinstance(frame, np.ndarray) for frame in frames) == 2 * DIGIT_PAUSE_FRAMES + 1
    assert changes == [1]
    assert not own.pressing


def test_tones_are_two_frequencies_and_a_pause() -> None:
    own, changes = mouth()
    own.press("5", as_tones=True)
    frames = [own.frame() for _ in range(TONE_FRAMES)]
    loud = [isinstance(frame, np.ndarray) and bool(np.abs(frame).max() > 1000) for frame in frames]
    assert loud == [True] * 5 + [False] * 4
    assert all(isinstance(frame, np.ndarray) and len(frame) == SAMPLES for frame in frames)
    assert changes == [1]
    assert own.frame() is None


@pytest.mark.parametrize("as_tones", [False, True])
def test_mistakes_are_named(as_tones: bool) -> None:
    own, _ = mouth()
    with pytest.raises(ValueError, match="not all of '1x' can be pressed"):
        own.press("1x", as_tones=as_tones)
    own.press("1" * 60, as_tones=as_tones)
    with pytest.raises(ValueError, match="more than 64"):
        own.press("1" * 5, as_tones=as_tones)
    with pytest.raises(ValueError, match="no telephone-event"):
        own.press("1", dry=True)
