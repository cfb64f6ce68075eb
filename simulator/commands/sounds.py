"""What a caller says, as people write it on a command line: words, a WAV file, stamps."""

import wave
from pathlib import Path

from simulator.audio.levels import frame_levels, speech_heard
from simulator.audio.pcm import Pcm, samples_in
from simulator.audio.sound import Sound, pcm_sound, silence, speech, stamps
from simulator.audio.wav import read

STAMPS_EVERY_S = 1.0
WAV_MAX_OCTETS = 100 << 20
WORDS_MAX = 2000
WINDOW_S = 0.5
LOUD_DBFS = -45.0


def parse_speak(text: str) -> Sound:
    """Read "stamps", "silence", a path that ends in .wav, or words. Raises ValueError."""
    if text == "stamps":
        return stamps(every_s=STAMPS_EVERY_S)
    if text == "silence":
        return silence
    if text.lower().endswith(".wav"):
        return wav_sound(Path(text))
    if not text.strip():
        raise ValueError('nothing to say: "silence" is the word for that')
    if len(text.split()) > WORDS_MAX:
        raise ValueError(f"more than {WORDS_MAX} words")
    return speech(text)


def wav_sound(path: Path) -> Sound:
    """Give the first channel of a PCM16 WAV file. Raises ValueError in plain words."""
    try:
        if path.stat().st_size > WAV_MAX_OCTETS:
            raise ValueError(f"{path}: larger than {WAV_MAX_OCTETS >> 20} MiB")
        samples, rate = read(path)
    except (OSError, EOFError, wave.Error) as error:
        reason = getattr(error, "strerror", None) or str(error) or "cut short"
        raise ValueError(f"{path}: no WAV file that can be read: {reason}") from error
    return pcm_sound(samples[:, 0], rate)


def speech_in(pcm: Pcm, rate: int) -> bool:
    """Tell whether any half second of a recording holds energy worth calling speech.

    Not the whole: how long the rest is quiet says nothing about what was heard.
    """
    size = samples_in(WINDOW_S, rate)
    starts = range(0, max(1, len(pcm) - size // 2), size // 4)
    return any(speech_heard(pcm[start : start + size], rate) for start in starts)


def loud_s(pcm: Pcm, rate: int) -> float:
    """Give the seconds in which something was to be heard."""
    return round(float((frame_levels(pcm, rate) > LOUD_DBFS).sum()) * 0.02, 2)


def response_ms(spoken: Pcm, heard: Pcm, rate: int) -> float | None:
    """Measure from the last loud frame spoken to the next one heard; None where either lacks."""
    said = (frame_levels(spoken, rate) > LOUD_DBFS).nonzero()[0]
    if len(said) == 0:
        return None
    answers = (frame_levels(heard, rate)[said[-1] + 1 :] > LOUD_DBFS).nonzero()[0]
    return float((answers[0] + 1) * 20) if len(answers) else None
