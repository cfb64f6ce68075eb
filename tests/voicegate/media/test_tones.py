"""Keys found among tones, noise and speech (ITU-T Q.24)."""

import random
import shutil
import subprocess

import numpy as np
import numpy.typing as npt
import pytest

from simulator.audio.pcm import resample
from simulator.audio.tones import speech_like
from voicegate.media.codec import PCMA
from voicegate.media.tones import ToneDetector, key_tone

ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"
Sound = npt.NDArray[np.float64]


def found(sound: Sound) -> str:
    """What a detector makes of a sound that came as A-law."""
    detector = ToneDetector()
    sound = np.concatenate((sound, np.zeros(-len(sound) % 160)))
    pcm = np.clip(np.rint(sound), -32768, 32767).astype("<i2").tobytes()
    frames = [PCMA.decode(PCMA.encode(pcm[at : at + 320])) for at in range(0, len(pcm), 320)]
    return "".join(detector.frame(frame) for frame in frames)


def keyed(
    keys: str, tone_ms: int, gap_ms: int, *, late: int, twist_db: float = 0.0, off: float = 0.0
) -> Sound:
    at = np.arange(tone_ms * 8) * (2 * np.pi / 8000 * (1 + off))
    parts: list[Sound] = [np.zeros(late)]
    for key in keys:
        row, column = divmod(KEYS.index(key), 4)
        high = 4000 * 10 ** (twist_db / 20) * np.sin(COLUMNS[column] * at + 1.0)
        parts += [4000 * np.sin(ROWS[row] * at) + high, np.zeros(gap_ms * 8)]
    return np.concatenate(parts)


@pytest.mark.parametrize("tone_ms", [40, 60, 120])
@pytest.mark.parametrize("twist_db", [-6.0, 0.0, 6.0])
@pytest.mark.parametrize("off", [-0.015, 0.0, 0.015])
def test_dtmf_of_every_length_twist_and_frequency_is_found_once(
    tone_ms: int, twist_db: float, off: float
) -> None:
    for late in range(0, 160, 23):
        sound = keyed(KEYS, tone_ms, 40, late=late, twist_db=twist_db, off=off)
        assert found(sound) == KEYS


def test_dtmf_is_found_in_noise_20_db_below() -> None:
    noise = np.random.default_rng(3)
    for late in range(0, 160, 23):
        sound = keyed(KEYS, 60, 60, late=late)
        assert found(sound + noise.normal(0, 400, len(sound))) == KEYS


def test_dtmf_too_short_or_one_tone_alone_is_no_key() -> None:
    assert found(keyed(KEYS, 20, 60, late=0)) == ""
    at = np.arange(8000) * 2 * np.pi / 8000
    for hz in (*ROWS, *COLUMNS):
        assert found(6000 * np.sin(hz * at)) == ""
    assert found(keyed("1", 100, 100, late=0, twist_db=-12)) == ""


def test_dtmf_a_break_of_10_ms_does_not_split_a_press() -> None:
    whole = keyed("5", 200, 100, late=0)
    whole[800:880] = 0
    assert found(whole) == "5"


def test_dtmf_our_own_tones_are_found() -> None:
    frames = [key_tone("7", frame) if frame < 5 else bytes(320) for frame in range(8)]
    detector = ToneDetector()
    assert [detector.frame(frame) for frame in frames].count("7") == 1


def test_dtmf_is_not_found_in_speech() -> None:
    """Talk-off: a voice is no keypad."""
    for seed in range(10):
        assert found(speech_like(10.0, 8000, seed=seed).astype(np.float64)) == ""


def test_dtmf_is_not_found_in_gliding_harmonics() -> None:
    source = random.Random(7)
    for _ in range(20):
        at = np.arange(16000) / 8000
        pitch = np.cumsum(source.uniform(90, 300) * (1 + 0.05 * np.sin(2 * np.pi * 3 * at)))
        voice = sum(
            source.uniform(0.1, 1) * np.sin(2 * np.pi * n * pitch / 8000) for n in range(1, 9)
        )
        assert found(np.asarray(2500 * voice, np.float64)) == ""


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize("voice", ["en", "en+f2", "en+f4", "en+croak", "bg"])
def test_dtmf_is_not_found_in_synthetic_speech(voice: str) -> None:
    words = "One two three four. Ooh, aah, you and me, no, oh yes, we see. Please hold the line."
    for pitch in ("50", "99"):
        command = ["espeak-ng", "-v", voice, "-p", pitch, "--stdout", words * 3]
        spoken = subprocess.run(command, capture_output=True, check=True).stdout
        pcm = np.frombuffer(spoken[44 : len(spoken) - len(spoken) % 2], dtype="<i2")
        assert found(resample(pcm, 22050, 8000).astype(np.float64)) == ""
