"""What callers say, and what is made of what they hear."""

import math
from pathlib import Path

import numpy as np
import pytest

from simulator.audio.sound import silence, silence_for, speech, stamps
from simulator.audio.wav import write
from simulator.commands import sounds

RATE = 8000


def test_words_stamps_silence_and_recordings(tmp_path: Path) -> None:
    wav = tmp_path / "A.WAV"
    write(wav, np.full((1600, 2), (1000, -5), dtype=np.int16), 16_000)

    assert sounds.parse_speak("silence") is silence
    assert math.isinf(sounds.parse_speak("stamps").duration_s)
    assert sounds.parse_speak("four words are spoken").duration_s == pytest.approx(1.4)
    recorded = sounds.parse_speak(str(wav))
    assert recorded.duration_s == pytest.approx(0.1)
    assert recorded.pcm(1, 16_000)[0] == 1000  # the first channel


@pytest.mark.parametrize("text", ["", "  ", "no-such.wav", "word " * 2001])
def test_what_cannot_be_said_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        sounds.parse_speak(text)


def test_a_cut_recording_is_refused(tmp_path: Path) -> None:
    wav = tmp_path / "cut.wav"
    wav.write_bytes(b"RIFF")
    with pytest.raises(ValueError, match=r"cut\.wav: no WAV file that can be read: cut short"):
        sounds.wav_sound(wav)


def test_one_word_in_a_minute_is_speech_and_noise_is_none() -> None:
    word = np.concatenate(
        [one.pcm(1, RATE) for one in (silence_for(40), speech("yes"), silence_for(20))]
    )
    hiss = np.random.default_rng(1).integers(-20, 20, 60 * RATE).astype(np.int16)
    click = np.zeros(RATE, dtype=np.int16)
    click[100:500] = 20_000

    assert sounds.speech_in(word, RATE)
    assert not sounds.speech_in(hiss, RATE)
    assert not sounds.speech_in(click, RATE)
    assert not sounds.speech_in(word[:0], RATE)
    assert 0.2 < sounds.loud_s(word, RATE) <= 0.38


def test_the_response_is_timed_from_the_last_word() -> None:
    said = np.concatenate([speech(1.0).pcm(1, RATE), silence_for(2.0).pcm(1, RATE)])
    heard = np.concatenate(
        [one.pcm(1, RATE) for one in (speech(0.5), silence_for(1.3), stamps(1.0, count=1))]
    )

    measured = sounds.response_ms(said, heard, RATE)

    assert measured is not None
    assert 780 <= measured <= 880  # 1.8 s less the second of words, whose last frame may be soft
    assert sounds.response_ms(said, heard[:RATE], RATE) is None
    assert sounds.response_ms(said[:0], heard, RATE) is None
