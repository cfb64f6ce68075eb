"""Sounds as values: the same value speaks for anyone, at any rate."""

import itertools
import math

import numpy as np
import pytest

from simulator.audio.levels import dbfs, speech_heard
from simulator.audio.sound import (
    Sound,
    pcm_sound,
    sequence,
    silence,
    silence_for,
    speech,
    stamps,
    tone_sound,
)
from simulator.audio.stamps import decode
from simulator.audio.tones import tone


def test_stamps_are_counted_and_spaced() -> None:
    sound = stamps(every_s=0.75, count=4, start=254)
    found = decode(sound.pcm(7, 8000), 8000)

    assert sound.duration_s == 3.0
    assert [stamp.sequence for stamp in found] == [254, 255, 0, 1]
    assert [stamp.at_s for stamp in found] == [0.0, 0.75, 1.5, 2.25]
    assert {stamp.identity for stamp in found} == {7}


def test_an_odd_spacing_does_not_drift() -> None:
    sound = stamps(every_s=0.70001, count=100)
    assert len(sound.pcm(1, 8000)) == round(70.001 * 8000)


def test_endless_stamps_are_taken_piece_by_piece() -> None:
    sound = stamps()
    pieces = list(itertools.islice(sound.pieces(3, 24000), 3))

    assert sound.duration_s == math.inf
    assert [stamp.sequence for stamp in decode(np.concatenate(pieces), 24000)] == [0, 1, 2]
    with pytest.raises(ValueError, match="has no end"):
        sound.pcm(3, 24000)


def test_stamps_cannot_overlap() -> None:
    with pytest.raises(ValueError, match="too short"):
        stamps(every_s=0.4)


def test_speech_is_as_long_as_its_words_and_always_the_same() -> None:
    sound = speech("How may I help you?")

    assert sound.duration_s == pytest.approx(5 * 0.35)
    assert len(sound.pcm(1, 8000)) == 14000
    assert speech_heard(sound.pcm(1, 8000), 8000)
    assert sound.pcm(1, 8000).tolist() == speech("How may I help you?").pcm(2, 8000).tolist()
    assert sound.pcm(1, 8000).tolist() != speech("How can I help you?").pcm(1, 8000).tolist()
    assert speech(2.5).duration_s == 2.5
    assert speech("").duration_s == 0.35


def test_frames_have_one_size_and_the_last_is_filled() -> None:
    frames = list(speech(0.31).frames(1, 8000))

    assert [len(frame) for frame in frames] == [160] * 16
    assert not np.any(frames[-1][80:])
    assert np.concatenate(frames)[:2480].tolist() == speech(0.31).pcm(1, 8000).tolist()


@pytest.mark.parametrize("sound", [silence, stamps(), sequence(speech("hi"), silence)])
def test_frames_of_endless_sounds_go_on(sound: Sound) -> None:
    frames = list(itertools.islice(sound.frames(1, 8000), 200))
    assert {len(frame) for frame in frames} == {160}


def test_sounds_follow_one_another() -> None:
    sound = sequence(tone_sound(440, 0.5), silence_for(0.25), stamps(count=1))
    pcm = sound.pcm(9, 8000)

    assert sound.duration_s == 1.75
    assert len(pcm) == 14000
    assert dbfs(pcm[4000:6000]) == -120.0
    assert [stamp.at_s for stamp in decode(pcm, 8000)] == [0.75]


def test_a_recording_is_given_at_the_rate_wanted() -> None:
    sound = pcm_sound(tone(440, 1.0, 24000), 24000)

    assert sound.duration_s == 1.0
    assert len(sound.pcm(1, 8000)) == 8000
    assert dbfs(sound.pcm(1, 8000)) == pytest.approx(-20.0, abs=0.1)


def test_a_sound_says_what_it_is() -> None:
    assert (
        repr(sequence(silence_for(1.0), speech("hi")))
        == "sequence(silence_for(1.0) + speech('hi'))"
    )
