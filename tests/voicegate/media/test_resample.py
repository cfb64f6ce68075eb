"""The filters by their probes, and the stream by its pieces."""

import random

import numpy as np
import numpy.typing as npt
import pytest

from voicegate.media.resample import Resampler, _design

Wave = npt.NDArray[np.float64]


def tone(hz: float, rate: int, seconds: float = 1.0, amplitude: float = 10000.0) -> bytes:
    at = np.arange(int(rate * seconds)) / rate
    return np.rint(amplitude * np.sin(2 * np.pi * hz * at)).astype("<i2").tobytes()


def samples(pcm16: bytes) -> Wave:
    return np.frombuffer(pcm16, dtype="<i2").astype(np.float64)


def level_db(pcm16: bytes, amplitude: float = 10000.0) -> float:
    """Power against a sine of that amplitude, its first and last 50 ms left out."""
    wave = samples(pcm16)
    margin = len(wave) // 20
    middle = wave[margin:-margin]
    return float(10 * np.log10(np.mean(middle**2) / (amplitude**2 / 2) + 1e-12))


def spectrum_db(pcm16: bytes, rate: int) -> tuple[Wave, Wave]:
    wave: Wave = samples(pcm16)[rate // 20 : -rate // 20]
    power: Wave = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
    at_hz = np.arange(len(power), dtype=np.float64) * (rate / len(wave))
    return at_hz, power


@pytest.mark.parametrize("hz", [4700, 5000, 6000, 7000, 8000, 9500, 11900])
def test_trap_13_what_8_khz_cannot_carry_does_not_fold_back(hz: int) -> None:
    assert level_db(Resampler(24000, 8000).process(tone(hz, 24000))) <= -70


@pytest.mark.parametrize("hz", [4700, 5500, 7900])
def test_no_alias_from_16_khz(hz: int) -> None:
    assert level_db(Resampler(16000, 8000).process(tone(hz, 16000))) <= -70


@pytest.mark.parametrize("rates", [(24000, 8000), (8000, 16000), (16000, 8000)])
def test_flat_to_3400_hz(rates: tuple[int, int]) -> None:
    for hz in (60, 300, 1000, 2000, 3000, 3200, 3400):
        got = level_db(Resampler(*rates).process(tone(hz, rates[0])))
        assert abs(got) <= 1.0, (hz, got)


def test_no_image_above_4_khz_of_noise_that_fills_the_band() -> None:
    noise = np.random.default_rng(4).normal(0, 3000, 16000).astype("<i2").tobytes()
    hz, power = spectrum_db(Resampler(8000, 16000).process(noise), 16000)
    above, all_of_it = power[hz > 4000].sum(), power.sum()
    assert 10 * np.log10(above / all_of_it) < -45


@pytest.mark.parametrize("hz", [300, 1000, 3000, 3400])
def test_no_image_of_a_tone(hz: int) -> None:
    at, power = spectrum_db(Resampler(8000, 16000).process(tone(hz, 8000)), 16000)
    assert 10 * np.log10(power[at > 4000].sum() / power.sum()) < -60


@pytest.mark.parametrize(
    "rates",
    [(24000, 8000), (8000, 16000), (16000, 8000), (8000, 8000), (48000, 8000), (44100, 8000)],
)
def test_20_ms_in_are_20_ms_out_every_time(rates: tuple[int, int]) -> None:
    resampler = Resampler(*rates)
    for _ in range(5):
        assert len(resampler.process(bytes(rates[0] // 50 * 2))) == rates[1] // 50 * 2


@pytest.mark.parametrize(
    "rates", [(24000, 8000), (8000, 16000), (16000, 8000), (8000, 8000), (16000, 24000)]
)
def test_trap_13_a_stream_in_odd_pieces_is_the_same_stream(rates: tuple[int, int]) -> None:
    pcm16 = np.random.default_rng(5).integers(-32768, 32767, rates[0]).astype("<i2").tobytes()
    whole = Resampler(*rates).process(pcm16)
    source, resampler, pieces, at = random.Random(6), Resampler(*rates), [], 0
    while at < len(pcm16):
        length = source.choice((1, 2, 3, 7, 96, 481, 960, 1999))
        pieces.append(resampler.process(pcm16[at : at + length]))
        at += length
    assert b"".join(pieces) == whole
    assert len(whole) == rates[1] * 2


@pytest.mark.parametrize("rates", [(24000, 8000), (8000, 16000), (44100, 8000)])
def test_the_sums_are_exact_since_every_coefficient_is_a_whole_number(
    rates: tuple[int, int],
) -> None:
    matrix = _design(*rates).matrix
    assert (matrix == np.rint(matrix)).all()
    assert np.abs(matrix).sum(axis=0).max() * 32768 < 2**53


def test_delay_is_2_ms() -> None:
    click = np.zeros(4800, dtype="<i2")
    click[2400] = 30000
    came = samples(Resampler(24000, 8000).process(click.tobytes()))
    assert int(np.argmax(np.abs(came))) == 800 + 16


def test_a_constant_stays_the_constant_and_loud_does_not_wrap() -> None:
    for value in (1000, 32767, -32768):
        pcm16 = np.full(2400, value, dtype="<i2").tobytes()
        for rates in ((24000, 8000), (8000, 16000)):
            got = samples(Resampler(*rates).process(pcm16))
            assert set(got[100:]) == {float(value)}
    square = np.where(np.arange(4800) // 24 % 2, 32767, -32768).astype("<i2").tobytes()
    assert np.abs(np.diff(samples(Resampler(8000, 16000).process(square)))).max() < 65000


def test_reset_forgets_the_stream_and_the_half_sample() -> None:
    resampler = Resampler(24000, 8000)
    first = resampler.process(tone(500, 24000, 0.02))
    resampler.process(tone(900, 24000, 0.02) + b"\x01")
    resampler.reset()
    assert resampler.process(tone(500, 24000, 0.02)) == first


def test_an_impossible_ratio_is_refused() -> None:
    with pytest.raises(ValueError, match="ratio"):
        Resampler(44101, 8000)
    with pytest.raises(ValueError, match="positive"):
        Resampler(0, 8000)
