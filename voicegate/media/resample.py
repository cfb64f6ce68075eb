"""Sample-rate conversion by a polyphase FIR filter: streaming, exact, 2 to 3 ms of delay.

The coefficients are whole numbers (scaled by 2**22) and the samples are whole numbers, so every
sum is exact in a float64, whatever the order in which it is added up: one stream cut into odd
pieces gives the same samples, bit for bit, as the same stream in one piece, on any machine.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

_SCALE = float(1 << 22)
_CUTOFF = 0.465
"""The -6 dB point as a part of the lower rate: 3720 Hz of 8 kHz keeps 3.4 kHz, stops 4.6 kHz."""
_ATTENUATION_DB = 72.0
_TAPS_MIN = 97
_BLOCK_OUTPUTS = 16
_RATIO_MAX = 512


class _Design(NamedTuple):
    """The filter of one pair of rates, ready for a product of blocks of the input with a matrix."""

    up: int
    """Outputs of one period of the ratio."""
    down: int
    """Inputs of one period of the ratio."""
    history: int
    """Input samples before the first of a block that the filter still sees."""
    periods: int
    """Periods in one block."""
    matrix: Matrix
    """[history + periods * down, periods * up]; its corner serves a block that is not full."""


@lru_cache(maxsize=32)
def _design(from_hz: int, to_hz: int) -> _Design:
    divisor = math.gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    if max(up, down) > _RATIO_MAX:
        raise ValueError(f"no filter for the ratio {up}/{down}")
    prototype = _prototype(up, down)
    history = (len(prototype) - 1) // up
    periods = max(1, _BLOCK_OUTPUTS // up)
    matrix = np.zeros((history + periods * down, periods * up))
    for column in range(periods * up):
        # Output n sits at n * down on the grid of from_hz * up, where input i sits at i * up.
        position = column * down + history * up
        for row in range(history + periods * down):
            tap = position - row * up
            if 0 <= tap < len(prototype):
                matrix[row, column] = prototype[tap]
    return _Design(up, down, history, periods, matrix)


def _prototype(up: int, down: int) -> Matrix:
    """The low-pass at `from_hz * up`, windowed by Kaiser, its coefficients whole numbers."""
    taps = max(_TAPS_MIN, 32 * max(up, down) + 1)
    cutoff = _CUTOFF / max(up, down)
    at = np.arange(taps) - (taps - 1) / 2
    shape = np.sinc(2 * cutoff * at) * np.kaiser(taps, 0.1102 * (_ATTENUATION_DB - 8.7))
    for phase in range(up):
        # Each phase has a gain of exactly one, so that a constant input stays a constant.
        shape[phase::up] /= shape[phase::up].sum()
    whole: Matrix = np.rint(shape * _SCALE)
    return whole


class Resampler:
    """One stream from `from_hz` to `to_hz`. PCM16 mono in, PCM16 mono out.

    What does not make a whole step of the ratio (half a sample too) waits for the next call, so
    20 ms in are 20 ms out. Raises ValueError for rates below 1 or a ratio of large integers.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        if from_hz < 1 or to_hz < 1:
            raise ValueError("a sample rate must be positive")
        self.from_hz = from_hz
        self.to_hz = to_hz
        self._filter = _design(from_hz, to_hz) if from_hz != to_hz else None
        self.reset()

    def reset(self) -> None:
        """Forget the stream so far, as for a barge-in: what comes next stands alone."""
        history = self._filter.history if self._filter is not None else 0
        self._history: Matrix = np.zeros(history)
        self._carried = b""

    def process(self, pcm16: bytes) -> bytes:
        """Convert the next piece of the stream, of any length."""
        if self._carried:
            pcm16 = self._carried + pcm16
        step = 2 * self._filter.down if self._filter is not None else 2
        usable = len(pcm16) - len(pcm16) % step
        self._carried = pcm16[usable:]
        if self._filter is None:
            return pcm16[:usable] if self._carried else pcm16
        if not usable:
            return b""
        samples = np.frombuffer(pcm16, dtype="<i2", count=usable // 2)
        return self._convert(self._filter, samples)

    def _convert(self, design: _Design, samples: npt.NDArray[np.int16]) -> bytes:
        window: Matrix = np.concatenate((self._history, samples))
        self._history = window[len(samples) :]
        advance = design.periods * design.down
        blocks, rest = divmod(len(samples), advance)
        wanted = np.empty(len(samples) * design.up // design.down)
        split = blocks * design.periods * design.up
        if blocks:
            # Overlapping rows of one buffer, as stride_tricks.as_strided gives them, at a tenth
            # of its cost.
            rows: Matrix = np.ndarray(
                (blocks, design.history + advance),
                dtype=np.float64,
                buffer=window,
                strides=(advance * window.itemsize, window.itemsize),
            )
            np.matmul(
                np.ascontiguousarray(rows),
                design.matrix,
                out=wanted[:split].reshape(blocks, -1),
            )
        if rest:
            tail = window[blocks * advance :]
            outputs = rest * design.up // design.down
            wanted[split:] = tail @ design.matrix[: len(tail), :outputs]
        return _to_pcm16(wanted)


def _to_pcm16(scaled: Matrix) -> bytes:
    scaled *= 1 / _SCALE
    np.rint(scaled, out=scaled)
    np.maximum(scaled, -32768.0, out=scaled)
    np.minimum(scaled, 32767.0, out=scaled)
    return scaled.astype("<i2").tobytes()
