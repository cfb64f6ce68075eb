"""What a telephone network itself sounds like: keys as tones (ITU-T Q.23), the ringing tone."""

import numpy as np

from simulator.audio.levels import amplitude
from simulator.audio.pcm import Pcm, samples_in, to_pcm
from simulator.audio.sound import Sound, sequence, silence_for, tone_sound
from simulator.audio.tones import ramped, sweep

ROWS_HZ = (697.0, 770.0, 852.0, 941.0)
COLUMNS_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS = ("123A", "456B", "789C", "*0#D")

KEY_S = 0.1
PAUSE_S = 0.08
"""ITU-T Q.24: at least 40 ms each; people press longer."""

KEY_DBFS = -16.0
"""Of each of the two tones."""

RINGING_HZ = 425.0
RINGING_ON_S = 1.0
RINGING_OFF_S = 4.0
"""ETSI's ringing tone."""

Frequencies = tuple[float, float]


def key_frequencies(key: str) -> Frequencies:
    """The two tones of a key; ValueError for what is none."""
    for row, keys in zip(ROWS_HZ, KEYS, strict=True):
        if key.upper() in keys and len(key) == 1:
            return row, COLUMNS_HZ[keys.index(key.upper())]
    raise ValueError(f"{key!r} is no key")


def key_tone(key: str, rate: int) -> Pcm:
    """One key press and the pause behind it."""
    low_hz, high_hz = key_frequencies(key)
    wave = sweep(low_hz, low_hz, KEY_S, rate) + sweep(high_hz, high_hz, KEY_S, rate)
    loud = ramped(wave * amplitude(KEY_DBFS) * np.sqrt(2.0), rate)
    return np.concatenate((to_pcm(loud), np.zeros(samples_in(PAUSE_S, rate), dtype=np.int16)))


def ringing_tone(seconds: float) -> Sound:
    """What a caller hears while the called telephone rings, cut after that time."""
    sounds: list[Sound] = []
    left_s = seconds
    while left_s > 0.0:
        on_s = min(RINGING_ON_S, left_s)
        off_s = min(RINGING_OFF_S, left_s - on_s)
        sounds.append(tone_sound(RINGING_HZ, on_s))
        if off_s > 0.0:
            sounds.append(silence_for(off_s))
        left_s -= on_s + off_s
    return sequence(*sounds)
