"""Stamps: 480 ms of sound that say whose audio this is and which piece of it.

A chirp (500 to 3000 Hz, 80 ms) says where; five 80 ms symbols of one of 16 tones (600 to 2100 Hz)
say identity (8 bit), sequence (8 bit) and a check nibble. Energy proves neither call nor direction;
these do, through G.711, resampling, noise and loss, and under speech.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from simulator.audio.levels import amplitude
from simulator.audio.pcm import FULL_SCALE, Floats, Pcm, resample, samples_in, to_pcm
from simulator.audio.tones import ramped, sweep

SYMBOL_S = 0.08
STAMP_S = 6 * SYMBOL_S
LEVEL_DBFS = -20.0
CHIRP_HZ = (500.0, 3000.0)
TONES_HZ = tuple(600.0 + 100.0 * nibble for nibble in range(16))

# Everything is read at 8 kHz: nothing above 4 kHz gets through a call.
RATE = 8000
SYMBOL = samples_in(SYMBOL_S, RATE)
BLOCK = 1 << 14
# Thresholds, set by measurement: noise stays under 0.2, speech under 0.3, a clean stamp gives 1.0.
CHIRP_SCORE = 0.35
PURITY = 0.15
SLIPPED_PURITY = 0.4
CLEAN_PURITY = 0.8
PURER = 0.6
RIVAL = 0.4
LEVEL_SPREAD_DB = 9.0
QUIETEST_DBFS = -65.0
SIXTH_PURITY = 0.5
SIXTH_LEVEL = 0.3
LASTING = 0.3
SLIP_STEP = RATE // 100
SLIPS = range(-6, 7)
MARGIN = SYMBOL + 6 * SLIP_STEP

Floats32 = npt.NDArray[np.float32]
Complex = npt.NDArray[np.complex64]


@dataclass(frozen=True)
class Stamp:
    """One stamp found in a recording."""

    identity: int
    """Whose audio it is: 0 to 255."""

    sequence: int
    """Which piece of it: 0 to 255, then again from 0."""

    at_s: float
    """Where its chirp starts, in seconds from the start of the recording."""

    level_dbfs: float
    """The level of its tones alone, whatever else sounds with them."""


def check_nibble(nibbles: tuple[int, ...]) -> int:
    """The fifth symbol: a weighted sum in GF(16), so that one wrong or two swapped show.

    Not zero for all zeros: a steady tone is no stamp.
    """
    total = 0xA
    for weight, nibble in enumerate(nibbles, start=1):
        for bit in range(4):
            if weight >> bit & 1:
                product = nibble << bit
                for high in (7, 6, 5, 4):  # reduce by x^4 + x + 1
                    product ^= (0x13 << high - 4) if product >> high & 1 else 0
                total ^= product
    return total


def render(identity: int, sequence: int, rate: int) -> Pcm:
    """One stamp, -20 dBFS, as PCM16 at `rate` (8000 or more)."""
    if not (0 <= identity <= 255 and 0 <= sequence <= 255):
        raise ValueError(f"identity {identity} and sequence {sequence} must be 0 to 255")
    nibbles = (identity >> 4, identity & 0xF, sequence >> 4, sequence & 0xF)
    tones = (TONES_HZ[nibble] for nibble in (*nibbles, check_nibble(nibbles)))
    return np.concatenate([_symbol(*CHIRP_HZ, rate), *(_symbol(hz, hz, rate) for hz in tones)])


@cache
def _symbol(from_hz: float, to_hz: float, rate: int) -> Pcm:
    """One symbol with soft ends; there are seventeen a rate, and every call sends hundreds."""
    wave = ramped(sweep(from_hz, to_hz, SYMBOL_S, rate), rate)
    return to_pcm(wave * (amplitude(LEVEL_DBFS) * np.sqrt(2.0)))


def decode(pcm: Pcm, rate: int) -> list[Stamp]:
    """All stamps in the recording, in order of time."""
    heard = resample(pcm, rate, RATE).astype(np.float32)
    # Room on both sides, so that a stamp cut at the end and a slipped one can be looked at.
    room = np.zeros(MARGIN, dtype=np.float32)
    padded = np.concatenate((room, heard, room, np.zeros(6 * SYMBOL, dtype=np.float32)))
    found: list[Stamp] = []
    for at, strength in _chirps(padded):
        stamp = _read(padded, at, strength)
        if stamp is not None and not any(_is_same(stamp, other) for other in found[-2:]):
            found.append(stamp)
    return found


def _is_same(stamp: Stamp, earlier: Stamp) -> bool:
    """Whether both are one stamp, whose chirp a jitter buffer has played twice."""
    known = (earlier.identity, earlier.sequence) == (stamp.identity, stamp.sequence)
    return known and stamp.at_s - earlier.at_s < STAMP_S


@cache
def _template() -> tuple[Complex, float]:
    """The conjugate spectrum of the analytic chirp, positive half, and the chirp's energy."""
    chirp = ramped(sweep(*CHIRP_HZ, SYMBOL_S, RATE), RATE)
    spectrum = np.fft.rfft(chirp, n=BLOCK)
    spectrum[0] = 0.0
    return (2.0 * np.conj(spectrum)).astype(np.complex64), float(np.sum(chirp * chirp))


