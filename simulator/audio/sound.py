"""Sounds to speak: what a caller or the model says, rendered for any identity and rate."""

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from simulator.audio import stamps as stamp_code
from simulator.audio.pcm import Pcm, resample, samples_in
from simulator.audio.tones import LEVEL_DBFS, speech_like, tone

WORD_S = 0.35
PIECE_S = 0.5


@dataclass(frozen=True)
class Sound:
    """Something to say. The same value speaks as any identity, at any rate, any number of times."""

    name: str
    """What it is, for reports."""

    duration_s: float
    """How long it lasts; infinity for an endless one."""

    make: Callable[[int, int], Iterator[Pcm]]
    """Given identity and rate, the pieces one after another, of any length."""

    def pieces(self, identity: int, rate: int) -> Iterator[Pcm]:
        """The pieces one after another, of any length; endless ones never stop."""
        return self.make(identity, rate)

    def frames(self, identity: int, rate: int, frame_s: float = 0.02) -> Iterator[Pcm]:
        """The same cut into frames of exactly `frame_s`; the last one is filled with silence."""
        size = samples_in(frame_s, rate)
        held = np.zeros(0, dtype=np.int16)
        for piece in self.pieces(identity, rate):
            held = np.concatenate((held, piece)) if len(held) else piece
            whole = len(held) // size * size
            yield from held[:whole].reshape(-1, size)
            held = held[whole:]
        if len(held):
            yield np.concatenate((held, np.zeros(size - len(held), dtype=np.int16)))

    def pcm(self, identity: int, rate: int) -> Pcm:
        """The whole of a finite sound; ValueError for an endless one."""
        if math.isinf(self.duration_s):
            raise ValueError(f"{self.name} has no end: use pieces() or frames()")
        pieces = list(self.pieces(identity, rate))
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16)

    def __repr__(self) -> str:
        return self.name


def stamps(every_s: float = 1.0, count: int | None = None, start: int = 0) -> Sound:
    """One stamp at the start of every `every_s`, endless unless counted, numbered from `start`."""
    if every_s < stamp_code.STAMP_S:
        raise ValueError(f"a stamp lasts {stamp_code.STAMP_S} s: every_s={every_s} is too short")

    def make(identity: int, rate: int) -> Iterator[Pcm]:
        sent = 0
        while count is None or sent < count:
            # Cut by absolute position: an odd every_s must not drift.
            size = samples_in((sent + 1) * every_s, rate) - samples_in(sent * every_s, rate)
            piece = np.zeros(size, dtype=np.int16)
            stamp = stamp_code.render(identity, (start + sent) % 256, rate)[:size]
            piece[: len(stamp)] = stamp
            yield piece
            sent += 1

    lasts_s = math.inf if count is None else count * every_s
    return Sound(f"stamps(every_s={every_s}, count={count}, start={start})", lasts_s, make)


def speech(words: str | float, level_dbfs: float = LEVEL_DBFS) -> Sound:
    """A voice-like sound of that many seconds, or of 0.35 s a word, the same for the same text."""
    if isinstance(words, str):
        seconds = WORD_S * max(1, len(words.split()))
        seed = zlib.crc32(words.encode())
    else:
        seconds, seed = float(words), 0

    def make(_identity: int, rate: int) -> Iterator[Pcm]:
        yield speech_like(seconds, rate, seed, level_dbfs)

    return Sound(f"speech({words!r})", seconds, make)


def silence_for(seconds: float) -> Sound:
    """Digital silence of that length."""

    def make(_identity: int, rate: int) -> Iterator[Pcm]:
        yield np.zeros(samples_in(seconds, rate), dtype=np.int16)

    return Sound(f"silence_for({seconds})", seconds, make)


def tone_sound(hz: float, seconds: float, level_dbfs: float = LEVEL_DBFS) -> Sound:
    """A sine of that length."""

    def make(_identity: int, rate: int) -> Iterator[Pcm]:
        yield tone(hz, seconds, rate, level_dbfs)

    return Sound(f"tone_sound({hz}, {seconds})", seconds, make)


def pcm_sound(pcm: Pcm, rate: int) -> Sound:
    """A recording, given at another rate where that is wanted."""

    def make(_identity: int, wanted: int) -> Iterator[Pcm]:
        yield resample(pcm, rate, wanted)

    return Sound(f"pcm_sound({len(pcm)} samples at {rate} Hz)", len(pcm) / rate, make)


def sequence(*sounds: Sound) -> Sound:
    """One sound after another; nothing is heard of what follows an endless one."""

    def make(identity: int, rate: int) -> Iterator[Pcm]:
        for sound in sounds:
            yield from sound.pieces(identity, rate)

    name = " + ".join(sound.name for sound in sounds)
    return Sound(f"sequence({name})", sum(sound.duration_s for sound in sounds), make)


def _endless_silence(_identity: int, rate: int) -> Iterator[Pcm]:
    while True:
        yield np.zeros(samples_in(PIECE_S, rate), dtype=np.int16)


silence = Sound("silence", math.inf, _endless_silence)
"""Digital silence without end."""
