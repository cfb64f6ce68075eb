import numpy as np
import pytest

from simulator.audio.faults import Span, clipped, dropouts
from simulator.audio.g711 import LAW
from simulator.audio.pcm import Pcm, to_pcm
from simulator.audio.sound import stamps
from simulator.audio.tones import noise, speech_like, tone

RATE = 8000


def loud(gain: float) -> Pcm:
    wave = tone(440.0, 0.5, RATE, level_dbfs=-12.0) * gain
    return to_pcm(wave)


def with_hole(pcm: Pcm, start_s: float, length_s: float) -> Pcm:
    holed = pcm.copy()
    holed[round(start_s * RATE) : round((start_s + length_s) * RATE)] = 0
    return holed


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_an_overdriven_tone_is_one_stretch_of_clipping(law: str) -> None:
    quiet = np.zeros(RATE, dtype=np.int16)
    heard = LAW[law].decode(LAW[law].encode(np.concatenate((quiet, loud(8.0), quiet))))

    [span] = clipped(heard, RATE)

    assert span.start_s == pytest.approx(1.0, abs=0.01)
    assert span.end_s == pytest.approx(1.5, abs=0.01)


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_loud_but_whole_sound_is_not_clipped(law: str) -> None:
    for sound in (loud(2.0), noise(2.0, RATE, seed=1, level_dbfs=-15.0)):
        assert clipped(LAW[law].decode(LAW[law].encode(sound)), RATE) == ()


def test_one_sample_at_the_rail_is_a_peak() -> None:
    pcm = np.zeros(100, dtype=np.int16)
    pcm[50:52] = -32768

    assert clipped(pcm, RATE) == ()
    pcm[52] = -32768
    assert clipped(pcm, RATE) == (Span(50 / RATE, 53 / RATE),)


@pytest.mark.parametrize("length_s", [0.02, 0.06, 0.18])
def test_sound_cut_out_of_a_tone_is_found(length_s: float) -> None:
    [span] = dropouts(with_hole(tone(440.0, 1.0, RATE), 0.4003, length_s), RATE)

    assert span.start_s == pytest.approx(0.4003, abs=0.002)
    assert span.end_s - span.start_s == pytest.approx(length_s, abs=0.003)


def test_a_pause_between_words_is_none() -> None:
    assert dropouts(with_hole(tone(440.0, 2.0, RATE), 0.4, 0.5), RATE) == ()


@pytest.mark.parametrize("turned", [False, True], ids=["soft start", "soft end"])
def test_a_hard_end_before_a_soft_start_is_a_stop_and_no_dropout(turned: bool) -> None:
    """A plosive closes the mouth at once; only what was cut on both sides was cut out."""
    hard = tone(440.0, 0.5, RATE)[:-400]
    sound = np.concatenate((hard, np.zeros(400, dtype=np.int16), tone(440.0, 0.5, RATE)))

    assert dropouts(sound[::-1] if turned else sound, RATE) == ()


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_whole_sound_has_no_dropouts(law: str) -> None:
    """Stamps 20 ms apart and syllables end softly."""
    close = stamps(every_s=0.5, count=6).pcm(7, RATE)
    for sound in (close, speech_like(10.0, RATE, seed=3), tone(440.0, 1.0, RATE)):
        assert dropouts(LAW[law].decode(LAW[law].encode(sound)), RATE) == ()


def test_nothing_is_neither() -> None:
    nothing = np.zeros(0, dtype=np.int16)

    assert clipped(nothing, RATE) == dropouts(nothing, RATE) == ()