def _chirps(heard: Floats32) -> Iterator[tuple[int, float]]:
    """Where a chirp starts, and its peak amplitude: peaks of the normalised correlation.

    Against the analytic chirp, so that no filter's phase can hide it.
    """
    template, energy = _template()
    hop = BLOCK - SYMBOL
    blocks = -(-len(heard) // hop)
    padded = np.zeros(blocks * hop + SYMBOL, dtype=np.float32)
    padded[: len(heard)] = heard
    rows = np.lib.stride_tricks.sliding_window_view(padded, BLOCK)[::hop]
    spectrum = np.zeros((blocks, BLOCK), dtype=np.complex64)
    spectrum[:, : BLOCK // 2 + 1] = np.fft.rfft(rows, axis=1) * template
    strength = np.abs(np.fft.ifft(spectrum, axis=1)[:, :hop]).reshape(-1)
    power = np.concatenate(([0.0], np.cumsum(np.square(padded, dtype=np.float64))))
    around = power[SYMBOL:-1] - power[: -SYMBOL - 1]
    quietest = SYMBOL * amplitude(QUIETEST_DBFS) ** 2
    score = strength / np.sqrt(np.maximum(around, quietest) * energy)
    above = np.flatnonzero(score > CHIRP_SCORE)
    for run in np.split(above, np.flatnonzero(np.diff(above) > SYMBOL // 2) + 1):
        if len(run):
            at = int(run[np.argmax(score[run])])
            yield at, float(strength[at]) / energy


@cache
def _bank() -> tuple[Complex, Floats32]:
    """The 16 windowed tones, [16, 640], scaled so that a full-scale tone gives its peak; window."""
    window = np.hanning(SYMBOL + 2)[1:-1]
    at_s = np.arange(SYMBOL) / RATE
    angles = 2 * np.pi * np.outer(TONES_HZ, at_s)
    tones = (np.cos(angles) - 1j * np.sin(angles)) * window * (2.0 / np.sum(window))
    return tones.astype(np.complex64), (window / np.sum(window)).astype(np.float32)


@dataclass(frozen=True)
class _Symbols:
    """What six windows hold: those of the five symbols, and the one behind them."""

    nibbles: tuple[int, ...]
    """The strongest tone of each."""

    peaks: Floats
    """Its amplitude in PCM units, for each."""

    purity: Floats
    """Its share of the window's power, for each."""

    rival: Floats
    """Power of the second strongest over that of the strongest, for each."""


def _listen(heard: Floats32, starts: list[int]) -> _Symbols:
    """Read one symbol at each start."""
    tones, window = _bank()
    windows = np.stack([heard[start : start + SYMBOL] for start in starts])
    peaks = np.abs(windows @ tones.T).astype(np.float64)
    order = np.argsort(peaks, axis=1)
    rows = np.arange(len(starts))
    best, second = peaks[rows, order[:, -1]], peaks[rows, order[:, -2]]
    power = np.maximum(np.square(windows) @ window, 1e-3)
    return _Symbols(
        nibbles=tuple(int(nibble) for nibble in order[:, -1]),
        peaks=best,
        purity=best * best / (2.0 * power),
        rival=np.square(second / np.maximum(best, 1e-9)),
    )


def _read(heard: Floats32, at: int, strength: float) -> Stamp | None:
    """The stamp whose chirp starts there, or None; its symbols in place, or slipped once.

    A jitter buffer puts a piece in or leaves one out: all that follows is early or late by the
    same. The purest reading decides; one window each would hop to the neighbour's tone.
    """
    starts = [at + SYMBOL * n for n in range(1, 7)]
    in_place = _listen(heard, starts)
    purity_in_place = in_place.purity[:5]
    if purity_in_place.min() > CLEAN_PURITY:
        return _judge(in_place, at, strength, PURITY)
    slips = [SLIP_STEP * step for step in SLIPS]
    everywhere = _listen(heard, [start + slip for slip in slips for start in starts[:5]])
    purity = everywhere.purity.reshape(len(slips), 5)
    # [slip, first symbol that slipped]: the purity of what is before it in place, of the rest not.
    before = np.concatenate(([0.0], np.cumsum(purity_in_place)[:-1]))
    total = before + np.cumsum(purity[:, ::-1], axis=1)[:, ::-1]
    slip, first = np.unravel_index(int(np.argmax(total)), total.shape)
    if total[slip, first] < purity_in_place.sum() + PURER:
        return _judge(in_place, at, strength, PURITY)
    moved = [start + (slips[slip] if n >= first else 0) for n, start in enumerate(starts)]
    if not _lasts(heard[moved[4] : moved[4] + SYMBOL]):
        return None
    return _judge(_listen(heard, moved), at, strength, SLIPPED_PURITY)


def _lasts(fifth: Floats32) -> bool:
    """Whether the fifth symbol sounds to its end.

    Where a symbol's length of sound was left out, the fourth is read twice, with silence behind.
    """
    quarter = fifth[-SYMBOL // 4 :]
    return float(np.mean(np.square(quarter))) > LASTING * float(np.mean(np.square(fifth)))


def _is_longer(symbols: _Symbols) -> bool:
    """Whether this is a stamp of six symbols, one of them played twice.

    It is where a symbol's length of sound was put in. The first five are then no stamp, but their
    check agrees once in sixteen: another's stamp, where there is only a torn one.
    """
    loud = float(symbols.peaks[5]) > SIXTH_LEVEL * float(np.median(symbols.peaks[:5]))
    if not loud or float(symbols.purity[5]) < SIXTH_PURITY:
        return False
    six = symbols.nibbles
    twice = (n for n in range(5) if six[n] == six[n + 1])
    fives = {six[:n] + six[n + 1 :] for n in twice}
    return any(check_nibble(five[:4]) == five[4] for five in fives - {six[:5]})


def _judge(symbols: _Symbols, at: int, strength: float, least_purity: float) -> Stamp | None:
    """A stamp only if every tone is pure, alone, as loud as the chirp, and the check agrees."""
    nibbles, peaks = symbols.nibbles, symbols.peaks[:5]
    if check_nibble(nibbles[:4]) != nibbles[4] or _is_longer(symbols):
        return None
    if symbols.purity[:5].min() < least_purity or symbols.rival[:5].max() > RIVAL:
        return None
    if np.abs(20.0 * np.log10(peaks / max(strength, 1e-9))).max() > LEVEL_SPREAD_DB:
        return None
    peak = float(np.median(peaks))
    return Stamp(
        identity=nibbles[0] << 4 | nibbles[1],
        sequence=nibbles[2] << 4 | nibbles[3],
        at_s=(at - MARGIN) / RATE,
        level_dbfs=20.0 * float(np.log10(peak / np.sqrt(2.0) / FULL_SCALE)),
    )
