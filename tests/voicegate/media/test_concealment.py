import random

import numpy as np
import numpy.typing as npt

from simulator.audio.probes import log_spectral_distance
from simulator.audio.tones import speech_like
from voicegate.media.codec import FRAME_SAMPLES, SILENCE_FRAME
from voicegate.media.concealment import CONCEALED_FRAMES_MAX, Concealer, splice

Wave = npt.NDArray[np.float64]
HERE = b"\x01" * FRAME_SAMPLES


def voiced(frames: int, pitch_hz: float = 137.0) -> Wave:
    """A vowel: harmonics of one pitch, whose period is no whole part of a frame."""
    at = np.arange(frames * FRAME_SAMPLES) / 8000
    parts = (np.sin(2 * np.pi * pitch_hz * n * at + n) / n for n in range(1, 12))
    vowel: Wave = np.rint(4000 * np.sum(list(parts), axis=0))
    return vowel


def cut(wave: Wave) -> list[bytes]:
    return [part.astype("<i2").tobytes() for part in wave.reshape(-1, FRAME_SAMPLES)]


def wave_of(*frames: bytes) -> Wave:
    return np.frombuffer(b"".join(frames), dtype="<i2").astype(np.float64)


def test_a_made_up_frame_is_closer_to_the_truth_than_the_last_one_repeated() -> None:
    for pitch_hz in (90.0, 137.0, 211.0):
        frames = cut(voiced(5, pitch_hz))
        concealer = Concealer()
        for frame in frames[:4]:
            concealer.remember(frame)
        truth = wave_of(frames[4])
        made_up = np.sum((wave_of(concealer.conceal()) - truth) ** 2)
        repeated = np.sum((wave_of(frames[3]) - truth) ** 2)
        assert made_up < repeated / 4, pitch_hz


def test_there_is_no_jump_at_the_seams() -> None:
    frames = cut(voiced(6))
    concealer = Concealer()
    for frame in frames[:4]:
        concealer.remember(frame)
    joined = wave_of(frames[3], concealer.conceal(), concealer.mend(frames[5], HERE))
    usual = np.abs(np.diff(voiced(6))).max()
    assert np.abs(np.diff(joined)).max() < 1.3 * usual


def test_it_fades_and_ends_in_silence() -> None:
    concealer = Concealer()
    for frame in cut(voiced(4)):
        concealer.remember(frame)
    levels = []
    for _ in range(CONCEALED_FRAMES_MAX):
        assert not concealer.faded_out
        levels.append(float(np.abs(wave_of(concealer.conceal())).max()))
    assert levels[0] > levels[1] > levels[2] > 0
    assert concealer.faded_out
    assert concealer.conceal() == SILENCE_FRAME


def test_nothing_heard_makes_silence() -> None:
    concealer = Concealer()
    assert concealer.faded_out
    assert concealer.conceal() == SILENCE_FRAME


def test_a_short_history_will_do() -> None:
    concealer = Concealer()
    concealer.remember(cut(voiced(1))[0])
    assert np.abs(wave_of(concealer.conceal())).max() > 1000


def test_a_hole_in_a_frame_is_filled_and_the_rest_left_as_it_came() -> None:
    frames = cut(voiced(5))
    concealer = Concealer()
    for frame in frames[:4]:
        concealer.remember(frame)
    here = bytearray(HERE)
    here[60:100] = bytes(40)
    broken = wave_of(frames[4])
    broken[60:100] = 20000
    mended = wave_of(concealer.mend(broken.astype("<i2").tobytes(), here))
    truth = wave_of(frames[4])
    assert (mended[:20] == truth[:20]).all()
    assert (mended[140:] == truth[140:]).all()
    assert np.sqrt(np.mean((mended - truth) ** 2)) < 0.25 * np.sqrt(np.mean(truth**2))
    assert not concealer.active


def test_a_frame_whose_end_is_missing_goes_on_made_up() -> None:
    frames = cut(voiced(6))
    concealer = Concealer()
    for frame in frames[:4]:
        concealer.remember(frame)
    half = b"\x01" * 80 + bytes(80)
    mended = wave_of(concealer.mend(frames[4], half))
    assert np.abs(mended[80:]).max() > 1000
    assert concealer.active
    assert (
        wave_of(concealer.mend(frames[5], HERE))[80:].tolist() == wave_of(frames[5])[80:].tolist()
    )
    assert not concealer.active


def test_forget_leaves_nothing_of_the_last_stream() -> None:
    concealer = Concealer()
    concealer.remember(cut(voiced(1))[0])
    concealer.conceal()
    concealer.forget()
    assert not concealer.active
    assert concealer.conceal() == SILENCE_FRAME


def test_a_splice_begins_as_the_one_and_ends_as_the_other() -> None:
    low, high = (np.full(160, level, dtype="<i2").tobytes() for level in (-1000, 1000))
    spliced = wave_of(splice(low, high))
    assert spliced[0] == -1000
    assert spliced[-1] > 980
    assert (np.diff(spliced) > 0).all()


def test_speech_with_5_percent_loss_is_nearer_to_the_truth_than_by_repetition() -> None:
    """By the log-spectral distance of a measuring set, over a minute's worth of voices."""
    for seed in range(3):
        spoken = speech_like(10.0, 8000, seed=seed)
        whole = len(spoken) // FRAME_SAMPLES * FRAME_SAMPLES
        frames = cut(spoken[:whole].astype(np.float64))
        lost = random.Random(seed)
        concealer, made_up, repeated = Concealer(), list[bytes](), [SILENCE_FRAME]
        for frame in frames:
            if lost.random() < 0.05:
                made_up.append(concealer.conceal())
                repeated.append(repeated[-1])
            elif concealer.active:
                made_up.append(concealer.mend(frame, HERE))
                repeated.append(frame)
            else:
                concealer.remember(frame)
                made_up.append(frame)
                repeated.append(frame)
        ours, theirs = (
            log_spectral_distance(spoken, np.frombuffer(b"".join(heard), "<i2"))
            for heard in (made_up, repeated[1:])
        )
        assert ours < theirs, seed
