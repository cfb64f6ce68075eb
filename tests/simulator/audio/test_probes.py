"""The probes tell a good resampler from the known bad ones."""

import numpy as np
import pytest

from simulator.audio.g711 import PCMA, PCMU
from simulator.audio.pcm import Floats, Pcm, resample, to_pcm
from simulator.audio.probes import (
    ALIAS_LIMIT_DBFS,
    DISTANCE_LIMIT_DB,
    IMAGE_LIMIT_DB,
    alias_dbfs,
    image_db,
    log_spectral_distance,
    probe_signal,
    through,
)


class Fir:
    """A windowed-sinc filter with memory, then one sample in `step`."""

    def __init__(self, taps: int, cut_hz: float, rate: int, step: int, stuff: int = 1) -> None:
        at = np.arange(taps) - (taps - 1) / 2
        self.taps: Floats = (
            stuff * 2 * cut_hz / rate * np.sinc(2 * cut_hz / rate * at) * np.kaiser(taps, 8)
        )
        self.held: Floats = np.zeros(taps - 1)
        self.step = step
        self.stuff = stuff

    def __call__(self, piece: Pcm) -> Pcm:
        spread = np.zeros(len(piece) * self.stuff)
        spread[:: self.stuff] = piece
        line = np.concatenate((self.held, spread))
        self.held = line[-len(self.held) :]
        return to_pcm(np.convolve(line, self.taps, "valid")[:: self.step])


def good_down() -> Fir:
    return Fir(97, 3600.0, 24000, step=3)


def every_third(piece: Pcm) -> Pcm:
    return piece[::3]


def forgetful(piece: Pcm) -> Pcm:
    return good_down()(piece)


SIGNAL = probe_signal(10.0, 24000)
TRUTH = resample(SIGNAL, 24000, 8000)
GOOD = through(good_down(), SIGNAL, 24000)


def test_an_alias_is_seen() -> None:
    assert alias_dbfs(good_down()) < ALIAS_LIMIT_DBFS
    assert alias_dbfs(every_third) == pytest.approx(-20.0, abs=0.5)


def test_an_image_is_seen() -> None:
    assert image_db(Fir(65, 3700.0, 16000, step=1, stuff=2)) < IMAGE_LIMIT_DB
    assert image_db(lambda piece: np.repeat(piece, 2)) > -20.0


def test_a_good_filter_and_both_laws_are_near_the_truth() -> None:
    assert log_spectral_distance(TRUTH, TRUTH) == 0.0
    assert log_spectral_distance(TRUTH, GOOD) < 0.5
    assert log_spectral_distance(TRUTH, PCMU.decode(PCMU.encode(GOOD))) < 0.5
    assert log_spectral_distance(TRUTH, PCMA.decode(PCMA.encode(GOOD))) < 0.5


def test_a_little_loss_is_within_the_limit() -> None:
    frames = GOOD.reshape(-1, 160).copy()
    frames[np.random.default_rng(1).random(len(frames)) < 0.01] = 0
    assert log_spectral_distance(TRUTH, frames.reshape(-1)) < DISTANCE_LIMIT_DB


@pytest.mark.parametrize("bad", [every_third, forgetful])
def test_bad_resamplers_are_far_from_it(bad: object) -> None:
    assert callable(bad)
    assert log_spectral_distance(TRUTH, through(bad, SIGNAL, 24000)) > DISTANCE_LIMIT_DB


def test_the_wrong_law_is_far_from_it() -> None:
    assert log_spectral_distance(TRUTH, PCMA.decode(PCMU.encode(GOOD))) > 3.0


def test_delay_and_gain_do_not_count() -> None:
    late = np.concatenate((np.zeros(500, dtype=np.int16), to_pcm(GOOD * 0.5)))
    assert log_spectral_distance(TRUTH, late) < 0.5


def test_silence_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="no sound"):
        log_spectral_distance(np.zeros(8000, dtype=np.int16), TRUTH)
